"""The Provenance panel: follows what is looked at, nodes are chosen and opened, and the graph is saved."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from jviz.errors import CommandError
from tests.archives import made

LEFT = Qt.MouseButton.LeftButton
CAL = "jw01234001001_02101_00001_nrca1_cal.fits"
RATE = CAL.replace("cal", "rate")
MOSAIC = "jw01234-o001_t001_nircam_clear-f200w"


@pytest.fixture
def chain(tmp_path, session):
    folder = tmp_path / "chain"
    folder.mkdir()
    for number, name in enumerate((RATE, CAL, f"{MOSAIC}_i2d.fits")):
        made(folder / name, number, size=40)
    from astropy.io import fits

    with fits.open(folder / f"{MOSAIC}_i2d.fits", mode="update") as hdus:
        hdus[0].header["ASNTABLE"] = "jw01234-o001_asn.json"
        hdus[0].header["R_FLAT"] = "crds://jwst_nircam_flat_0001.fits"
    product = {"name": MOSAIC, "members": [{"expname": CAL, "exptype": "science"}]}
    (folder / "jw01234-o001_asn.json").write_text(json.dumps({"asn_rule": "Asn_Lv3Image", "products": [product]}))
    session.run("library.link", folder=folder)
    return folder


@pytest.fixture
def panel(make_panel, chain, qtbot):
    panel = make_panel("provenance", size=(1500, 420))
    panel.show_file(chain / f"{MOSAIC}_i2d.fits")
    qtbot.waitUntil(lambda: panel.graph.graph is not None, timeout=15_000)
    return panel


def number(panel, name):
    return next(n for n, node in enumerate(panel.graph.graph.nodes) if node.name == name)


def middle(panel, name):
    return panel.graph.rect_of(number(panel, name)).center().toPoint()


def test_a_click_tells_and_a_double_click_opens(panel, session, chain, qtbot):
    assert panel.title.text() == f"{MOSAIC}_i2d.fits"
    assert panel.about.text().startswith(f"{MOSAIC}_i2d.fits · product, 1.14.0 · jwst_1230.pmap")
    qtbot.mouseClick(panel.graph, LEFT, pos=middle(panel, CAL))
    assert panel.about.text().startswith(f"{CAL} · product")
    assert "known by the names alone" in panel.about.text()
    qtbot.mouseDClick(panel.graph, LEFT, pos=middle(panel, CAL))
    qtbot.waitUntil(lambda: [data.path for data in session.data] == [chain / CAL], timeout=15_000)
    qtbot.mouseClick(panel.graph, LEFT, pos=QPoint(2, 2))
    assert panel.about.text() == "5 files"


def test_keys_go_from_node_to_node(panel, session, qtbot):
    graph = panel.graph
    graph.setFocus()
    qtbot.keyClick(graph, Qt.Key.Key_Left)
    assert graph.graph.nodes[graph.selected].name in (CAL, "jw01234-o001_asn.json")
    while graph.graph.nodes[graph.selected].name != CAL:
        qtbot.keyClick(graph, Qt.Key.Key_Up)
    qtbot.keyClick(graph, Qt.Key.Key_Left)
    assert graph.graph.nodes[graph.selected].name == RATE
    assert graph.accessibleDescription().startswith(RATE)
    qtbot.keyClick(graph, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(session.data) == 1, timeout=15_000)


def test_what_is_not_here_is_told(panel, session, qtbot):
    qtbot.mouseDClick(panel.graph, LEFT, pos=middle(panel, "jwst_nircam_flat_0001.fits"))
    assert any("jwst_nircam_flat_0001.fits is not in the library" in text for _, text in session.notices)


def test_reference_files_are_left_out_at_a_click(panel, qtbot):
    names = {node.name for node in panel.graph.graph.nodes}
    qtbot.mouseClick(panel.references, LEFT, pos=QPoint(8, panel.references.height() // 2))
    qtbot.waitUntil(lambda: len(panel.graph.graph.nodes) == len(names) - 1, timeout=10_000)
    assert names - {node.name for node in panel.graph.graph.nodes} == {"jwst_nircam_flat_0001.fits"}


def test_it_follows_the_active_view(make_panel, session, chain, context, qtbot):
    panel = make_panel("provenance")
    assert not panel.body.isVisible()
    [data] = session.open(chain / CAL)
    context.activate(session.view("image", data=data))
    qtbot.waitUntil(lambda: panel.title.text() == CAL, timeout=15_000)
    other = made(chain.parent / "other_i2d.fits", 9)
    [data] = session.open(other)
    context.activate(session.view("image", data=data))
    qtbot.waitUntil(lambda: "is not in the library yet" in panel.about.text(), timeout=15_000)
    session.run("library.add", path=other)
    qtbot.waitUntil(lambda: panel.graph.graph is not None, timeout=15_000)
    assert [node.name for node in panel.graph.graph.nodes] == ["other_i2d.fits"]


def test_the_menu_goes_on_from_another_file(panel, qtbot):
    menu = panel.menu_of(number(panel, CAL))
    actions = {action.text(): action for action in menu.actions()}
    actions["Copy Name"].trigger()
    assert QGuiApplication.clipboard().text() == CAL
    actions["Show What It Was Made Of"].trigger()
    qtbot.waitUntil(lambda: panel.title.text() == CAL, timeout=10_000)
    assert panel.graph.graph.nodes[panel.graph.graph.focus].name == CAL
    assert not panel.menu_of(0).actions()[0].isEnabled() or panel.graph.graph.nodes[0].path


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_the_graph_is_saved(panel, tmp_path, qtbot, monkeypatch, suffix, start):
    path = tmp_path / f"graph{suffix}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    panel.save()
    qtbot.waitUntil(path.is_file, timeout=15_000)
    assert path.read_bytes().startswith(start)
    if suffix == ".svg":
        assert MOSAIC in path.read_text(encoding="utf-8")


def test_pictures_are_readable_on_both_grounds(session, chain, tmp_path, qapp):
    file = chain / f"{MOSAIC}_i2d.fits"
    grounds = {}
    for theme in ("light", "dark"):
        path = session.run("library.draw_provenance", file=file, path=tmp_path / f"{theme}.png", theme=theme)
        image = QImage(str(path))
        lights = [QColor(image.pixel(x, y)).lightness() for x in range(0, image.width(), 3)
                  for y in range(0, image.height(), 3)]  # fmt: skip
        grounds[theme] = QColor(image.pixel(1, 1)).lightness()
        assert max(lights) - min(lights) > 150, "words stand out"
    assert grounds["light"] > 240
    assert grounds["dark"] < 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"file": "/nowhere/x.fits", "path": "p.png"}, "is not in the library"),
        ({"file": f"{MOSAIC}_i2d.fits", "path": "p.gif"}, "pictures are"),
        ({"file": f"{MOSAIC}_i2d.fits", "path": "/nowhere/at/all/p.png"}, "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(session, chain, arguments, words, qapp):
    with pytest.raises(CommandError if "gif" in arguments["path"] else Exception, match=words):
        session.run("library.draw_provenance", file=chain / arguments["file"], path=arguments["path"])


def test_saving_without_a_graph_says_so(make_panel, session, qtbot):
    make_panel("provenance").save()
    assert any("no graph to save" in text for _, text in session.notices)
