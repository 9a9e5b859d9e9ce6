"""Commands that bring regions in and out: files, and footprints of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from jviz.actions.region import found, free_name
from jviz.backend.progress import Progress
from jviz.backend.regions.converting import is_pixel, to_pixel, to_sky
from jviz.backend.regions.excluding import cut_excluded, is_excluded
from jviz.backend.regions.files import format_of, read_regions, write_regions
from jviz.backend.regions.kinds import text_of
from jviz.backend.regions.of_images import of_image
from jviz.backend.regions.stcs import parse_stcs
from jviz.checked import hex_color
from jviz.commands import command
from jviz.data import Data
from jviz.errors import CommandError
from jviz.outputs import output_path
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import PALETTE, Subset, next_color


@command(
    "region.import_file", title="Import Regions…", menu="Regions", job=True, group="file", icon="fa6s.file-import"
)  # fmt: skip
def import_file(
    session: Session,
    path: Path,
    data: Data | None = None,
    *,
    format: Literal["ds9", "crtf", "fits", "stcs", "ecsv", "csv"] | None = None,
    group: str | None = None,
    excluded: Literal["cut out", "regions"] = "cut out",
    progress: Progress,
) -> Apply:
    """Add the regions of a file; lines that cannot be understood are told by their numbers.

    Parameters
    ----------
    path : Path
        DS9 (.reg), CASA (.crtf), FITS regions, STC-S (.stcs), or a table of regions (.ecsv, .csv).
    data : Data, optional
        The image whose pixels are meant by regions of pixels; by default the one in the newest viewer.
    format : {"ds9", "crtf", "fits", "stcs", "ecsv", "csv"}, optional
        By default as the file says.
    group : str, optional
        By default the first tag of each region, or else the name of the file.
    excluded : {"cut out", "regions"}
        What becomes of regions with a minus sign: they are cut out of all others of the file that they lie on, as
        CIAO means it, or are regions like the others. Those that lie on no other one stay regions in any case.
    """
    progress(0, 1, f"Reading {path.name}")
    regions, problems = read_regions(path, format)
    version, image = session.subsets_version, data or active_image(session)

    def made_for(to: Data | None) -> tuple[list[Subset], ForImage]:
        settled = for_image(regions, to, cut=excluded == "cut out")
        return subsets_of(session.subsets, settled.regions, to, path.stem, group), settled

    ready = made_for(image)

    def apply() -> list[Subset]:
        (added, settled), to = ready, data or active_image(session)
        if session.subsets_version != version or to is not image:  # something was done meanwhile
            added, settled = made_for(to)
        session.set_subsets({**session.subsets, **{s.name: s for s in added}})
        _tell(session, path, [*problems, *((0, said) for said in settled.problems)])
        tell_excluded(session, path.name, settled.regions, settled.cut)
        return added

    recorded = {"path": str(path.absolute())}
    return Apply(apply, f"Import {len(regions)} Regions of {path.name}", recorded)


@command(
    "region.export_file", title="Export Regions…", menu="Regions", script=True, recorded=False, group="file",
    icon="fa6s.file-export",
)  # fmt: skip
def export_file(
    session: Session,
    path: Path,
    names: list[str] | None = None,
    *,
    coordinates: Literal["as drawn", "sky", "pixel"] = "as drawn",
    data: Data | None = None,
    format: Literal["ds9", "crtf", "fits", "stcs", "ecsv", "csv"] | None = None,
) -> Path:
    """Write regions to a file, with names, colours and groups.

    Parameters
    ----------
    path : Path
        The ending says the format: .reg, .crtf, .fits, .stcs, .ecsv or .csv.
    names : list of str, optional
        All regions by default.
    coordinates : {"as drawn", "sky", "pixel"}
        CRTF and STC-S are always of the sky here, FITS always of pixels.
    data : Data, optional
        The image whose pixels are written; for FITS by default the one in the newest viewer.
    format : {"ds9", "crtf", "fits", "stcs", "ecsv", "csv"}, optional
        By the ending of the name by default.
    """
    path = output_path(session, path)
    subsets = found(session, names) if names is not None else list(session.subsets.values())
    kind = format or format_of(path)
    if kind in ("crtf", "stcs"):
        coordinates = "sky"
    elif kind == "fits":
        coordinates, data = "pixel", data or (active_image(session) if any(s.kind == "sky" for s in subsets) else None)
    regions = [_described(s, coordinates, data) for s in subsets if s.kind in ("pixel", "sky")]
    left = write_regions(path, regions, format) + [s.kind for s in subsets if s.kind not in ("pixel", "sky")]
    if left:
        session.notice(
            "warning",
            f"{path.name}: left out {len(left)} that the format does not have ({', '.join(sorted(set(left)))}).",
        )
    return path


@command(
    "region.from_footprint", title="Regions from Footprint", menu="Regions", group="file", icon="fa6s.vector-square"
)
def from_footprint(session: Session, data: Data, name: str | None = None) -> list[Subset]:
    """Make regions of the sky that an image covers: its S_REGION keyword, or else its edges.

    Parameters
    ----------
    data : Data
    name : str, optional
        "Footprint of …" by default.
    """
    text = str(data.header.get("S_REGION", "")).strip()
    regions = parse_stcs(text)[0] if text else []
    if not regions:
        regions = [_edges(data)]
    return add_regions(session, regions, None, name or f"Footprint of {data.name}", "")


# --- what they share -----------------------------------------------------------------------------------


def add_regions(
    session: Session, regions: Sequence[Any], data: Data | None, stem: str, group: str | None = None
) -> list[Subset]:
    """Add regions as subsets under their texts as names, or numbered ones (inside a command)."""
    added = subsets_of(session.subsets, regions, data, stem, group)
    session.set_subsets({**session.subsets, **{s.name: s for s in added}})
    return added


class ForImage(NamedTuple):
    """Regions of a file as they are on an image: how many were cut out, and what was left out and why."""

    regions: list[Any]
    cut: int
    problems: list[str]


def for_image(regions: Sequence[Any], data: Data | None, *, cut: bool = True) -> ForImage:
    """Settle what regions of a file leave to their image, and cut out those with a minus sign."""
    settled, problems = of_image(regions, data)
    return ForImage(*(cut_excluded(settled) if cut else (settled, 0)), problems)


def subsets_of(
    there: dict[str, Subset], regions: Sequence[Any], data: Data | None, stem: str, group: str | None = None
) -> list[Subset]:
    """Return regions as subsets whose names those that are there do not have."""
    taken, added = dict(there), []
    color = next_color(there)
    colors: dict[str, str] = {}
    for number, region in enumerate(regions, start=1):
        meta, visual = region.meta, region.visual
        said = str(meta.get("text") or meta.get("name") or text_of(region)).strip()
        name = said or (stem if len(regions) == 1 else f"{stem} {number}")
        name = name if name not in taken else _next_free(taken, name, number)
        tags, own = meta.get("tag") or [], str(visual.get("color") or visual.get("facecolor") or "")
        own = colors[own] if own in colors else colors.setdefault(own, hex_color(own))
        of = group if group is not None else str(tags[0]) if tags else stem if len(regions) > 1 else ""
        locked = meta.get("move", 1) == 0
        subset = Subset(
            name, region, data if is_pixel(region) else None, own or color or PALETTE[0], locked=locked, group=of
        )
        taken[name] = subset
        added.append(subset)
    return added


def _next_free(subsets: dict[str, Subset], name: str, number: int) -> str:
    """Return a free name at once, also when thousands have the same text."""
    guess = f"{name} ({number})"
    return guess if guess not in subsets else free_name(subsets, name)


def active_image(session: Session) -> Data | None:
    """Return the image in the newest viewer, or the only one there is."""
    for view in reversed(session.views.values()):
        if "image" in view.kinds() and view.layers:
            return view.layers[0].data
    pictures = [d for d in session.data if d.kind in ("image", "cube")]
    return pictures[0] if len(pictures) == 1 else None


def _tell(session: Session, path: Path, problems: list[tuple[int, str]]) -> None:
    if not problems:
        return
    said = [f"line {number}: {text}" if number else text for number, text in problems[:5]]
    more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
    session.notice("warning", f"{path.name}: left out {len(problems)} ({'; '.join(said)}{more}).")


def tell_excluded(session: Session, name: str, regions: Sequence[Any], cut: int) -> None:
    """Say how many regions with a minus sign were cut out, and how many are left as regions."""
    left = sum(map(is_excluded, regions))
    told = []
    if cut:
        many = f"{cut} regions" if cut > 1 else "1 region"
        told.append(f"{many} with a minus sign (exclude) cut out of those that they lie on")
    if left:
        many = f"{left} others with the sign are regions" if left > 1 else "1 with the sign is a region"
        told.append(f"{many} like the rest, measured inside; to cut one out of another, combine the two with and-not")
    if told:
        session.notice("warning" if left else "info", f"{name}: {'; '.join(told)}.")


def _described(subset: Subset, coordinates: str, data: Data | None) -> Any:
    """Return the region with name, colour and group in its words, in the coordinates asked for."""
    region = subset.region
    if coordinates == "sky" and is_pixel(region):
        region = to_sky(region, _sky(subset.data, subset.name))
    elif coordinates == "pixel" and (not is_pixel(region) or data not in (None, subset.data)):
        on_sky = region if not is_pixel(region) else to_sky(region, _sky(subset.data, subset.name))
        region = to_pixel(on_sky, _sky(data or subset.data, subset.name))
    region = region.copy()
    # what a text says is not its name
    region.meta["name" if type(region).__name__.startswith("Text") else "text"] = subset.name
    region.visual["color"] = subset.color
    region.meta.pop("move", None)
    if subset.locked:
        region.meta["move"] = 0
    others = [tag for tag in (region.meta.get("tag") or [])[1:] if tag != subset.group]
    region.meta["tag"] = [subset.group, *others] if subset.group else others
    if not region.meta["tag"]:
        del region.meta["tag"]
    return region


def _sky(data: Data | None, name: str) -> Any:
    sky = getattr(data, "sky", None)
    if sky is None:
        raise CommandError(f"{name} cannot be turned: name an image with world coordinates by data=….")
    return sky


def _edges(data: Data) -> Any:
    from astropy.coordinates import SkyCoord
    from regions import PolygonSkyRegion

    sky = _sky(data, f"The footprint of {data.name}")
    ny, nx = data.shape[-2:]
    along = np.linspace(-0.5, 0.5, 9)[:-1]
    x = np.concatenate([along, np.full(8, 0.5), -along, np.full(8, -0.5)]) * nx + (nx - 1) / 2
    y = np.concatenate([np.full(8, -0.5), along, np.full(8, 0.5), -along]) * ny + (ny - 1) / 2
    lon, lat = sky.pixel_to_sky(x, y)
    if not np.isfinite(lon).all():
        raise CommandError(f"The edges of {data.name} lie off the sky; draw a region instead.")
    return PolygonSkyRegion(SkyCoord(lon, lat, unit="deg"))
