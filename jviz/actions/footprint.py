"""Commands that lay fields of view of telescopes on the sky, and move them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from jviz.actions.region import free_name
from jviz.actions.region_file import add_regions
from jviz.backend.apertures import find_aperture, middle_of, moved, on_sky
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import CommandError
from jviz.geometry import geometry_of
from jviz.positions import sky_position
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import Subset, next_color
from jviz.views import ImageView

MENU = "Regions/Footprints"


@command("footprint.place", title="Place Footprint…", menu=MENU, group="place", icon="fa6s.satellite", job=True)
def place(
    session: Session,
    aperture: str = "NRCALL_FULL",
    position: str | None = None,
    pa: float = 0.0,
    *,
    of_v3: bool = False,
    name: str | None = None,
    color: str | None = None,
    view: ImageView | None = None,
    progress: Progress,
) -> Apply:
    """Draw an aperture of JWST, HST or Roman on the sky, as a group of regions.

    Parameters
    ----------
    aperture : str
        Name in the SIAF: NRCALL_FULL, NRCA5_FULL, MIRIM_ILLUM, NRS_FULL_MSA, IUVIS, WFI_CEN …; the panel
        Footprints lists them.
    position : str, optional
        Where its reference point lies: RA and Dec in any usual form, or the name of an object; by default
        the middle of the view.
    pa : float
        Position angle of the aperture's y axis at that point, degrees from north through east.
    of_v3 : bool
        ``pa`` is that of the telescope's V3 axis instead.
    name : str, optional
        Of the group; regions of a group of that name are replaced, which moves a footprint.
    color : str, optional
        ``"#rrggbb"``
    """
    found = find_aperture(aperture)
    ra, dec = _position(session, position, view)
    outlines = on_sky(found, ra, dec, pa, of_v3=of_v3)

    def apply() -> list[Subset]:
        kept, group, looks = _cleared(session, name or free_group(session, found.name))
        looks = looks | ({"color": color} if color else {})
        looks.setdefault("color", next_color(session.subsets))
        return _add(session, kept, group, outlines, looks)

    words = f"Place {found.name}"
    return Apply(apply, words, {"position": f"{ra:.8f} {dec:.8f}", "aperture": found.name})


@command("footprint.move", title="Move Footprint…", menu=MENU, group="place", job=True)
def move(session: Session, group: str, position: str | None = None, turn: float = 0.0, *, progress: Progress) -> Apply:
    """Move a group of sky polygons along the sky as a whole, and turn it about its middle.

    Parameters
    ----------
    group : str
    position : str, optional
        Where its middle goes; by default it stays.
    turn : float
        Degrees, north through east.
    """
    members = members_of(session, group)
    outlines = [corners_of(subset) for subset in members]
    start = middle_of(outlines)
    end = start if position is None else sky_position(session, position)[:2]

    def apply() -> None:
        new = turned_by(members, start, turn, to=end)
        session.set_subsets({n: new.get(n, s) for n, s in session.subsets.items()})

    recorded = {} if position is None else {"position": f"{end[0]:.8f} {end[1]:.8f}"}
    return Apply(apply, f"Move {group}", recorded)


@command("footprint.remove", title="Remove Footprint…", menu=MENU, group="place")
def remove(session: Session, group: str) -> None:
    """Remove all regions of a group.

    Parameters
    ----------
    group : str
    """
    gone = {subset.name for subset in members_of(session, group)}
    session.set_subsets({n: s for n, s in session.subsets.items() if n not in gone})


@command("footprint.stcs", title="Footprint from STC-S…", menu=MENU, group="read")
def from_stcs(session: Session, text: str, name: str = "STC-S") -> list[Subset]:
    """Draw the shapes of an STC-S text, such as an S_REGION: ``"POLYGON ICRS 53.1 -27.8 53.2 -27.8 53.2 -27.7"``.

    Parameters
    ----------
    text : str
    name : str
        Of the region, or of the group when there are several.
    """
    from jviz.backend.regions.stcs import parse_stcs

    regions, problems = parse_stcs(text)
    if not regions:
        raise CommandError(f"{problems[0][1] if problems else text!r} is no STC-S; begin with POLYGON or CIRCLE.")
    return add_regions(session, regions, None, name, name)


@command("footprint.moc", title="Footprint from MOC…", menu=MENU, group="read", job=True)
def from_moc(session: Session, path: Path, name: str | None = None, *, progress: Progress) -> Apply:
    """Draw the outline of a coverage map (MOC) in a FITS or JSON file.

    Parameters
    ----------
    path : Path
    name : str, optional
        Of the group; the name of the file by default.
    """
    from jviz.backend.regions.mocs import moc_outlines

    outlines = moc_outlines(Path(path))

    def apply() -> list[Subset]:
        kept, group, looks = _cleared(session, name or free_group(session, Path(path).stem))
        looks.setdefault("color", next_color(session.subsets))
        return _add(session, kept, group, outlines, looks)

    return Apply(apply)


# --- what they share ------------------------------------------------------------------------------


def members_of(session: Session, group: str) -> list[Subset]:
    """Return the regions of a group.

    Raises
    ------
    CommandError
        When there is no such group, or one of it is locked.
    """
    members = [subset for subset in session.subsets.values() if group and subset.group == group]
    if not members:
        known = ", ".join(dict.fromkeys(s.group for s in session.subsets.values() if s.group)) or "none"
        raise CommandError(f"There is no group of regions {group!r}; there are {known}.")
    locked = next((subset.name for subset in members if subset.locked), None)
    if locked is not None:
        raise CommandError(f"{locked} of {group} is locked; unlock it first.")
    return members


def free_group(session: Session, name: str) -> str:
    """Return a name that no group has, with a number when it must."""
    return free_name({s.group: s for s in session.subsets.values()}, name)


def _cleared(session: Session, group: str) -> tuple[dict[str, Subset], str, dict[str, Any]]:
    """Return all subsets that are not of a group, and the looks of those that are."""
    old = members_of(session, group) if any(s.group == group for s in session.subsets.values()) else []
    kept = {n: s for n, s in session.subsets.items() if s not in old}
    return kept, group, {"color": old[0].color, "visible": old[0].visible} if old else {}


def _add(
    session: Session, kept: dict[str, Subset], group: str, outlines: list[np.ndarray], looks: dict[str, Any]
) -> list[Subset]:
    added = []
    for number, outline in enumerate(outlines, start=1):
        name = free_name(kept, group if len(outlines) == 1 else f"{group} {number}")
        subset = Subset(name, _polygon(outline), None, group=group, **looks)
        kept[name] = subset
        added.append(subset)
    session.set_subsets(kept)
    return added


def _polygon(corners: np.ndarray) -> Any:
    from astropy.coordinates import SkyCoord
    from regions import PolygonSkyRegion

    return PolygonSkyRegion(SkyCoord(corners[:, 0], corners[:, 1], unit="deg"))


def turned_by(
    members: Iterable[Subset], middle: tuple[float, float], turn: float, *, to: tuple[float, float] | None = None
) -> dict[str, Subset]:
    """Return polygons on the sky turned by degrees (north through east) about a place, and carried to another."""
    end = middle if to is None else to
    return {s.name: s.but(region=_polygon(moved(corners_of(s), middle, end, turn))) for s in members}


def corners_of(subset: Subset) -> np.ndarray:
    """Return RA and Dec of the corners of a polygon on the sky, degrees, shape (n, 2)."""
    if type(subset.region).__name__ != "PolygonSkyRegion":
        raise CommandError(f"{subset.name} is no polygon on the sky; only those move with their group.")
    vertices = subset.region.vertices.icrs
    return np.stack([vertices.ra.deg, vertices.dec.deg], axis=1)


def _position(session: Session, position: str | None, view: ImageView | None) -> tuple[float, float]:
    if position is not None:
        return sky_position(session, position)[:2]
    view = session.find_view(view, "image")
    sky = view.layers[0].data.sky if view.layers else None
    if sky is None:
        raise CommandError(f"{view.name} shows no image with sky coordinates; give a position.")
    ra, dec = (float(np.ravel(v)[0]) for v in sky.pixel_to_sky(*geometry_of(view).centre))
    return ra, dec
