"""Commands that look at what a calibration changed, and that keep or drop its run."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.actions.calibration import MENU
from jviz.actions.compare import _add_operation
from jviz.actions.data import remove
from jviz.actions.view import _new_view, place
from jviz.backend.calibration.runs import RECORD
from jviz.backend.files import unwritable
from jviz.backend.progress import Progress
from jviz.calibration_comparing import check_pair, comparison_of, comparison_table, spectrum_of_changes
from jviz.commands import command
from jviz.data import Data, Spectrum
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.session import Session
from jviz.spectrum_views import SpectrumView
from jviz.views import ImageView, free_name

DROPPED = ".dropped"
"""Folder beside the runs into which dropped ones are moved, for undo."""


@command("calibration.compare", title="Compare Before and After…", menu=MENU, job=True, group="compare",
         icon="fa6s.code-compare")  # fmt: skip
def compare(session: Session, before: Data, after: Data, *, progress: Progress) -> Any:
    """List what differs between two products of one exposure: numbers, flags by name, header keywords.

    Parameters
    ----------
    before, after : Data
        Of the same shape; spectra at the same wavelengths.

    Returns
    -------
    QTable
        ``kind`` (number, flag, keyword), ``name``, ``before``, ``after``, ``change``: of numbers that of the
        difference, of flags how many pixels got it and lost it.
    """
    return comparison_table(comparison_of(before, after, progress), before, after)


@command("calibration.show", title="Show Before and After…", menu=MENU, group="compare", icon="fa6s.clone")
def show(
    session: Session,
    before: Data,
    after: Data,
    way: Literal["blink", "curtain", "difference", "ratio"] | None = None,
    view: ImageView | SpectrumView | None = None,
) -> ImageView | SpectrumView:
    """Show two products of one exposure in one viewer, pixel on pixel.

    Parameters
    ----------
    way : str, optional
        They blink, a curtain parts them, or after − before or after ∕ before is shown. Without it images blink, and
        spectra are drawn over each other; those of spectra that differ are new data, without errors.
    view : ImageView or SpectrumView, optional
        That shows them; a new one by default.
    """
    check_pair(before, after)
    if isinstance(before, Spectrum):
        return _drawn(session, _lines(session, before, after, way), view)
    way = way or "blink"
    view = view if isinstance(view, ImageView) else None
    made = view is None
    view = _new_view(session, "image") if view is None else view
    if made:
        place(session, view, [before, after], "add")
    else:
        place(session, view, [before], "replace")
        view.update(layers=view.layers[:1])
        place(session, view, [after], "add")
    view.update(align="pixels", solo=None, blink=0.0, curtain=None)
    first, second = view.layers[0], view.layers[1]
    if before.plane().unit == after.plane().unit:
        second.update(limits=first.limits, stretch=first.stretch, colormap=first.colormap)
    if way in ("difference", "ratio"):
        _add_operation(session, view, after, before, way)
    elif way == "blink":
        view.blink = session.settings["image.blink"]
    else:
        view.curtain = 0.5
    if made:
        session.set_views((*session.views.values(), view))
    return view


def _lines(session: Session, before: Spectrum, after: Any, way: str | None) -> list[Data]:
    """Return what is drawn of two spectra: both, or the one in which they differ, which is added to the session."""
    if way is None:
        return [before, after]
    if way not in ("difference", "ratio"):
        raise CommandError(f"Spectra cannot be shown by {way}: leave the way out to draw them over each other, or "
                           "choose difference or ratio.")  # fmt: skip
    made = spectrum_of_changes(before, after, way)
    for known in session.data:
        if isinstance(known, Spectrum) and known.name.startswith(made.name) and _are_equal(known, made):
            return [known]
    made.name = free_name(made.name, session.names)
    session.set_data((*session.data, made))
    return [made]


def _are_equal(one: Spectrum, other: Spectrum) -> bool:
    fluxes = [[samples.flux for samples in data.samples] for data in (one, other)]
    return len(fluxes[0]) == len(fluxes[1]) and all(map(partial(np.array_equal, equal_nan=True), *fluxes))


def _drawn(session: Session, spectra: list[Data], view: Any) -> SpectrumView:
    """Draw spectra in one viewer."""
    known = isinstance(view, SpectrumView)
    view = view if known else _new_view(session, "spectrum")
    place(session, view, spectra, "replace" if known else "add")
    if not known:
        session.set_views((*session.views.values(), view))
    return view


@command("calibration.drop", title="Drop Run…", menu=MENU, group="runs", icon="fa6s.trash")
def drop(session: Session, data: Data) -> Edit:
    """Take the products of a run out of the session, and its folder away; undo brings both back.

    Parameters
    ----------
    data : Data
        Any product of the run.
    """
    folder = data.path.parent if data.path is not None else None
    if folder is None or not (folder / RECORD).is_file():
        raise CommandError(f"{data.name} is no product of a run of jviz, so there is no run to drop.")
    gone = [one for one in session.data if one.path is not None and one.path.parent == folder]
    for one in gone:
        remove(session, one)
    aside = folder.parent / DROPPED / folder.name
    return Edit(f"Drop the run {folder.name}", lambda: _move(folder, aside), lambda: _move(aside, folder))


@command("calibration.empty_dropped", title="Empty Dropped Runs", menu=MENU, group="runs", recorded=False, script=False)
def empty(session: Session) -> str:
    """Remove the folders of all dropped runs from the disk, for good."""
    folder = session.calibrations.folder() / DROPPED
    there = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    for path in there:
        shutil.rmtree(path, ignore_errors=True)
    return f"{len(there)} dropped runs removed"


@command("calibration.runs", title="Show Runs", menu=MENU, group="runs", recorded=False, script=False,
         icon="fa6s.clock-rotate-left")  # fmt: skip
def runs(session: Session) -> Any:
    """List the runs of calibrations: what waits, goes on, is done, failed, or was interrupted.

    Returns
    -------
    QTable
        ``run``, ``title``, ``state``, ``priority``, ``started``, ``pipelines``, ``context``, ``folder``, ``error``.
    """
    return session.calibrations.runs()


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
    except OSError as error:
        raise unwritable(target, error) from error
