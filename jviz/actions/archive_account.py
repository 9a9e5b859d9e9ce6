"""Commands about who asks: the token of MAST, and names with passwords at other archives."""

from __future__ import annotations

import re
from typing import Any

from jviz.archives import answer, online
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import CommandError
from jviz.session import Session

MENU = "Archive"
TOKEN_SIGNS = re.compile(r"[\w.~+/=-]+", re.ASCII)
"""What a token may be made of (RFC 6750)."""


@command("archive.login", title="Log in to MAST…", menu=MENU, job=True, recorded=False, script=False, group="account",
         icon="fa6s.key")  # fmt: skip
def login(session: Session, token: str = "", *, remember: bool = True, progress: Progress) -> dict[str, str]:
    """Use a token of MAST for exclusive data, and say whose it is and until when.

    Tokens are made at https://auth.mast.stsci.edu/token. One in the environment variable ``MAST_API_TOKEN`` comes
    first. It is shown to MAST alone, and never written into a file, a script or the history.

    Parameters
    ----------
    token : str
        Empty: the one that is known already.
    remember : bool
        Keep it in the keyring of the desktop; without one it is kept until jviz ends.

    Returns
    -------
    dict
        ``user``, ``name``, ``expires`` and where the token is ``kept``.
    """
    from jviz.backend.archive.keys import Secrets
    from jviz.backend.archive.mast import Mast

    online(session)
    used = token.strip() or session.archives.keys.token
    if not used:
        raise CommandError("There is no token yet. Make one at https://auth.mast.stsci.edu/token and give it here.")
    progress(0, 1, "Asking MAST who this is")
    known = Mast(Secrets(used)).whoami()
    if known.get("anon", True):
        raise CommandError("MAST does not know this token: it is wrong or too old. Make a new one at "
                           "https://auth.mast.stsci.edu/token.")  # fmt: skip
    kept = session.archives.keys.keep_token(used, remember=remember) if token.strip() else "as before"
    about = known.get("attrib") or {}
    return {"user": str(known.get("ezid", "")), "name": str(about.get("display_name", "")),
            "expires": str(about.get("expires") or known.get("expires") or "not said"), "kept": kept}  # fmt: skip


@command("archive.logout", title="Log out of MAST", menu=MENU, recorded=False, script=False, group="account")
def logout(session: Session) -> None:
    """Forget the token, also in the keyring; one in ``MAST_API_TOKEN`` stays."""
    session.archives.keys.keep_token("", remember=True)


@command("archive.login_to", title="Log in to Archive…", menu=MENU, job=True, recorded=False, script=False,
         group="account", icon="fa6s.user-lock")  # fmt: skip
def login_to(
    session: Session, archive: str, user: str = "", password: str = "", *, remember: bool = True, progress: Progress
) -> dict[str, str]:
    """Use a name and a password, or a token, at an archive other than MAST, for what only its users may see.

    They are shown (HTTP Basic) to this one host and to no other, over https only (or to this machine), and never
    written into a file, a script or the history. Where the archive says so (``ivoa_cookie``, ``ivoa_bearer``), they
    are changed for a cookie or a token, at an address of the same owner.

    Parameters
    ----------
    archive : str
        Address of the archive or of its service; or the name of a service, as archive.services lists it.
    user : str
        Name of the account there; empty for a token.
    password : str
        Of the account; or a token that was got from the archive, shown as ``Authorization: Bearer``.
    remember : bool
        Keep the password in the keyring of the desktop; without one it is kept until jviz ends.

    Returns
    -------
    dict
        ``host``, ``user``, where the password is ``kept``, and what the archive ``said``.
    """
    from jviz.backend.archive.keys import TOKEN_USER, Secrets, host_of, is_mast
    from jviz.backend.archive.vo import asked_with

    online(session)
    url = _address(session, archive)
    host, user = host_of(url), user.strip() or TOKEN_USER
    if is_mast(url):
        raise CommandError("MAST takes a token and no password: archive.login.")
    if not password or (user == TOKEN_USER and not TOKEN_SIGNS.fullmatch(password)):
        raise CommandError(f"Give the name of the user and the password at {host}, or a token without a name.")
    if ":" in user:
        raise CommandError("The name of a user has no colon in it.")
    secrets = Secrets(logins={host: (user, password)})
    if secrets.login_at(url) is None:
        raise CommandError(f"{url} is not encrypted, and everybody on the way could read the password. Give an address "
                           "that begins with https://.")  # fmt: skip
    said = asked_with(url, secrets, progress=progress)
    kept = session.archives.keys.keep_login(host, user, password, remember=remember)
    return {"host": host, "user": user, "kept": kept, "said": said}


@command("archive.logout_of", title="Log out of Archive…", menu=MENU, job=True, recorded=False, script=False,
         group="account")  # fmt: skip
def logout_of(session: Session, archive: str) -> None:
    """Forget the name and the password at an archive, also in the keyring.

    Parameters
    ----------
    archive : str
        As of archive.login_to; or a host, as archive.logins lists it.
    """
    from jviz.backend.archive.keys import host_of

    host = host_of(_address(session, archive))
    if not session.archives.keys.forget_login(host):
        names = ", ".join(session.archives.keys.users) or "none"
        raise CommandError(f"You are not logged in to {host}; logged in to: {names}.")


@command("archive.logins", title="List Log-ins", menu=MENU, job=True, apart=True, script=False, group="account")
def logins(session: Session) -> Any:
    """List the archives that you are logged in to.

    Returns
    -------
    QTable
        ``host``, ``user`` and where the password is ``kept``; never the password.
    """
    from astropy.table import Table

    users = session.archives.keys.users
    rows = [(host, *about) for host, about in users.items()]
    if session.archives.keys.token:
        rows.insert(0, ("MAST", "", "token"))
    table = Table(rows=rows or None, names=("host", "user", "kept"), dtype=("U64", "U64", "U8") if not rows else None)
    return answer(table, len(table), "jviz", {})


def _address(session: Session, archive: str) -> str:
    """Return the address of an archive that is given by its address, its host or its name."""
    from jviz.archive_services import own_services
    from jviz.backend.archive.vo import services

    text = archive.strip()
    rest = text.partition(":")[2]
    if "://" in rest:
        text = rest  # "sia2:https://…", as of archive.search
    if "://" in text:
        return text
    known = {**services(), **own_services(session)}.get(text.lower())
    return known.url if known is not None and "://" in known.url else f"https://{text}"
