"""Searching the library: by place, overlap, time, any column, word and tag."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table

from jviz.backend.calibration.quality import VERDICTS
from jviz.backend.library.catalogue import Library
from jviz.backend.library.footprints import Footprint, vector
from jviz.backend.library.footprints import meeting as overlapping
from jviz.backend.library.schema import COLUMNS
from jviz.backend.render.frames import separation
from jviz.backend.searching import WORDS, days_of, pattern_of, several, spans_of
from jviz.errors import JvizError

__all__ = ["duplicates", "facets", "made_from", "meeting", "refused", "search", "used_by"]

SHOWN = ("name", *(column for column in COLUMNS if column != "s_region"), "size", "state", "pinned", "tags", "note",
         "quality", "path", "source", "sha256", "s_region")  # fmt: skip
"""Columns of an answer."""

WRITTEN = {
    "tags": "(SELECT group_concat(tag, ', ') FROM tag WHERE tag.sha256 = file.sha256) AS tags",
    "note": "(SELECT note FROM note WHERE note.sha256 = file.sha256) AS note",
    "quality": "(SELECT verdict FROM quality WHERE quality.sha256 = file.sha256) AS quality",
}
"""Columns that are not of the file but of its bytes."""

TWICE = "sha256 IN (SELECT sha256 FROM file WHERE state = 'present' GROUP BY sha256 HAVING count(*) > 1)"

CHUNK = 500
"""Rows asked for at a time by their numbers."""

FACETS = ("obs_collection", "instrument_name", "filters", "calib_level", "dataproduct_type", "suffix", "proposal_id")
OWN = ("name", "size", "source", "path", "added", "used", "state", "pinned")
"""Columns that are the library's own."""

NUMBERS = {"calib_level": int, "size": int, "added": float, "used": float, "pinned": bool, "s_ra": float,
           "s_dec": float, "t_min": float, "t_max": float, "t_exptime": float}  # fmt: skip


def search(
    library: Library,
    *,
    sky: tuple[float, float, float] | None = None,
    text: str = "",
    tag: str = "",
    criteria: Mapping[str, Any] | None = None,
    missing: bool = False,
    duplicates: bool = False,
    most: int = 100_000,
    columns: Sequence[str] = SHOWN,
) -> Table:
    """Return the files that fit, nearest first when a place is given, else the newest.

    Parameters
    ----------
    sky : (float, float, float), optional
        Right ascension, declination and radius in degrees: files whose footprint meets the circle, or whose
        position is in it when they have none.
    text : str
        Words that begin words of the target, the investigator, the title or the name of the file, or are in its note.
    criteria : mapping
        Columns and what they must be: a text (``*`` stands for anything; of instruments, targets and the like a
        part is enough), several texts, a number, or (least, most).
    missing : bool
        Files that are not on the disk now, too: gone, or dropped from the store.
    duplicates : bool
        Only files with the same bytes as others, side by side.
    columns : sequence of str
        Which of `SHOWN` are wanted.

    Raises
    ------
    JvizError
        For a column that there is not.
    """
    wheres, values = ["state <> 'forgotten'" if missing else "state = 'present'"], []
    if text.strip():
        where, more = _of_words(re.findall(r"\w+", text))
        wheres.append(where)
        values += more
    if tag:
        wheres.append("sha256 IN (SELECT sha256 FROM tag WHERE tag = ?)")
        values.append(tag)
    if duplicates:
        wheres.append(TWICE)
    for name, wanted in (criteria or {}).items():
        where, more = _condition(name, wanted)
        wheres.append(where)
        values += more
    if sky is not None:
        return _table(_rows_of(library, meeting(library, sky), wheres, values, most, columns), columns)
    where = " AND ".join(wheres)
    order = "sha256, path" if duplicates else "t_min DESC, name"
    sql = f"SELECT {_selected(columns)} FROM file WHERE {where} ORDER BY {order} LIMIT ?"
    return _table([tuple(row) for row in library.ask(sql, (*values, most))], columns)


