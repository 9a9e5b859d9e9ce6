"""Associations of a session: made, edited, undone, checked, written, kept."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from jviz import Session
from jviz.errors import CommandError, JvizError, ReadError


@pytest.fixture
def exposures(tmp_path):
    """Four cal files of two filters."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(1, 5):
        first = fits.PrimaryHDU()
        first.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "PROGRAM": "01234",
                             "OBSERVTN": "001", "TARGPROP": "M31", "EXP_TYPE": "NRC_IMAGE", "PUPIL": "CLEAR",
                             "FILTER": "F200W" if number < 4 else "F090W", "SUBARRAY": "FULL"})  # fmt: skip
        sci = fits.ImageHDU(np.full((8, 8), float(number), np.float32), name="SCI")
        fits.HDUList([first, sci]).writeto(folder / f"jw01234001001_02101_0000{number}_nrca1_cal.fits")
    return folder


@pytest.fixture
def made(session, exposures):
    return session.run("association.make", data=str(exposures))


def roles(data):
    return [(m.expname[20:25], m.exptype) for m in data.content.members]


def test_a_folder_becomes_one_association_for_each_filter(session, made):
    assert [data.content.products[0].name for data in made] == [
        "jw01234-o001_t001_nircam_clear-f200w", "jw01234-o001_t001_nircam_clear-f090w",
    ]  # fmt: skip
    assert session.names == [f"{data.content.products[0].name}_image3_asn" for data in made]
    assert len(made[0].get(QTable)) == 3
    session.undo()
    assert session.names == []
    session.redo()
    assert len(session.data) == 2


def test_open_data_and_files_give_the_same(session, exposures):
    loaded = [session.open(path)[0] for path in sorted(exposures.glob("*0000[123]*"))]
    [of_data] = session.run("association.make", data=loaded)
    [of_files] = session.run("association.make", data=[str(data.path) for data in loaded], product="mosaic")
    assert of_data.content.members == of_files.content.members
    assert of_files.content.products[0].name == "mosaic"


def test_edits_are_steps_that_are_undone_and_repeated(session, made, exposures):
    name = made[0].name
    view = session.view("association", data=made[0])
    other = str(exposures / "jw01234001001_02101_00004_nrca1_cal.fits")
    session.run("association.add", data=name, members=[other], role="background")
    assert roles(session[name])[-1] == ("00004", "background")
    assert view.data is session[name]
    session.run("association.role", data=name, members=[session[name].content.names[-1]], role="psf")
    session.run("association.remove", data=name, members=[session[name].content.names[0]])
    session.run("association.rename", data=name, name="deep")
    session.run("association.type", data=name, asn_type="coron3")
    changed = session[name].content
    assert (changed.products[0].name, changed.asn_type) == ("deep", "coron3")
    assert roles(session[name]) == [("00002", "science"), ("00003", "science"), ("00004", "psf")]
    for _ in range(5):
        session.undo()
    assert session[name].content == made[0].content
    for _ in range(5):
        session.redo()
    assert session[name].content == changed
    code = session.script()
    again = {}
    exec(compile(code, "script", "exec"), again)
    assert again["session"][name].content == changed
    again["session"].close()


def test_what_cannot_be_edited_is_said_and_changes_nothing(session, made, tmp_path):
    data, before = made[0], made[0].content
    for id, arguments, text in (
        ("association.add", {"members": [str(tmp_path / "else" / "a_cal.fits")]}, "where the other members lie"),
        ("association.add", {"members": []}, "nothing to add"),
        ("association.add", {"members": ["a.fits"], "role": "dark"}, "cannot be 'dark'"),
        ("association.remove", {"members": ["a.fits"]}, "no member"),
        ("association.remove", {"members": list(before.names)}, "at least one member"),
        ("association.rename", {"name": "a/b"}, "no name for a product"),
        ("association.type", {"asn_type": "image9"}, "no type of association"),
    ):
        with pytest.raises(CommandError, match=text):
            session.run(id, data=data.name, **arguments)
    assert session[data.name].content == before


def test_written_it_is_the_association_of_its_file(session, made, exposures):
    name = made[0].name
    path = session.run("association.write", data=name, path=str(exposures / "deep_asn.json"))
    assert json.loads(path.read_text())["products"][0]["members"][0]["exptype"] == "science"
    assert session[name].path == path
    with pytest.raises(CommandError, match="is open in this session"):
        session.run("association.write", data=name, path=str(path))
    [opened] = Session().open(path)
    assert opened.content == made[0].content
    session.run("association.rename", data=name, name="other")
    assert session[name].path is None, "an edited association is no longer that of its file"
    assert json.loads(path.read_text())["products"][0]["name"] != "other"


def test_written_elsewhere_it_says_what_is_not_beside_it(session, made, tmp_path):
    session.run("association.write", data=made[0].name, path=str(tmp_path / "far_asn.json"))
    assert any("not beside its members" in text for level, text in session.notices if level == "warning")


