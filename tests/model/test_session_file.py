"""A saved session comes back with the same data, views, subsets and script, or says why not."""

import json
import os
import shutil
import zipfile

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import QTable
from regions import CirclePixelRegion, PixCoord

import jviz
from jviz import SessionError
from jviz.session_file import LARGEST_DOCUMENT
from tests.model.test_convert import wcs_of


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def reopened():
    """Load sessions that are closed at the end of the test."""
    opened = []

    def load(path, **options):
        opened.append(jviz.Session.load(path, **options))
        return opened[-1]

    yield load
    for one in opened:
        one.close()


@pytest.fixture
def image_file(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return write_image(folder / "field.fits", seed=1)


def write_image(path, seed):
    values = np.random.default_rng(seed).normal(10, 2, (40, 50)).astype(np.float32)
    header = wcs_of(50, 40).to_header()
    units = [fits.PrimaryHDU(), fits.ImageHDU(values, header, "SCI"), fits.ImageHDU(values / 10, name="ERR")]
    fits.HDUList(units).writeto(path, overwrite=True)
    return path


def fill(session, image_file):
    """A session with a file, an object, views, a subset and changed states."""
    [image] = session.open(image_file)
    session.add(
        CCDData(np.eye(8), unit="Jy", uncertainty=StdDevUncertainty(np.full((8, 8), 0.5)), wcs=wcs_of(), meta={"A": 1}),
        name="made",
    )
    session.add(QTable({"flux": [1 / 3, 2.5] * u.Jy, "flux_err": [0.1, 0.2] * u.Jy}), name="stars")
    view = session.view("image", data=image, name="Left")
    view.stretch = "asinh"
    view.limits = (1 / 3, 12.5)
    view.update(centre=(3.25, 4.5), scale=2.5)
    other = session.view("image", data="made")
    session.run("view.show", view=other, data="made")
    other.rotation = 30
    session.subset("core", CirclePixelRegion(PixCoord(5, 1 / 3), 8), data="field")
    session.subset("bright", np.eye(8) > 0, data="made")
    session.extras["layout"] = {"docks": ["a", "b"], "state": b"\x00\x01", "size": (800, 600)}


def states(session):
    """All that a user sees, as plain values."""
    return {
        "names": session.names,
        "views": [
            {
                "kind": view.kind,
                **{n: v for n, v in view.recorded().items() if n != "layers"},
                "layers": [{**layer.recorded(), "data": layer.data.name} for layer in view.layers],
            }
            for view in session.views.values()
        ],
        "subsets": [(n, type(s.region), s.data.name if s.data else None) for n, s in session.subsets.items()],
        "extras": session.extras,
    }


def same_numbers(one, two):
    for name in one.names:
        if one[name].planes:
            np.testing.assert_array_equal(one[name].get(np.ndarray), two[name].get(np.ndarray))
            assert list(one[name].planes) == list(two[name].planes)
            assert one[name].unit == two[name].unit


def test_all_comes_back(session, reopened, image_file, tmp_path):
    fill(session, image_file)
    before = states(session)
    path = session.save(tmp_path / "work.jviz")
    assert session.path == path
    assert not session.modified
    again = reopened(path)
    assert states(again) == before
    same_numbers(session, again)
    made = again["made"].get(CCDData)
    assert made.uncertainty.array[0, 0] == 0.5
    np.testing.assert_array_equal(made.wcs.pixel_to_world_values(1, 2), wcs_of().pixel_to_world_values(1, 2))
    assert again["made"].header["A"] == 1
    assert (again["stars"].get(QTable)["flux"] == [1 / 3, 2.5] * u.Jy).all()
    np.testing.assert_array_equal(again.subsets["bright"].region, np.eye(8) > 0)
    assert again.subsets["core"].region.center.y == 1 / 3
    assert not again.notices
    assert not again.modified


def test_the_script_goes_on_after_loading(session, reopened, image_file, tmp_path):
    fill(session, image_file)
    again = reopened(session.save(tmp_path / "work.jviz"))
    assert again.script() == session.script()
    assert again.undo() is None
    again.views["Left"].colormap = "viridis"
    assert again.script() == session.script() + "session.views['Left'].colormap = 'viridis'\n"
    assert again.modified
    assert again.undo()
    assert again.script() == session.script()
    assert not again.modified


def test_saving_twice_gives_a_session_that_loads(session, reopened, image_file, tmp_path):
    fill(session, image_file)
    first = reopened(session.save(tmp_path / "one.jviz"))
    second = reopened(first.save(tmp_path / "two.jviz"))
    assert states(second) == states(session)
    assert second.script() == session.script()


def test_opening_a_session_in_a_session_adds_it_as_one_step(session, reopened, image_file, tmp_path):
    fill(session, image_file)
    path = session.save(tmp_path / "work.jviz")
    other = jviz.Session()
    other.add(np.ones((3, 3)), name="made")
    new = other.open(path)
    assert [d.name for d in new] == ["field", "made (2)", "stars"]
    assert list(other.views) == ["Left", "Image 1"]
    assert "session.open(" in other.script().splitlines()[-1]
    assert other.undo()
    assert other.names == ["made"]
    assert not other.views
    assert not other.subsets
    other.redo()
    assert len(other.subsets) == 2
    other.close()


def test_open_session_replaces_what_is_there(session, image_file, tmp_path):
    fill(session, image_file)
    path, before, script = session.save(tmp_path / "work.jviz"), states(session), session.script()
    session.run("data.remove", data="field")
    session.run("file.open_session", path=path)
    assert states(session) == before
    assert session.script() == script


def test_a_file_that_moved_with_the_session_is_found(session, reopened, tmp_path):
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "sessions").mkdir()
    session.open(write_image(folder / "data" / "field.fits", 1))
    session.save(folder / "sessions" / "work.jviz")
    expected = session["field"].get(np.ndarray)
    shutil.move(folder, tmp_path / "elsewhere")
    again = reopened(tmp_path / "elsewhere" / "sessions" / "work.jviz")
    np.testing.assert_array_equal(again["field"].get(np.ndarray), expected)
    assert repr(str(tmp_path / "elsewhere" / "data" / "field.fits")) in again.script()
    assert not again.notices


