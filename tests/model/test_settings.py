"""Settings: declared once, checked, kept atomically, and never a reason to fail."""

import os
import tomllib
from pathlib import Path

import numpy as np
import pytest

import jviz
from jviz import JvizError
from jviz.settings import Settings, declare, declared


@pytest.fixture
def path(tmp_path):
    return tmp_path / "settings.toml"


def test_defaults_until_something_is_set(path):
    settings = Settings(path)
    for key, setting in declared().items():
        assert settings[key] == setting.default
        assert setting.checked(setting.default) == setting.default
        assert setting.title
        assert setting.help
    assert not path.exists()


def test_values_come_back_from_the_file(path):
    settings, seen = Settings(path), []
    settings.changed.connect(told := seen.append)
    values = {
        "window.theme": "dark", "image.zoom_step": 1.5, "window.recent_files": 7, "window.confirm_close": False,
        "window.shortcuts": {"file.open": "Ctrl+P"}, "plugins.disabled": ["a", "b"], "image.pixel_origin": 1,
        "network.name_resolver": "http://it's “quoted”\n",
    }  # fmt: skip
    for key, value in values.items():
        settings[key] = value
    settings["window.theme"] = "dark"
    assert seen == list(values)
    assert told
    again = Settings(path)
    assert {key: again[key] for key in values} == values
    assert tomllib.loads(path.read_text())["window"]["theme"] == "dark"
    again.reset("window.theme")
    assert Settings(path)["window.theme"] == "system"
    assert [p.name for p in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("window.theme", "pink"), ("window.confirm_close", 1), ("window.recent_files", -1),
        ("window.recent_files", 2.5), ("window.recent_files", "many"), ("image.zoom_step", float("nan")),
        ("image.zoom_step", 99),
        ("image.zoom_step", None), ("plugins.disabled", 5), ("no.such", 1),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(path, key, value):
    settings = Settings(path)
    with pytest.raises(JvizError, match=key):
        settings[key] = value
    assert not path.exists()


def test_lists_and_dicts_are_not_changed_behind_the_file(path):
    settings = Settings(path)
    settings["plugins.disabled"].append("x")
    assert settings["plugins.disabled"] == []
    settings["plugins.disabled"] = ["y"]
    settings["plugins.disabled"].append("z")
    assert settings["plugins.disabled"] == ["y"]


@pytest.mark.parametrize("content", [b"[window\ntheme = 1", b"\xff\xfe\x00", b"[window]\ntheme = 'pink'\n"])
def test_a_damaged_file_leads_to_the_defaults_with_a_word(path, content):
    path.write_bytes(content)
    settings = Settings(path)
    assert settings["window.theme"] == "system"
    assert str(path) in settings.problems[0]


def test_settings_of_absent_plugins_are_kept(path):
    path.write_text("[myplugin]\nsize = 3\n")
    Settings(path)["window.theme"] = "dark"
    assert tomllib.loads(path.read_text())["myplugin"]["size"] == 3
    declare("myplugin.size", int, 1, "Size", "Size of it.")
    try:
        assert Settings(path)["myplugin.size"] == 3
    finally:
        from jviz import settings

        settings._declared.pop("myplugin.size")


@pytest.mark.skipif(os.name == "nt", reason="folders are made read-only in another way")
def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "settings.toml")
    settings["window.theme"] = "dark"
    assert settings["window.theme"] == "dark"
    assert "not kept" in settings.problems[-1]


def test_settings_of_values_are_kept_nowhere(own_folders):
    settings = Settings.of({"image.colormap": "magma"})
    settings["image.stretch"] = "log"
    assert settings.differing("image") == {"image.colormap": "magma", "image.stretch": "log"}
    assert not (own_folders / "config").exists()
    with pytest.raises(JvizError):
        Settings.of({"image.colour": 1})


def test_a_file_that_cannot_be_read_is_kept_when_settings_change(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"[window]\ntheme = [[[ \xff")
    settings = Settings(path)
    assert "could not be read" in settings.problems[0]
    assert path.read_bytes() == b"[window]\ntheme = [[[ \xff"
    settings["window.theme"] = "dark"
    settings["window.theme"] = "light"
    assert (tmp_path / "settings.toml.unreadable").read_bytes() == b"[window]\ntheme = [[[ \xff"
    assert Settings(path)["window.theme"] == "light"


def test_every_setting_has_an_effect():
    package = Path(jviz.__file__).parent
    sources = "".join(p.read_text("utf-8") for p in package.rglob("*.py") if p.name != "settings.py")
    unread = [key for key in declared() if f'"{key}"' not in sources and f'"{key.partition(".")[2]}"' not in sources]
    assert unread == []


def test_a_colour_map_of_the_preferences_that_is_not_there_keeps_no_image_from_being_shown():
    session = jviz.Session(settings={"image.colormap": "of_a_plugin_that_is_gone"})
    session.add(np.ones((3, 4)), name="a")
    assert session.view("image", data="a").colormap == "gray"
    assert any("no colour map 'of_a_plugin_that_is_gone'" in text for _, text in session.notices)
