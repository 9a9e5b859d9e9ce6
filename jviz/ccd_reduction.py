"""Raw CCD frames reduced into a folder of a run: products with errors and flags, a record, a log, a script."""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.calibration import runs
from jviz.backend.ccd.frames import Frame, frames_of
from jviz.backend.ccd.images import CcdImage
from jviz.backend.ccd.instruments import Instrument, instruments
from jviz.backend.ccd.reducing import Made, Options, Reduction, reduced
from jviz.backend.files import writing
from jviz.backend.progress import Progress
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["known_instruments", "looked_at", "reduce_folder"]


def known_instruments(session: Session) -> list[Instrument]:
    """Return the instruments whose keywords are known, those of the user first."""
    return instruments(session.settings["ccd.instruments"])


def looked_at(
    session: Session, folder: Path, instrument: str | None, progress: Progress
) -> tuple[Instrument, list[Frame]]:
    """Return the instrument and the frames of a folder."""
    return frames_of(folder, known_instruments(session), instrument, progress)


def reduce_folder(
    session: Session, folder: Path, instrument: str | None, options: Options, target: Path | None, progress: Progress
) -> tuple[Path, list[Path], Reduction]:
    """Reduce a folder.

    Returns
    -------
    run : Path
        The folder of the run.
    products : list of Path
        What to open: the combined images, or else the single exposures.
    reduction : Reduction
    """
    found, frames = looked_at(session, folder, instrument, progress)
    parent = target or session.calibrations.folder()
    run = runs.Run(runs.new_name(), f"{folder.name}: CCD frames")
    for frame in frames:
        if frame.kind:
            progress(0, 0, f"Reading {frame.path.name}")
            run.add_input(frame.path)
    done = reduced(frames, options, progress)
    by_name = {frame.path.name: frame for frame in frames}
    with runs.running(parent, run.id) as part:
        for made in done.made:
            progress(0, 0, f"Writing {made.name}")
            _write(part / f"{made.name}.fits", made, by_name[made.sources[0]], found)
        run.state, run.ended = "done", time.time()
        _write_record(part, run, folder, found, options, frames, done)
    place = parent / run.id
    try:
        session.calibrations.queue.add(run.id, run.title, {"inputs": [str(folder)]}, 0)
        session.calibrations.queue.set(run.id, "done", folder=str(place))
    except JvizError as error:
        session.notice("warning", f"{error} The list of runs lacks {run.id}.")  # what it made is there all the same
    shown = [made for made in done.made if made.role == "combined"] or [m for m in done.made if m.role == "exposure"]
    return place, [place / f"{made.name}.fits" for made in shown], done


def _write(path: Path, made: Made, frame: Frame, instrument: Instrument) -> None:
    from astropy.io import fits

    image: CcdImage = made.image
    first = fits.PrimaryHDU()
    first.header.extend(_kept_cards(frame), unique=True, update=True)
    first.header["EXPTIME"] = (image.exposure, "[s]")
    if not image.exposure and made.role in ("exposure", "combined"):
        del first.header["EXPTIME"]  # nobody knows it
    first.header["NCOMBINE"] = (len(made.sources), "frames that this was made of")
    first.header["CCDROLE"] = (made.role, "what jviz made of them")
    first.header["KEYMAP"] = (instrument.name, "mapping of keywords")
    if made.role == "exposure":
        first.header["XSHIFT"], first.header["YSHIFT"] = made.offset
        if made.turn or made.scale != 1:
            first.header["TURNED"] = (made.turn, "[deg] against the first exposure, from x to y")
            first.header["SCALED"] = (made.scale, "pixels of the first exposure over pixels")
        first.header["NRAYS"] = (made.rays, "pixels hit by cosmic rays")
    for name in made.sources:
        first.header.add_history(f"made of {name}")
    unit = "" if made.role == "master flat" else "electron"
    sci = fits.ImageHDU(image.values.astype(np.float32), name="SCI")
    error = fits.ImageHDU(np.sqrt(image.variance).astype(np.float32), name="ERR")
    for hdu in (sci, error):
        hdu.header["BUNIT"] = unit
        if made.role in ("exposure", "combined"):
            hdu.header.update(_sky_cards(frame))
    flags = fits.ImageHDU(image.flags, name="DQ")
    flags.header.add_comment("1: no value; 2: saturated; 8: cosmic ray")
    with writing(path) as temporary:
        fits.HDUList([first, sci, error, flags]).writeto(temporary, overwrite=True, checksum=True,
                                                         output_verify="silentfix")  # fmt: skip


