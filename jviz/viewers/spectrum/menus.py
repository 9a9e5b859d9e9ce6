"""Menus of a viewer of spectra: units of its axes, and what can be done at a place."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from jviz.backend.spectra.fluxes import units_for
from jviz.backend.spectra.lines import OWN, identify, own_lines
from jviz.backend.spectra.units import Scale, convert_axis
from jviz.errors import JvizError
from jviz.spectrum_views import first_samples, scale_of_view
from jviz.viewers.menu import command_menu
from jviz.viewers.readout import pretty_unit
from jviz.viewers.spectrum.grips import follow_range, range_part_at

__all__ = ["context_menu", "unit_menu"]

MAPS = {"sum": "Sum", "mean": "Mean", "median": "Median", "max": "Maximum", "min": "Minimum", "moment0": "Moment 0",
        "moment1": "Moment 1", "moment2": "Moment 2"}  # fmt: skip
ACROSS = {"Wavelength": ("Angstrom", "nm", "um", "mm"), "Frequency": ("MHz", "GHz", "THz"),
          "Wavenumber": ("1/cm",), "Energy": ("eV", "keV")}  # fmt: skip


def unit_menu(viewer: Any, axis: str) -> QMenu:
    """Make the menu of units of an axis, "x" or "y", with the present one ticked."""
    menu = QMenu(viewer)
    group = QActionGroup(menu)

    def offer(place: QMenu, text: str, *, ticked: bool, **values: Any) -> None:
        action = place.addAction(text, lambda: run(viewer, "spectrum.units", **values))
        action.setCheckable(True)
        action.setChecked(ticked)
        group.addAction(action)

    (_across if axis == "x" else _along)(viewer, menu, offer)
    return menu


def _across(viewer: Any, menu: QMenu, offer: Any) -> None:
    view = viewer.state
    offer(menu, "As in the file", ticked=not view.x_unit and not view.medium, x="", medium="")
    for title, units in ACROSS.items():
        place = menu.addMenu(title)
        for unit in units:
            if title != "Wavelength":
                offer(place, pretty_unit(unit), ticked=view.x_unit == unit, x=unit)
                continue
            for medium in ("vacuum", "air"):
                ticked = view.x_unit == unit and view.medium == medium
                offer(place, f"{pretty_unit(unit)} in {medium}", ticked=ticked, x=unit, medium=medium)
    place = menu.addMenu("Velocity")
    place.setToolTipsVisible(True)
    first = first_samples(viewer.session, view)
    shown = scale_of_view(view, None if first is None else first.axis).convention
    for convention in ("optical", "radio", "relativistic"):
        ticked = view.x_unit == "km/s" and shown == convention
        offer(place, f"km/s, {convention}", ticked=ticked, x="km/s", convention=convention)
    menu.addSeparator()
    toggle(menu, "Logarithmic", view, "x_log")


def _along(viewer: Any, menu: QMenu, offer: Any) -> None:
    view = viewer.state
    offer(menu, "As in the file", ticked=not view.y_unit, y="")
    samples = first_samples(viewer.session, view)
    offered = units_for(samples.unit, has_area=samples.area is not None)
    for title, units in offered.items():
        place = menu.addMenu(title[0].upper() + title[1:])
        for unit in units:
            offer(place, pretty_unit(unit), ticked=view.y_unit == unit, y=unit)
    if not offered:
        note = menu.addAction(f"{samples.unit or 'No unit'} cannot be converted")
        note.setEnabled(False)
        menu.addAction("Units and Medium of Data…", lambda: viewer.run_command("spectrum.axis"))
    menu.addSeparator()
    toggle(menu, "Logarithmic", view, "y_log")
    for how, text in (("auto", "Cut off what would hide the rest"), ("on", "Cut off peaks of noise"),
                      ("off", "Show all peaks")):  # fmt: skip
        action = menu.addAction(text, lambda how=how: run(viewer, "spectrum.robust", how=how))
        action.setCheckable(True)
        action.setChecked(view.robust == how)


def toggle(menu: QMenu, text: str, view: Any, name: str) -> None:
    """Add an entry that switches a property of a view."""
    action = menu.addAction(text, lambda: setattr(view, name, not getattr(view, name)))
    action.setCheckable(True)
    action.setChecked(bool(getattr(view, name)))


def run(viewer: Any, id: str, **values: Any) -> None:
    """Run a command on the view of a viewer; errors become notices."""
    try:
        viewer.session.run(id, view=viewer.state, **values)
    except JvizError as error:
        viewer.session.notice("error", str(error))


def context_menu(viewer: Any, at: QPointF) -> QMenu:
    """Make the menu of a place: the range there, lines near it, units, and the commands on spectra."""
    scene = viewer.scene_now()
    menu = command_menu(viewer, viewer.kind, lambda id: viewer.run_command(id))
    first = menu.actions()[0] if menu.actions() else None
    found = range_part_at(viewer, scene, at)
    if found is not None:
        menu.insertMenu(first, _range_menu(viewer, menu, found[0]))
    if scene.shown:
        for axis, title in (("x", "Units Along"), ("y", "Units of Flux")):
            units = unit_menu(viewer, axis)
            units.setParent(menu, units.windowFlags())
            units.setTitle(title)
            menu.insertMenu(first, units)
        lines = _line_menu(viewer, menu, scene, at)
        if lines is not None:
            menu.insertMenu(first, lines)
        if first is not None:
            menu.insertSeparator(first)
    return menu


def _range_menu(viewer: Any, parent: QMenu, mark: Any) -> QMenu:
    name, menu, session = mark.subset.name, QMenu(mark.subset.name, parent), viewer.session
    menu.addAction("Statistics", lambda: run(viewer, "spectrum.statistics", region=name))
    menu.addAction("Zoom to It", lambda: setattr(viewer.state, "x_range", (mark.low, mark.high)))
    level = {"normalize": "range", "normalize_range": (mark.low, mark.high)}
    menu.addAction("Normalise to Its Level", lambda: viewer.state.update(**level))
    maps = menu.addMenu("Live Map in Cube Viewers")
    for statistic, title in MAPS.items():
        maps.addAction(title, lambda how=statistic: follow_range(session, name, how))
    menu.addSeparator()
    menu.addAction("Remove", lambda: session.run("subset.remove", name=name))
    return menu


def _line_menu(viewer: Any, parent: QMenu, scene: Any, at: QPointF) -> QMenu | None:
    """Offer the lines that may be at a place, and the redshifts with which they would be."""
    if scene.scale.quantity == "channel" or not scene.picture.contains(at):
        return None
    try:
        wave = float(convert_axis(scene.x.value(at.x()), scene.scale, Scale("m", "wavelength")))
    except JvizError:
        return None
    menu = QMenu("Identify Line", parent)
    near = viewer.state.redshift
    menu.addAction("Find Redshift by All Lines", lambda: run(viewer, "spectrum.identify"))
    menu.addAction(f"Refine z = {near:.5g} by All Lines", lambda: run(viewer, "spectrum.identify", near=near))
    menu.addSeparator()
    for line in identify(wave, viewer.state.redshift, count=6, own=own_lines(viewer.state.own_lines)):
        values = {"redshift": wave / line.wavelength - 1} | ({} if line.list == OWN else {"add": [line.list]})
        text = f"{line.title}  at z = {values['redshift']:.5f}"
        menu.addAction(text, lambda values=values: run(viewer, "spectrum.lines", **values))
    return menu
