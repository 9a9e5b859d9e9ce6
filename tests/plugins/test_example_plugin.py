"""The example of the developer guide works as it stands: each of its parts, from a user's folder."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from scipy.ndimage import median_filter

from jviz import plugin_loader
from jviz.plugins.context import built_panel

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "plugin_example.py"

pytestmark = pytest.mark.usefixtures("clean_registries", "loaded")


@pytest.fixture
def loaded(session, clean_registries):
    folder = plugin_loader.user_folder()
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLE, folder)
    [report] = [r for r in plugin_loader.load_plugins(session.settings) if r.name == EXAMPLE.stem]
    assert report.error == ""


@pytest.fixture
def grid(tmp_path):
    values = np.random.default_rng(4).normal(10, 2, (12, 17)).astype(np.float32)
    np.savetxt(tmp_path / "numbers.grid", values)
    return tmp_path / "numbers.grid", values


def test_it_is_short():
    assert len(EXAMPLE.read_text().splitlines()) < 60


def test_its_reader_reads(session, grid):
    path, values = grid
    [data] = session.open(path)
    assert data.kind == "image"
    np.testing.assert_array_equal(data.get(np.ndarray), np.loadtxt(path, dtype=np.float32))
    np.testing.assert_allclose(data.get(np.ndarray), values, rtol=1e-6)


def test_its_command_makes_data_that_undo_takes_away(session, grid):
    path, _ = grid
    [data] = session.open(path)
    result = session.run("example.smooth", data=data, width=5)
    expected = median_filter(data.get(np.ndarray), 5)
    np.testing.assert_array_equal(result.get(np.ndarray), expected)
    assert "session.run('example.smooth', data='numbers', width=5)" in session.script()
    session.undo()
    assert session.names == ["numbers"]


def test_its_viewer_paints(session, grid, qtbot):
    from jviz.viewers.base import viewer_types

    session.open(grid[0])
    state = session.view("example-text", data="numbers")
    viewer = viewer_types()["example-text"](session, state)
    qtbot.addWidget(viewer)
    viewer.resize(300, 80)
    viewer.show()
    qtbot.waitExposed(viewer)
    image = viewer.grab()
    colours = {image.pixelColor(x, y).name() for x in range(0, 300) for y in range(25, 55)}
    assert len(colours) > 1


def test_its_panel_runs_the_command(session, grid, context, qtbot):
    session.open(grid[0])
    session.view("image", data="numbers")
    widget = built_panel(plugin_loader.panels()["example"], context)
    qtbot.addWidget(widget)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "numbers smooth" in session.names)
