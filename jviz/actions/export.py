"""The command that writes data to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Catalog, Data, Profile, Psf, Spectrum
from jviz.errors import CommandError
from jviz.outputs import output_path
from jviz.pictures import cards_kept, plane_wcs
from jviz.running import Apply
from jviz.session import Session


@command(
    "data.export", title="Export Data…", menu="File", job=True, icon="fa6s.file-export", group="save", needs="data"
)
def export(session: Session, data: Data, path: Path, *, progress: Progress) -> Apply:
    """Write data to a file: arrays as FITS, ASDF, npy; tables, profiles and spectra as ECSV, FITS, VOTable, CSV …

    Parameters
    ----------
    data : Data
        Images are written with errors, flags, WCS (SIP and lookup tables too), units and header; spectra with their
        uncertainty of its kind, masks and flags; PSFs as FITS that photutils reads too.
    path : Path
        Ends with .fits, .asdf or .npy; for tables and spectra with .ecsv, .fits, .vot, .parquet, .csv or .tsv.

    Raises
    ------
    CommandError
        When the session has that file open, or the format cannot hold the data.
    """
    path = output_path(session, path)
    progress(0, 1, "writing")
    write_data(data, path, progress)
    return Apply(lambda: path, f"Export {path.name}", {"path": path})


def write_data(data: Data, path: Path, progress: Progress) -> None:
    """Write data in the format of a file's name.

    Raises
    ------
    CommandError
        When the format cannot hold them.
    """
    if isinstance(data, Catalog | Profile):
        from jviz.backend.io.table_writer import write_table

        write_table(data.table, path)
    elif isinstance(data, Spectrum) and path.suffix.lower() not in (".npy", ".asdf"):
        _write_spectra(data, path)
    elif isinstance(data, Psf) and path.suffix.lower() in (".fits", ".fit"):
        from jviz.backend.io.psf_files import write_psf

        kept = ("NSTARS", "PSFQFIT", "PSFDOUBT", "PSFBEYON", "PSFBEYER", "HISTORY")
        others = [card for card in _cards(data) if card[0] in kept]
        write_psf(path, data.plane().read(), [*data.model.cards(), *others])
    elif data.planes:
        _write_planes(data, path, progress)
    else:
        raise CommandError(
            f"{data.name} is of kind {data.kind} and holds no array; export regions with region.export_file."
        )


def _write_spectra(data: Spectrum, path: Path) -> None:
    from jviz.backend.io.table_writer import OTHER_NAMES, write_table
    from jviz.backend.spectra.tables import table_of_samples, tall_table, with_units_in_names

    suffix = path.suffix.lower()
    bare = OTHER_NAMES.get(suffix, suffix) in (".csv", ".tsv")
    write_table(with_units_in_names(tall_table(data.samples)) if bare else table_of_samples(data.samples), path)


def _write_planes(data: Data, path: Path, progress: Progress) -> None:
    from jviz.backend.cubes.beams import COLUMNS
    from jviz.backend.images import writer
    from jviz.backend.io.fits_beams import beams_table

    suffix = path.suffix.lower()
    if suffix == ".npy":
        writer.write_npy(path, data.filed.planes[data.plane().name].read(progress=progress))
        return
    if suffix not in (".fits", ".fit", ".asdf"):
        raise CommandError(f"{path.name} does not say how to write it; end it with .fits, .asdf or .npy.")
    planes, beams = [], {}
    for number, plane in enumerate(data.filed.planes.values()):
        progress(number, len(data.planes), f"reading {plane.name}")
        values = plane.read(progress=progress)
        if plane.name in COLUMNS and values.ndim == 1 and suffix != ".asdf":
            beams[plane.name] = values
        else:
            planes.append((plane.name, values, plane.unit))
    wcs = getattr(data, "wcs", None) if data.filed is data.product else data.filed.load_wcs().wcs
    if planes[0][1].ndim == 2:
        wcs = plane_wcs(data)
    if suffix == ".asdf":
        writer.write_asdf(path, planes, _cards(data), wcs)
        return
    tables, cards = [], _cards(data)
    if len(beams) == len(COLUMNS):
        tables, cards = [beams_table(beams)], [("CASAMBM", True, "a beam for each channel, in BEAMS"), *cards]
    writer.write_fits(path, planes, cards, wcs, tables)


def _cards(data: Data) -> list[tuple[str, Any, str]]:
    made = f"jviz: written from {data.made_by}" if data.made_by else "jviz: written from a session"
    return [*cards_kept(data), ("HISTORY", made, "")]
