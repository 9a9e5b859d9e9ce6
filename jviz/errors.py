"""The errors meant for users: each names the file or object, the reason and the way out."""

__all__ = ["CommandError", "JvizError", "ReadError", "SessionError"]


class JvizError(Exception):
    """Base of every error that jviz shows to a user.

    Its text is one or two full sentences: what failed (with the name of the file or
    object), why, and what to do about it.
    """


class ReadError(JvizError):
    """A file could not be read; the session is as it was."""


class CommandError(JvizError):
    """A command was called with arguments it cannot use; nothing was changed."""


class SessionError(JvizError):
    """A session file, a name or a view is missing or unusable."""
