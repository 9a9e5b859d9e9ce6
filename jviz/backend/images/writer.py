"""Writing images as FITS, ASDF or npy, each under a temporary name first."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.files import writing
from jviz.errors import CommandError

__all__ = ["write_asdf", "write_fits", "write_npy"]

Card = tuple[str, Any, str]


def write_fits(
    path: Path,
    planes: Sequence[tuple[str, np.ndarray, str]],
    cards: Sequence[Card],
    wcs: Any,
    tables: Sequence[Any] = (),
) -> Path:
    """Write planes as image extensions, with the WCS in each.

    Parameters
    ----------
    planes : sequence of (name, array, unit)
    cards : sequence of (keyword, value, comment)
        Of the primary header.
    wcs : WCS or None
        What is no FITS WCS (a GWCS) is approximated by TAN with SIP where it lies on the sky, for other programs, and
        goes exact into an ASDF extension, as in files of the JWST pipeline.
    tables : sequence of HDU
        Further extensions.
    """
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place, lookup = _keywords(wcs, planes[0][1].shape)
        primary = fits.PrimaryHDU()
        for keyword, value, comment in cards:
            _put(primary.header, keyword, value, comment)
        units = [primary]
        for name, values, unit in planes:
            hdu = fits.ImageHDU(np.ascontiguousarray(values), name=name)
            if unit:
                hdu.header["BUNIT"] = unit
            hdu.header.extend(place, update=True)
            units.append(hdu)
        with writing(path) as temporary:
            file = fits.HDUList([*units, *lookup, *tables])
            file.writeto(temporary, overwrite=True, checksum=True, output_verify="silentfix")
    return path


def write_npy(path: Path, values: np.ndarray) -> Path:
    """Write one array for numpy."""
    with writing(path) as temporary, temporary.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    return path


def write_asdf(path: Path, planes: Sequence[tuple[str, np.ndarray, str]], cards: Sequence[Card], wcs: Any) -> Path:
    """Write the planes, units, header and WCS as an ASDF tree."""
    asdf = asdf_library()

    tree = {
        "planes": {name: {"data": np.ascontiguousarray(values), "unit": unit} for name, values, unit in planes},
        "header": [[keyword, value] for keyword, value, _ in cards if isinstance(value, str | bool | int | float)],
        "wcs": wcs,
    }
    # A stream of our own: asdf leaves files of its own behind when the disk is full.
    with writing(path) as temporary, temporary.open("wb") as file:
        asdf.AsdfFile(tree).write_to(file)
    return path


def _put(header: Any, keyword: str, value: Any, comment: str) -> None:
    if keyword in ("HISTORY", "COMMENT"):
        for line in str(value).splitlines():
            header.add_history(line) if keyword == "HISTORY" else header.add_comment(line)
        return
    if not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not np.isfinite(value)):
        return
    try:
        header[keyword] = (value, comment)
    except ValueError:  # text that FITS has no letters for
        header[keyword] = str(value).encode("ascii", "replace").decode()


def _keywords(wcs: Any, shape: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """Return the header of a WCS and the extensions with its lookup tables."""
    from astropy.io import fits

    if wcs is None:
        return fits.Header(), []
    if hasattr(wcs, "to_fits_sip"):
        return _approximated(wcs, shape), [_asdf_extension(wcs)]
    if not hasattr(wcs, "to_fits"):
        return fits.Header(), []
    whole = wcs.to_fits(relax=True)
    return _bare(whole[0].header), list(whole[1:])


def _approximated(wcs: Any, shape: tuple[int, ...]) -> Any:
    """Return keywords (TAN with SIP) that agree with a GWCS to 0.01 pixels; none where it is not on the sky alone."""
    from astropy.io import fits

    ny, nx = shape[-2:]
    try:
        box = ((-0.5, nx - 0.5), (-0.5, ny - 0.5))
        return _bare(wcs.to_fits_sip(bounding_box=box, max_pix_error=0.01, max_inv_pix_error=None))
    except Exception:  # any transform may raise anything; the exact one is in the ASDF extension
        return fits.Header()


def _asdf_extension(wcs: Any) -> Any:
    """Return a binary table that holds an ASDF file with the GWCS, as stdatamodels writes it."""
    import io

    asdf = asdf_library()
    from astropy.io import fits

    stream = io.BytesIO()
    try:
        asdf.AsdfFile({"meta": {"wcs": wcs}}).write_to(stream)
    except Exception as error:
        raise CommandError(f"The world coordinates cannot be written ({error}); write npy instead.") from error
    content = np.frombuffer(stream.getvalue(), np.uint8)
    column = fits.Column(name="ASDF_METADATA", format=f"{len(content)}B", array=content[None, :])
    return fits.BinTableHDU.from_columns([column], name="ASDF")


def _bare(header: Any) -> Any:
    for keyword in ("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "PCOUNT", "GCOUNT"):
        header.remove(keyword, ignore_missing=True)
    return header
