"""Commands on subsets."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.spectra.ranges import ranges_of
from jviz.commands import command
from jviz.data import Data
from jviz.errors import CommandError
from jviz.session import Session
from jviz.subsets import Subset, next_color


@command("subset.create", title="New Subset", method="subset")
def create(session: Session, name: str, region: Any, data: Data | None = None) -> Subset:
    """Name a region, a range such as (4.9 * u.um, 5.1 * u.um) or a boolean mask; a subset of that name is replaced."""
    if not name.strip():
        raise CommandError("A subset needs a name; give one such as 'core'.")
    if isinstance(region, tuple | list) or (isinstance(region, np.ndarray) and hasattr(region, "unit")):
        region = ranges_of(region)
    old = session.subsets.get(name) or Subset(name, region, color=next_color(session.subsets))
    subset = old.but(region=region, data=data)
    if subset.kind == "mask":
        _check_mask(region, data)
    session.set_subsets({**session.subsets, name: subset})
    return subset


def _check_mask(mask: Any, data: Data | None) -> None:
    """Raise `CommandError` for what is no mask of the data."""
    if not isinstance(mask, np.ndarray):
        raise CommandError(
            f"A {type(mask).__name__} selects nothing; give a region of the package regions, a spectral range "
            "or a mask such as data > 5."
        )
    if mask.dtype != bool:
        raise CommandError(f"The mask holds {mask.dtype}; give one of True and False, such as data > 5.")
    if data is None:
        raise CommandError(f"The mask of shape {mask.shape} belongs to no data; say of which with data=.")
    if mask.shape != data.shape:
        shape = f"{data.name} of shape {data.shape}"
        raise CommandError(f"The mask of shape {mask.shape} does not fit {shape}; give data of the same shape.")


@command("subset.remove", title="Remove Subset")
def remove(session: Session, name: str) -> None:
    """Remove a subset."""
    session.find_subset(name)
    session.set_subsets({n: s for n, s in session.subsets.items() if n != name})
