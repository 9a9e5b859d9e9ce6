"""The panel in which raw CCD frames are reduced."""

import pytest
from PySide6.QtCore import Qt

from tests.ccd_frames import night


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    night(folder, biases=3, darks=2, flats=2, exposures=2, rays=5)
    (folder / "broken.fits").write_bytes(b"no FITS")
    return folder


@pytest.fixture
def panel(make_panel, folder, qtbot):
    panel = make_panel("ccd", (440, 700))
    assert "Choose a folder" in panel.note.text()
    assert not panel.run_button.isEnabled()
    panel.folder.setFocus()
    qtbot.keyClicks(panel.folder, str(folder))
    qtbot.keyClick(panel.folder, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 5)
    return panel


def test_frames_are_shown_by_kind(panel):
    tops = [panel.tree.topLevelItem(n).text(0) for n in range(5)]
    assert tops == ["science (2)", "flat (2)", "dark (2)", "bias (3)", "not used (1)"]
    assert "1 frame of unknown kind" in panel.note.text()
    first = panel.tree.topLevelItem(0).child(0)
    assert [first.text(n) for n in range(4)] == ["field0.fits", "R", "60 s", "field"]


def test_the_button_reduces_them(panel, session, qtbot):
    panel.steps["dark"].click()
    panel.gain.setFocus()
    qtbot.keyClicks(panel.gain, "1.6")
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    assert panel.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: "combined_field_R" in session.names, timeout=30_000)
    qtbot.waitUntil(lambda: panel.status.text() == "Done")
    assert not list(session["combined_field_R"].path.parent.glob("master_dark*"))
    assert "dark=False" in session.script()


def test_what_is_wrong_is_said(panel, session, folder, qtbot):
    panel.gain.setText("much")
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any("gain of ccd.reduce must be a number" in text for _, text in session.notices))
    panel.folder.setText(str(folder / "nowhere"))
    panel.folder.editingFinished.emit()
    qtbot.waitUntil(lambda: "is no folder" in panel.note.text())
    assert not panel.run_button.isEnabled()
