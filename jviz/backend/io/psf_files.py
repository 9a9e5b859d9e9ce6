"""Point spread functions in FITS files: grids of STPSF (WebbPSF) and STDPSF, and those that jviz writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane, Product, Unit
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError, ReadError

__all__ = ["read_psf", "write_psf"]

HEADER = 40 * 2880
"""Bytes in which the keywords are looked for."""

OURS, STPSF, STDPSF = (b"OVERSAMP", b"PSFX0   "), (b"OVERSAMP", b"DET_YX0 "), (b"NXPSFS  ", b"NYPSFS  ")


def _cards(path: Path, start: bytes) -> set[bytes]:
    """Return the keywords of the primary header."""
    from jviz.backend.io.fits_compressed import first_bytes

    text = first_bytes(start, HEADER)
    if not text.startswith(b"SIMPLE"):
        return set()
    if start.startswith(b"SIMPLE"):
        with path.open("rb") as file:
            text = file.read(HEADER)
    end = re.search(rb"END {77}", text)
    text = text[: end.start()] if end else text
    return {text[k : k + 8] for k in range(0, len(text), 80)}


def _is_psf(path: Path, start: bytes) -> bool:
    axes = b"NAXIS   =                    2", b"NAXIS   =                    3"
    if start.startswith(b"SIMPLE") and not any(one in start[:400] for one in axes):
        return False
    cards = _cards(path, start)
    return any(set(keys) <= cards for keys in (OURS, STPSF, STDPSF))


@reader("psf", title="PSF (STPSF, STDPSF, jviz)", sniff=_is_psf)
def read_psf(path: Path, *, progress: Progress = silent, **options: Any) -> list[Product]:
    """Open the PSF or the grid of PSFs of a FITS file; of STDPSF files with several detectors one for each.

    Raises
    ------
    ReadError
        When its keywords or its values make no PSF.
    """
    from astropy.io import fits

    from jviz.backend.photometry.psfs import PsfModel, model_from_cards

    progress(0, 1, f"reading {path.name}")
    with fits.open(path, memmap=False) as file:
        header, values = file[0].header, file[0].data
        if values is None:
            raise ReadError(f"{path.name} has no pixels in its first extension, where PSFs are; was it cut?")
    try:
        if "PSFX0" in header:
            models = [(path.stem, model_from_cards(np.asarray(values, float), header))]
        else:
            found = _grids(path, "NXPSFS" in header)
            models = [
                (
                    name,
                    PsfModel(
                        _unit_light(np.asarray(grid.data, float), _fine(grid)),
                        _fine(grid),
                        np.asarray(grid.grid_xypos, float),
                    ),
                )
                for name, grid in found
            ]
    except (CommandError, ValueError, KeyError) as error:
        raise ReadError(f"{path.name} holds no PSF that can be used: {error}") from error
    cards = tuple((c.keyword, c.value, c.comment) for c in header.cards)
    return [_product(path, name, model, cards) for name, model in models]


def _grids(path: Path, is_stdpsf: bool) -> list[tuple[str, Any]]:
    """Return photutils' models of a grid, one for each detector of a file."""
    from photutils.psf import GriddedPSFModel

    if not is_stdpsf:
        return [(path.stem, GriddedPSFModel.read(path, format="webbpsf"))]
    try:
        return [(path.stem, GriddedPSFModel.read(path, format="stdpsf"))]
    except ValueError as error:
        if "detector_id" not in str(error):
            raise
    found = []
    for number in range(1, 9):
        try:
            grid = GriddedPSFModel.read(path, format="stdpsf", detector_id=number)
        except ValueError:
            continue
        found.append((f"{path.stem}[{number}]", grid))
    if not found:
        raise ValueError("none of its detectors can be told apart")
    return found


def _fine(grid: Any) -> int:
    y, x = (float(v) for v in grid.oversampling)
    if x != y or x != round(x):
        raise ValueError(f"it has {x:g} × {y:g} samples a pixel; jviz takes the same whole number along both axes")
    return int(x)


def _unit_light(values: np.ndarray, fine: int) -> np.ndarray:
    """Return values as an effective PSF has them, where those of old grids add up to 1 over their samples."""
    light = values.sum(axis=(1, 2)).mean()
    return values * fine**2 if fine > 1 and 0.5 < light < 1.5 else values


def _product(path: Path, name: str, model: Any, cards: Sequence[tuple[str, Any, str]]) -> Product:
    values = model.values[0] if len(model.values) == 1 else model.values
    values = np.ascontiguousarray(values)
    own = {keyword for keyword, _, _ in model.cards()}
    kept = tuple(card for card in cards if card[0] not in own and isinstance(card[1], bool | int | float | str))
    label = "PSF" if len(model.values) == 1 else f"grid of {len(model.values)} PSFs"
    unit = Unit(0, "PSF", 1, "image", values.shape, values.dtype.name, "", (*kept, *model.cards()))
    plane = Plane("PSF", values.shape, values.dtype, lambda progress: values)
    return Product("psf", name, label, path=path, reader="psf", planes={"PSF": plane}, units=(unit,))


def write_psf(path: Path, values: np.ndarray, cards: Sequence[tuple[str, Any, str]]) -> Path:
    """Write PSFs as STPSF writes grids, which photutils reads too: an array in the first extension, its keywords.

    Parameters
    ----------
    values : ndarray, shape (my, mx) or (n, my, mx)
    cards : sequence of (keyword, value, comment)
        As `PsfModel.cards` gives them, with any others.
    """
    from astropy.io import fits

    from jviz.backend.files import writing

    hdu = fits.PrimaryHDU(np.ascontiguousarray(values))
    for keyword, value, comment in cards:
        if keyword in ("HISTORY", "COMMENT"):
            hdu.header.add_history(str(value))
        else:
            hdu.header[keyword] = (value, comment)
    with writing(path) as temporary:
        hdu.writeto(temporary, overwrite=True, checksum=True, output_verify="silentfix")
    return path
