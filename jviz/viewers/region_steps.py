"""Changes of regions that hands make: live while the mouse moves, one step of the history when it is released."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jviz.script import literal
from jviz.session import Session
from jviz.subsets import Subset, next_color

__all__ = ["add_regions", "change_regions", "free_region_name", "remove_regions", "selected_regions", "show_live"]


def selected_regions(session: Session, *, unlocked: bool = False) -> list[Subset]:
    """Return the selected regions that are still there."""
    found = [session.subsets.get(name) for name in session.interaction.selected]
    return [s for s in found if s is not None and s.on_images and not (unlocked and s.locked)]


def free_region_name(stem: str, taken: Iterable[str]) -> str:
    """Return the stem with the first number that is free."""
    taken = set(taken)
    return next(name for n in range(1, len(taken) + 2) if (name := f"{stem} {n}") not in taken)


def show_live(session: Session, changed: Mapping[str, Subset]) -> None:
    """Show regions as they would be; nothing is recorded."""
    session.set_subsets({**session.subsets, **changed})


def change_regions(
    session: Session,
    before: Mapping[str, Subset],
    after: Mapping[str, Subset],
    label: str,
    *,
    merge: Any = None,
) -> None:
    """Put the regions back as they were before the gesture, then change them as one step."""
    session.set_subsets({**session.subsets, **before})
    session.flush()
    lines = [line for name, subset in after.items() for line in _lines(before.get(name), subset)]
    with session.change(label, lines=lines, merge=merge, command="region.edit"):
        session.set_subsets({**session.subsets, **after})


def add_regions(session: Session, new: Iterable[Subset], label: str = "") -> list[str]:
    """Add regions as one step and select them; returns their names."""
    added: dict[str, Subset] = {}
    for subset in new:
        color = subset.color or next_color({**session.subsets, **added})
        added[subset.name] = subset.but(color=color)
    change_regions(session, {}, added, label or _say("Draw", list(added)))
    session.interaction.select(added)
    return list(added)


def remove_regions(session: Session, names: Iterable[str]) -> None:
    """Remove regions as one step; locked ones stay."""
    gone = [name for name in names if name in session.subsets and not session.subsets[name].locked]
    if not gone:
        return
    session.flush()
    lines = [_call("region.remove", {"names": gone})]
    with session.change(_say("Remove", gone), lines=lines, command="region.remove"):
        session.set_subsets({n: s for n, s in session.subsets.items() if n not in gone})
    session.interaction.select(n for n in session.interaction.selected if n not in gone)


def _say(verb: str, names: list[str]) -> str:
    return f"{verb} {names[0]}" if len(names) == 1 else f"{verb} {len(names)} Regions"


def _lines(before: Subset | None, after: Subset) -> list[str]:
    """Say a change in Python."""
    if before is None:
        values = {"region": after.region, "name": after.name, "color": after.color}
        values |= {"data": after.data} if after.data is not None else {}
        values |= {"group": after.group} if after.group else {}
        looks = {
            n: value for n, value in (("visible", after.visible), ("locked", after.locked)) if value != (n == "visible")
        }
        later = [_call("region.edit", {"name": after.name, **looks})] if looks else []
        return [_call("region.add", values), *later]
    names = ("color", "visible", "locked", "group")
    values = {n: getattr(after, n) for n in names if getattr(after, n) != getattr(before, n)}
    if after.region is not before.region:
        values["region"] = after.region
        values |= {"data": after.data} if after.data is not before.data and after.data is not None else {}
    return [_call("region.edit", {"name": before.name, **values})] if values else []


def _call(id: str, values: dict[str, Any]) -> str:
    words = [f"{name}={literal(value)}" for name, value in values.items()]
    return f"session.run({', '.join([repr(id), *words])})"
