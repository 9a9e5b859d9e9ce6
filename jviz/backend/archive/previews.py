"""Small pictures of observations: where they are, fetched once and kept in the cache."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jviz.backend.archive.keys import NO_SECRETS, Keys
from jviz.backend.archive.net import NetError, connection, json_of, reason_of
from jviz.backend.archive.products import address_of
from jviz.backend.cache import folder
from jviz.backend.files import writing
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["DATALINK", "kept_preview", "picture_among", "preview", "preview_address"]

COLUMNS = ("jpegURL", "preview", "preview_url", "thumbnail", "thumbnail_url", "quicklook")
"""Columns that tell the address of a picture, the best first."""

MOST = 8_000_000
"""Bytes of a picture; what is longer is no preview."""

MAGIC = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png", b"GIF8": ".gif", b"RIFF": ".webp"}
PICTURES = ("image/jpeg", "image/jpg", "image/png", "image/gif")

DATALINK = "datalink:"
"""Before the address of a datalink, which tells the address of a picture."""

SEMANTICS = ("#preview-image", "#preview", "#thumbnail")
"""What a datalink calls pictures of its data, the best first (IVOA vocabulary "datalink/core")."""


def preview_address(row: Any) -> str:
    """Return the address of the picture of a row of an answer, "" when it tells none.

    Where only a datalink may tell it, the address is that of the datalink, with `DATALINK` before it.
    """
    low = {name.lower(): name for name in row.colnames}
    for column in (name.lower() for name in COLUMNS):
        text = str(row[low[column]]).strip() if column in low else ""
        if text.startswith(("mast:", "http://", "https://")):
            return text
    kind = str(row[low["access_format"]]).lower() if "access_format" in low else ""
    text = str(row[low["access_url"]]).strip() if "access_url" in low else ""
    if not text.startswith(("http://", "https://")):
        return ""
    if "content=datalink" in kind.replace(" ", "").replace('"', ""):
        return DATALINK + text
    return text if kind.startswith(PICTURES) else ""


def picture_among(links: Any) -> str:
    """Return the address of a picture of the data that a datalink is about, "" when it has none.

    Parameters
    ----------
    links : Table
        As of `jviz.backend.archive.vo.links`.
    """
    found = []
    for row in links:
        url, meaning = (str(row[name]).strip() for name in ("access_url", "semantics"))
        kind = str(row["content_type"]).lower() if "content_type" in links.colnames else ""
        if meaning not in SEMANTICS or not url.startswith(("http://", "https://")):
            continue
        # Without a type it may be one: what is none is refused when it comes.
        if kind in ("", "--", "none") or kind.startswith(PICTURES):
            found.append((not kind.startswith(PICTURES), SEMANTICS.index(meaning), url))
    return min(found)[2] if found else ""


def kept_preview(address: str) -> Path | None:
    """Return the file of a picture that was fetched before, None when it was not."""
    return next((path for end in MAGIC.values() if (path := _place(address, end)).is_file()), None)


def _place(address: str, end: str) -> Path:
    return folder("previews") / (hashlib.sha256(address.encode()).hexdigest()[:32] + end)


def preview(address: str, *, known_as: str = "", keys: Keys = NO_SECRETS, offline: bool = False,
            progress: Progress = silent) -> Path:  # fmt: skip
    """Return the file of a picture; it is fetched when it is asked for first.

    Parameters
    ----------
    address : str
        ``mast:…`` or an address of the web.
    known_as : str
        What it is found by the next time; by default its address.
    keys : Secrets or callable
        Each shown to its host only, and not where that redirects to.
    offline : bool
        Only what was fetched before.

    Raises
    ------
    JvizError
        When it is not here and cannot be fetched, or is no picture.
    """
    url = address_of(address)
    known = kept_preview(known_as or url)
    if known is not None:
        return known
    if offline:
        raise JvizError("It was not fetched before, and you work offline.")
    content = _fetched(url, keys, progress)
    end = next((end for magic, end in MAGIC.items() if content.startswith(magic)), "")
    if not end:
        raise NetError(f"{urlsplit(url).hostname} sent something that is no picture.")
    place = _place(known_as or url, end)
    with writing(place) as temporary:
        temporary.write_bytes(content)
    return place


def _fetched(url: str, keys: Keys, progress: Progress) -> bytes:
    host = urlsplit(url).hostname or url
    pieces, size = [], 0
    with connection(keys=keys, tries=2, timeout=(10.0, 20.0)) as session:
        try:
            with session.get(url, stream=True) as reply:
                if not reply.ok:
                    json_of(reply, host)
                for piece in reply.iter_content(64 * 1024):
                    progress(size, 0, "Fetching a preview")
                    pieces.append(piece)
                    size += len(piece)
                    if size > MOST:
                        raise NetError(f"The preview at {host} has more than {MOST / 1e6:.0f} MB.")
        except JvizError:
            raise
        except (OSError, ValueError) as error:  # those of requests are of these kinds
            raise reason_of(error, host) from error
    return b"".join(pieces)
