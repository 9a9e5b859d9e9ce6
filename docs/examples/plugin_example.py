"""A jviz plugin in one file: a reader, a command, a viewer and a panel.

Copy it into the folder `plugins` of jviz's data folder (on Linux ~/.local/share/jviz/plugins) and start jviz again.
"""

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QPushButton

from jviz import api


def product(name: str, values: np.ndarray) -> api.Product:
    plane = api.Plane("VALUES", values.shape, values.dtype, load=lambda progress: values)
    return api.Product("image", name, label="grid of numbers", planes={plane.name: plane})


@api.reader("example.grid", title="Grid of numbers", suffixes=(".grid",))
def read(path: Path, *, progress: api.Progress) -> list[api.Product]:
    """Read rows of numbers, the lowest row first."""
    return [product(path.stem, np.loadtxt(path, ndmin=2, dtype=np.float32))]


@api.command("example.smooth", title="Smooth by Neighbours…", menu="Image", job=True, needs="data")
def smooth(data: api.Image, width: int = 3, *, progress: api.Progress) -> api.Image:
    """Replace each pixel by the median of the ``width`` × ``width`` pixels round it."""
    from scipy.ndimage import median_filter

    progress(0, 1, f"Smoothing {data.name}")
    return api.from_product(product(f"{data.name} smooth", median_filter(data.plane().read(), width)))


class TextLayer(api.State):
    data = api.Checked(None)


class TextView(api.View):
    accepts, layer_type = ("image", "spectrum"), TextLayer


@api.viewer(kind="example-text", title="Text", view=TextView)
class TextViewer(api.Viewer):
    def paintEvent(self, event) -> None:
        lines = [f"{layer.data.name}: {layer.data.shape} {layer.data.unit}" for layer in self.state.layers]
        QPainter(self).drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "\n".join(lines))


@api.panel("example", title="Example", place="right")
class ExamplePanel(QPushButton):
    """A button that smooths the active image."""

    def __init__(self, context) -> None:
        super().__init__("Smooth the active image")
        self.clicked.connect(lambda: context.run("example.smooth", data=context.active_view().data))
