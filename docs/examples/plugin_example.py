"""A jviz plugin in one file: a reader, a command, a viewer and a panel.

Copy it into the folder that Help ▸ Plugins shows (on Linux ~/.local/share/jviz/plugins) and start jviz again.
"""

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QPushButton

from jviz.api import (
    Checked, Image, Plane, Product, Progress, State, View, Viewer, command, from_product, panel, reader, viewer,
)  # fmt: skip


def product(name: str, values: np.ndarray) -> Product:
    plane = Plane("VALUES", values.shape, values.dtype, load=lambda progress: values)
    return Product("image", name, label="grid of numbers", planes={plane.name: plane})


@reader("example.grid", title="Grid of numbers", suffixes=(".grid",))
def read(path: Path, *, progress: Progress) -> list[Product]:
    """Read rows of numbers, the lowest row first."""
    return [product(path.stem, np.loadtxt(path, ndmin=2, dtype=np.float32))]


@command("example.smooth", title="Smooth by Neighbours…", menu="Image", job=True, needs="data")
def smooth(data: Image, width: int = 3, *, progress: Progress) -> Image:
    """Replace each pixel by the median of the ``width`` × ``width`` pixels round it."""
    from scipy.ndimage import median_filter

    progress(0, 1, f"Smoothing {data.name}")
    return from_product(product(f"{data.name} smooth", median_filter(data.plane().read(), width)))


class TextLayer(State):
    """What a text view knows of each of its data: nothing more than which they are."""

    data = Checked(None)


class TextView(View):
    accepts, layer_type = ("image", "spectrum"), TextLayer


@viewer(kind="example-text", title="Text", view=TextView)
class TextViewer(Viewer):
    def paintEvent(self, event) -> None:
        lines = [f"{layer.data.name}: {layer.data.shape} {layer.data.unit}" for layer in self.state.layers]
        QPainter(self).drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "\n".join(lines))


@panel("example", title="Example", place="right")
class ExamplePanel(QPushButton):
    def __init__(self, context) -> None:
        super().__init__("Smooth the active image")
        self.clicked.connect(lambda: context.run("example.smooth", data=context.active_view().data))
