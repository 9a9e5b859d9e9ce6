"""Secrets of a session: the token of MAST, and names with passwords of other archives; in the keyring or in memory."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from jviz.signals import Signal

if TYPE_CHECKING:
    from jviz.backend.archive.keys import Secrets

__all__ = ["ArchiveKeys"]

TOKEN = ("astroquery:mast.stsci.edu.token", "token")
"""Where astroquery keeps the token too, so that one who logged in there is known here."""

LOGIN = "jviz:"
"""Before the host, in the keyring: where the password of a user is."""

LOGINS = "archive.logins"
"""The setting that knows of whom the keyring has a password."""


class ArchiveKeys:
    """What a session may show to archives, each secret to its own host; called, it gives what counts now.

    Attributes
    ----------
    changed : Signal
        Emitted, in any thread, after somebody logged in or out.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._lock = threading.RLock()
        self._token: str | None = None
        self._logins: dict[str, tuple[str, str] | None] = {}
        self.changed = Signal()

    def __call__(self) -> Secrets:
        from jviz.backend.archive.keys import Secrets

        return Secrets(self.token, self._passwords())

    # --- MAST -----------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The token for exclusive data: of ``$MAST_API_TOKEN``, of this session, or of the keyring; "" for none."""
        given = os.environ.get("MAST_API_TOKEN", "").strip()
        if given:
            return given
        with self._lock:
            if self._token is None:
                self._token = _from_keyring(*TOKEN)
            return self._token

    def keep_token(self, token: str, *, remember: bool) -> str:
        """Use a token from now on; return where it is kept: "keyring" or "memory"."""
        with self._lock:
            self._token = token
        kept = "keyring" if remember and _to_keyring(*TOKEN, token) else "memory"
        self.changed.emit()
        return kept

    # --- other archives -------------------------------------------------------------------------

    @property
    def users(self) -> dict[str, tuple[str, str]]:
        """The name of the user at each host, and where the password is: "keyring" or "memory"."""
        remembered = self._session.settings[LOGINS]
        return {host: (login[0], "keyring" if remembered.get(host) == login[0] else "memory")
                for host, login in sorted(self._passwords().items())}  # fmt: skip

    def keep_login(self, host: str, user: str, password: str, *, remember: bool) -> str:
        """Use a name and a password at a host from now on; return where they are kept: "keyring" or "memory"."""
        self._forget_remembered(host)
        with self._lock:
            self._logins[host] = (user, password)
        in_keyring = remember and _to_keyring(LOGIN + host, user, password)
        if in_keyring:
            self._note({**self._session.settings[LOGINS], host: user})
        self.changed.emit()
        return "keyring" if in_keyring else "memory"

    def forget_login(self, host: str) -> bool:
        """Forget the name and the password at a host, also in the keyring; return whether there were any."""
        known = host in self._passwords()
        with self._lock:
            self._logins[host] = None
        self._forget_remembered(host)
        self.changed.emit()
        return known

    def _forget_remembered(self, host: str) -> None:
        remembered = dict(self._session.settings[LOGINS])
        user = remembered.pop(host, None)
        if user is not None:
            _to_keyring(LOGIN + host, user, "")
            self._note(remembered)

    def _note(self, remembered: dict[str, str]) -> None:
        """Write down of whom the keyring has a password, in the session's thread: the window follows settings."""
        self._session.dispatcher.ask(partial(self._session.settings.__setitem__, LOGINS, remembered))

    def _passwords(self) -> dict[str, tuple[str, str]]:
        with self._lock:
            for host, user in self._session.settings[LOGINS].items():
                if host not in self._logins:
                    password = _from_keyring(LOGIN + host, user)
                    self._logins[host] = (user, password) if password else None
            return {host: login for host, login in self._logins.items() if login is not None}


def _from_keyring(service: str, user: str) -> str:
    import keyring
    import keyring.errors

    with suppress(keyring.errors.KeyringError, RuntimeError):  # no desktop, or a locked one
        return keyring.get_password(service, user) or ""
    return ""


def _to_keyring(service: str, user: str, secret: str) -> bool:
    """Keep a secret in the keyring, or take it out when it is empty; False when there is no keyring."""
    import keyring
    import keyring.errors

    try:
        if secret:
            keyring.set_password(service, user, secret)
        else:
            keyring.delete_password(service, user)
    except keyring.errors.PasswordDeleteError:
        return True  # there was none
    except (keyring.errors.KeyringError, RuntimeError):
        return False
    return True