def _selected(columns: Sequence[str]) -> str:
    return ", ".join(WRITTEN.get(name, name) for name in columns)


def meeting(library: Library, sky: tuple[float, float, float]) -> list[int]:
    """Return the numbers of the files that meet a circle, the nearest first."""
    rows = library.ask(
        "SELECT file.id, s_ra, s_dec, footprint FROM foot JOIN file ON file.id = foot.id "
        "WHERE x1 >= ? AND x0 <= ? AND y1 >= ? AND y0 <= ? AND z1 >= ? AND z0 <= ?",
        _box_of_circle(sky),
    )
    place, radius = vector(sky[0], sky[1]), sky[2]
    positions = np.array([(row["s_ra"], row["s_dec"]) for row in rows], float).reshape(-1, 2).T
    away = np.nan_to_num(separation(*positions, sky[0], sky[1]), nan=np.inf)  # files without a position
    # The boxes of the index are larger than the footprints: those whose middle is outside are looked at.
    near = away <= radius
    beside = [n for n, row in enumerate(rows) if row["footprint"] and not near[n]]
    near[beside] = overlapping([Footprint.from_bytes(rows[n]["footprint"]) for n in beside], place, radius)
    return [number for _, number in sorted((away[n], rows[n]["id"]) for n in np.flatnonzero(near))]


def _rows_of(library: Library, numbers: Sequence[int], wheres: Sequence[str], values: Sequence[Any], most: int,
             columns: Sequence[str]) -> list[tuple[Any, ...]]:  # fmt: skip
    """Return the rows of files in the order of their numbers, as far as they fit."""
    found: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK]
        where = " AND ".join([f"id IN ({', '.join('?' * len(part))})", *wheres])
        rows = library.ask(f"SELECT id, {_selected(columns)} FROM file WHERE {where}", (*part, *values))
        found |= {number: rest for number, *rest in rows}
    return [found[number] for number in numbers if number in found][:most]


def _box_of_circle(sky: tuple[float, float, float]) -> list[float]:
    ra, dec, radius = sky
    if not (0 <= radius <= 180 and abs(dec) <= 90):
        raise JvizError(f"A circle of {radius:g}° about {ra:g}, {dec:g} is none on the sky.")
    chord = 2 * math.sin(math.radians(min(radius, 180)) / 2) + 1e-7
    return [float(v) for number in vector(ra, dec) for v in (number - chord, number + chord)]


def _condition(name: str, wanted: Any) -> tuple[str, list[Any]]:
    """Return SQL with marks, and the values for them."""
    column = WORDS.get(name.lower(), name)
    if column == "quality":
        return _of_quality(several(wanted))
    if column == "note":
        parts = [f"*{value}*".replace("*", "%") for value in several(wanted)]
        return f"sha256 IN (SELECT sha256 FROM note WHERE {' OR '.join(['note LIKE ?'] * len(parts))})", parts
    if column not in COLUMNS and column not in OWN:
        raise JvizError(f"The library has no column {name!r}; it has {', '.join((*COLUMNS, *OWN, 'note', 'quality'))}.")
    if column in ("t_min", "t_max") and not (isinstance(wanted, list | tuple) and len(wanted) != 2):
        return f"{column} BETWEEN ? AND ?", list(days_of(wanted))
    if column in NUMBERS:
        spans = spans_of(column, wanted)
        between = " OR ".join([f"{column} BETWEEN ? AND ?"] * len(spans))
        return f"({between})", [end for span in spans for end in span]
    like = [pattern_of(column, str(value)).replace("*", "%") for value in several(wanted)]
    return "(" + " OR ".join(f"{column} LIKE ?" for _ in like) + ")", like


