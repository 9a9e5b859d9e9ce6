"""The Calibration panel, worked with mouse and keys on a simulated exposure, with the real pipelines."""

import json
import shutil
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QToolButton
from specutils import Spectrum

from jviz.calibrations import LiveRun
from jviz.errors import CommandError, JvizError

NEVER = ("jwst", "stpipe", "stcal", "crds")


@pytest.fixture
def panel(known_steps, make_panel, session, uncal, qtbot):
    session.view("image", data=session.open(uncal(1))[0])
    panel = make_panel("calibration", size=(460, 760))
    qtbot.waitUntil(lambda: panel.choice is not None, timeout=20_000)
    return panel


def tick(qtbot, panel, name):
    item = panel.tree._items[name]
    box = panel.tree.visualItemRect(item)
    box.setWidth(20)
    qtbot.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=box.center())


def choose(qtbot, panel, name):
    item = panel.tree._items[name]
    panel.tree.scrollToItem(item)
    place = panel.tree.visualItemRect(item).center()
    qtbot.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.tree.chosen == name
    form = panel.form(name)
    qtbot.waitUntil(lambda: panel.forms.currentWidget() is form, timeout=5_000)
    return form


def test_opening_it_imports_no_pipeline_and_shows_the_steps_in_their_order(panel):
    names = [row.info.name for row in panel.choice.rows]
    assert names[:6] == ["group_scale", "dq_init", "saturation", "ipc", "superbias", "refpix"]
    assert panel.pipeline.currentText() == "detector1"
    assert panel.title.text() == "jw09999001001_02101_00001_nrcb1_uncal.fits"
    assert not [name for name in sys.modules if name.split(".")[0] in NEVER]


@pytest.mark.parametrize(("kind", "absent"), [("MIR_MRS", "extract_2d"), ("NIS_WFSS", "residual_fringe")])
def test_steps_are_those_of_the_type_of_exposure_in_its_order(known_steps, make_panel, session, tmp_path, qtbot, kind,
                                                              absent):  # fmt: skip
    path = tmp_path / "jw09999001001_02101_00001_x_rate.fits"
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="JWST", INSTRUME="MIRI" if kind == "MIR_MRS" else "NIRISS", EXP_TYPE=kind,
                          DATAMODL="ImageModel")  # fmt: skip
    fits.HDUList([primary, fits.ImageHDU(np.ones((32, 32), np.float32), name="SCI")]).writeto(path)
    session.view("image", data=session.open(path)[0])
    panel = make_panel("calibration", size=(460, 760))
    qtbot.waitUntil(lambda: panel.choice is not None, timeout=20_000)
    assert panel.pipeline.currentText() == "spec2"
    names = [row.info.name for row in panel.choice.rows]
    assert absent not in names
    # Spec2 finds out what the source is before it flattens a picture of slices, and after it flattens one of a grism.
    assert (names.index("srctype") < names.index("flat_field")) == (kind == "MIR_MRS")
    assert names[-1] == "extract_1d"


def test_what_is_changed_is_marked_and_becomes_arguments(qtbot, panel, tmp_path):
    form = choose(qtbot, panel, "jump")
    assert form.fields["rejection_threshold"].placeholderText() == "4"
    qtbot.keyClicks(form.fields["rejection_threshold"], "5.5")
    qtbot.keyClick(form.fields["flag_4_neighbors"], Qt.Key.Key_Space)
    tick(qtbot, panel, "superbias")
    tick(qtbot, panel, "persistence")
    assert form._labels["rejection_threshold"].font().bold()
    assert panel.tree._items["jump"].font(0).bold()
    assert not panel.tree._items["refpix"].font(0).bold()
    steps = panel.steps()
    assert steps["jump"] == {"rejection_threshold": 5.5, "flag_4_neighbors": False}
    assert steps["superbias"] is False
    assert steps["persistence"] is True
    qtbot.mouseClick(form._resets["rejection_threshold"], Qt.MouseButton.LeftButton)
    assert form.fields["rejection_threshold"].text() == ""
    assert "rejection_threshold" not in panel.steps().get("jump", {})
    panel.take_steps({})
    assert panel.steps() == {}


