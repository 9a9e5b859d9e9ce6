"""The position of an object by its name: J-names, a small list of our own, earlier answers, and Sesame."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from jviz.errors import JvizError

__all__ = ["RESOLVERS", "SESAME", "Resolved", "parse_jname", "resolve_name"]

RESOLVERS = ("auto", "offline", "sesame", "mast")
"""Who may be asked: what is known here and then a server, only what is known here, or one server."""

SESAME = (
    "https://cds.unistra.fr/cgi-bin/nph-sesame/-oI/SNV?",
    "https://vizier.cfa.harvard.edu/viz-bin/nph-sesame/-oI/SNV?",
)
"""The name servers, asked in this order; the name is appended."""

_jname = re.compile(r"(?:.*[^A-Za-z0-9.])?J\s?(\d{4,}(?:\.\d+)?)([+-])(\d{4,}(?:\.\d+)?)[a-z]?", re.IGNORECASE)
_answer = re.compile(r"^%J\s+([-+\d.]+)\s+([-+\d.]+)", re.MULTILINE)
_catalogue = re.compile(r"^#=\w*=(\w+)", re.MULTILINE)
_most_bytes = 200_000


class Resolved(NamedTuple):
    """Where an object is.

    Attributes
    ----------
    lon, lat : float
        ICRS, in degrees.
    source : str
        Who says so, in words.
    """

    lon: float
    lat: float
    source: str


def resolve_name(
    name: str, *, offline: bool = False, timeout: float = 5.0, servers: Iterable[str] = SESAME, resolver: str = "auto"
) -> Resolved:
    """Find the position of an object.

    What needs no network is tried first. Answers of the network are kept.

    Parameters
    ----------
    name : str
        ``"M 31"``, ``"NGC 1365"``, ``"SDSS J100028.60+021221.0"`` …
    offline : bool
        Never ask the network.
    timeout : float
        Seconds to wait for each server.
    servers : iterable of str
        Addresses of Sesame servers (http or https), to which the name is appended.
    resolver : str
        One of `RESOLVERS`. Of "sesame" and "mast", only their own answers count, also those that were kept.

    Raises
    ------
    JvizError
        When nobody knows the name, or nobody can be asked.
    """
    key = _key(name)
    if not key:
        raise JvizError("The name of the object is empty. Write one such as M 31, or a position.")
    if resolver not in RESOLVERS:
        raise JvizError(f"There is no resolver of names {resolver!r}; there are {', '.join(RESOLVERS)}.")
    if resolver in ("sesame", "mast"):
        return _of_one(name, f"{resolver}:{key}", resolver, offline, lambda: _ask_sesame(name, tuple(servers), timeout))
    offline = offline or resolver == "offline"
    known = _by_jname(name) or _own_list().get(key) or _remembered().get(key)
    known = known or (_by_jname(name, rough=True) if offline else None)
    if known:
        return known
    if offline:
        raise JvizError(
            f"{name!r} is not among the objects that jviz knows without the network. "
            "Allow the network in the preferences, or give its position."
        )
    found = _ask(name, tuple(servers), timeout)
    _remember(key, found)
    return found


def _of_one(name: str, key: str, resolver: str, offline: bool, sesame: Callable[[], Resolved]) -> Resolved:
    """Return what one server says, or said before; a position in the name needs nobody."""
    known = _by_jname(name) or _remembered().get(key)
    if known is not None:
        return known
    if offline:
        raise JvizError(f"{name!r} was not asked of {resolver} before, and you work offline. Let jviz choose the "
                        "resolver, or give a position.")  # fmt: skip
    found = _ask_mast(name) if resolver == "mast" else sesame()
    _remember(key, found)
    return found


def _key(name: str) -> str:
    """Reduce a name to what tells it from others: ``"Messier 031"`` → ``"m31"``."""
    text = re.sub(r"[\s_]+", "", name.casefold()).removeprefix("name").replace("’", "'")
    text = re.sub(r"^messier(?=\d)", "m", text)
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", text)


def _by_jname(name: str, *, rough: bool = False) -> Resolved | None:
    found = parse_jname(name, rough=rough)
    return None if found is None else Resolved(*found, "the position in its name")


@cache
def _own_list() -> dict[str, Resolved]:
    text = resources.files("jviz.resources").joinpath("objects.csv").read_text("utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")]
    objects = {}
    for name, ra, dec, aliases in rows[1:]:
        place = Resolved(float(ra), float(dec), "the list of objects in jviz")
        objects.update({_key(alias): place for alias in (name, *aliases.split(";")) if alias})
    return objects


def _memory() -> Path:
    from jviz.backend.cache import folder

    return folder("names") / "answers.json"


def _remembered() -> dict[str, Resolved]:
    try:
        answers = json.loads(_memory().read_text("utf-8"))
        return {key: Resolved(float(lon), float(lat), str(source)) for key, (lon, lat, source) in answers.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # a missing or damaged memory only costs asking again


def _remember(key: str, found: Resolved) -> None:
    from jviz.backend.files import writing

    answers = {**_remembered(), key: found}
    with writing(_memory()) as temporary:
        temporary.write_text(json.dumps(answers), "utf-8")


def _ask(name: str, servers: tuple[str, ...], timeout: float) -> Resolved:
    """Ask one server after the other; the first that can be reached decides.

    Those who set a mirror of MAST (``$JVIZ_MAST_URL``) have their names looked up there.
    """
    if os.environ.get("JVIZ_MAST_URL"):
        return _ask_mast(name)
    return _ask_sesame(name, servers, timeout)


def _ask_sesame(name: str, servers: tuple[str, ...], timeout: float) -> Resolved:
    import urllib.error
    import urllib.parse
    import urllib.request

    reasons = []
    for server in servers:
        if not server.startswith(("http://", "https://")):
            raise JvizError(f"{server!r} is no address of a name server; it must start with https://.")
        try:
            with urllib.request.urlopen(server + urllib.parse.quote(name.strip()), timeout=timeout) as reply:
                return _read_answer(name, reply.read(_most_bytes).decode("utf-8", "replace"))
        except (OSError, ValueError) as error:  # URLError and time-outs are OSErrors
            reasons.append(str(getattr(error, "reason", error)) or type(error).__name__)
    raise JvizError(
        f"The position of {name!r} could not be asked for: "
        f"no name server answers ({'; '.join(reasons) or 'none is set'}). "
        "Check the network, or give the position itself."
    )


def _ask_mast(name: str) -> Resolved:
    from jviz.backend.archive.mast import Mast

    places = Mast().resolve(name.strip())
    if not places:
        raise JvizError(f"MAST does not know {name!r}. Check how it is written, or give its position.")
    place = places[0]
    return Resolved(float(place["ra"]) % 360, float(place["decl"]), f"MAST ({place.get('resolver', '')})")


def _read_answer(name: str, text: str) -> Resolved:
    found = _answer.search(text)
    if found is None:
        raise JvizError(
            f"No catalogue knows {name!r} (asked Sesame: SIMBAD, NED, VizieR). "
            "Check how it is written, or give its position."
        )
    catalogue = _catalogue.search(text)
    return Resolved(float(found[1]) % 360, float(found[2]), f"Sesame ({catalogue[1] if catalogue else 'CDS'})")


def parse_jname(text: str, *, rough: bool = False) -> tuple[float, float] | None:
    """Read the position in degrees out of ``J1000+0221`` or ``2MASS J10002860+0212210``; None if there is none.

    Parameters
    ----------
    rough : bool
        Also when the name of a catalogue leads and seconds are missing, as in ``PSR J0437-4715``:
        somebody knows that object better.
    """
    found = _jname.fullmatch(text.strip())
    if found is None:
        return None
    bare = text.strip()[0] in "Jj"
    if not (bare or rough) and len(found[1].partition(".")[0]) < 6:
        return None
    lon, lat = _digits(found[1]), _digits(found[3])
    if lon is None or lat is None or lon >= 24 or lat > 90:
        return None
    return lon * 15, -lat if found[2] == "-" else lat


def _digits(text: str) -> float | None:
    """Read HHMM, HHMMm, HHMMSS or HHMMSSss, with or without decimals of the last part."""
    whole, _, fraction = text.partition(".")
    first, minutes, rest = int(whole[:2]), float(whole[2:4]), whole[4:]
    seconds = 0.0
    if len(rest) >= 2:
        seconds = float(f"{rest[:2]}.{rest[2:]}{fraction}")
    else:
        minutes = float(f"{whole[2:4]}.{rest}{fraction}")
    return None if minutes >= 60 or seconds >= 60 else first + minutes / 60 + seconds / 3600