def _of_words(words: Sequence[str]) -> tuple[str, list[Any]]:
    """Return SQL for files whose headers have all the words, with their notes where they have one."""
    asked = [f'"{word}"*' for word in words]
    # First the notes with one of the words: they are few, and mostly none.
    any_of = " OR ".join(["note LIKE ?"] * len(words)) or "0"
    each = "AND (note LIKE ? OR file.id IN (SELECT rowid FROM words WHERE words MATCH ?)) " * len(words)
    parts = [f"%{word}%" for word in words]
    both = [value for pair in zip(parts, asked, strict=True) for value in pair]
    where = ("id IN (SELECT rowid FROM words WHERE words MATCH ? UNION SELECT file.id FROM note "
             f"JOIN file ON file.sha256 = note.sha256 WHERE ({any_of}) {each})")  # fmt: skip
    return where, [" ".join(asked) or '""', *parts, *both]


def _of_quality(wanted: Sequence[Any]) -> tuple[str, list[Any]]:
    unknown = next((word for word in wanted if word not in VERDICTS), None)
    if unknown is not None:
        raise JvizError(f"The quality of a product is not {unknown!r}; it is {', '.join(VERDICTS)}.")
    marks = ", ".join("?" * len(wanted))
    return f"sha256 IN (SELECT sha256 FROM quality WHERE verdict IN ({marks}))", list(wanted)


def _table(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> Table:
    """Make a table of rows, column by column: value by value takes ten times as long."""
    found = {}
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    for name, values in zip(columns, by_column, strict=True):
        kind = NUMBERS.get(name, str)
        empty = np.array([value is None for value in values], bool) if None in values else np.zeros(len(values), bool)
        filled = [kind() if value is None else value for value in values] if empty.any() else values
        found[name] = MaskedColumn(np.array(filled, kind if kind is not str or not values else None), mask=empty)
    table = Table(found, copy=False)
    for name, unit in (("s_ra", "deg"), ("s_dec", "deg"), ("t_min", "d"), ("t_max", "d"), ("t_exptime", "s")):
        if name in table.colnames:
            table[name].unit = unit
    return table


def facets(table: Table) -> dict[str, list[tuple[str, int]]]:
    """Return, for columns of a few values, each value and how many rows have it, the most frequent first."""
    found = {}
    for name in FACETS:
        if name in table.colnames:
            column = table[name]
            values = column.compressed() if isinstance(column, np.ma.MaskedArray) else np.asarray(column)
            counts = Counter(map(str, values.tolist()))
            found[name] = counts.most_common()
    return found


def duplicates(library: Library) -> list[list[str]]:
    """Return the paths of files with the same bytes, group by group."""
    rows = library.ask(f"SELECT sha256, path FROM file WHERE state = 'present' AND {TWICE} ORDER BY sha256, path")
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["sha256"], []).append(row["path"])
    return list(groups.values())


def refused(library: Library) -> list[tuple[str, str]]:
    """Return the files that could not be taken in, and why."""
    return [(row["path"], row["reason"]) for row in library.ask("SELECT path, reason FROM refused ORDER BY path")]


def made_from(library: Library, path: str) -> list[tuple[str, str, str, str]]:
    """Return what a file was made of: name, role, step, and the path of it when the library has it."""
    here = ("(SELECT path FROM file WHERE file.name = edge.name AND state <> 'forgotten' "
            "ORDER BY state = 'present' DESC LIMIT 1)")  # fmt: skip
    rows = library.ask(
        f"SELECT edge.name, role, step, {here} AS at FROM edge JOIN file ON file.id = child "
        "WHERE file.path = ? AND role <> 'output' ORDER BY role, edge.name",
        (path,),
    )
    return [(row["name"], row["role"], row["step"], row["at"] or "") for row in rows]


def used_by(library: Library, name: str) -> list[str]:
    """Return the paths of files that were made of a file of that name."""
    rows = library.ask("SELECT DISTINCT path FROM edge JOIN file ON file.id = child WHERE edge.name = ? "
                       "AND role <> 'output' AND state <> 'forgotten' ORDER BY path", (name,))  # fmt: skip
    return [row["path"] for row in rows]
