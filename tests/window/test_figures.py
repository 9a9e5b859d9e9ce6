"""Figures and prints from the window."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtPrintSupport import QPrintDialog

from jviz.window.forms import Form


def test_export_form_writes_a_figure(qtbot, make_window, image_file, tmp_path):
    window = make_window([image_file])
    qtbot.waitUntil(lambda: len(window.viewers) == 1)
    window.invoker.trigger("view.export_figure")
    form = next(form for form in window.findChildren(Form) if form.isVisible())
    form.fields["path"].set_value(tmp_path / "plot.png")
    edit = form.fields["width"].edit
    edit.selectAll()
    qtbot.keyClicks(edit, "4")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: (tmp_path / "plot.png").is_file(), timeout=20_000)
    assert QImage(str(tmp_path / "plot.png")).width() == round(4 / 2.54 * 300)


def test_print_asks_for_a_printer(qtbot, make_window, image_file):
    window = make_window([image_file])
    qtbot.waitUntil(lambda: len(window.viewers) == 1)
    window.session.run("view.print")
    dialog = next(w for w in window.findChildren(QPrintDialog) if w.isVisible())
    dialog.reject()
    qtbot.waitUntil(lambda: not any(d.isVisible() for d in window.findChildren(QPrintDialog)))