def test_a_wrong_value_is_told_in_the_form_and_runs_nothing(qtbot, panel, context):
    form = choose(qtbot, panel, "jump")
    qtbot.keyClicks(form.fields["rejection_threshold"], "many")
    assert "rejection_threshold of the step jump cannot be 'many'" in form.problem.text()
    assert form.problem.isVisible()
    with pytest.raises(JvizError, match="takes a number"):
        panel.steps()
    qtbot.mouseClick(panel.all_button, Qt.MouseButton.LeftButton)
    assert "cannot be 'many'" in context.notices[-1].text
    assert panel._job is None


def test_all_kinds_of_parameters_have_a_form(panel):
    from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit

    kinds = {QCheckBox: 0, QComboBox: 0, QLineEdit: 0}
    for row in panel.choice.rows:
        form = panel.form(row.info.name)
        assert set(form.fields) == {param.name for param in row.info.params} - {"skip"}
        for name, field in form.fields.items():
            kinds[type(field)] += 1
            assert field.toolTip().endswith(f"by default {_shown(row.info.param(name).default)}")
    assert all(kinds.values())
    assert panel.steps() == {}


def _shown(value):
    from jviz.plugins.calibration_form import _shown

    return _shown(value)


def test_searching_finds_steps_and_parameters(qtbot, panel):
    qtbot.keyClicks(panel.search, "snowball")
    shown = {name for name, item in panel.tree._items.items() if not item.isHidden()}
    assert "jump" in shown
    assert "superbias" not in shown
    form = choose(qtbot, panel, "jump")
    assert form.fields["expand_large_events"].isVisibleTo(form)
    assert not form.fields["rejection_threshold"].isVisibleTo(form)
    panel.search.clear()
    assert form.fields["rejection_threshold"].isVisibleTo(form)


def drop(field, path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    place = QPointF(field.rect().center())
    given = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(field, QDragEnterEvent(place, *given))
    QApplication.sendEvent(field, QDropEvent(place, *given, QEvent.Type.Drop))


@pytest.fixture
def files(sim, tmp_path):
    """Return ``files("gain")``: a copy of the reference of a type."""

    def copied(kind):
        path = tmp_path / f"my_{kind}.fits"
        shutil.copy(next((sim / "crds").rglob(f"*nircam_{kind}_*.fits")), path)
        return path

    return copied


def test_a_file_is_dropped_on_a_reference(qtbot, panel, files):
    path, field = files("gain"), choose(qtbot, panel, "jump").references["gain"]
    other = choose(qtbot, panel, "ramp_fit").references["gain"]
    drop(field, path)
    assert panel.given.files == {"gain": str(path)}  # at once: a run that is started now has it
    assert "my_gain.fits" in panel.tree._items["ramp_fit"].text(2)  # every step that reads the type
    assert other.text() == str(path)
    qtbot.waitUntil(lambda: not panel.given.is_looking)
    assert panel.given.files == {"gain": str(path)}
    field.clear()
    assert panel.given.files == {}
    assert other.text() == ""


def test_a_wrong_file_is_refused_where_it_is_given_and_the_former_stays(qtbot, panel, context, files, tmp_path,
                                                                        monkeypatch):  # fmt: skip
    said = []
    monkeypatch.setattr(context, "notify", lambda level, text, *_: said.append(text))
    good, superbias = files("gain"), files("superbias")
    form = choose(qtbot, panel, "jump")
    field = form.references["gain"]
    drop(field, good)
    elsewhere = tmp_path / "elsewhere.fits"
    shutil.copy(good, elsewhere)
    fits.setval(elsewhere, "SUBSTRT1", value=900)
    (tmp_path / "gain.json").write_text("{}")
    chosen = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName",
                        lambda *given: (chosen.append(given[-1]), (str(superbias), ""))[1])  # fmt: skip
    for give, why in ((lambda: drop(field, elsewhere), "is of columns 900 to 1059"),
                      (lambda: drop(field, tmp_path / "gain.json"), "is neither FITS nor ASDF"),
                      (field.browse, "of the type superbias (REFTYPE)")):  # fmt: skip
        before = len(said)
        give()
        qtbot.waitUntil(lambda count=before: len(said) > count)
        assert why in said[-1]
        assert form.problem.text() == said[-1]
        assert (field.text(), panel.given.files) == (str(good), {"gain": str(good)})
    assert chosen == ["References (*.fits *.asdf *.fits.gz)"]
    with pytest.raises(CommandError) as refused:
        panel.session.run("calibration.run", inputs=panel.choice.inputs[0], references={"gain": str(superbias)})
    assert str(refused.value) == said[-1]


