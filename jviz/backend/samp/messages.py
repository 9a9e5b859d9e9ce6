"""What other programs say: messages read into what they mean, or refused with a sentence.

The kinds of message ("MTypes") are those of https://wiki.ivoa.net/twiki/bin/view/IVOA/SampMTypes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jviz.errors import JvizError

__all__ = ["LOADS", "POINT", "ROW", "ROWS", "UNDERSTOOD", "Load", "Point", "Rows", "read_message"]

LOADS = {"image.load.fits": "image", "table.load.votable": "table", "table.load.fits": "table",
         "spectrum.load.ssa-generic": "spectrum"}  # fmt: skip
"""Messages that bring data, with the word for what they bring."""

ROW, ROWS, POINT = "table.highlight.row", "table.select.rowList", "coord.pointAt.sky"
UNDERSTOOD = (*LOADS, ROW, ROWS, POINT, "samp.app.ping")

LONGEST_NAME = 120


@dataclass(frozen=True)
class Load:
    """Data to open: where they are, what the sender calls them, and how it will speak of them later.

    Attributes
    ----------
    mtype : str
    url, name : str
    id : str
        The sender's name for it in later messages; may be empty.
    format : str
        MIME type of a spectrum, where the sender tells it.
    """

    mtype: str
    url: str
    name: str
    id: str = ""
    format: str = ""

    @property
    def what(self) -> str:
        """The word for it: image, table or spectrum."""
        return LOADS[self.mtype]


@dataclass(frozen=True)
class Rows:
    """Rows of a table, counted from 0, that another program selects, or the one it points at."""

    table: str
    url: str
    rows: tuple[int, ...]
    pointed: bool = False


@dataclass(frozen=True)
class Point:
    """A place on the sky (ICRS, degrees) that another program points at."""

    ra: float
    dec: float


def read_message(mtype: str, params: Any) -> Load | Rows | Point | None:
    """Return what a message means; None for a ping.

    Raises
    ------
    JvizError
        When it lacks something, or is not understood; its text goes on after "TOPCAT sent a message that cannot be
        used: ".
    """
    if not isinstance(params, Mapping):
        raise JvizError(f"{mtype} came without its parameters")
    if mtype in LOADS:
        return _load(mtype, params)
    if mtype == ROW:
        return Rows(*_table(mtype, params), (_row(mtype, params.get("row")),), pointed=True)
    if mtype == ROWS:
        rows = params.get("row-list")
        if not isinstance(rows, list | tuple):
            raise JvizError(f"{mtype} has no list of rows (row-list)")
        return Rows(*_table(mtype, params), tuple(_row(mtype, row) for row in rows))
    if mtype == POINT:
        return _point(mtype, params)
    if mtype == "samp.app.ping":
        return None
    raise JvizError(f"{mtype} is no message that jviz knows")


def _load(mtype: str, params: Mapping[str, Any]) -> Load:
    url = _text(params, "url")
    if not url:
        raise JvizError(f"{mtype} does not say where the {LOADS[mtype]} is (url)")
    id = _text(params, {"image": "image-id", "table": "table-id", "spectrum": "spectrum-id"}[LOADS[mtype]])
    meta = params.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    try:
        last = urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        raise JvizError(f"{url[:200]} in {mtype} is no address") from None
    name = _text(params, "name") or _text(meta, "Target.Name") or last
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    return Load(mtype, url, name[:LONGEST_NAME] or LOADS[mtype], id, _text(meta, "Access.Format"))


def _table(mtype: str, params: Mapping[str, Any]) -> tuple[str, str]:
    table, url = _text(params, "table-id"), _text(params, "url")
    if not (table or url):
        raise JvizError(f"{mtype} does not say which table is meant (table-id or url)")
    return table, url


def _row(mtype: str, text: Any) -> int:
    try:
        row = int(text)
    except (TypeError, ValueError):
        row = -1
    if row < 0:
        raise JvizError(f"{str(text)[:40]!r} in {mtype} is no number of a row (0, 1, 2 …)")
    return row


def _point(mtype: str, params: Mapping[str, Any]) -> Point:
    try:
        ra, dec = float(params.get("ra", "")), float(params.get("dec", ""))
    except (TypeError, ValueError):
        ra = dec = math.nan
    if not (math.isfinite(ra) and -90 <= dec <= 90):
        raise JvizError(f"{mtype} has no position in degrees (ra {str(params.get('ra'))[:40]!r}, dec "
                        f"{str(params.get('dec'))[:40]!r})")  # fmt: skip
    return Point(ra % 360.0, dec)


def _text(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name, "")
    return value.strip() if isinstance(value, str) else ""
