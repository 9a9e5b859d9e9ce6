"""What buttons of panels ask for comes to the front of the results."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QInputDialog, QToolButton

from tests.crds_cache import write_cache
from tests.model.test_crds import write_product


@pytest.fixture
def panel(qtbot, window, tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(write_cache(tmp_path / "crds")))
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    window.session.open(write_product(tmp_path / "jw1_cal.fits", CRDS_CTX="jwst_0001.pmap"))
    found = window.panel("crds")
    qtbot.waitUntil(lambda: found.contexts.count() == 3, timeout=20_000)
    return found


def click(qtbot, panel, words):
    [button] = [button for button in panel.findChildren(QToolButton) if button.toolTip().startswith(words)]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_is_out_of_date_is_listed(qtbot, window, panel):
    click(qtbot, panel, "List what should be calibrated anew")
    qtbot.waitUntil(lambda: len(window.session.results) == 1, timeout=20_000)
    [result] = window.session.results
    assert result.value["types"].tolist() == ["flat"]
    qtbot.waitUntil(lambda: window.panel("results").isVisible())


def test_the_context_of_the_product_is_offered_for_comparison(qtbot, window, panel):
    def accept():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QInputDialog):
            QTimer.singleShot(50, accept)
            return
        offered.append((dialog.labelText(), dialog.textValue()))
        qtbot.keyClick(dialog, Qt.Key.Key_Return)

    offered = []
    QTimer.singleShot(50, accept)
    click(qtbot, panel, "Compare two contexts")
    assert offered == [("What changed in jwst_0002.pmap since", "jwst_0001.pmap")]
    qtbot.waitUntil(lambda: len(window.session.results) == 1, timeout=20_000)
    [result] = window.session.results
    assert set(result.value["change"]) <= {"added", "removed", "replaced"}
    assert len(result.value) > 0
