"""Declares the readers of jviz itself; what they need is imported when they run."""

from __future__ import annotations

import importlib
from pathlib import Path

from jviz.backend.io.product import Product
from jviz.backend.io.registry import open_products, reader
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_fits", "read_folder"]

_FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz", ".fits.bz2", ".fits.xz", ".fits.fz",
         ".fits.z", ".fz")  # fmt: skip


def _is_fits(path: Path, start: bytes) -> bool:
    from jviz.backend.io.fits_compressed import first_bytes

    # a name is enough: a web page saved as m31.fits deserves to be told so
    return first_bytes(start).startswith(b"SIMPLE") or (bool(start) and path.name.lower().endswith(_FITS))


# Readers are asked from last to first, so FITS, which also goes by the name, is asked last.
@reader("fits", title="FITS", suffixes=_FITS, sniff=_is_fits)
def read_fits(
    path: Path, *, progress: Progress = silent, hdu: int | str | None = None, section: int | None = None
) -> list[Product]:
    """Open a FITS file; see `jviz.backend.io.fits_products.read_fits`."""
    from jviz.backend.io import fits_products

    return fits_products.read_fits(path, progress=progress, hdu=hdu, section=section)


for _module in ("asdf_reader", "tables", "votables", "associations", "parquet", "pictures", "tiff", "arrays",
                "regions_reader", "psf_files", "star_catalogues", "isochrones"):  # fmt: skip
    _name = f"jviz.backend.io.{_module}"
    try:
        importlib.import_module(_name)
    except ModuleNotFoundError as error:
        if error.name != _name:
            raise


@reader("folder", title="Folder", sniff=lambda path, start: not start and path.is_dir())
def read_folder(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open every readable file of a folder, in the order of their names; not recursive.

    Raises
    ------
    ReadError
        When it holds no file that jviz reads.
    """
    files = [file for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith(".")]
    products: list[Product] = []
    failures: list[str] = []
    for number, file in enumerate(files):
        progress(number, len(files), f"Opening {file.name}")
        try:
            products += open_products(file)
        except ReadError as error:
            failures.append(str(error))
    if not products:
        raise ReadError(
            f"The folder {path} holds no file that jviz reads ({len(files)} files). "
            + (f"The first failed like this: {failures[0]}" if failures else "Choose another folder.")
        )
    return products
