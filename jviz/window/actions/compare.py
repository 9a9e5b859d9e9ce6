"""Commands that arrange viewers to compare them: tiles, stacks, and blinking from viewer to viewer."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QTimer

from jviz.commands import command
from jviz.errors import CommandError
from jviz.spectrum_views import SpectrumView
from jviz.views import ImageView

LINK = "View/Link"
BLINKER = "blink-viewers"


def _image_names(window: Any) -> list[str]:
    views = window.session.views
    return [name for name in window.central.names if isinstance(views.get(name), ImageView) and views[name].layers]


def grid(names: list[str]) -> dict[str, Any]:
    """Describe viewers side by side in rows, as `jviz.window.central.Central.restore` takes it."""
    columns = math.ceil(math.sqrt(len(names)))
    rows = [names[n : n + columns] for n in range(0, len(names), columns)]
    parts = [_row([{"tabs": [name], "current": 0} for name in row], "h") for row in rows]
    return _row(parts, "v")


def _row(parts: list[dict[str, Any]], split: str) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"split": split, "sizes": [1000] * len(parts), "parts": parts}


@command("view.tile", title="Tile All Images", menu=LINK, shortcut="Shift+T", needs="image", recorded=False,
         script=False, group="tiles", icon="fa6s.table-cells-large")  # fmt: skip
def tile(window: Any, link: bool = True) -> None:
    """Put all image viewers side by side in a grid.

    Parameters
    ----------
    link : bool
        Lock pan, zoom, rotation and cursor, and bring all in line with the active one.
    """
    names = _image_names(window)
    if len(names) < 2:
        raise CommandError("There is one image viewer at most; open more images, or tile the layers of this one.")
    active = window.central.active if window.central.active in names else names[0]
    window.central.restore({"tree": grid(names), "active": active})
    if link:
        window.invoker.run("view.lock_all", view=window.session.views[active])


@command("spectrum.stack_panels", title="Stack Spectrum Viewers", menu="Spectrum", needs="spectrum", recorded=False,
         script=False, group="views", icon="fa6s.bars")  # fmt: skip
def stack_panels(window: Any, align: bool = True) -> None:
    """Put all spectrum viewers below each other, and whatever else is open, such as their 2-D spectrum, above them.

    Parameters
    ----------
    align : bool
        Let them show the same wavelengths, as Align All Spectrum Viewers does.
    """
    views, shown = window.session.views, window.central.names
    spectra = [name for name in shown if isinstance(views.get(name), SpectrumView)]
    if not spectra or len(shown) < 2:
        raise CommandError("There is one viewer only; open more spectra in viewers of their own.")
    others = [name for name in shown if name not in spectra]
    active = window.central.active if window.central.active in spectra else spectra[0]
    groups = [[name] for name in spectra]
    if others:
        groups.insert(0, others)
    parts = [{"tabs": group, "current": 0} for group in groups]
    window.central.restore({"tree": _row(parts, "v"), "active": active})
    if align and len(spectra) > 1:
        window.invoker.run("spectrum.align_panels", view=views[active], on=True)


@command("view.tile_layers", title="Tile the Layers", menu=LINK, needs="image", recorded=False, script=False,
         group="tiles", icon="fa6s.table-cells")  # fmt: skip
def tile_layers(window: Any) -> None:
    """Give each layer of the active viewer a viewer of its own, side by side and linked."""
    view = window.session.views.get(window.central.active)
    if not isinstance(view, ImageView):
        raise CommandError("No image viewer is active; go to one first.")
    window.invoker.run("view.split_layers", view=view)
    window.central.activate(view.name)  # the others follow it, also where it fits its image into its tile
    tile(window)


@command("compare.blink_viewers", title="Blink Viewers", menu="Image/Compare", shortcut="Shift+V", needs="image",
         recorded=False, script=False, group="blink", icon="fa6s.shuffle")  # fmt: skip
def blink_viewers(window: Any) -> None:
    """Go from image viewer to image viewer at the pace of blinking; once more ends it."""
    timer = window.findChild(QTimer, BLINKER)
    if timer is not None:
        timer.stop()
        timer.setObjectName("")
        timer.deleteLater()
        return
    if len(_image_names(window)) < 2:
        raise CommandError("There is one image viewer at most; open more images to blink between them.")
    timer = QTimer(window, objectName=BLINKER, interval=round(1000 * window.session.settings["image.blink"]))
    timer.timeout.connect(lambda: _next(window, timer))
    timer.start()


def _next(window: Any, timer: QTimer) -> None:
    names = _image_names(window)
    if len(names) < 2:
        timer.stop()
        return
    at = names.index(window.central.active) if window.central.active in names else -1
    window.central.activate(names[(at + 1) % len(names)], focus=False)
