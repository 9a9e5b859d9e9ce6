"""Tables of the beams of channels, as CASA writes them beside its cubes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.cubes.beams import COLUMNS
from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.fitsfile import Hdu
from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress

__all__ = ["beam_planes", "beams_table"]

NAME = "BEAMS"


def beam_planes(path: Path, hdus: list[Hdu], channels: tuple[int, ...], stokes: int) -> dict[str, Plane]:
    """Return the beams of the channels of a cube as planes of one axis; none when the file has no such table.

    Parameters
    ----------
    channels : tuple of int
        Lengths of the axes, one of which is that of the channels.
    stokes : int
        Which polarisation, from 0.
    """
    for hdu in hdus:
        if hdu.is_table and hdu.complete and hdu.name.upper() == NAME:
            polarisations = max(1, int(hdu.number("NPOL", 1)))
            count = int(hdu.number("NCHAN", 0)) or hdu.shape[0] // polarisations
            if count in channels and hdu.shape[0] >= count:
                kind, load = np.dtype(np.float64), partial(_load, path, hdu.index, stokes, count)
                return {
                    name: Plane(name, (count,), kind, partial(load, name), "other", unit, immediate=False)
                    for name, unit in COLUMNS.items()
                }
    return {}


def _load(path: Path, index: int, stokes: int, count: int, column: str, progress: Progress) -> np.ndarray:
    from astropy.io import fits

    found = np.full(count, np.nan)
    with fits.open(decompressed(path, progress)) as units:
        rows, columns = units[index].data, units[index].columns
        names = {name.upper(): name for name in rows.names}
        if column not in names:
            return found
        channel = rows[names["CHAN"]] if "CHAN" in names else np.arange(len(rows))
        section = rows[names["POL"]] if "POL" in names else np.zeros(len(rows), int)
        wanted = (section == (stokes if (section == stokes).any() else 0)) & (channel >= 0) & (channel < count)
        factor = _factor(columns[names[column]].unit, COLUMNS[column])
        found[channel[wanted]] = rows[names[column]][wanted] * factor
    return found


def _factor(unit: str | None, wanted: str) -> float:
    from astropy import units

    from jviz.backend.units import parse_unit

    known = parse_unit(unit) if unit else None
    return float(known.to(wanted)) if known is not None and known.is_equivalent(units.deg) else 1.0


def beams_table(beams: dict[str, np.ndarray]) -> Any:
    """Return the extension that CASA and CARTA read beams of channels from."""
    from astropy.io import fits

    numbers = np.arange(len(beams["BMAJ"]), dtype=np.int32)
    given = [fits.Column(name, "1E", unit, array=np.nan_to_num(beams[name]).astype(np.float32))
             for name, unit in COLUMNS.items()]  # fmt: skip
    whole = [fits.Column("CHAN", "1J", array=numbers), fits.Column("POL", "1J", array=np.zeros_like(numbers))]
    hdu = fits.BinTableHDU.from_columns([*given, *whole], name=NAME)
    hdu.header["EXTVER"], hdu.header["NCHAN"], hdu.header["NPOL"] = 1, len(numbers), 1
    return hdu
