"""Figures and prints from the window."""

from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtWidgets import QLineEdit


def test_export_form_writes_a_figure(qtbot, make_window, image_file, tmp_path):
    window = make_window([image_file])
    qtbot.waitUntil(lambda: len(window.viewers) == 1)
    window.invoker.trigger("view.export_figure")
    form = next(w for w in window.findChildren(QLineEdit) if w.text() == "figure.pdf").window()
    edits = {edit.text(): edit for edit in form.findChildren(QLineEdit)}
    edits["figure.pdf"].setText(str(tmp_path / "plot.png"))
    edits["16"].setText("4")
    form.accept()
    qtbot.waitUntil(lambda: (tmp_path / "plot.png").is_file(), timeout=20_000)


def test_print_asks_for_a_printer(qtbot, make_window, image_file):
    window = make_window([image_file])
    qtbot.waitUntil(lambda: len(window.viewers) == 1)
    window.session.run("view.print")
    dialog = next(w for w in window.findChildren(QPrintDialog) if w.isVisible())
    dialog.reject()
    qtbot.waitUntil(lambda: not any(d.isVisible() for d in window.findChildren(QPrintDialog)))
