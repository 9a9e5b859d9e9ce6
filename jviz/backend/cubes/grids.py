"""The WCS of cubes whose voxels moved: cropped, rebinned, or given another spectral axis."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["cube_cards", "moved_wcs", "with_axis"]

Card = tuple[str, Any, str]

_CODES = {"wavelength": "WAVE", "frequency": "FREQ", "energy": "ENER", "wavenumber": "WAVN", "velocity": "VELO"}


def moved_wcs(wcs: Any, factor: tuple[int, int, int], first: tuple[int, int, int]) -> Any:
    """Return the WCS of blocks of voxels.

    Parameters
    ----------
    wcs : astropy.wcs.WCS, another with the interface of APE 14, or None
        Of three pixel axes.
    factor, first : (int, int, int)
        Voxels joined along, and the first voxel used of, channels, rows and columns.
    """
    if wcs is None:
        return None
    size, start = np.array(factor[::-1], float), np.array(first[::-1], float)
    if hasattr(wcs, "wcs") and wcs.naxis == 3 and wcs.sip is None and wcs.cpdis1 is None:
        new = wcs.deepcopy()
        new.wcs.crpix = (np.asarray(wcs.wcs.crpix) - 1 - start - (size - 1) / 2) / size + 1
        if new.wcs.has_cd():
            new.wcs.cd = new.wcs.cd * size
        elif new.wcs.has_crota():
            new.wcs.cdelt = np.asarray(new.wcs.cdelt) * size
        else:
            new.wcs.pc = new.wcs.get_pc() * size
        new.wcs.set()
        new.pixel_shape = None
        return new
    from astropy.wcs.wcsapi import HighLevelWCSWrapper

    from jviz.backend.cubes.blocks import Blocks

    return HighLevelWCSWrapper(Blocks(getattr(wcs, "low_level_wcs", wcs), size, start))


def with_axis(wcs: Any, axis: Any, *, linear: bool) -> Any:
    """Return a FITS WCS with the sky of another and a spectral axis of equal steps.

    Parameters
    ----------
    wcs : WCS or None
        Whose sky is kept, where it is a FITS WCS with one.
    axis : SpectralAxis
    linear : bool
        Else the third axis only counts channels.
    """
    from astropy import units
    from astropy.wcs import WCS

    from jviz.backend.units import parse_unit

    new = WCS(naxis=3)
    sky = wcs.celestial if getattr(wcs, "has_celestial", False) and hasattr(wcs, "wcs") else None
    if sky is not None:
        # astropy warns when steps are asked of a WCS with a CD matrix, which has none.
        for name in ("crpix", "crval", "ctype", "cunit", *(() if sky.wcs.has_cd() else ("cdelt",))):
            setattr(new.wcs, name, [*getattr(sky.wcs, name), {"ctype": "", "cunit": ""}.get(name, 1.0)])
        pc = np.eye(3)
        pc[:2, :2] = sky.wcs.cd if sky.wcs.has_cd() else sky.wcs.get_pc()
        if sky.wcs.has_cd():
            new.wcs.cdelt = [1.0, 1.0, 1.0]
        new.wcs.pc = pc
        new.wcs.radesys, new.wcs.equinox = sky.wcs.radesys, sky.wcs.equinox
        new.wcs.lonpole, new.wcs.latpole = sky.wcs.lonpole, sky.wcs.latpole
        new.wcs.set_pv(sky.wcs.get_pv())
    step = (axis.values[-1] - axis.values[0]) / (len(axis) - 1) if len(axis) > 1 else 1.0
    start, code = axis.values[0], _CODES.get(axis.quantity, "")
    if axis.label.split("-")[0] in ("AWAV", "VRAD", "VOPT", "VELO", "FREQ", "WAVE"):
        code = axis.label.split("-")[0]
    if not axis.unit:
        code = ""  # else astropy takes metres or hertz for granted
    if not linear:
        start, step, code = 0.0, 1.0, ""
    unit = parse_unit(axis.unit) if linear and axis.unit else None
    for name, value in (("crpix", 1.0), ("crval", start), ("cdelt", step), ("ctype", code)):
        numbers = list(getattr(new.wcs, name))
        numbers[2] = value
        setattr(new.wcs, name, numbers)
    if unit is not None and unit != units.dimensionless_unscaled:
        new.wcs.cunit = [*list(new.wcs.cunit)[:2], unit]
    if axis.rest is not None:
        setattr(new.wcs, "restfrq" if axis.rest_unit == "Hz" else "restwav", axis.rest)
    new.wcs.set()
    return new


def cube_cards(cards: list[Card], wcs: Any, axis: Any) -> list[Card]:
    """Give the spectral cards of a header the unit of the axis; astropy writes metres and hertz.

    Parameters
    ----------
    cards : list
        As astropy wrote them.
    wcs : WCS
    axis : SpectralAxis
        Only its unit counts.
    """
    from jviz.backend.units import parse_unit

    number = getattr(getattr(wcs, "wcs", None), "spec", -1) + 1
    found = {keyword: value for keyword, value, _ in cards}
    spoken, wanted = found.get(f"CUNIT{number}"), parse_unit(axis.unit) if axis.unit else None
    if number < 1 or not spoken or wanted is None:
        return cards
    try:
        factor = float(parse_unit(str(spoken)).to(wanted))  # type: ignore[union-attr]
    except Exception:  # units that are not of one kind: the WCS's own stay
        return cards
    change = {f"CRVAL{number}": factor, f"CDELT{number}": factor}
    step = [(f"CDELT{number}", factor, "step")] if f"CDELT{number}" not in found else []
    made = [(k, v * change[k] if k in change else axis.unit if k == f"CUNIT{number}" else v, c) for k, v, c in cards]
    return [*made, *step]