@pytest.mark.parametrize("place", ["beside", "searched"])
def test_a_moved_file_is_looked_for(session, reopened, image_file, tmp_path, place):
    session.open(image_file)
    path = session.save(tmp_path / "work.jviz")
    new = tmp_path / "away" / "deep" if place == "searched" else tmp_path
    new.mkdir(parents=True, exist_ok=True)
    # Another file of the same name must not be taken for it.
    write_image(image_file, seed=2)
    expected = session["field"].path
    write_image(new / "field.fits", seed=1)
    again = reopened(path, search=[tmp_path / "away"])
    assert again["field"].path == new / "field.fits" != expected
    assert not again.notices


def test_a_renamed_file_is_known_by_its_content(session, reopened, image_file, tmp_path):
    session.open(image_file)
    path = session.save(tmp_path / "work.jviz")
    image_file.rename(tmp_path / "called_otherwise.fits")
    write_image(tmp_path / "another.fits", seed=2)  # of the same size
    again = reopened(path)
    assert again["field"].path == tmp_path / "called_otherwise.fits"
    assert not again.notices


def test_a_changed_file_is_opened_with_a_warning(session, reopened, image_file, tmp_path):
    session.open(image_file)
    path = session.save(tmp_path / "work.jviz")
    write_image(image_file, seed=3)
    again = reopened(path)
    assert again.names == ["field"]
    [(level, text)] = again.notices
    assert level == "warning"
    assert "was changed" in text
    assert "field.fits" in text


def test_a_touched_file_is_the_same_file(session, reopened, image_file, tmp_path):
    session.open(image_file)
    path = session.save(tmp_path / "work.jviz")
    os.utime(image_file, (1e9, 1e9))
    assert not reopened(path).notices


def test_missing_files_are_named_and_the_rest_loads(session, reopened, image_file, tmp_path):
    fill(session, image_file)
    session.run("view.show", view="Image 1", data="field")
    path = session.save(tmp_path / "work.jviz")
    image_file.unlink()
    again = reopened(path)
    assert again.names == ["made", "stars"]
    assert list(again.views) == ["Image 1"]
    assert [layer.data.name for layer in again.views["Image 1"].layers] == ["made", "made"]
    assert list(again.subsets) == ["bright"]
    text = " ".join(text for _, text in again.notices)
    assert "field is missing" in text
    assert str(image_file) in text


def test_products_of_one_file_are_told_apart(session, reopened, tmp_path):
    path = tmp_path / "two.fits"
    units = [fits.PrimaryHDU(), *(fits.ImageHDU(np.full((9, 9), n), name="SCI", ver=n) for n in (1, 2))]
    fits.HDUList(units).writeto(path)
    session.open(path)
    session.run("data.remove", data=session.names[0])
    again = reopened(session.save(tmp_path / "work"))
    assert again.names == session.names
    assert (again.data[0].get(np.ndarray) == 2).all()


def test_the_kept_objects_travel_with_the_file(session, reopened, tmp_path, monkeypatch):
    session.add(np.arange(12.0).reshape(3, 4), name="made")
    path = session.save(tmp_path / "work.jviz")
    monkeypatch.setenv("JVIZ_HOME", str(tmp_path / "another machine"))
    again = reopened(path)
    np.testing.assert_array_equal(again["made"].get(np.ndarray), np.arange(12.0).reshape(3, 4))
    key = again.script().split("thaw('")[1].split("'")[0]
    from jviz.kept import thaw

    np.testing.assert_array_equal(thaw(key), np.arange(12.0).reshape(3, 4))


# --- bad files --------------------------------------------------------------------------------------


def make_zip(path, document, **entries):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("session.json", document if isinstance(document, str | bytes) else json.dumps(document))
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


GOOD = {"format": "jviz session", "version": 1, "data": [], "views": [], "subsets": [], "history": [],
        "extras": {"!": "dict", "items": []}}  # fmt: skip


