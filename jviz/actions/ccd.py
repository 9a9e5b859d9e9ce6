"""Commands that reduce raw CCD frames of any telescope."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from jviz.backend.ccd.instruments import KINDS, MEANINGS, taken
from jviz.backend.ccd.reducing import Options
from jviz.backend.progress import Progress
from jviz.ccd_reduction import known_instruments, looked_at, reduce_folder
from jviz.commands import command
from jviz.data import Data, from_product
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.running import Apply
from jviz.session import Session

MENU = "Calibration/CCD Frames"


@command("ccd.reduce", title="Reduce CCD Frames…", menu=MENU, job=True, group="run", icon="fa6s.camera-retro")
def reduce(
    session: Session,
    folder: Path,
    instrument: str | None = None,
    *,
    overscan: bool = True,
    bias: bool = True,
    dark: bool = True,
    flat: bool = True,
    cosmic_rays: bool = True,
    combine: Literal["none", "mean", "median"] = "mean",
    align: Literal["none", "pixel", "linear", "stars"] = "pixel",
    gain: float | None = None,
    read_noise: float | None = None,
    clip: float = 4.0,
    ray_threshold: float = 4.5,
    ray_contrast: float = 5.0,
    target: Path | None = None,
    progress: Progress,
) -> Apply:
    """Reduce a folder of raw CCD frames: masters, single exposures, and their combination, with errors and flags.

    In this order: overscan, trimming, gain, bias, dark current (scaled by exposure time), flat field of the same
    filter, cosmic rays, alignment, combination of the exposures of one object and filter. The frames stay as they are.

    Parameters
    ----------
    folder : Path
        With raw FITS frames; headers say what each is.
    instrument : str, optional
        Whose keywords count (ccd.instruments); by default the one that INSTRUME names.
    overscan, bias, dark, flat, cosmic_rays : bool
        Whether that step is done.
    combine : str
        How exposures are combined, by electrons per second; "none" leaves them single.
    align : str
        By cross-correlation with the first exposure: whole pixels, which keeps their noise apart, or "linear"
        between pixels. "stars" finds the same stars by the triangles that they form, and turns and scales as well.
    gain : float, optional
        Electrons per count, over what headers say; measured from pairs of flats where they say nothing.
    read_noise : float, optional
        In electrons; measured from pairs of biases where headers say nothing.
    clip : float
        Standard deviations beyond which values are left out of combinations; 0 keeps all.
    ray_threshold, ray_contrast : float
        Of L.A.Cosmic (van Dokkum 2001, PASP 113, 1420): signal over noise, and contrast with fine structure.
    target : Path, optional
        Where the folder of the run is made; see *Preferences ▸ Calibration*.

    Returns
    -------
    list of Data
        The combined images, or the single exposures; in electrons with ERR and DQ. Masters lie beside them.
    """
    from jviz.backend.io.registry import open_products

    options = Options(overscan, bias, dark, flat, cosmic_rays, combine, align, gain, read_noise, clip, ray_threshold,
                      ray_contrast)  # fmt: skip
    for name in ("gain", "read_noise"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            raise CommandError(f"{name} is {value:g}; it must be above 0.")
    source = Path(folder).expanduser().absolute()
    place = Path(target).expanduser().absolute() if target is not None else None
    _, products, done = reduce_folder(session, source, instrument, options, place, progress)
    loaded: list[Data] = []
    for path in products:
        loaded += [from_product(product) for product in open_products(path, progress=progress)]
    for data in loaded:
        data.prepare(progress)

    def apply() -> list[Data]:
        for text in done.warnings[:5]:
            session.notice("warning", text)
        return loaded

    return Apply(apply, f"Reduce {source.name}", {"folder": str(source)})


@command("ccd.frames", title="List CCD Frames…", menu=MENU, job=True, recorded=False, script=False, group="look",
         icon="fa6s.table-list")  # fmt: skip
def frames(session: Session, folder: Path, instrument: str | None = None, *, progress: Progress) -> Any:
    """List the raw frames of a folder and what their headers say.

    Returns
    -------
    QTable
        ``file``, ``kind`` (bias, dark, flat, science, or empty), ``filter``, ``object``, ``exposure``, ``gain``
        (electron per count), ``read_noise``, ``shape``, ``note``: why a frame cannot be used.
    """
    import numpy as np
    from astropy import units as u
    from astropy.table import QTable

    found, rows = looked_at(session, Path(folder).expanduser().absolute(), instrument, progress)
    table = QTable({
        "file": [row.path.name for row in rows], "kind": [row.kind for row in rows],
        "filter": [row.filter for row in rows], "object": [row.object for row in rows],
        "exposure": np.array([row.exposure for row in rows]) * u.s,
        "gain": np.array([row.gain for row in rows]) * u.electron / u.adu,
        "read_noise": np.array([row.read_noise for row in rows]) * u.electron,
        "shape": [" × ".join(map(str, row.shape)) for row in rows], "note": [row.note for row in rows],
    })  # fmt: skip
    table.meta |= {"instrument": found.name, "folder": str(folder)}
    return table


@command("ccd.instruments", title="List Instruments", menu=MENU, recorded=False, script=False, group="keywords",
         icon="fa6s.key")  # fmt: skip
def list_instruments(session: Session) -> Any:
    """List the instruments whose keywords are known; those of yours come first.

    Returns
    -------
    QTable
        ``instrument``, ``match`` (pattern of INSTRUME), a column for each meaning of keywords, and one for the words of
        each kind of frame.
    """
    from astropy.table import QTable

    known = known_instruments(session)
    columns = {"instrument": [each.name for each in known], "match": [each.match for each in known]}
    for meaning in MEANINGS:
        columns[meaning] = [", ".join(each.keywords.get(meaning, ())) for each in known]
    for kind in KINDS:
        columns[kind] = [", ".join(each.words.get(kind, ())) for each in known]
    return QTable(columns)


@command("ccd.map_keywords", title="Map Keywords…", menu=MENU, group="keywords", icon="fa6s.pen-to-square")
def map_keywords(
    session: Session,
    instrument: str,
    match: str = "*",
    keywords: dict[str, Any] | None = None,
    words: dict[str, Any] | None = None,
) -> Edit:
    """Say which keywords of an instrument's raw frames mean what; kept in the settings.

    Parameters
    ----------
    instrument : str
        A name; one that is known is changed, a new one added.
    match : str
        Pattern of INSTRUME, ``"MYCAM*"``.
    keywords : dict, optional
        Keywords by meaning: type, exposure (s), filter, object, gain (electron per count), read_noise (electron),
        overscan and trim (FITS sections), saturation (counts), date. ``{"gain": "EGAIN", "filter": ["FILT1",
        "FILT2"]}``; without any, and without words, the instrument is forgotten.
    words : dict, optional
        Patterns of the type of frame by kind: bias, dark, flat, science; ``{"science": ["LIGHT*"]}``.
    """
    if not instrument.strip():
        raise CommandError("An instrument needs a name.")
    before = dict(session.settings["ccd.instruments"])
    after = dict(before)
    if keywords or words:
        after[instrument] = taken(match, keywords or {}, words or {})
    elif instrument in after:
        del after[instrument]
    else:
        raise CommandError(f"Nothing is said of {instrument}; give keywords or words.")

    def put(values: dict[str, Any]) -> None:
        session.settings["ccd.instruments"] = values

    return Edit(f"Map keywords of {instrument}", lambda: put(after), lambda: put(before))
