"""A window as a user has it before them, with a small picture, and its end without leftovers."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

import jviz


@pytest.fixture
def image() -> np.ndarray:
    """A picture with structure, float32, shape (60, 80)."""
    y, x = np.mgrid[:60, :80]
    return (np.exp(-((x - 40) ** 2 + (y - 30) ** 2) / 200) + 0.01 * x).astype(np.float32)


@pytest.fixture
def image_file(tmp_path, image):
    """The picture as a FITS file."""
    from astropy.io import fits

    path = tmp_path / "picture.fits"
    fits.writeto(path, image)
    return path


@pytest.fixture
def make_window(qtbot):
    """Open windows that are closed, and deleted, at the end of the test."""
    windows = []

    def make(files=(), *, session=None, show=True, ready=True):
        window = jviz.launch(files, session=session, show=show)
        windows.append(window)
        window.resize(1000, 700)
        if show:
            qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
        if ready:
            qtbot.waitUntil(lambda: window.startup.is_done, timeout=20_000)
        return window

    yield make
    for window in windows:
        window.session.settings["window.confirm_close"] = False
        window.close()
        window.session.close()
        window.deleteLater()
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    QApplication.processEvents()


@pytest.fixture
def window(make_window):
    """An empty window that has started."""
    return make_window()


@pytest.fixture
def filled(window, image, qtbot):
    """A window with one picture in a viewer, drawn."""
    data = window.session.add(image, name="picture")
    viewer = window.open_viewer("image", data=data)
    qtbot.waitUntil(lambda: viewer.has_painted, timeout=20_000)
    return window


@pytest.fixture
def told(qtbot):
    """Return the messages over a window, once all that was said is shown."""

    def shown(window):
        qtbot.waitUntil(lambda: not window.toasts.waiting, timeout=5_000)
        return window.toasts.shown

    return shown
