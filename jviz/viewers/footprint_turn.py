"""The handle that turns a footprint, or any other group of polygons on the sky, about its middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.actions.footprint import corners_of, turned_by
from jviz.backend.apertures import middle_of
from jviz.backend.regions.offsets import offsets_to
from jviz.geometry import Geometry
from jviz.script import literal
from jviz.session import Session
from jviz.subsets import Subset
from jviz.viewers.region_steps import selected_regions, show_live

__all__ = ["TurnGrip", "draw_turn_grip", "position_angle", "turn_grip", "turn_group"]

AWAY = 24.0
"""Screen pixels from the top of a group to its handle."""


@dataclass(frozen=True)
class TurnGrip:
    """The handle of a group: where it stands in the picture, what it turns, about which place."""

    members: tuple[Subset, ...]
    middle: tuple[float, float]
    centre: QPointF
    at: QPointF


def turn_grip(session: Session, sky: Any, geometry: Geometry) -> TurnGrip | None:
    """Return the handle of the selected group; None unless a whole group of several polygons is selected."""
    chosen = selected_regions(session)
    groups = {subset.group for subset in chosen}
    if sky is None or len(chosen) < 2 or len(groups) != 1 or not (group := groups.pop()):
        return None
    whole = [subset for subset in session.subsets.values() if subset.group == group]
    movable = all(type(s.region).__name__ == "PolygonSkyRegion" and s.visible and not s.locked for s in whole)
    if len(whole) != len(chosen) or not movable:
        return None
    outlines = [corners_of(subset) for subset in whole]
    middle = middle_of(outlines)
    places = np.concatenate([*outlines, [middle]])
    u, v = geometry.to_screen(*sky.sky_to_pixel(*places.T))
    if not np.isfinite(u + v).all():
        return None
    centre = QPointF(float(u[-1]), float(v[-1]))
    return TurnGrip(tuple(whole), middle, centre, QPointF(centre.x(), max(float(v.min()) - AWAY, 12.0)))


def position_angle(middle: tuple[float, float], ra: float, dec: float) -> float:
    """Return the position angle of a place as seen from another, degrees from north through east."""
    west, north = offsets_to(*middle, np.array(ra), np.array(dec))
    return float(np.degrees(np.arctan2(-west, north)))


def turn_group(session: Session, grip: TurnGrip, degrees: float) -> None:
    """Turn a group as one step, which the script repeats by ``footprint.move``."""
    show_live(session, {subset.name: subset for subset in grip.members})
    session.flush()
    group, turn = grip.members[0].group, round(degrees, 6)
    line = f"session.run('footprint.move', group={literal(group)}, turn={literal(turn)})"
    with session.change(f"Turn {group}", lines=[line], command="footprint.move"):
        session.set_subsets({**session.subsets, **turned_by(grip.members, grip.middle, turn)})


def draw_turn_grip(painter: QPainter, grip: TurnGrip, accent: str) -> None:
    """Draw the handle with a line to the middle that it turns about."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(accent), 1.0, Qt.PenStyle.DashLine))
    painter.drawLine(grip.centre, grip.at)
    painter.setPen(QPen(QColor(accent), 1.4))
    painter.setBrush(QColor("#ffffff"))
    painter.drawEllipse(grip.at, 4.5, 4.5)