def test_a_path_is_looked_at_when_it_is_written_to_its_end(qtbot, panel, context, files, monkeypatch):
    said = []
    monkeypatch.setattr(context, "notify", lambda level, text, *_: said.append(text))
    good = files("gain")
    field = choose(qtbot, panel, "jump").references["gain"]
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, str(good))
    assert panel.given.files == {}
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.given.files == {"gain": str(good)} and not panel.given.is_looking)
    field.selectAll()
    qtbot.keyClicks(field, "/nowhere/gain.fits")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(said))
    assert said == ["The reference file /nowhere/gain.fits (gain) is not there."]
    assert panel.given.files == {"gain": str(good)}
    assert field.text() == str(good)


def test_presets_are_kept_and_taken_back(qtbot, panel, session):
    qtbot.keyClicks(choose(qtbot, panel, "jump").fields["rejection_threshold"], "7")
    tick(qtbot, panel, "ipc")
    panel.presets.keep("gentle")
    panel.take_steps({})
    panel.presets.fill()
    [action] = [action for action in panel.presets.menu().actions() if action.text() == "gentle"]
    action.trigger()
    assert panel.steps() == {"jump": {"rejection_threshold": 7.0}, "ipc": False}
    assert panel.form("jump").fields["rejection_threshold"].text() == "7"


def test_a_preset_for_few_stars_comes_with_the_program(qtbot, panel):
    place = panel.pipeline.findData("calwebb_image3")
    panel.pipeline.setCurrentIndex(place)
    panel.pipeline.activated.emit(place)
    qtbot.waitUntil(lambda: panel.choice.pipeline.name == "calwebb_image3", timeout=60_000)
    panel.presets.fill()
    action = next(action for action in panel.presets.menu().actions() if action.text() == "Few Stars")
    action.trigger()
    assert panel.steps()["tweakreg"]["minobj"] == 4


def test_a_long_log_comes_in_pieces_and_loses_no_line(qtbot, panel, session):
    run = LiveRun("x", "x", session.calibrations.stand_in("x"))
    for number in range(2500):
        run.say(f"12:00:00 line {number}")
    panel.log.show_run(run)
    assert panel.log.blockCount() < 2500
    qtbot.waitUntil(lambda: panel.log.blockCount() == 2500)
    for number in range(2500, 21_000):
        run.say(f"12:00:00 line {number}")
    panel.log.show_run(run)
    qtbot.waitUntil(lambda: panel.log.toPlainText().endswith("line 20999"), timeout=20_000)
    lines = panel.log.toPlainText().splitlines()
    assert lines == [f"12:00:00 line {number}" for number in range(1000, 21_000)]


