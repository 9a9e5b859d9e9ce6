"""Units as files write them, understood by astropy where they can be."""

from __future__ import annotations

import re
import warnings
from typing import Any

__all__ = ["parse_unit"]


def parse_unit(text: str) -> Any:
    """Return the astropy unit of a text, dimensionless for ``""``, None when it is not understood.

    Parameters
    ----------
    text : str
        ``"MJy/sr"``, ``"10**(-20)*erg/s/cm**2/Angstrom"``, ``"Jy/beam"`` …
    """
    from astropy import units

    bare = re.sub(r"\bAng\b", "Angstrom", text.replace("**(", "^(")).strip()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)  # deprecated spellings are understood all the same
        for spelling in dict.fromkeys((text.strip(), bare, bare.lower())):
            for form in (None, "fits", "cds", "vounit"):
                try:
                    return units.Unit(spelling, format=form)
                except (ValueError, TypeError):
                    continue
    return None
