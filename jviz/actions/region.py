"""Commands on regions: make, combine, edit, move between images and the sky."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from jviz.backend.regions.converting import combined, is_pixel, to_pixel, to_sky
from jviz.checked import hex_color
from jviz.commands import command
from jviz.data import Data
from jviz.errors import CommandError
from jviz.session import Session
from jviz.subsets import Subset, next_color

Names = str | list[str]


@command("region.add", title="Add Region", script=True)
def add(
    session: Session,
    region: Any,
    name: str | None = None,
    data: Data | None = None,
    mode: Literal["new", "replace", "and", "or", "xor", "andnot"] = "new",
    color: str | None = None,
    group: str | None = None,
) -> Subset:
    """Add a region, or combine it with one that is there.

    Parameters
    ----------
    region : regions.Region
        Of pixels or on the sky; or a boolean mask of ``data``.
    name : str, optional
        Of the new subset; in the other modes, of the one that is replaced or combined (by default the
        selected or the newest one). A new one gets a free name, "Region 3".
    data : Data, optional
        The image whose pixels a pixel region counts.
    mode : {"new", "replace", "and", "or", "xor", "andnot"}
    color, group : str, optional
        ``"#rrggbb"``; by default the next colour, and no group.
    """
    check_region(region, data)
    subsets = session.subsets
    looks = {n: v for n, v in (("color", color), ("group", group)) if v is not None}
    if name is None and mode != "new":
        name = next(reversed([n for n in session.interaction.selected if n in subsets] or list(subsets)), None)
    if mode == "new" or name not in subsets:
        name = free_name(subsets, name)
        looks.setdefault("color", _own_color(region) or next_color(subsets))
        subset = Subset(name, region, data, **looks)
    else:
        old = subsets[name]
        _unlocked(old)
        subset = old.but(**_with(old, region, data, mode), **looks)
    session.set_subsets({**subsets, subset.name: subset})
    return subset


@command("region.edit", title="Edit Region", script=True)
def edit(
    session: Session,
    name: Names,
    region: Any = None,
    *,
    data: Data | None = None,
    color: str | None = None,
    visible: bool | None = None,
    locked: bool | None = None,
    group: str | None = None,
    rename: str | None = None,
) -> Subset | list[Subset]:
    """Change a region, or the looks of several.

    Parameters
    ----------
    name : str or list of str
    region : regions.Region, optional
        The new shape; a locked region keeps its own.
    data : Data, optional
        The image whose pixels the new shape counts; by default the one of before.
    color : str, optional
        ``"#rrggbb"``
    visible, locked : bool, optional
    group : str, optional
        ``""`` takes it out of its group.
    rename : str, optional
        Another name, which must be free.
    """
    chosen = found(session, name)
    if (region is not None or rename is not None) and len(chosen) > 1:
        raise CommandError("Several regions cannot get one shape or one name; edit them one by one.")
    values = {"color": color, "visible": visible, "locked": locked, "group": group, "name": rename}
    values = {n: v for n, v in values.items() if v is not None}
    if region is not None:
        _unlocked(chosen[0])
        check_region(region, data or chosen[0].data)
        values.update(region=region, data=data or (chosen[0].data if not _on_sky(region) else None))
    if rename is not None and rename != chosen[0].name:
        _check_free(session, rename)
    new = {subset.name: subset.but(**values) for subset in chosen}
    session.set_subsets({(s := new.get(n, old)).name: s for n, old in session.subsets.items()})
    edited = list(new.values())
    return edited if isinstance(name, list) else edited[0]


@command("region.remove", title="Remove Regions", script=True)
def remove(session: Session, names: Names) -> None:
    """Remove regions; locked ones must be unlocked before.

    Parameters
    ----------
    names : str or list of str
    """
    chosen = found(session, names)
    for subset in chosen:
        _unlocked(subset)
    gone = {subset.name for subset in chosen}
    session.set_subsets({n: s for n, s in session.subsets.items() if n not in gone})


@command("region.boolean", title="Combine Regions…", menu="Regions", group="combine", icon="fa6s.object-group")
def boolean(
    session: Session,
    first: str,
    second: str,
    mode: Literal["and", "or", "xor", "andnot"] = "or",
    name: str | None = None,
) -> Subset:
    """Combine two regions into a new one; both stay.

    Parameters
    ----------
    first, second : str
    mode : {"and", "or", "xor", "andnot"}
        "andnot": what is in the first and not in the second.
    name : str, optional
        Of the new region.
    """
    a, b = found(session, [first, second])
    values = _with(a, b.region, b.data, mode)
    sign = {"and": "and", "or": "or", "xor": "xor", "andnot": "without"}[mode]
    subset = Subset(free_name(session.subsets, name or f"{first} {sign} {second}"), color=a.color, **values)
    session.set_subsets({**session.subsets, subset.name: subset})
    return subset


@command("region.group", title="Group Regions…", menu="Regions", group="combine", icon="fa6s.layer-group")
def group(session: Session, names: list[str], group: str) -> None:
    """Put regions into a group, which is shown, hidden and selected together; ``""`` takes them out.

    Parameters
    ----------
    names : list of str
    group : str
    """
    edit(session, list(names), group=group)


@command("region.copy", title="Copy Region", menu="Regions", group="edit", icon="fa6s.copy")
def copy(
    session: Session,
    name: Names,
    to: Literal["same", "sky", "pixel"] = "same",
    data: Data | None = None,
    rename: str | None = None,
) -> Subset | list[Subset]:
    """Copy regions, as they are, to the sky, or into the pixels of an image.

    Parameters
    ----------
    name : str or list of str
    to : {"same", "sky", "pixel"}
    data : Data, optional
        The image whose pixels the copy counts.
    rename : str, optional
        Name of the copy.
    """
    copies = []
    subsets = session.subsets
    for subset in found(session, name):
        fresh = free_name(subsets, rename or f"{subset.name} copy")
        new = subset.but(name=fresh, locked=False, **_carried(subset, to, data))
        subsets[fresh] = new
        copies.append(new)
    session.set_subsets(subsets)
    return copies if isinstance(name, list) else copies[0]


@command("region.transform", title="Region to Sky or Pixels…", menu="Regions", group="edit", icon="fa6s.globe")
def transform(
    session: Session, name: Names, to: Literal["sky", "pixel"] = "sky", data: Data | None = None
) -> Subset | list[Subset]:
    """Turn regions into ones on the sky, or into the pixels of an image.

    Parameters
    ----------
    name : str or list of str
    to : {"sky", "pixel"}
    data : Data, optional
        The image whose pixels are meant; by default the one that the region belongs to.
    """
    new = {}
    for subset in found(session, name):
        _unlocked(subset)
        new[subset.name] = subset.but(**_carried(subset, to, data))
    session.set_subsets({n: new.get(n, s) for n, s in session.subsets.items()})
    return list(new.values()) if isinstance(name, list) else next(iter(new.values()))


# --- what the commands share ---------------------------------------------------------------------------


def found(session: Session, names: Names) -> list[Subset]:
    """Return subsets by their names.

    Raises
    ------
    CommandError
        When one is not there.
    """
    subsets = session.subsets
    for name in [names] if isinstance(names, str) else names:
        if name not in subsets:
            known = ", ".join(list(subsets)[:8]) or "none"
            raise CommandError(f"There is no region {name!r}; there are {known}{' …' if len(subsets) > 8 else ''}.")
    return [subsets[name] for name in ([names] if isinstance(names, str) else names)]


def free_name(subsets: dict[str, Subset], name: str | None, base: str = "Region") -> str:
    """Return the name, with a number when it is taken; "Region 1" … without one."""
    if name is None:
        taken = [int(m[1]) for n in subsets if (m := re.fullmatch(rf"{re.escape(base)} (\d+)", n))]
        return f"{base} {max(taken, default=0) + 1}"
    name = name.strip()
    if not name:
        raise CommandError("A region needs a name that is not empty.")
    if name not in subsets:
        return name
    number = 2
    while f"{name} ({number})" in subsets:
        number += 1
    return f"{name} ({number})"


def check_region(region: Any, data: Data | None) -> None:
    """Raise a `CommandError` for what is no region or a mask that does not fit."""
    if isinstance(region, np.ndarray):
        if data is None or region.shape not in (data.shape, data.shape[-2:]) or region.dtype != bool:
            shape = "no data" if data is None else f"{data.name} of shape {data.shape}"
            raise CommandError(f"The {region.dtype} mask of shape {region.shape} does not fit {shape}.")
    elif not hasattr(region, "meta") or not hasattr(region, "visual"):
        raise CommandError(f"A {type(region).__name__} is no region; give one of the package regions, or a mask.")


def _with(old: Subset, region: Any, data: Data | None, mode: str) -> dict[str, Any]:
    """Return region and data of ``old`` combined with another region."""
    if mode == "replace":
        return {"region": region, "data": None if _on_sky(region) else data}
    if isinstance(old.region, np.ndarray) or isinstance(region, np.ndarray):
        return {"region": _masks(old.region, region, mode, old), "data": old.data}
    second = _alike(region, data, old)
    return {"region": combined(old.region, second, mode), "data": old.data}


def _masks(first: Any, second: Any, mode: str, old: Subset) -> np.ndarray:
    if not isinstance(first, np.ndarray) or not isinstance(second, np.ndarray):
        raise CommandError(f"{old.name} and the other one must both be masks or both be regions to be combined.")
    return {"and": first & second, "or": first | second, "xor": first ^ second, "andnot": first & ~second}[mode]


def _alike(region: Any, data: Data | None, old: Subset) -> Any:
    """Return a region in the coordinates of another subset: its sky, or the pixels of its image."""
    if _on_sky(old.region):
        return region if _on_sky(region) else to_sky(region, _sky_of(data, "region"))
    if is_pixel(region) and data is old.data:
        return region
    on_sky = region if _on_sky(region) else (to_sky(region, _sky_of(data, "region")) if data is not None else None)
    return region if on_sky is None or old.data is None else to_pixel(on_sky, _sky_of(old.data, old.name))


def _carried(subset: Subset, to: str, data: Data | None) -> dict[str, Any]:
    """Return region and data of a subset in other coordinates."""
    region = subset.region
    if to == "same" and data is None:
        return {}
    if isinstance(region, np.ndarray) or subset.kind == "spectral":
        raise CommandError(f"{subset.name} is no region of an image and has no place on the sky.")
    if to == "sky":
        return {
            "region": region if _on_sky(region) else to_sky(region, _sky_of(subset.data, subset.name)),
            "data": None,
        }
    target = data or subset.data
    if target is None:
        raise CommandError(f"Say whose pixels {subset.name} shall count: give data=….")
    if is_pixel(region) and (subset.data is None or subset.data is target):
        return {"data": target}
    on_sky = to_sky(region, _sky_of(subset.data, subset.name)) if is_pixel(region) else region
    return {"region": to_pixel(on_sky, _sky_of(target, target.name)), "data": target}


def _sky_of(data: Data | None, name: str) -> Any:
    sky = getattr(data, "sky", None)
    if sky is None:
        owner = data.name if data is not None else f"The image of {name}"
        raise CommandError(f"{owner} has no world coordinates, so {name} has no place on the sky.")
    return sky


def _on_sky(region: Any) -> bool:
    return type(region).__name__.endswith("SkyRegion")


def _unlocked(subset: Subset) -> None:
    if subset.locked:
        raise CommandError(f"{subset.name} is locked; unlock it first.")


def _check_free(session: Session, name: str) -> None:
    if not name.strip():
        raise CommandError("A region needs a name that is not empty.")
    if name in session.subsets:
        raise CommandError(f"Another region is named {name!r} already; choose a different name.")


def _own_color(region: Any) -> str:
    """Return the colour that a region brings along, ``""`` for none."""
    visual = getattr(region, "visual", {})
    return hex_color(visual.get("color") or visual.get("edgecolor") or "")