def test_the_smallest_document_is_a_session(reopened, tmp_path):
    assert len(reopened(make_zip(tmp_path / "small.jviz", GOOD))) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 99, "jviz": "9.9"}, "saved by jviz 9.9"),
        ({"version": "x"}, "format"),
        ({"format": "something"}, "no jviz session"),
        ({"data": 5}, "makes no sense"),
        ({"data": [{}]}, "makes no sense"),
        ({"history": [{"lines": []}]}, "makes no sense"),
        ({"history": None}, "makes no sense"),
        ({"views": [{"kind": "image", "state": 5, "layers": []}]}, "makes no sense"),
    ],
)
def test_documents_that_make_no_sense_are_refused(tmp_path, change, reason):
    path = make_zip(tmp_path / "bad.jviz", GOOD | change)
    with pytest.raises(SessionError, match=reason):
        jviz.Session.load(path)


def test_a_version_of_the_future_says_what_to_do(tmp_path):
    with pytest.raises(SessionError, match="Update jviz"):
        jviz.Session.load(make_zip(tmp_path / "new.jviz", GOOD | {"version": 2}))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip", b"\x00" * 1000])
def test_files_that_are_no_zips_are_refused(tmp_path, content):
    path = tmp_path / "bad.jviz"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=r"bad\.jviz.*no session file"):
        jviz.Session.load(path)


def test_json_that_is_none_is_refused(tmp_path):
    for content in (b"{", b"[]", b"\xff\xfe", b"[" * 100_000):
        with pytest.raises(SessionError):
            jviz.Session.load(make_zip(tmp_path / "bad.jviz", content))


def test_every_truncation_is_refused(session, image_file, tmp_path):
    fill(session, image_file)
    path = session.save(tmp_path / "work.jviz")
    content = path.read_bytes()
    cut = tmp_path / "cut.jviz"
    for length in np.linspace(0, len(content) - 1, 25).astype(int):
        cut.write_bytes(content[:length])
        with pytest.raises(SessionError):
            jviz.Session.load(cut)


def test_flipped_bytes_are_refused_or_harmless(session, image_file, tmp_path):
    fill(session, image_file)
    content = bytearray(session.save(tmp_path / "work.jviz").read_bytes())
    bad = tmp_path / "bad.jviz"
    for place in np.linspace(0, len(content) - 1, 40).astype(int):
        flipped = bytearray(content)
        flipped[place] ^= 0x5A
        bad.write_bytes(flipped)
        try:
            jviz.Session.load(bad).close()
        except SessionError:
            continue


@pytest.mark.parametrize("name", ["../evil.npy", "/etc/evil", "kept/../../evil", "kept\\..\\evil", "kept/evil.npy"])
def test_names_that_lead_outside_are_refused(tmp_path, name):
    path = make_zip(tmp_path / "bad.jviz", GOOD, **{name: b"123"})
    with pytest.raises(jviz.JvizError):
        jviz.Session.load(path)
    assert not list(tmp_path.rglob("evil*"))


def test_what_expands_absurdly_is_refused(tmp_path):
    path = tmp_path / "bomb.jviz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("session.json", b" " * (LARGEST_DOCUMENT + 1))
    with pytest.raises(SessionError, match="expand"):
        jviz.Session.load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("session.json", json.dumps(GOOD))
        archive.writestr("kept/" + "0" * 64 + ".npy", b"\0" * 10**7)
    with pytest.raises(SessionError, match="compressed"):
        jviz.Session.load(path)


def test_unknown_viewers_and_properties_are_left_out_with_a_word(session, reopened, image_file, tmp_path):
    session.open(image_file)
    session.view("image", data="field")
    with zipfile.ZipFile(session.save(tmp_path / "work.jviz")) as archive:
        document = json.loads(archive.read("session.json"))
    document["views"][0]["state"]["sparkle"] = 1
    document["views"][0]["layers"][0]["stretch"] = "bendy"
    document["views"].append({"kind": "hologram", "state": {"name": "H"}, "layers": []})
    again = reopened(make_zip(tmp_path / "odd.jviz", document))
    assert list(again.views) == ["Image 1"]
    text = " ".join(text for _, text in again.notices)
    assert all(word in text for word in ("sparkle", "bendy", "hologram"))


def test_a_folder_that_is_gone_is_told_and_nothing_is_left(session, tmp_path):
    with pytest.raises(jviz.JvizError, match="cannot be written"):
        session.save(tmp_path / "nowhere" / "work.jviz")
    with pytest.raises(SessionError, match="no file"):
        jviz.Session.load(tmp_path / "none.jviz")
    with pytest.raises(SessionError):
        jviz.Session.load(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_spectrum_made_in_memory_is_saved_with_its_session(tmp_path):
    from astropy import units as u
    from specutils import Spectrum

    session = jviz.Session()
    axis = np.geomspace(1, 2, 5) * u.um
    session.add(Spectrum(flux=np.arange(5.0) * u.Jy, spectral_axis=axis), name="line")
    session.save(tmp_path / "work.jviz")
    session.close()
    loaded = jviz.Session.load(tmp_path / "work.jviz")
    back = loaded["line"].get(Spectrum)
    loaded.close()
    assert (back.spectral_axis == axis).all()
    assert (back.flux.value == np.arange(5)).all()