def test_members_and_problems_as_tables(session, made, exposures):
    name = made[0].name
    rows = session.run("association.members", data=name)
    assert set(rows["state"]) == {"there"}
    assert set(rows["level"]) == {"2b"}
    assert len(session.run("association.validate", data=name)) == 0
    next(exposures.glob("*00002*")).unlink()
    assert list(session.run("association.members", data=name)["state"]) == ["there", "missing", "there"]
    table = session.run("association.validate", data=name)
    assert list(table["level"]) == ["error"]
    assert "00002_nrca1_cal.fits is not in" in table["problem"][0]
    broken = exposures / "broken_asn.json"
    broken.write_text('{"asn_type": "image3", "products": [')
    assert "no valid JSON" in session.run("association.validate", data=str(broken))["problem"][0]
    with pytest.raises(ReadError, match="no valid JSON"):
        session.open(broken)
    said = session.run("association.explain", name="jw01234001001_02101_00001_nrca1_rate.fits")
    assert "level 2a" in said
    assert "level 2 take it" in said


def test_a_saved_session_has_it_with_what_was_edited(session, made, tmp_path):
    name = made[0].name
    session.run("association.remove", data=name, members=[made[0].content.names[0]])
    session.view("association", data=session[name])
    expected, folder = session[name].content, session[name].folder
    session.save(tmp_path / "work.jviz")
    again = Session.load(tmp_path / "work.jviz")
    assert (again[name].content, again[name].folder) == (expected, folder)
    assert again.views["Association 1"].data is again[name]
    again.close()


def test_what_is_no_exposure_is_refused(session, exposures, tmp_path):
    (empty := tmp_path / "empty").mkdir()
    fits.writeto(tmp_path / "hst_cal.fits", np.ones((4, 4), np.float32), fits.Header({"TELESCOP": "HST"}))
    with pytest.raises(CommandError, match="no JWST product"):
        session.run("association.make", data=str(tmp_path / "hst_cal.fits"))
    with pytest.raises(CommandError, match="several folders"):
        session.run("association.make", data=[str(next(exposures.glob("*1_nrca1*"))), str(tmp_path / "hst_cal.fits")])
    with pytest.raises(CommandError, match="no exposures"):
        session.run("association.make", data=str(empty))
    assert session.names == []


def test_a_pool_makes_both_levels(session, tmp_path):
    names = ("filename", "program", "instrume", "exp_type", "filter", "pupil", "detector", "targetid", "asn_candidate")
    rows = [(f"jw01234001001_02101_0000{n}_nrca1_uncal.fits", "1234", "nircam", "nrc_image", "f200w", "clear", "nrca1",
             "7", "[('o001', 'observation')]") for n in (1, 2)]  # fmt: skip
    path = tmp_path / "jw01234_pool.csv"
    path.write_text("\n".join("|".join(row) for row in (names, *rows)) + "\n")
    second, third = session.run("association.make", data=str(path))
    assert third.content.products[0].name == "jw01234-o001_t007_nircam_clear-f200w"
    assert second.content.more["asn_pool"] == "jw01234_pool.csv"
    [pool] = session.open(path)
    [again] = session.run("association.make", data=pool, rule="level3")
    assert again.content == third.content


@pytest.mark.slow
def test_the_rules_of_jwst_run_in_a_worker(calibrating, uncal):
    paths = [str(uncal(number)) for number in (1, 2)]
    made = calibrating.run("association.make", data=paths, rule="jwst")
    assert sorted(data.content.asn_type for data in made) == ["image2", "image2", "image3"]
    third = next(data for data in made if data.content.level == 3)
    own = calibrating.run("association.make", data=paths, rule="level3")[0]
    assert sorted(third.content.names) == sorted(own.content.names)
    assert third.content.products[0].name == own.content.products[0].name
    [one] = calibrating.run("association.make", data=paths, rule="Asn_Lv3Image")
    assert one.content.products == third.content.products
    with pytest.raises(JvizError, match="no rule 'Asn_Nothing'"):
        calibrating.run("association.make", data=paths, rule="Asn_Nothing")
    [listed] = calibrating.run("association.make", data=[str(uncal(n, "cal")) for n in (1, 2)],
                               rule="DMS_Level3_Base", product="two")  # fmt: skip
    assert (listed.content.products[0].name, len(listed.content.members)) == ("two", 2)


def test_nothing_of_the_pipelines_is_imported(exposures):
    import subprocess
    import sys

    code = (
        "import sys, jviz; s = jviz.Session(); [a, b] = s.run('association.make', data=sys.argv[1]);"
        "s.run('association.validate', data=a); s.view('association', data=a); s.close();"
        "assert not {'crds', 'jwst', 'stpipe', 'stdatamodels'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, exposures], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_an_association_made_here_is_calibrated(calibrating, uncal, tmp_path):
    import shutil

    for number in (1, 2, 3, 4):
        shutil.copyfile(uncal(number, "cal"), tmp_path / uncal(number, "cal").name)
    [made] = calibrating.run("association.make", data=str(tmp_path))
    with pytest.raises(CommandError, match=r"write it with association\.write first"):
        calibrating.run("calibration.run", inputs=made)
    path = calibrating.run("association.write", data=made, path=str(tmp_path / "field_image3_asn.json"))
    found = calibrating.run("calibration.run", inputs=[str(path)], folder=tmp_path / "runs")
    [mosaic] = [data for data in found if data.path.stem.endswith("_i2d")]
    assert mosaic.path.name == f"{made.content.products[0].name}_i2d.fits"
    assert mosaic.header["ASNTABLE"] == path.name
