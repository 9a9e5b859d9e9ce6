"""The registry of the Virtual Observatory: which services there are, by words, kind and waveband.

Registries answer ADQL over the tables of RegTAP (IVOA Recommendation "Registry Relational Schema", 1.1 and 1.2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table

from jviz.errors import JvizError

__all__ = ["KINDS", "MOST", "WAVEBANDS", "found_services", "registry_query"]

MOST = 500
"""Rows that are asked for."""

STANDARDS = {"tap": "ivo://ivoa.net/std/tap", "sia2": "ivo://ivoa.net/std/sia#query-2%", "sia1": "ivo://ivoa.net/std/sia",
             "ssa": "ivo://ivoa.net/std/ssa%", "cone": "ivo://ivoa.net/std/conesearch%"}  # fmt: skip
"""What the registry calls the standard of a service, as a pattern. Capabilities that only point at the TAP service of
another resource (``tap#aux``) are none of them."""

OBSCORE = "ivo://ivoa.net/std/obscore%"

KINDS = ("obscore", *STANDARDS)
"""Kinds of services; "obscore" are those of TAP that have observations."""

WAVEBANDS = ("radio", "millimeter", "infrared", "optical", "uv", "euv", "x-ray", "gamma-ray")


def registry_query(words: str = "", kind: str = "", waveband: str = "") -> str:
    """Return ADQL for the registry: services with these words in their title, short name or description.

    Parameters
    ----------
    kind : str
        One of `KINDS`; "" for all of them.
    waveband : str
        One of `WAVEBANDS`; "" for all, and for those that tell none.

    Raises
    ------
    JvizError
        When there is no such kind or waveband, or nothing is asked for.
    """
    if kind not in ("", *KINDS):
        raise JvizError(f"The registry lists {', '.join(KINDS)}; {kind!r} is none of them.")
    if waveband not in ("", *WAVEBANDS):
        raise JvizError(f"The registry knows the wavebands {', '.join(WAVEBANDS)}; {waveband!r} is none of them.")
    if not (words.strip() or waveband or kind == "obscore"):
        raise JvizError("The registry knows tens of thousands of services. Give words, or a waveband.")
    kinds = STANDARDS if not kind else {kind: STANDARDS["tap" if kind == "obscore" else kind]}
    standards = " OR ".join(f"standard_id {'LIKE' if '%' in name else '='} '{name}'" for name in kinds.values())
    where = ["intf_role = 'std'", f"({standards})"]
    if kind == "obscore":
        where.append("ivoid IN (SELECT ivoid FROM rr.res_detail WHERE detail_xpath = '/capability/dataModel/@ivo-id' "
                     f"AND detail_value LIKE '{OBSCORE}')")  # fmt: skip
    if waveband:
        where.append(f"waveband LIKE '%{waveband}%'")
    for word in words.split():
        like = word.lower().replace("'", "''")
        where.append(f"(LOWER(res_title) LIKE '%{like}%' OR LOWER(short_name) LIKE '%{like}%' "
                     f"OR LOWER(res_description) LIKE '%{like}%')")  # fmt: skip
    columns = "short_name, res_title, access_url, standard_id, waveband, res_description"
    tables = "rr.resource NATURAL JOIN rr.capability NATURAL JOIN rr.interface"
    return f"SELECT TOP {MOST} {columns} FROM {tables} WHERE {' AND '.join(where)}"


def found_services(table: Table, kind: str = "") -> Table:
    """Return what the registry says as services, each address once.

    Parameters
    ----------
    kind : str
        What was asked for.

    Returns
    -------
    Table
        ``name``, ``kind``, ``title``, ``url``, ``obscore`` (whether it is known to have observations), ``waveband``
        (with commas) and ``about``.
    """
    rows: dict[str, tuple[Any, ...]] = {}
    for row in table:
        url, found = _text(row["access_url"]), _kind(_text(row["standard_id"]))
        if not url.startswith(("http://", "https://")) or not found:
            continue
        bands = ", ".join(part for part in _text(row["waveband"]).split("#") if part)
        about = (_text(row["short_name"]), found, _text(row["res_title"]), url, kind == "obscore", bands,
                 _text(row["res_description"]))  # fmt: skip
        rows.setdefault(url, about)
    names = ("name", "kind", "title", "url", "obscore", "waveband", "about")
    kinds = ("U1", "U1", "U1", "U1", bool, "U1", "U1")
    ordered = sorted(rows.values(), key=lambda one: one[2].lower())
    return Table(rows=ordered, names=names) if ordered else Table(names=names, dtype=kinds)


def _kind(standard: str) -> str:
    """Return the kind of a service by its standard."""
    standard = standard.lower()
    for kind, pattern in STANDARDS.items():
        if standard == pattern or (pattern.endswith("%") and standard.startswith(pattern[:-1])):
            return kind
    return ""


def _text(value: Any) -> str:
    return "" if value is None or value is np.ma.masked else " ".join(str(value).split())
