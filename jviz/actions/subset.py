"""Commands on subsets."""

from __future__ import annotations

from typing import Any

from jviz.commands import command
from jviz.data import Data
from jviz.errors import CommandError, SessionError
from jviz.session import Session
from jviz.subsets import Subset, next_color


@command("subset.create", title="New Subset", method="subset")
def create(session: Session, name: str, region: Any, data: Data | None = None) -> Subset:
    """Name a region or a boolean mask; a subset of that name is replaced."""
    import numpy as np

    if isinstance(region, np.ndarray) and (data is None or region.shape != data.shape):
        shape = "no data" if data is None else f"{data.name} of shape {data.shape}"
        raise CommandError(f"The mask of shape {region.shape} does not fit {shape}; give data of the same shape.")
    old = session.subsets.get(name) or Subset(name, region, color=next_color(session.subsets))
    subset = old.but(region=region, data=data)
    session.set_subsets({**session.subsets, name: subset})
    return subset


@command("subset.remove", title="Remove Subset")
def remove(session: Session, name: str) -> None:
    """Remove a subset."""
    if name not in session.subsets:
        raise SessionError(f"There is no subset {name!r}; there are {', '.join(session.subsets) or 'none'}.")
    session.set_subsets({n: s for n, s in session.subsets.items() if n != name})
