"""Commands on many regions at once: their order in the list."""

from __future__ import annotations

from jviz.actions.region import Names, found
from jviz.commands import command
from jviz.errors import CommandError
from jviz.session import Session
from jviz.subsets import Subset

__all__ = ["order"]


@command("region.order", title="Move Regions in the List", script=True)
def order(session: Session, names: Names, before: str | None = None, group: str | None = None) -> None:
    """Move regions to another place in the list, which is the order in which they are drawn and written.

    Parameters
    ----------
    names : str or list of str
        They keep their order among themselves.
    before : str, optional
        The region before which they stand then; by default they go to the end.
    group : str, optional
        The group that they join; ``""`` for none.
    """
    chosen = {subset.name for subset in found(session, names)}
    if before is not None:
        found(session, before)
    if before in chosen:
        raise CommandError(f"{before} cannot stand before itself; name another region.")
    moved = [_joined(s, group) for n, s in session.subsets.items() if n in chosen]
    rest = [s for n, s in session.subsets.items() if n not in chosen]
    at = next((k for k, s in enumerate(rest) if s.name == before), len(rest))
    session.set_subsets({s.name: s for s in (*rest[:at], *moved, *rest[at:])})


def _joined(subset: Subset, group: str | None) -> Subset:
    return subset if group is None or group == subset.group else subset.but(group=group)
