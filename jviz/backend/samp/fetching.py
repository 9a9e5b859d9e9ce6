"""Files that other programs speak of: on this machine where they are, from the network as a copy of limited size."""

from __future__ import annotations

import itertools
import re
import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jviz.backend.archive.net import NetError, connection, reason_of
from jviz.backend.files import writing
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["bring", "is_near", "safe_name", "small"]

CHUNK = 256 * 1024
ENDS = {"image.load.fits": ".fits", "table.load.fits": ".fits", "table.load.votable": ".vot"}
NEAR = ("localhost", "127.0.0.1", "::1")


def is_near(url: str) -> bool:
    """Whether an address is of this machine, so that it can be asked for when working offline."""
    parts = urlsplit(url)
    return parts.scheme == "file" or parts.hostname in NEAR


def bring(url: str, folder: Path, *, mtype: str = "", most: int, progress: Progress = silent) -> Path:
    """Return the file that an address names; one of the network is copied into a folder.

    Parameters
    ----------
    url : str
        ``file:``, ``http:`` or ``https:``.
    folder : Path
        Made when it is needed; a file in it is never replaced.
    mtype : str
        Of the message, for the end of a name that has none.
    most : int
        Bytes that may come over the network.

    Raises
    ------
    JvizError
        When it is of another kind, is not there, or is too large.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise JvizError(f"{url[:200]} is no address.") from None
    if parts.scheme == "file":
        return _local(url, parts.netloc, parts.path)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise JvizError(f"{url[:200]} is neither a file nor on the web; jviz takes file:, http: and https: only.")
    folder.mkdir(parents=True, exist_ok=True)
    target = _free(folder / safe_name(unquote(parts.path), ENDS.get(mtype, "")))
    with writing(target) as temporary:
        _copy(url, parts.hostname, temporary, most, progress)
    return target


def _local(url: str, host: str, path: str) -> Path:
    # "file:///C:/x.fits" of Windows has one stroke too many.
    text = re.sub(r"^/(?=[A-Za-z]:)", "", unquote(path))
    if host and host.lower() not in (*NEAR, socket.gethostname().lower()):
        raise JvizError(f"{url[:200]} lies on another machine, {host}.")
    found = Path(text)
    if "\0" in text or not found.is_absolute() or not found.is_file():
        raise JvizError(f"{text[:200] or url[:200]} is no file on this machine.")
    return found


def _copy(url: str, host: str, target: Path, most: int, progress: Progress) -> None:
    done = 0
    limit = f"{most / 1e6:,.0f} MB, the most that jviz takes from other programs (the setting samp.limit_mb)"
    with connection(tries=2) as session:
        # A proxy is for the world outside of this machine.
        session.trust_env = host not in NEAR
        try:
            with session.get(url, stream=True) as reply:
                if not reply.ok:
                    status = reply.status_code
                    raise NetError(f"{host} answers with error {status} ({reply.reason}).", status)
                size = int(reply.headers.get("Content-Length") or 0)
                if size > most:
                    raise JvizError(f"{url[:200]} has {size / 1e6:,.0f} MB; that is more than {limit}.")
                with target.open("wb") as file:
                    for piece in reply.iter_content(CHUNK):
                        done += len(piece)
                        if done > most:
                            raise JvizError(f"{url[:200]} is longer than {limit}.")
                        file.write(piece)
                        progress(done, size, f"Fetching {target.name.lstrip('.')}")
        except JvizError:
            raise
        except (OSError, ValueError) as error:  # those of requests are of these kinds
            raise reason_of(error, host) from error


def small(url: str, *, most: int = 200_000) -> bytes:
    """Return a small file of this machine, such as the icon of a program; empty when it cannot be had.

    Addresses elsewhere are not asked for: programs could see by them who is there.
    """
    try:
        if not is_near(url):
            return b""
        parts = urlsplit(url)
        if parts.scheme == "file":
            with _local(url, parts.netloc, parts.path).open("rb") as file:
                found = file.read(most + 1)
        else:
            with connection(tries=1, timeout=(2.0, 2.0)) as session:
                session.trust_env = False
                with session.get(url, stream=True, allow_redirects=False) as reply:
                    found = next(reply.iter_content(most + 1), b"") if reply.ok else b""
    except (OSError, ValueError, JvizError):
        return b""
    return found if len(found) <= most else b""


def safe_name(path: str, end: str = "") -> str:
    """Return the last part of a path as a name that no folder minds."""
    name = re.sub(r"[^\w.+-]+", "_", path.rpartition("/")[2]).strip("._")[-100:] or "received"
    return name if not end or "." in name else name + end


def _free(path: Path) -> Path:
    stem, dot, rest = path.name.partition(".")
    names = itertools.chain([path.name], (f"{stem}.{number}{dot}{rest}" for number in itertools.count(1)))
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())