def test_a_run_is_followed_step_by_step_and_compared(qtbot, panel, session):
    qtbot.waitUntil(lambda: bool(panel.best), timeout=60_000)
    assert panel.tree._items["dq_init"].text(2) == "mask_0001.fits"
    assert panel.tree._items["ipc"].text(2) == "none"
    qtbot.mouseClick(panel.all_button, Qt.MouseButton.LeftButton)
    assert panel.cancel_button.isEnabled()
    assert not panel.all_button.isEnabled()
    qtbot.waitUntil(lambda: panel._job is None, timeout=60_000)
    assert panel.tree.state("jump").startswith("done")
    assert panel.tree.state("persistence") == "skipped"
    assert "Step jump done" in panel.log.toPlainText()
    assert panel.status.text().startswith("Done in")
    [rate] = [name for name in session.names if name.endswith("_rate")]
    record = json.loads((session[rate].path.parent / "record.json").read_text())
    assert record["state"] == "done"
    choose(qtbot, panel, "jump")
    qtbot.mouseClick(panel.here_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._job is None, timeout=60_000)
    assert panel.tree.state("ramp_fit") == "skipped"
    ramp = next(name for name in session.names if name.endswith("_ramp"))
    panel.tabs.setCurrentWidget(panel.compare)
    panel.compare.choose("jw09999001001_02101_00001_nrcb1_uncal", ramp)
    qtbot.waitUntil(lambda: "pixels differ" in panel.compare.about.text(), timeout=20_000)
    qtbot.mouseClick(panel.compare.buttons["curtain"], Qt.MouseButton.LeftButton)
    view = list(session.views.values())[-1]
    assert view.curtain == 0.5
    assert [layer.data.name for layer in view.layers] == ["jw09999001001_02101_00001_nrcb1_uncal", ramp]
    panel.tabs.setCurrentWidget(panel.runs)
    qtbot.waitUntil(lambda: panel.runs.about.text() == "2 runs")
    session.run("calibration.run", inputs=rate, until="flat_field")
    qtbot.waitUntil(lambda: panel.runs.about.text() == "3 runs")  # of itself
    qtbot.waitUntil(lambda: set(panel.runs._rows["state"]) == {"done"})


def test_spectra_are_offered_what_spectra_can_be_shown_by(qtbot, panel, session):
    x = np.linspace(1, 2, 20) * u.um
    for name, flux in (("old_x1d", np.ones(20)), ("new_x1d", np.full(20, 1.5))):
        session.add(Spectrum(flux * u.Jy, spectral_axis=x), name=name)
    panel.tabs.setCurrentWidget(panel.compare)
    panel.compare.choose("old_x1d", "new_x1d")
    buttons = panel.compare.buttons
    qtbot.waitUntil(lambda: [way for way in buttons if buttons[way].isVisible()] == ["", "difference", "ratio"])
    qtbot.mouseClick(buttons[""], Qt.MouseButton.LeftButton)
    view = list(session.views.values())[-1]
    assert [layer.data.name for layer in view.layers] == ["old_x1d", "new_x1d"]
    qtbot.mouseClick(buttons["ratio"], Qt.MouseButton.LeftButton)
    assert [layer.data.name for layer in view.layers] == ["new_x1d ∕ old_x1d"]
    assert np.allclose(view.layers[0].data.samples[0].flux, 1.5)
    panel.compare.choose("jw09999001001_02101_00001_nrcb1_uncal", "new_x1d")
    qtbot.waitUntil(lambda: [way for way in buttons if buttons[way].isVisible()] == list(buttons)[1:])


def test_cancelling_says_that_nothing_is_left(qtbot, panel, session):
    panel.stream.setChecked(True)
    qtbot.mouseClick(panel.all_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(name.startswith("after ") for name in session.names), timeout=60_000)
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._job is None, timeout=5_000)
    qtbot.waitUntil(lambda: len(session.names) == 1, timeout=5_000)
    assert panel.status.text() == "Cancelled; nothing is left of the run."
    assert not session.history.entries[-1].command.startswith("calibration")


def test_what_cannot_be_calibrated_says_why(qtbot, panel, session, picture):
    session.add(picture, name="mine")
    session.view("image", data="mine")
    qtbot.waitUntil(lambda: "Show a JWST exposure" in panel.note.text(), timeout=5_000)
    assert not panel.all_button.isEnabled()
    panel.take_files(["/nowhere/lost_asn.json"])
    qtbot.waitUntil(lambda: "lost_asn.json is not there" in panel.note.text(), timeout=5_000)


