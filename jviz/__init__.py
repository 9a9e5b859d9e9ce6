"""jviz: astronomical data, searched, calibrated, looked at and measured in one linked window.

Importing this package is light: it brings neither Qt nor astropy.
"""

from typing import TYPE_CHECKING, Any

from jviz.errors import CommandError, JvizError, ReadError, SessionError

if TYPE_CHECKING:
    from jviz.backend.spectra.ranges import SpectralRanges
    from jviz.session import Session

__version__ = "0.1.0"

__all__ = [
    "CommandError",
    "JvizError",
    "ReadError",
    "Session",
    "SessionError",
    "SpectralRanges",
    "__version__",
    "help",
    "launch",
]


def __getattr__(name: str) -> Any:
    """Import `Session` and `SpectralRanges` on first use (PEP 562)."""
    if name == "Session":
        from jviz.session import Session

        return Session
    if name == "SpectralRanges":
        from jviz.backend.spectra.ranges import SpectralRanges

        return SpectralRanges
    raise AttributeError(f"module 'jviz' has no attribute {name!r}")


def launch(files: Any = (), *, session: "Session | None" = None, show: bool = True) -> Any:
    """Open the window on files, round a session.

    Parameters
    ----------
    files : list of str or Path
        Opened as soon as the window shows.
    session : Session, optional
        The session to show; a new one by default.
    show : bool
        False makes the window without showing it (for tests).

    Returns
    -------
    jviz.window.MainWindow
    """
    from importlib import import_module

    # By name: the package itself stands below the window.
    return import_module("jviz.window").launch(files, session=session, show=show)


class _Text(str):
    """A text that a console shows as it is read, with its lines."""

    def __repr__(self) -> str:
        return str(self)


def help(id: str) -> str:
    """Return the signature and the documentation of a command, ``help("image.stretch")``."""
    from jviz.commands import find

    return _Text(find(id).help)
