"""Help with ADQL: the tables and columns of a service, questions to begin with, and where a refused one is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jviz.backend.archive.vo import Service, services

__all__ = ["Example", "adql_examples", "adql_place", "columns_query", "tables_query", "tap_services"]

MOST = 2000
"""Tables that are listed at once; some services have tens of thousands."""

PLACE = "CIRCLE('ICRS', 53.16, -27.79, 0.1)"

LINE_COLUMN = re.compile(r"\bl(?:ine)?[.:\s]*(\d+)[,;\s]*c(?:ol(?:umn)?)?[.:\s]*(\d+)", re.IGNORECASE)
CHARACTER = re.compile(r"\b(?:at char(?:acter)?|(?:at )?(?:position|offset))[.:\s]*(\d+)", re.IGNORECASE)
QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'|`([^`]+)`|“([^”]+)”|«([^»]+)»")
NAMED = re.compile(r"\b(?:column|table|identifier|function|relation|name)s?\s*:?\s+([A-Za-z_][\w.]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """A question to begin with; ``service`` is the name of the one that it is for, "" for any with ObsCore."""

    title: str
    service: str
    adql: str


EXAMPLES = (
    Example("Observations around a place", "",
            f"SELECT TOP 100 *\nFROM ivoa.ObsCore\nWHERE 1 = CONTAINS(POINT('ICRS', s_ra, s_dec), {PLACE})"),
    Example("Cubes, the longest exposures first", "",
            "SELECT TOP 100 obs_id, target_name, instrument_name, t_exptime, s_ra, s_dec\nFROM ivoa.ObsCore\n"
            "WHERE dataproduct_type = 'cube'\nORDER BY t_exptime DESC"),
    Example("How many of each instrument around a place", "",
            "SELECT instrument_name, COUNT(*) AS n\nFROM ivoa.ObsCore\n"
            f"WHERE 1 = CONTAINS(POINT('ICRS', s_ra, s_dec), {PLACE})\nGROUP BY instrument_name"),
    Example("Stars of Gaia DR3 around a place", "vizier",
            "SELECT TOP 1000 RA_ICRS, DE_ICRS, Gmag, Plx, e_Plx, pmRA, pmDE\nFROM \"I/355/gaiadr3\"\n"
            "WHERE 1 = CONTAINS(POINT('ICRS', RA_ICRS, DE_ICRS), CIRCLE('ICRS', 132.85, 11.81, 0.2))"),
    Example("Objects of SIMBAD around a place", "simbad",
            "SELECT TOP 500 main_id, ra, dec, otype, rvz_redshift\nFROM basic\n"
            f"WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), {PLACE})"),
    Example("Galaxies of NED around a place", "ned",
            "SELECT TOP 500 prefname, ra, dec, z, pretype\nFROM NEDTAP.objdir\n"
            f"WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), {PLACE})"),
    Example("Services that have a word in their title", "registry",
            "SELECT TOP 100 short_name, res_title, access_url\nFROM rr.resource NATURAL JOIN rr.capability "
            "NATURAL JOIN rr.interface\nWHERE standard_id LIKE 'ivo://ivoa.net/std/tap%' AND intf_role = 'std'\n"
            "AND LOWER(res_title) LIKE '%jwst%'"),
)  # fmt: skip
TABLES = Example("Tables of the service", "*", "SELECT TOP 100 table_name, description\nFROM TAP_SCHEMA.tables")


def tap_services(own: Mapping[str, Service] | None = None) -> list[Service]:
    """Return the services known by name that take ADQL, those with ObsCore first; the ``own`` ones before all."""
    before = [service for service in (own or {}).values() if service.kind == "tap"]
    found = [service for service in services().values() if service.kind == "tap"]
    return before + sorted(found, key=lambda s: (not s.obscore, s.title.lower()))


def adql_examples(service: str, own: Mapping[str, Service] | None = None) -> list[Example]:
    """Return questions to begin with, of a service known by name or by its address."""
    known = {**services(), **(own or {})}.get(service)
    fitting = [one for one in EXAMPLES if one.service == service]
    if known is None or known.obscore:
        fitting += [one for one in EXAMPLES if not one.service]
    return [*fitting, TABLES]


def tables_query(words: str = "") -> str:
    """Return ADQL that lists the tables of a service with all of some words in their name or description."""
    where = [f"(LOWER(table_name) LIKE '%{like}%' OR LOWER(description) LIKE '%{like}%')"
             for like in (word.lower().replace("'", "''") for word in words.split())]  # fmt: skip
    after = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT TOP {MOST} schema_name, table_name, description FROM TAP_SCHEMA.tables{after} ORDER BY table_name"


def columns_query(table: str) -> str:
    """Return ADQL that lists the columns of a table."""
    name = table.replace("'", "''")
    return f"SELECT column_name, datatype, unit, ucd, description FROM TAP_SCHEMA.columns WHERE table_name = '{name}'"


def adql_place(message: str, adql: str) -> tuple[int, int] | None:
    """Return where in a question a service finds a fault: begin and end, None when it does not say so.

    Parameters
    ----------
    message : str
        What the service says: a line and a column, a character, or a word of the question.
    """
    found = LINE_COLUMN.search(message)
    if found is not None:
        lines = adql.splitlines(keepends=True)
        line, column = int(found[1]), int(found[2])
        if 1 <= line <= len(lines):
            return _word_at(adql, sum(map(len, lines[: line - 1])) + max(column - 1, 0))
    found = CHARACTER.search(message)
    if found is not None:
        return _word_at(adql, int(found[1]))
    words = [next(filter(None, match.groups())) for match in QUOTED.finditer(message)]
    words += [match[1] for match in NAMED.finditer(message)]
    for word in (word.strip(" .") for word in words):
        at = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", adql, re.IGNORECASE)
        if at is not None and word:
            return at.span()
    return None


def _word_at(adql: str, place: int) -> tuple[int, int] | None:
    """Return the word at a place, or the last one when the question ends too early."""
    if not adql.strip():
        return None
    place = min(place, len(adql.rstrip()) - 1)
    for found in re.finditer(r"[\w.]+|\S", adql):
        if found.end() > place:
            return found.span()
    return None
