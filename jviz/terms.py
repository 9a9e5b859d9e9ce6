"""What the names in an expression stand for: data of a session, a part of them, or numbers."""

from __future__ import annotations

from typing import Any

from jviz.backend.units import parse_unit
from jviz.errors import CommandError, JvizError

__all__ = ["term_of", "unit_of"]


def term_of(session: Any, text: str, given: dict[str, Any]) -> Any:
    """Return the data that a term such as ``"a"`` or ``"a.err"`` names, and the part (``""`` for none); or a number.

    Parameters
    ----------
    given : dict
        What names stand for; other names are those of data in the session.

    Returns
    -------
    (Data, str) or float

    Raises
    ------
    CommandError
        When there are no such data.
    """
    name, _, part = text.partition(".")
    value = given.get(name, name)
    if isinstance(value, int | float):
        return float(value)
    try:
        return session.find_data(value), part
    except JvizError:
        known = ", ".join([d.name for d in session.data][:8]) or "no data yet"
        what = f"{value!r}" if value == name else f"{name} = {value!r}"
        raise CommandError(
            f"{what} is no data of this session; there are {known}. Say what {name} is: {name}='…'."
        ) from None


def unit_of(text: str) -> Any:
    """Return a unit; one that astropy does not know stands for itself."""
    from astropy import units

    found = parse_unit(text)
    return units.def_unit(text.strip()) if found is None else found