def test_a_pipeline_that_cannot_work_on_the_product_says_so_before_it_is_run(qtbot, panel):
    panel.pipeline.setCurrentIndex(panel.pipeline.findData("calwebb_tso3"))
    panel.pipeline.activated.emit(panel.pipeline.currentIndex())
    qtbot.waitUntil(lambda: panel.choice.pipeline.name == "calwebb_tso3")
    assert panel.note.isVisibleTo(panel)
    assert panel.note.text().startswith("calwebb_tso3 needs calibrated integrations (calints), and jw09999001001")
    assert panel.note.text().endswith("of the kind uncal. Give such exposures, or run calwebb_detector1 on this one.")
    assert not panel.all_button.isEnabled()
    panel.pipeline.setCurrentIndex(panel.pipeline.findData("calwebb_detector1"))
    panel.pipeline.activated.emit(panel.pipeline.currentIndex())
    qtbot.waitUntil(lambda: panel.all_button.isEnabled())
    assert not panel.note.isVisibleTo(panel)


def test_a_product_that_no_pipeline_takes_on_leaves_the_choice_of_one(qtbot, panel, uncal):
    panel.take_files([str(uncal(1, "i2d"))])
    qtbot.waitUntil(lambda: "which no pipeline takes on" in panel.note.text(), timeout=20_000)
    assert not panel.all_button.isEnabled()
    assert panel.pipeline.isEnabled()
    assert panel.pipeline.currentIndex() == -1
    place = panel.pipeline.findData("calwebb_image3")
    panel.pipeline.setCurrentIndex(place)
    panel.pipeline.activated.emit(place)
    qtbot.waitUntil(lambda: panel.choice is not None, timeout=20_000)
    assert "source_catalog" in panel.tree._items
    assert panel.only_button.isEnabled()
    # What was named for one product is not meant for another.
    panel.take_files([str(uncal(1))])
    qtbot.waitUntil(lambda: panel.pipeline.currentText() == "detector1", timeout=20_000)


def test_pairs_of_wavefront_sensing_have_their_own_step(qtbot, panel, tmp_path):
    for number in (1, 2):
        header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_IMAGE", "PATTTYPE": "WFSC"})
        fits.PrimaryHDU(header=header).writeto(tmp_path / f"jw{number}_cal.fits")
    members = [{"expname": f"jw{number}_cal.fits", "exptype": "science"} for number in (1, 2)]
    content = {"asn_type": "wfs-image3", "products": [{"name": "p_{suffix}-01", "members": members}]}
    (tmp_path / "jw_asn.json").write_text(json.dumps(content))
    panel.take_files([str(tmp_path / "jw_asn.json")])
    qtbot.waitUntil(lambda: panel.pipeline.currentText() == "wfs-image3", timeout=20_000)
    assert list(panel.tree._items) == ["calwebb_wfs-image3"]
    assert "do_refine" in panel.form("calwebb_wfs-image3").fields


def test_a_file_of_parameters_of_one_step_joins_the_others(qtbot, panel, session, context, tmp_path):
    one, other = tmp_path / "pars-jump.asdf", tmp_path / "pars-image3.asdf"
    session.run("calibration.export_parameters", path=one, pipeline="jump", steps={"rejection_threshold": 9.0})
    session.run("calibration.export_parameters", path=other, pipeline="image3", steps={"tweakreg": {"minobj": 4}})
    tick(qtbot, panel, "ipc")
    panel.presets.take_file(str(one))
    qtbot.waitUntil(lambda: panel.steps() == {"ipc": False, "jump": {"rejection_threshold": 9.0}}, timeout=30_000)
    panel.presets.take_file(str(other))
    qtbot.waitUntil(lambda: any("are of calwebb_image3" in note.text for note in context.notices), timeout=30_000)
    assert panel.steps() == {"ipc": False, "jump": {"rejection_threshold": 9.0}}


