"""Forms made from signatures."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton
from regions import CirclePixelRegion, PixCoord

from jviz.backend.spectra.ranges import SpectralRanges
from jviz.commands import all_commands, command, find, forget
from jviz.data import Cube, Data, Image
from jviz.errors import CommandError
from jviz.window.docstrings import parameter_docs
from jviz.window.fields import ChoiceField, NumberField, PathField, SwitchField, TextField, field_for
from jviz.window.forms import Form, _fields, open_form


@pytest.fixture
def declared():
    """A command with parameters of many kinds; gives what it was called with."""
    calls = []

    @command("extra.measure", title="Measure…", menu="Data", script=True)
    def measure(
        session, data: Image, radius: float, method: Literal["exact", "centre"] = "exact", count: int = 3,
        sky: bool = False, box: tuple[float, float] = (0.0, 1.0), name: str = "m",
    ) -> None:  # fmt: skip
        """Measure something.

        Parameters
        ----------
        radius : float
            In pixels, above 0.
        method : str
            How edges count.
        """
        if radius <= 0:
            raise CommandError(f"radius is {radius:g}; it must be above 0 pixels")
        calls.append({"data": data, "radius": radius, "method": method, "count": count, "sky": sky, "box": box})

    yield calls
    forget("extra.measure")


@pytest.fixture
def form(filled, declared):
    filled.invoker.trigger("extra.measure")
    return filled.findChild(Form)


def run_button(form):
    return form.run_button


def test_fields_fit_the_types(form):
    kinds = {name: type(field) for name, field in form.fields.items()}
    assert kinds == {
        "data": ChoiceField, "radius": TextField, "method": ChoiceField, "count": NumberField, "sky": SwitchField,
        "box": TextField, "name": TextField,
    }  # fmt: skip
    assert form.fields["data"].value().name == "picture"
    assert form.fields["radius"].focusProxy().toolTip() == "(float) In pixels, above 0."
    assert form.fields["radius"].focusProxy().accessibleName() == "Radius"


def test_it_runs_and_the_line_is_the_one_in_the_script(filled, form, declared, qtbot):
    qtbot.keyClicks(form.fields["radius"].edit, "2.5")
    qtbot.keyClick(form.fields["method"].combo, Qt.Key.Key_Down)
    box = form.fields["sky"].box
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    line = form.line.text()
    assert line == "session.run('extra.measure', data='picture', radius=2.5, method='centre', sky=True)"
    qtbot.keyClick(form.fields["radius"].edit, Qt.Key.Key_Return)
    assert not form.isVisible()
    assert declared[0]["radius"] == 2.5
    assert declared[0]["data"] is filled.session["picture"]
    assert line in filled.session.script()


def test_the_line_can_be_copied(form, qtbot):
    qtbot.keyClicks(form.fields["radius"].edit, "4")
    button = next(b for b in form.findChildren(QPushButton) if b.accessibleName() == "Copy the line of Python")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == form.line.text()


@pytest.mark.parametrize(("text", "reason"), [("two", "number"), ("", "number"), ("-1", "above 0")])
def test_a_wrong_value_is_told_in_the_form_and_nothing_is_lost(form, declared, qtbot, text, reason):
    form.fields["name"].set_value("keep me")
    qtbot.keyClicks(form.fields["radius"].edit, text)
    qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
    assert form.isVisible()
    assert reason in form.error.text()
    assert form.fields["name"].value() == "keep me"
    assert not declared
    form.fields["radius"].edit.clear()
    qtbot.keyClicks(form.fields["radius"].edit, "1")
    assert not form.error.isVisible()
    qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
    assert len(declared) == 1


def test_a_job_runs_beside_the_form_which_stays_when_it_fails(filled, qtbot, told):
    go_on = threading.Event()

    @command("extra.slow", title="Slow…", job=True)
    def slow(session, depth: int = 1) -> None:
        """Wait, then fail."""
        go_on.wait(10)
        raise CommandError("The depth is too deep; take less.")

    try:
        form = open_form(filled, find("extra.slow"))
        qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
        assert form.bar.isVisible()
        assert not run_button(form).isEnabled()
        go_on.set()
        qtbot.waitUntil(lambda: "too deep" in form.error.text(), timeout=5_000)
        assert run_button(form).isEnabled()
        assert not told(filled)
    finally:
        forget("extra.slow")


def test_a_command_without_dots_runs_at_once(filled, qtbot):
    filled.invoker.trigger("image.invert")
    assert filled.findChild(Form) is None
    assert filled.session.views["Image 1"].invert


def test_every_command_with_dots_has_a_form_that_shows_its_line(filled):
    for id, found in filled.invoker.visible_commands().items():
        if found.title.endswith("…") and not found.needs_window:
            form = open_form(filled, found, filled.invoker.on_active(found, {}))
            assert form.line.text().startswith("session."), id
            form.close()


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (float, "1e-3", 1e-3), (float | None, "", None), (float | None, "2", 2.0), (int | None, "7", 7),
        (tuple[float, float], "1, 2.5", (1.0, 2.5)), (tuple[int, int], "(1200, 900)", (1200, 900)),
        (tuple[int, ...], "3", (3,)), (str, "a b", "a b"), (str | None, "", None), (list, "[1, 'a']", [1, "a"]),
    ],
)  # fmt: skip
def test_text_becomes_values(qtbot, annotation, text, value):
    field = field_for("thing", annotation, None)
    qtbot.addWidget(field)
    qtbot.keyClicks(field.edit, text)
    assert field.value() == value
    if value is not None:
        field.edit.clear()
        field.set_value(value)
        assert field.value() == value


@pytest.mark.parametrize(
    ("annotation", "text", "reason"),
    [(float, "x", "a number"), (int | None, "1.5", "whole number"), (tuple[float, float], "1", "2 numbers"),
     (list, "[1,", "Python value")],
)  # fmt: skip
def test_wrong_text_is_explained(qtbot, annotation, text, reason):
    field = field_for("some_thing", annotation, None)
    qtbot.addWidget(field)
    qtbot.keyClicks(field.edit, text)
    with pytest.raises(CommandError, match=reason) as caught:
        field.value()
    assert "Some thing" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.3 arcsec", "0.3 arcsec"), ("Circle 1", "Circle 1"), ("(9, 14)", (9, 14)), ("5", 5), ("70 %", "70 %"),
     ("'5'", "5"), ("[3, 5]", [3, 5]), ("cursor", "cursor")],
)  # fmt: skip
def test_fields_for_anything_take_literals_and_words(qtbot, text, value):
    field = field_for("thing", Any, None)
    qtbot.addWidget(field)
    qtbot.keyClicks(field.edit, text)
    assert field.value() == value
    field.set_value(value)
    assert field.value() == value
    field.edit.setText("(9, ")
    with pytest.raises(CommandError, match="Python value"):
        field.value()


def test_every_form_can_be_run_with_its_usual_values(filled):
    """What a form writes into its fields it can read; empty where a command says None."""
    for id, one in all_commands().items():
        for name, field in _fields(one, filled.session).items():
            default = one.parameters[name].default
            if default is not one.parameters[name].empty:
                field.set_value(default)
                assert field.value() == default or (field.value() in ("", None) and default in ("", None)), (id, name)
            field.deleteLater()


def test_a_command_on_several_kinds_offers_the_data_of_all(filled, qtbot):
    filled.session.add(np.zeros((5, 40, 50)), name="integrations")
    field = _fields(find("timeseries.light_curve"), filled.session)["data"]
    qtbot.addWidget(field)
    assert isinstance(field, ChoiceField)
    assert field.value().name == "integrations"
    assert next(iter(_fields(find("timeseries.light_curve"), filled.session))) == "data"


def test_aperture_photometry_runs_from_its_form(filled, qtbot):
    filled.session.subset("core", CirclePixelRegion(PixCoord(40, 30), 8), data="picture")
    filled.invoker.trigger("photometry.aperture")
    form = filled.findChild(Form)
    qtbot.keyClicks(form.fields["positions"].edit, "(40, 30)")
    qtbot.keyClicks(form.fields["annulus"].edit, "(12, 18)")
    qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(list(filled.session.results)), timeout=20_000)
    [result] = [one.value for one in filled.session.results]
    assert (result["x"][0], result["y"][0]) == (40, 30)


def test_only_fitting_data_are_offered(filled, qtbot):
    images = field_for("data", Image, filled.session)
    cubes = field_for("data", Cube, filled.session)
    either = field_for("data", Data | None, filled.session)
    for field in (images, cubes, either):
        qtbot.addWidget(field)
    assert images.value().name == "picture"
    assert either.value() is None
    with pytest.raises(CommandError, match="open a fitting file"):
        cubes.value()


def test_paths_have_a_button_to_browse(qtbot):
    field = field_for("path", Path, None)
    qtbot.addWidget(field)
    assert isinstance(field, PathField)
    assert field.findChild(QPushButton).accessibleName() == "Browse for path"
    field.set_value("~/x.png")
    assert field.value() == Path.home() / "x.png"


def test_folders_are_browsed_as_folders(qtbot):
    field = field_for("folder", Path, None)
    qtbot.addWidget(field)
    assert field.edit.placeholderText() == "Path of the folder"
    qtbot.mouseClick(field.findChild(QPushButton), Qt.MouseButton.LeftButton)
    dialog = field.window().findChild(QFileDialog)
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    dialog.reject()


def test_parameter_docs_are_read():
    def function(x, y, mode):
        """Do.

        Parameters
        ----------
        x, y : float
            Where, in pixels,
            0-based.
        mode : str

        Returns
        -------
        int
            Not a parameter.
        """

    docs = parameter_docs(function)
    assert docs["x"] == docs["y"] == "(float) Where, in pixels, 0-based."
    assert docs["mode"] == "(str)"
    assert "int" not in docs


# --- what the menu may promise ----------------------------------------------------------------------


def test_every_command_of_the_menus_that_lacks_something_asks_for_it(filled, told):
    """None may end with "needs the argument": a user of a menu cannot give arguments."""
    for id, found in filled.invoker.visible_commands().items():
        if found.menu and found.missing(filled.invoker.on_active(found, {})):
            before = len(filled.findChildren(Form))
            filled.invoker.trigger(id)
            assert len(filled.findChildren(Form)) == before + 1, id
    assert not told(filled)
    for dialog in filled.findChildren(Form):
        dialog.close()


def test_commands_on_regions_take_the_selected_ones(filled):
    session = filled.session
    for name in ("a", "b"):
        session.subset(name, CirclePixelRegion(PixCoord(30, 20), 5), data="picture")
    session.interaction.select(["b"])
    filled.invoker.trigger("region.copy")
    assert len(session.subsets) == 3
    assert "session.run('region.copy', name='b')" in session.script()
    session.interaction.select([])
    filled.invoker.trigger("region.recentre")
    [dialog] = filled.findChildren(Form)
    dialog.fields["name"].edit.setText("a, b")
    assert dialog.line.text() == "session.run('region.recentre', name=['a', 'b'])"
    dialog.close()


def test_what_is_drawn_is_offered_by_its_name(filled, qtbot):
    for name in ("old", "new"):
        filled.session.subset(name, CirclePixelRegion(PixCoord(40, 30), 8), data="picture")
    filled.invoker.trigger("photometry.aperture")
    form = filled.findChild(Form)
    combo = form.fields["region"].combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["—", "new", "old"]
    assert "region" not in form.line.text()
    combo.setCurrentText("old")
    assert "region='old'" in form.line.text()
    combo.setEditText("['old', 'new']")
    assert "region=['old', 'new']" in form.line.text()
    combo.setEditText("['old', ")
    qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
    assert "Region cannot be" in form.error.text()
    form.close()


def test_a_new_image_is_not_called_like_the_view(filled):
    filled.invoker.trigger("image.smooth")
    [dialog] = filled.findChildren(Form)
    assert dialog.fields["name"].value() == ""
    assert "name=" not in dialog.line.text()
    dialog.close()


def test_the_code_is_code_also_of_several_lines(filled, qtbot):
    filled.invoker.trigger("view.save")
    [dialog] = filled.findChildren(Form)
    compile(dialog.line.text(), "form", "exec")
    copy = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 2
    compile("\n".join(lines), "form", "exec")
    dialog.close()


@pytest.mark.parametrize("id", ["image.smooth", "image.reproject", "view.save"])
def test_a_form_has_room_for_its_fields(filled, qtbot, id):
    filled.invoker.trigger(id)
    [dialog] = filled.findChildren(Form)
    qtbot.waitExposed(dialog)

    def squeezed():
        return [f.name for f in dialog.fields.values() if f.height() < f.sizeHint().height()]

    assert squeezed() == []
    dialog._fail(CommandError("This is wrong for a reason that takes many words to explain. " * 6))
    QApplication.processEvents()
    assert squeezed() == []
    assert dialog.error.height() >= dialog.error.heightForWidth(dialog.error.width())
    dialog.close()


def test_forms_take_over_what_a_view_says_of_itself_and_of_measurements_only(filled, qtbot):
    view = filled.viewers[0].state
    view.update(contrast=3.0, invert=True, exclude_flags=("SATURATED",), stretch="asinh")
    taken = {}
    for id, name in (("photometry.detect", "contrast"), ("image.pick", "exclude_flags"), ("image.stretch", "stretch")):
        filled.invoker.trigger(id)
        [dialog] = filled.findChildren(Form)
        taken[name] = dialog.fields[name].value()
        dialog.close()
        qtbot.waitUntil(lambda: not filled.findChildren(Form))
    # the contrast of sources that are parted is not that of the colours
    assert taken["contrast"] == pytest.approx(find("photometry.detect").parameters["contrast"].default)
    assert "SATURATED" in str(taken["exclude_flags"])
    assert taken["stretch"] == "asinh"


@pytest.mark.parametrize("kind", ["cube", "spectrum", "table", "scatter"])
def test_every_form_opens_from_every_kind_of_view(window, qtbot, kind):
    import numpy as np
    from astropy.table import QTable

    session = window.session
    if kind == "cube":
        session.add(np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32), name="thing")
    elif kind == "spectrum":
        session.add(np.random.default_rng(0).normal(size=50), name="thing")
    else:
        session.add(QTable({"ra": [1.0, 2.0], "dec": [3.0, 4.0], "mag": [5.0, 6.0]}), name="thing")
    window.open_viewer(kind, data="thing")
    opened = 0
    for one in window.invoker.visible_commands().values():
        if one.title.endswith("…") and not one.needs_window and one.needs and window.invoker.is_possible(one):
            open_form(window, one, window.invoker._as_it_is(one, window.invoker.on_active(one, {})))
            [dialog] = window.findChildren(Form)
            dialog.close()
            qtbot.waitUntil(lambda: not window.findChildren(Form))
            opened += 1
    assert opened > 5


def test_what_is_empty_in_a_view_leaves_a_field_empty(window, qtbot):
    from astropy.table import QTable

    window.session.add(QTable({"a_mag": [1.0, 2.0], "b_mag": [3.0, 4.0]}), name="stars")
    window.open_viewer("scatter", data="stars")
    window.invoker.trigger("catalog.add_track")
    [form] = window.findChildren(Form)
    assert form.fields["extinction"].edit.text() == ""
    assert "extinction" not in form.line.text()
    form.close()
    qtbot.waitUntil(lambda: not window.findChildren(Form))


def test_a_token_is_hidden_and_not_in_the_line(filled, qtbot):
    filled.invoker.trigger("archive.login")
    form = next(one for one in filled.findChildren(Form) if "token" in one.fields)
    qtbot.keyClicks(form.fields["token"].edit, "abc123")
    assert "abc123" not in form.fields["token"].edit.displayText()
    assert form.values()["token"] == "abc123"
    assert "abc123" not in form.line.text() + form._code
    form.close()


def test_the_menu_of_a_column_edits_it(window, qtbot):
    from astropy.table import Table

    data = window.session.add(Table({"flux": [1.0, 2.0], "mag": [20.0, 21.0]}), name="stars")
    viewer = window.open_viewer("table", data=data)
    qtbot.waitUntil(lambda: viewer.has_painted and len(viewer.model.columns) == 2)
    header = viewer.rows.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(1) + 5, 5)
    header.customContextMenuRequested.emit(place)
    menu = next(m for m in viewer.findChildren(QMenu) if m.isVisible())
    next(action for action in menu.actions() if action.text() == "Edit mag…").trigger()
    menu.close()
    form = window.findChild(Form)
    assert form.fields["column"].value() == "mag"
    assert [form.fields["column"].combo.itemText(n) for n in range(2)] == ["flux", "mag"]
    qtbot.keyClicks(form.fields["rename"].edit, "F200W")
    qtbot.keyClicks(form.fields["unit"].edit, "mag")
    qtbot.mouseClick(form.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "F200W" in window.session["stars"].columns)
    assert window.session["stars"].columns["F200W"].unit == "mag"
    window.session.undo()
    assert "mag" in window.session["stars"].columns


def test_the_form_of_units_of_spectra_asks_for_both_units(window):
    from jviz.window.forms import Form

    form = Form(window, window.session.commands["spectrum.axis"], {})
    assert {"unit", "flux_unit", "first", "step", "medium"} <= set(form.fields)
    form.close()
    form.deleteLater()


def test_names_of_parameters_are_written_as_people_write_them():
    from jviz.window.fields import shown_name

    names = ("minimum_snr", "psf", "fwhm_to", "colormap", "exclude_flags", "x", "hdu", "sigma")
    assert [shown_name(name) for name in names] == [
        "Minimum S/N", "PSF", "FWHM to", "Colour map", "Exclude flags", "X", "HDU", "Sigma"]  # fmt: skip


def test_two_catalogues_to_match_are_not_the_same(window):
    from astropy.table import Table

    first, second = (window.session.add(Table({"ra": [1.0], "dec": [2.0]}), name=name) for name in ("one", "two"))
    for given, expected in (({}, {first, second}), ({"b": first}, {second, first}), ({"a": second}, {second, first})):
        form = open_form(window, find("catalog.match"), given)
        assert {form.fields[name].value() for name in "ab"} == expected
        assert all(form.fields[name].value() is data for name, data in given.items())
        form.close()


def test_spectral_ranges_are_chosen_by_name_or_written(filled, qtbot, tmp_path):
    values = np.random.default_rng(1).normal(size=(30, 8, 9)).astype(np.float32)
    header = fits.Header({"CTYPE3": "WAVE", "CRVAL3": 5.0, "CDELT3": 0.01, "CRPIX3": 1, "CUNIT3": "um"})
    fits.PrimaryHDU(values, header).writeto(tmp_path / "lines.fits")
    [cube] = filled.session.open(tmp_path / "lines.fits")
    for name in ("blue", "red"):
        filled.session.subset(name, SpectralRanges(((5.05, 5.1),), "um"))
    form = open_form(filled, find("cube.collapse"), {"data": cube})
    combo = form.fields["spectral"].combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["red", "blue"]
    assert "spectral" not in form.line.text()
    combo.setCurrentText("blue")
    assert "spectral='blue'" in form.line.text()
    combo.setEditText("5 to 6 parsnips")
    qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no unit that is known" in form.error.text())
    combo.setEditText("5045 nm – 5.105 um")
    form.fields["statistic"].set_value("mean")
    qtbot.mouseClick(run_button(form), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "mean of lines" in filled.session.names)
    found = filled.session["mean of lines"].get(np.ndarray)
    np.testing.assert_allclose(found, values[5:11].mean(axis=0), rtol=1e-5)  # channels 5 to 10: 5.05 to 5.10 µm


def test_the_first_name_of_an_expression_is_the_active_data(filled):
    filled.invoker.trigger("image.arithmetic")
    [dialog] = filled.findChildren(Form)
    assert dialog.fields["a"].value() is filled.context.active_view().data
    assert dialog.fields["b"].value() is None
    dialog.close()


def test_the_background_of_spectra_is_chosen_among_what_is_drawn(filled):
    for name in ("core", "sky"):
        filled.session.subset(name, CirclePixelRegion(PixCoord(4, 3), 2), data="picture")
    for id, name in (("cube.background", "region"), ("cube.extract", "background")):
        form = open_form(filled, find(id))
        combo = form.fields[name].combo
        assert [combo.itemText(n) for n in range(combo.count())] == ["—", "sky", "core"]
        assert name not in form.line.text()
        combo.setCurrentText("sky")
        assert f"{name}='sky'" in form.line.text()
        form.close()
