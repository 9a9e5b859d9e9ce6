"""Icons can be drawn, and desktop files agree with the project."""

import configparser
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from jviz.resources import resource

ROOT = Path(__file__).resolve().parents[1]
ID = "org.jviz.jviz"


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("size", [48, 128, 512])
def test_the_icon_is_a_golden_hexagon_round_a_white_star(size, qapp):
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer = QSvgRenderer(str(resource("icons/jviz.svg")))
    renderer.render(painter)
    painter.end()
    assert renderer.isValid()
    star = image.pixelColor(size // 2, round(0.348 * size))
    assert min(star.red(), star.green(), star.blue()) > 200
    rim = image.pixelColor(round(0.08 * size), size // 2)
    assert rim.red() > rim.green() > rim.blue()
    assert image.pixelColor(0, 0).alpha() == 0


def test_desktop_entry_and_metainfo_agree(project):
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(ROOT / "resources" / f"{ID}.desktop", encoding="utf-8")
    desktop = entry["Desktop Entry"]
    about = ElementTree.parse(ROOT / "resources" / f"{ID}.metainfo.xml").getroot()
    assert desktop["Icon"] == about.findtext("id") == ID
    assert about.findtext("launchable") == f"{ID}.desktop"
    assert desktop["Exec"].split()[0] in project["scripts"]
    assert about.findtext("project_license") == project["license"]
    assert project["version"] in [release.get("version") for release in about.iter("release")]


def test_a_missing_resource_is_named():
    with pytest.raises(FileNotFoundError, match=r"icons/none\.svg"):
        resource("icons/none.svg")