def test_a_type_that_is_declared_unused_is_shown_so(qtbot, panel):
    field = choose(qtbot, panel, "dark_current").references["dark"]
    qtbot.keyClicks(field, "N/A")
    assert panel.tree._items["dark_current"].text(2) == "dark: N/A"


def test_the_pipeline_itself_has_parameters(qtbot, panel):
    form = choose(qtbot, panel, "detector1")
    assert panel.tree._items["detector1"].text(0) == "detector1 (pipeline)"
    assert not panel.here_button.isEnabled()
    assert not panel.only_button.isEnabled()
    qtbot.keyClick(form.fields["save_calibrated_ramp"], Qt.Key.Key_Space)
    assert panel.steps() == {"detector1": {"save_calibrated_ramp": True}}
    qtbot.mouseClick(panel.all_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._job is None, timeout=60_000)
    made = sorted(path.name.rpartition("_")[2] for path in panel._shown_run.folder.glob("*.fits"))
    assert made == ["ramp.fits", "rate.fits", "rateints.fits"]
    panel.take_steps({})
    assert panel.steps() == {}


def test_an_association_shows_the_reference_files_of_its_members(qtbot, panel, sim):
    panel.take_files([str(sim / "l3_asn.json")])
    qtbot.waitUntil(lambda: panel.pipeline.currentText() == "image3" and bool(panel.best), timeout=20_000)
    assert "abvegaoffset_0001.asdf" in panel.tree._items["source_catalog"].text(2)
    assert panel.tree.state("tweakreg") == ""


def test_keys_go_from_a_step_into_its_form_and_back_to_the_buttons(qtbot, panel):
    form = choose(qtbot, panel, "gain_scale")
    field = form.references["gain"]
    panel.tree.setFocus()
    qtbot.waitUntil(panel.tree.hasFocus)
    qtbot.keyClick(panel.tree, Qt.Key.Key_Space)
    assert panel.ticks["calwebb_detector1"] == {"gain_scale": False}
    reached = []
    while not panel.stream.hasFocus() and len(reached) < 20:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert field in reached
    assert reached[-1] is panel.stream


def test_buttons_list_and_queue_what_newer_reference_files_change(
    known_steps, make_panel, session, uncal, sim, tmp_path, qtbot
):
    folder = tmp_path / "library"
    folder.mkdir()
    for suffix in ("rate", "cal"):
        shutil.copy(uncal(1, suffix), folder)
    session.run("library.add", path=folder)
    own = tmp_path / "my_flat.fits"
    shutil.copy(next((sim / "crds").rglob("jwst_nircam_flat_*.fits")), own)
    fits.setval(own, "USEAFTER", value="2021-01-01T00:00:00")
    fits.setval(own, "FILENAME", value=own.name)
    context = session.run("crds.add_reference", path=own).meta["context"]
    panel = make_panel("crds")
    qtbot.waitUntil(lambda: panel.contexts.findData(context) > 0, timeout=10_000)
    panel.contexts.setCurrentIndex(panel.contexts.findData(context))
    buttons = {button.toolTip(): button for button in panel.findChildren(QToolButton)}

    def answer(tip):
        qtbot.mouseClick(buttons[tip], Qt.MouseButton.LeftButton)
        job = session.jobs.all[-1]
        qtbot.waitUntil(lambda: job.is_over, timeout=30_000)
        return job.result()

    listed = answer("List what should be calibrated anew")
    assert any(str(row["product"]).endswith("_cal.fits") for row in listed)
    assert answer("Queue what should be calibrated anew").meta["runs"] == 1
    qtbot.waitUntil(lambda: any(data.name.endswith("_cal") for data in session.data), timeout=60_000)
    [made] = [data for data in session.data if data.name.endswith("_cal")]
    assert made.header["CRDS_CTX"] == context
