"""The context menu of a region."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import QMenu

from jviz.backend.regions.kinds import OPEN
from jviz.errors import JvizError
from jviz.subsets import PALETTE, Subset
from jviz.viewers.region_clipboard import paste_regions
from jviz.viewers.region_entry import ask_text
from jviz.viewers.region_gestures import place_of
from jviz.viewers.region_keys import copy, duplicate
from jviz.viewers.region_steps import change_regions, remove_regions, selected_regions

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["region_actions"]


def region_actions(viewer: ImageViewer, position: QPointF) -> list[QAction]:
    """Return the entries for the region under a position; it is selected first unless it is already."""
    place = place_of(viewer, position) if viewer.session.subsets else None
    under = place.under() if place is not None else []
    interaction = viewer.session.interaction
    if not under:
        return []
    if not any(s.name in interaction.selected for s in under):
        interaction.select([under[0].name])
    chosen = selected_regions(viewer.session)
    title = chosen[-1].name if len(chosen) == 1 else f"{len(chosen)} regions"
    head = QAction(title)
    head.setEnabled(False)
    locked, shown = all(s.locked for s in chosen), any(s.visible for s in chosen)
    return [
        head,
        _action("Edit Numbers…", partial(_open_panel, viewer)),
        _action("Statistics", partial(_open_panel, viewer)),
        _colours(viewer, chosen),
        _action(
            "Unlock" if locked else "Lock", partial(_set, viewer, "Unlock" if locked else "Lock", locked=not locked)
        ),
        _action("Hide" if shown else "Show", partial(_set, viewer, "Hide" if shown else "Show", visible=not shown)),
        _action("Centre View on It", partial(_centre, viewer)),
        _action("Recentre on Centroid", partial(_recentre, viewer)),
        _action("Limits from It", partial(viewer.session.submit, "region.limits", view=viewer.state)),
        _action("Group…", partial(_group, viewer, position)),
        _action("Copy", partial(copy, viewer)),
        _action("Duplicate", partial(duplicate, viewer)),
        _action("Paste", partial(paste_regions, viewer.session, viewer.state.layers[0].data)),
        *_spectra(viewer, chosen),
        *_saving(viewer),
        _action("Remove", partial(remove_regions, viewer.session, [s.name for s in chosen])),
    ]


def _action(text: str, run: Callable[[], Any]) -> QAction:
    action = QAction(text)
    action.triggered.connect(lambda *_: run())
    return action


def _spectra(viewer: ImageViewer, chosen: list[Subset]) -> list[QAction]:
    """Return what can be done with the spectrum of one region of a cube."""
    layer = getattr(viewer.state, "leading", None)
    if layer is None or len(chosen) != 1 or not chosen[0].on_images or chosen[0].shape in OPEN:
        return []
    live, name = viewer.session.cube_spectra, chosen[0].name
    is_ground = live.background == name
    background = {"background": live.background} if live.background and not is_ground else {}
    choose = partial(viewer.session.run, "cube.background", region="" if is_ground else name)
    ground = _action("Background of Spectra", choose)
    ground.setCheckable(True)
    ground.setChecked(is_ground)
    keep = partial(viewer.session.submit, "cube.extract", data=layer.data.name, region=name,
                   statistic=live.statistic, **background)  # fmt: skip
    return [_action("Keep Spectrum as Data", keep), ground]


def _saving(viewer: ImageViewer) -> list[QAction]:
    """Return the entry that writes regions into a file, where there is a command for it."""
    id = "region.export_file"
    return [_action("Save Regions…", partial(viewer.run_command, id))] if id in viewer.session.commands else []


def _colours(viewer: ImageViewer, chosen: list[Subset]) -> QAction:
    menu = QMenu("Colour", viewer)
    for colour in PALETTE:
        square = QPixmap(14, 14)
        square.fill(QColor(colour))
        action = menu.addAction(QIcon(square), colour, partial(_set, viewer, "Colour", color=colour))
        action.setCheckable(True)
        action.setChecked(all(s.color == colour for s in chosen))
    action = menu.menuAction()
    action.destroyed.connect(menu.deleteLater)
    return action


def _set(viewer: ImageViewer, verb: str, **values: Any) -> None:
    chosen = {s.name: s for s in selected_regions(viewer.session)}
    what = next(iter(chosen)) if len(chosen) == 1 else f"{len(chosen)} Regions"
    change_regions(viewer.session, chosen, {n: s.but(**values) for n, s in chosen.items()}, f"{verb} {what}")


def _recentre(viewer: ImageViewer) -> None:
    """Move the selected regions to the light in them."""
    names = [s.name for s in selected_regions(viewer.session, unlocked=True)]
    try:
        viewer.session.run("region.recentre", name=names, data=viewer.state.data)
    except JvizError as error:
        viewer.session.notice("error", str(error))


def _group(viewer: ImageViewer, position: QPointF) -> None:
    """Ask for the group of the selected regions."""
    chosen = selected_regions(viewer.session)
    ask_text(viewer, position, lambda text: _set(viewer, "Group", group=text), chosen[-1].group)


def _open_panel(viewer: ImageViewer) -> None:
    viewer.run_command("region.show_panel")


def _centre(viewer: ImageViewer) -> None:
    """Move the view so that the selected regions stand in its middle."""
    from jviz.places import places_of
    from jviz.viewers.image_layers import ready_sky

    data = viewer.state.layers[0].data
    places = places_of(viewer.session, data, ready_sky(data))
    names = set(viewer.session.interaction.selected)
    chosen = [places.boxes[k] for k, s in enumerate(places.subsets) if s.name in names]
    boxes = [box for box in chosen if np.isfinite(box).all()]
    if boxes:
        x0, y0, x1, y1 = (f(column) for f, column in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
        viewer.state.centre = (float(x0 + x1) / 2, float(y0 + y1) / 2)
        viewer.session.flush()