SKY = re.compile(r"(WCSAXES|CRPIX\d|CRVAL\d|CDELT\d|CTYPE\d|CUNIT\d|CROTA\d|CD\d_\d|PC\d_\d|PV\d_\d+|LONPOLE|LATPOLE|"
                 r"RADESYS|EQUINOX|[AB]P?_(ORDER|\d_\d))$")  # fmt: skip
"""Keywords of world coordinates."""

PACKAGES = ("jviz", "numpy", "scipy", "astropy", "astroscrappy")

STRUCTURE = ("SIMPLE", "BITPIX", "NAXIS", "EXTEND", "BSCALE", "BZERO", "XTENSION", "PCOUNT", "GCOUNT", "CHECKSUM",
             "DATASUM", "BIASSEC", "TRIMSEC", "DATASEC", "CCDSEC", "COMMENT", "HISTORY", "END", "EXTNAME", "BUNIT",
             "INHERIT")  # fmt: skip
"""Keywords of a raw frame that its product does not take over."""


def _kept_cards(frame: Frame) -> list[Any]:
    from astropy.io import fits

    with fits.open(frame.path, memmap=False, output_verify="silentfix") as file:
        file.verify("silentfix")
        cards = [card for hdu in dict.fromkeys((0, frame.hdu)) for card in file[hdu].header.cards]
    return [card for card in cards if _is_kept(card.keyword)]


def _is_kept(keyword: str) -> bool:
    return bool(keyword) and not keyword.startswith(STRUCTURE) and not SKY.match(keyword)


def _sky_cards(frame: Frame) -> dict[str, Any]:
    """Return the world coordinates of a raw frame, for its trimmed image."""
    from astropy.io import fits

    with fits.open(frame.path, memmap=False, output_verify="silentfix") as file:
        headers = [file[hdu].header for hdu in dict.fromkeys((0, frame.hdu))]
        cards = {card.keyword: card.value for header in headers for card in header.cards if SKY.match(card.keyword)}
    if "CTYPE1" not in cards:
        return {}
    for keyword, part in zip(("CRPIX1", "CRPIX2"), (frame.trim or (slice(0), slice(0)))[::-1], strict=True):
        if isinstance(cards.get(keyword), int | float):
            cards[keyword] -= part.start or 0
    return cards


def _write_record(
    folder: Path, run: runs.Run, source: Path, instrument: Instrument, options: Options, frames: Sequence[Frame],
    done: Reduction,
) -> None:  # fmt: skip
    from importlib.metadata import version

    record = {
        **{name: value for name, value in vars(run).items() if name != "tasks"},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "tasks": [{
            "pipeline": "ccd.reduce", "input": str(source), "instrument": instrument.name, "parameters": vars(options),
            "gain": done.gain, "read_noise": done.read_noise, "warnings": done.warnings,
            "frames": {frame.path.name: frame.kind or frame.note for frame in frames},
            "products": [f"{made.name}.fits" for made in done.made],
        }],
    }  # fmt: skip
    given = ", ".join(f"{name}={value!r}" for name, value in vars(options).items() if value != getattr(Options(), name))
    script = (f'"""Repeats a reduction of CCD frames."""\n\nimport jviz\n\nsession = jviz.Session()\n'
              f"session.run('ccd.reduce', folder={str(source)!r}, instrument={instrument.name!r}"
              f"{', ' + given if given else ''})\n")  # fmt: skip
    texts = {runs.RECORD: json.dumps(record, indent=1), "log.txt": "\n".join(done.log) + "\n", "script.py": script}
    for name, text in texts.items():
        with writing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
