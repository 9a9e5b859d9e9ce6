"""The beams of radio data: where they are kept, and what they make of values per beam."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.cubes.beams import COLUMNS, Beams
from jviz.backend.io.product import Plane
from jviz.backend.units import parse_unit
from jviz.data import Cube, Data

__all__ = [
    "beam_at", "beam_cards", "beam_planes", "beam_text", "beams_at_hand", "beams_of", "channel_factors", "is_per_beam",
    "tell_of_beams",
]  # fmt: skip

TOLD = 0.02
"""Share by which the solid angles of beams may differ until a user is told."""


def beams_of(data: Data) -> Beams | None:
    """Return the beams of data: those of its channels, else that of its header, None where there are none."""
    known = data.__dict__.get("_beams", False)
    if known is False:
        known = data.__dict__["_beams"] = _found(data)
    return known


def beams_at_hand(data: Data) -> Beams | None:
    """Return the beams of data where they are known without reading a file; for painting."""
    columns = [data.planes[name] for name in COLUMNS if name in data.planes]
    if "_beams" not in data.__dict__ and not all(plane.immediate or plane.loaded for plane in columns):
        return None
    return beams_of(data)


def _found(data: Data) -> Beams | None:
    columns = [data.planes.get(name) for name in COLUMNS]
    if all(plane is not None and len(plane.shape) == 1 for plane in columns):
        made = Beams.of(np.stack([plane.read() for plane in columns], axis=1))  # type: ignore[union-attr]
        if made is not None:
            return made
    return Beams.of_header(data.header)


def is_per_beam(unit: str) -> bool:
    """Whether values are flux densities in a beam, as Jy/beam."""
    from astropy import units

    known = parse_unit(unit) if "beam" in unit.lower() else None
    return known is not None and (known * units.beam).is_equivalent(units.Jy)


def channel_factors(cube: Cube, plane: str = "") -> np.ndarray | None:
    """Return what channels are multiplied by so that "per beam" means the same beam in all of them.

    Returns
    -------
    ndarray of shape (n_channels,) or None
        None where nothing is to be done: the unit is another one, or all beams are alike.
    """
    shown = cube.plane(plane)
    if not is_per_beam(shown.unit or cube.unit) or shown.meaning == "flags":
        return None
    beams = beams_of(cube)
    if beams is None or len(beams) != cube.shape[0] or not beams.differ:
        return None
    return beams.factors


def beam_at(cube: Cube, channel: int) -> tuple[float, float, float] | None:
    """Return the beam of a channel: arcsec, arcsec, degrees."""
    beams = beams_of(cube)
    return None if beams is None else beams.at(channel)


def beam_cards(beam: tuple[float, float, float] | None) -> tuple[tuple[str, Any, str], ...]:
    """Return the cards of one beam."""
    if beam is None:
        return ()
    return (("BMAJ", beam[0] / 3600, "[deg] major axis of the beam"),
            ("BMIN", beam[1] / 3600, "[deg] minor axis of the beam"),
            ("BPA", beam[2], "[deg] position angle of the beam"))  # fmt: skip


def beam_planes(table: np.ndarray) -> dict[str, Plane]:
    """Return the planes that keep beams of channels, shape (channels, 3), with a cube."""
    kind = np.dtype(np.float64)
    return {
        name: Plane(name, (len(table),), kind, lambda progress, k=k: table[:, k], "other", unit)
        for k, (name, unit) in enumerate(COLUMNS.items())
    }


def beam_text(beam: tuple[float, float, float]) -> str:
    """Write a beam."""
    return f"{beam[0]:.5g} × {beam[1]:.5g} arcsec at {beam[2]:.4g} degrees"


def tell_of_beams(session: Any, cube: Cube, *, scaled: bool) -> str:
    """Tell a user that channels of different beams are put together, and return a line for the history.

    Parameters
    ----------
    scaled : bool
        Whether values are brought to the beam of median size by its area, which keeps brightness and fluxes of
        sources; else they stay per beam of their own channel, which keeps peaks of unresolved sources.

    Returns
    -------
    str
        "" for data that are not per beam, or of one beam.
    """
    beams = beams_of(cube)
    if not is_per_beam(cube.unit) or beams is None or len(beams) != cube.shape[0] or not beams.differ:
        return ""
    areas, largest = beams.solid_angles, float(np.nanmax(beams.table[:, 0]))
    share = float(np.ptp(areas) / areas.mean())
    if share > TOLD:
        kept = "fluxes and brightness are right, peaks of unresolved sources are not" if scaled else (
            "each value is per beam of its own channel")  # fmt: skip
        session.notice("warning", (
            f"The beams of the channels of {cube.name} differ by {share:.0%} in area: {kept}. Cube ▸ Operations ▸ "
            f"Match PSF of Cube… (cube.psf_match) makes one beam of {largest:.4g} arcsec of them first."
        ))  # fmt: skip
    if scaled:
        return f"; all channels per beam of {beam_text(beams.reference)}, by areas that differ by {share:.1%}"
    return f"; each value per beam of its own channel, whose areas differ by {share:.1%}"
