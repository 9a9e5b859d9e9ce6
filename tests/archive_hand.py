"""What a hand does in the archive panel."""

from __future__ import annotations

from PySide6.QtCore import Qt

I2D = "jw01234-o000_t001_nircam_clear-f200w_i2d.fits"


def searched(qtbot, panel, **fields):
    for name, text in fields.items():
        field = panel.question.fields.get(name) or getattr(panel.question, name)
        field.clear()
        qtbot.keyClicks(field, text)
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    assert panel.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)


def double_click(qtbot, table, row):
    place = table.visualRect(table.model().index(row, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def wait_for_files(qtbot, panel, count):
    def there():
        table = panel.files.tree.table
        return table is not None and len(table) == count

    qtbot.waitUntil(there, timeout=60_000)


def choose(pane, name, words):
    next(action for action in pane.choices[name].actions() if action.text() == words).trigger()


def double_click_file(qtbot, panel, row):
    tree = panel.files.tree
    place = tree.visualRect(tree.products.index_of(row)).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def crowd(mast, count):
    """Let the server have many observations."""
    first = mast.observations[0]
    instruments = ("NIRCAM/IMAGE", "MIRI/IMAGE", "NIRSPEC/MSA")
    mast.__dict__["observations"] = [
        {**first, "obsid": str(2_000_000 + n), "obs_id": f"obs-{n}", "instrument_name": instruments[n % 3],
         "s_ra": 53.0 + 0.001 * (n % 100), "s_dec": -27.8 + 0.001 * (n // 100), "t_exptime": 1.0 + n}
        for n in range(count)
    ]  # fmt: skip
