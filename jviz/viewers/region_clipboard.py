"""Regions on the clipboard: as they are for jviz, as DS9 regions for everyone."""

from __future__ import annotations

import warnings
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from jviz.session import Session
from jviz.subsets import Subset
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
    """Return regions in the language of DS9; those that it cannot say are left out."""
    from regions import Regions

    parts = []
    for subset in subsets:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parts.append(Regions([subset.region]).serialize(format="ds9").strip())
        except (ValueError, TypeError, KeyError, AttributeError):
            parts.append(f"# {subset.name}: DS9 has no such region")
    return "\n".join(parts) + "\n"


def paste_regions(session: Session, data: Any) -> list[str]:
    """Add the regions on the clipboard and select them; pixel regions go to an image. Returns their names."""
    mime = QGuiApplication.clipboard().mimeData()
    found = _copied.get(bytes(mime.data(MIME).data())) or _parsed(session, mime.text())
    new: dict[str, Subset] = {}
    for subset in found:
        name = free_name(subset.name, {**session.subsets, **new})
        new[name] = subset.but(name=name, data=data if subset.kind == "pixel" else None, locked=False, visible=True)
    if not new:
        session.notice("status", "There are no regions on the clipboard.")
        return []
    what = next(iter(new)) if len(new) == 1 else f"{len(new)} Regions"
    return add_regions(session, new.values(), f"Paste {what}")


def _parsed(session: Session, text: str) -> list[Subset]:
    from regions import Regions

    from jviz.subsets import next_color

    if "(" not in text:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = Regions.parse(text, format="ds9")
    except (ValueError, TypeError, IndexError, KeyError):
        return []
    color = next_color(session.subsets)
    return [Subset(f"Region {number}", region, color=color) for number, region in enumerate(found, 1)]
