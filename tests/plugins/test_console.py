"""The console: what is typed there happens in the session at once, and errors can be read."""

import importlib
import sys

import pytest
from PySide6.QtCore import Qt

from jviz.plugins.parts import is_dark
from jviz.window.theme import contrast

# of ipykernel about itself
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


@pytest.fixture
def console(make_panel, view, qtbot):
    panel = make_panel("console")
    qtbot.waitUntil(lambda: panel.terminal is not None, timeout=30000)
    qtbot.waitUntil(lambda: "In [1]" in panel.terminal._control.toPlainText(), timeout=10000)
    yield panel
    panel.close()


def shown(panel):
    return panel.terminal._control.toPlainText()


def test_what_is_typed_changes_the_session(console, view, session, qtbot):
    control = console.terminal._control
    qtbot.keyClicks(control, "view.stretch = 'sinh'")
    qtbot.keyClick(control, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.stretch == "sinh")
    assert "stretch = 'sinh'" in session.script()


@pytest.mark.parametrize(
    ("begun", "whole"),
    [
        ("view.sky_st", "view.sky_style"),
        ("session.run('image.go", "session.run('image.go_to"),
        ("jviz.help('spectrum2d.tr", "jviz.help('spectrum2d.trace"),
        ("session['ra", "session['ramp"),
    ],
)
def test_tab_completes_properties_commands_and_data(console, begun, whole, qtbot):
    control = console.terminal._control
    control.setFocus()
    qtbot.keyClicks(control, begun)
    qtbot.keyClick(control, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: shown(console).endswith(whole))


def test_names_and_results(console, session, context, qtbot):
    assert console.namespace["session"] is session
    console.run("session.names")
    qtbot.waitUntil(lambda: "Out[1]: ['ramp']" in shown(console))
    console.run("jviz.__version__, np.pi")
    qtbot.waitUntil(lambda: "3.14159" in shown(console))
    second = session.view("image", data="ramp")
    context.activate(second)
    console.run("view.name")
    qtbot.waitUntil(lambda: second.name in shown(console))


def test_errors_can_be_read(console, qtbot):
    console.run("session.run('image.strech')")
    qtbot.waitUntil(lambda: "Did you mean image.stretch" in shown(console))
    assert "Traceback" not in shown(console)
    console.run("1/0")
    qtbot.waitUntil(lambda: "ZeroDivisionError: division by zero" in shown(console))


def test_what_was_typed_can_be_read_when_the_theme_changes(console, qtbot):
    ground = console.palette().base().color().name()
    # Typed in the colours of the other theme, unless the console took over those of its own meanwhile.
    console.terminal.set_default_style("lightbg" if is_dark(console) else "linux")
    console.run("forty = 40 + 2")
    qtbot.waitUntil(lambda: "In [2]" in shown(console))
    block = console.terminal._control.document().find("forty").block()
    console.restyle()
    assert min(contrast(part.format.foreground().color().name(), ground) for part in block.layout().formats()) > 2


def test_the_program_keeps_its_own_output(console, capsys, qtbot):
    import sys

    before = sys.stdout
    console.run("print('inside')")
    qtbot.waitUntil(lambda: "\ninside" in shown(console))
    assert sys.stdout is before


def test_a_console_whose_imports_failed_once_starts_all_the_same(make_panel, monkeypatch, qtbot):
    import jviz.plugins.console as module

    real, calls = module._import_needed, []

    def fails_once(job):
        calls.append(job)
        if len(calls) == 1:
            raise ImportError("partially initialized module")
        real(job)

    monkeypatch.setattr(module, "_import_needed", fails_once)
    panel = make_panel("console")
    qtbot.waitUntil(lambda: panel.terminal is not None, timeout=30000)
    assert len(calls) == 2
    panel.close()


def test_no_debugger_comes_with_the_console(console):
    # It changes how threads start, and could not stop the kernel without the window.
    assert importlib.import_module("ipykernel.debugger")._is_debugpy_available is False
    assert "debugpy" not in sys.modules
