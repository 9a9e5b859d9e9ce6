"""Regions on the clipboard: as they are for jviz, as DS9 regions for everyone."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from jviz.backend.regions.ds9 import sketch_ds9
from jviz.backend.regions.ds9_writing import chain
from jviz.backend.regions.ds9_writing import ds9_text as written
from jviz.backend.regions.excluding import cut_excluded
from jviz.backend.regions.of_images import of_image
from jviz.checked import hex_color
from jviz.session import Session
from jviz.subsets import Subset, next_color
from jviz.viewers.region_steps import add_regions
from jviz.views import free_name

__all__ = ["copy_regions", "paste_regions"]

MIME = "application/x-jviz-regions"
_copied: dict[bytes, list[Subset]] = {}


def copy_regions(subsets: list[Subset]) -> None:
    """Put regions on the clipboard."""
    token = "\n".join(f"{id(subset)} {subset.name}" for subset in subsets).encode()
    _copied.clear()
    _copied[token] = subsets
    mime = QMimeData()
    mime.setData(MIME, token)
    mime.setText(ds9_text(subsets))
    QGuiApplication.clipboard().setMimeData(mime)


def ds9_text(subsets: list[Subset]) -> str:
    """Return regions in the language of DS9; those that it cannot say are named in a comment."""
    said = [s for s in subsets if s.kind != "mask" and chain(s.region) is not None]
    left = [f"# {s.name}: DS9 has no such region" for s in subsets if s not in said]
    return "\n".join([written(map(_told, said)).rstrip(), *left]) + "\n"


def paste_regions(session: Session, data: Any) -> list[str]:
    """Add the regions on the clipboard and select them; pixel regions go to an image. Returns their names."""
    mime = QGuiApplication.clipboard().mimeData()
    found = _copied.get(bytes(mime.data(MIME).data())) or _parsed(session, mime.text(), data)
    new: dict[str, Subset] = {}
    for subset in found:
        name = free_name(subset.name, {**session.subsets, **new})
        new[name] = subset.but(name=name, data=data if subset.kind == "pixel" else None, locked=False, visible=True)
    if not new:
        session.notice("status", "There are no regions on the clipboard.")
        return []
    what = next(iter(new)) if len(new) == 1 else f"{len(new)} Regions"
    return add_regions(session, new.values(), f"Paste {what}")


def _told(subset: Subset) -> Any:
    """Return the region with its name and colour in its words."""
    region = subset.region.copy()
    region.visual["color"] = subset.color
    if subset.shape != "text":
        region.meta["text"] = subset.name
    return region


def _parsed(session: Session, text: str, data: Any) -> list[Subset]:
    settled, problems = of_image(sketch_ds9(text)[0] if "(" in text else [], data)
    found = cut_excluded(settled)[0]
    if problems:
        session.notice("warning", f"Some regions on the clipboard are left out: {'; '.join(problems)}.")
    color, subsets = next_color(session.subsets), []
    for number, region in enumerate(found, 1):
        name = str(region.meta.get("text") or f"Region {number}")
        subsets.append(Subset(name, region, color=hex_color(region.visual.get("color", "")) or color))
    return subsets
