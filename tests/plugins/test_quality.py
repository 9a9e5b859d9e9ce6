"""The page of the Calibration panel that reports on the active product."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette

from tests.model.test_quality import product, stars  # noqa: F401


@pytest.fixture
def page(make_panel, context, session, known_steps, product, qtbot):  # noqa: F811
    [good] = session.open(product(), show=False)
    [bad] = session.open(product(PCS_MODE="COARSE"), show=False)
    views = [session.view("image", data=data) for data in (good, bad)]
    context.activate(views[0])
    panel = make_panel("calibration", (480, 760))
    panel.tabs.setCurrentWidget(panel.quality)
    qtbot.waitUntil(lambda: "nothing stands out" in panel.quality.about.text())
    return panel.quality, views


def verdicts(page):
    items = [page.tree.topLevelItem(n) for n in range(page.tree.topLevelItemCount())]
    return {item.text(0): (item.text(1), item.text(2)) for item in items}


def test_the_active_product_is_reported_on(page, context, session, qtbot):
    page, views = page
    assert verdicts(page)["calibration"] == ("100 %", "good")
    value, verdict = verdicts(page)["background"]
    assert verdict == "good"
    assert "±" in value
    assert value.endswith("MJy/sr")
    context.activate(views[1])
    qtbot.waitUntil(lambda: "something is wrong" in page.about.text())
    assert verdicts(page)["guide star"] == ("15.20 ± 0.10 mag", "bad")
    assert page.detail.text().startswith("guide star: guiding coarse")
    qtbot.mouseClick(page.keep_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(result.command == "calibration.quality" for result in session.results))


@pytest.mark.parametrize("lightness", [20, 240])
def test_verdicts_are_readable_in_both_themes(page, lightness):
    page, _ = page
    palette = page.palette()
    palette.setColor(QPalette.ColorRole.Window, QColor(lightness, lightness, lightness))
    page.setPalette(palette)
    colours = {page.tree.topLevelItem(n).foreground(2).color().lightness() < 128
               for n in range(page.tree.topLevelItemCount())}  # fmt: skip
    assert colours == {lightness > 128}


def test_bad_products_are_told_of_when_they_are_opened(session, product, qtbot):  # noqa: F811
    session.settings["calibration.report"] = True
    session.showing = True
    session.open(product(PCS_MODE="COARSE"))
    qtbot.waitUntil(lambda: any("is not as it should be. guide star" in text for _, text in session.notices))
