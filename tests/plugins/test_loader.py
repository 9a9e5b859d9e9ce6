"""Plugins from files and entry points: what they declare, what happens when they are broken or turned off."""

import subprocess
import sys

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from jviz import plugin_loader
from jviz.backend.io.registry import readers
from jviz.commands import all_commands
from jviz.errors import CommandError, ReadError
from jviz.plugins.context import built_panel
from jviz.settings import Settings, declared

pytestmark = pytest.mark.usefixtures("clean_registries")

GOOD = """
from jviz.api import command, declare_setting, reader

declare_setting("good.size", int, 3, "Size", "How large.")

@command("good.double", title="Double")
def double(value: float) -> float:
    "Twice the value."
    return 2 * value

@reader("good", title="Good format", suffixes=(".good",))
def read(path, *, progress):
    return []
"""


@pytest.fixture
def folder():
    path = plugin_loader.user_folder()
    path.mkdir(parents=True)
    return path


def load(name):
    return next(r for r in plugin_loader.load_plugins(Settings()) if r.name == name)


def test_a_file_in_the_user_folder_declares_things(folder, session):
    (folder / "good.py").write_text(GOOD)
    report = load("good")
    assert report.ok
    assert report.origin == str(folder / "good.py")
    assert session.run("good.double", value=4.0) == 8.0
    assert all_commands()["good.double"].origin == readers()["good"].origin == report.origin
    assert session.settings["good.size"] == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD + "\nraise RuntimeError('no licence')", "RuntimeError: no licence"),
        (GOOD + "\nimport a_package_that_is_not_there", "ModuleNotFoundError"),
        ("def broken(:\n    pass", "SyntaxError"),
        (GOOD + "\nimport sys; sys.exit(3)", "SystemExit"),
        (GOOD + "\nraise KeyboardInterrupt", "KeyboardInterrupt"),
        (GOOD.replace("good.double", "image.fit"), "'image.fit', which jviz has declared already"),
    ],
    ids=["raises", "lacks an import", "syntax error", "exits", "interrupts", "takes an id of jviz"],
)
def test_a_broken_plugin_is_reported_and_leaves_nothing(folder, text, reason):
    all_commands(), readers()
    plugin_loader.load_builtin()
    before = {key: set(registry) for key, registry in plugin_loader._registries().items()}
    fit = all_commands()["image.fit"]
    (folder / "bad.py").write_text(text)
    (folder / "fine.py").write_text(GOOD.replace("good", "fine"))
    bad = load("bad")
    assert not bad.ok
    assert reason in bad.error
    assert "bad.py" in bad.error
    assert "Traceback" in bad.details
    assert "fine.double" in all_commands()
    assert all_commands()["image.fit"] is fit
    assert "jviz_user_plugins.bad" not in sys.modules
    plugin_loader.unload("fine")
    assert {key: set(registry) for key, registry in plugin_loader._registries().items()} == before


BAD = """
import sys
from jviz.api import command, reader

@command("bad.leave", title="Leave")
def leave() -> None:
    "End the program."
    sys.exit("I leave")

@reader("bad", title="Bad format", suffixes=(".bad",))
def read(path, *, progress):
    return {"exits": sys.exit, "none": lambda: None, "number": lambda: 5, "nothing": list}[path.stem]()
"""


@pytest.mark.parametrize("name", ["exits", "none", "number", "nothing"])
def test_a_reader_that_gives_no_products_is_told_with_its_file(folder, session, tmp_path, name):
    (folder / "bad.py").write_text(BAD)
    assert load("bad").ok
    path = tmp_path / f"{name}.bad"
    path.write_text("x")
    with pytest.raises(ReadError, match=rf"{name}\.bad .*Bad"):
        session.open(path)
    assert not session.data


def test_a_command_that_exits_fails_and_the_program_goes_on(folder, session):
    (folder / "bad.py").write_text(BAD)
    assert load("bad").ok
    with pytest.raises(CommandError, match="Leave failed: I leave"):
        session.run("bad.leave")


def test_a_file_that_was_mended_is_read_anew(folder):
    (folder / "late.py").write_text("raise ValueError('not yet')")
    assert not load("late").ok
    (folder / "late.py").write_text(GOOD)
    assert load("late").ok
    (folder / "late.py").write_text(GOOD.replace("good.double", "good.treble"))
    assert load("late").ok
    assert "good.treble" in all_commands()
    assert "good.double" not in all_commands()


def test_disabled_plugins_are_left_out_and_come_back(folder):
    (folder / "good.py").write_text(GOOD)
    settings = Settings()
    settings["plugins.disabled"] = ["good", "console"]
    reports = {r.name: r for r in plugin_loader.load_plugins(settings)}
    assert reports["good"].disabled
    assert reports["console"].disabled
    assert "good.double" not in all_commands()
    assert "console" not in plugin_loader.panels()
    settings.reset("plugins.disabled")
    plugin_loader.load_plugins(settings)
    assert "good.double" in all_commands()
    assert "console" in plugin_loader.panels()


def test_settings_of_a_broken_plugin_go_too(folder):
    (folder / "bad.py").write_text(GOOD + "\n1 / 0")
    load("bad")
    assert "good.size" not in declared()


def test_every_panel_of_jviz_is_declared_without_being_installed():
    reports = plugin_loader.load_builtin()
    assert [r.error for r in reports] == [""] * len(plugin_loader.BUILTIN)
    assert set(plugin_loader.BUILTIN) <= set(plugin_loader.panels())
    for spec in plugin_loader.panels().values():
        assert spec.factory.__doc__


def test_the_api_brings_no_qt():
    code = "import sys, jviz.api; print([m for m in ('PySide6', 'astropy', 'numba') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_panels_bring_no_plots_and_no_console_at_start():
    code = (
        "import sys, jviz.plugin_loader as p; p.load_builtin(); "
        "print([m for m in ('pyqtgraph', 'qtconsole', 'IPython', 'astropy', 'numba', 'scipy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_name_of_the_api_is_there():
    import jviz.api

    for name in jviz.api.__all__:
        assert getattr(jviz.api, name) is not None


def test_a_panel_that_raises_becomes_a_note(context, qtbot):
    @plugin_loader.panel("faulty", title="Faulty", place="left")
    class Faulty(QWidget):
        def __init__(self, context):
            super().__init__()
            raise ValueError("no <telescope> found")

    widget = built_panel(plugin_loader.panels()["faulty"], context)
    qtbot.addWidget(widget)
    text = widget.findChild(type(widget.children()[1])).text()
    assert "no &lt;telescope> found" in text
    assert [n.level for n in context.notices] == ["error"]
    assert "Faulty" in context.notices[0].text
    button = widget.findChild(QPushButton)
    button.click()
    assert "ValueError" in qtbot_clipboard()


def test_a_panel_that_is_no_widget_becomes_a_note(context, qtbot):
    plugin_loader.panel("text", title="Text", place="left")(lambda context: "text")
    widget = built_panel(plugin_loader.panels()["text"], context)
    qtbot.addWidget(widget)
    assert "no QWidget" in widget.reason


def qtbot_clipboard():
    from PySide6.QtGui import QGuiApplication

    return QGuiApplication.clipboard().text()
