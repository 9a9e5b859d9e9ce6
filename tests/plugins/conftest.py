"""A session with a Qt event loop but no window, and panels round it."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, Signal

from jviz import Session, plugin_loader
from jviz.backend.io.registry import readers
from jviz.commands import all_commands
from jviz.plugins.context import Context, built_panel


class Bridge(QObject):
    """Brings calls of other threads to the one of the window, as the window does."""

    woken = Signal()

    def __init__(self, session):
        super().__init__()
        self.woken.connect(session.dispatcher.drain, Qt.ConnectionType.QueuedConnection)
        session.dispatcher.bind(self.woken.emit)


@pytest.fixture
def session(qapp):
    session = Session()
    bridge = Bridge(session)
    yield session
    session.close()
    session.dispatcher.bind(None)
    bridge.deleteLater()


@pytest.fixture
def context(session):
    return Context(session)


@pytest.fixture
def make_panel(qtbot, context):
    """Return ``make(id, size)``: a panel that is on the screen."""
    plugin_loader.load_builtin()

    def make(id, size=(640, 480)):
        widget = built_panel(plugin_loader.panels()[id], context)
        qtbot.addWidget(widget)
        widget.resize(*size)
        widget.show()
        qtbot.waitExposed(widget)
        qtbot.wait(10)
        return widget

    return make


@pytest.fixture
def picture():
    """An image whose pixel (x, y) has the value x + 100 y."""
    return (np.arange(60) + 100.0 * np.arange(40)[:, None]).astype(np.float32)


@pytest.fixture
def view(session, picture):
    """A view of `picture`, named "ramp"."""
    session.add(picture, name="ramp")
    return session.view("image", data="ramp")


@pytest.fixture
def clean_registries():
    """Take out what a test's plugins declare."""
    all_commands(), readers(), plugin_loader.load_builtin()
    loaded = dict(plugin_loader._of_plugin)
    before = {key: dict(registry) for key, registry in plugin_loader._registries().items()}
    yield
    plugin_loader._put_back(before)
    plugin_loader._of_plugin.clear()
    plugin_loader._of_plugin.update(loaded)
