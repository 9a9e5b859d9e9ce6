"""The session: names, views, errors that help, and that it stays as it was when something fails."""

import os

import numpy as np
import pytest
from astropy.io import fits
from photutils.aperture import CircularAnnulus
from regions import CirclePixelRegion, PixCoord

import jviz
from jviz import CommandError, ReadError, SessionError


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / "field.fits"
    fits.PrimaryHDU(np.arange(20.0, dtype=np.float32).reshape(4, 5)).writeto(path)
    return path


def test_data_are_found_by_name(session, image_file):
    [image] = session.open(image_file)
    made = session.add(np.ones((3, 3)), name="made")
    assert session.names == ["field", "made"]
    assert session["field"] is image
    assert "made" in session
    assert made in session
    assert "other" not in session
    assert len(session) == 2
    assert list(session) == [image, made]
    with pytest.raises(SessionError, match="'other'; the session holds field, made"):
        session["other"]


def test_names_are_unique(session, image_file):
    for _ in range(3):
        session.open(image_file)
    assert session.names == ["field", "field (2)", "field (3)"]
    with pytest.raises(CommandError, match="named 'field' already"):
        session.run("data.rename", data="field (2)", name="field")
    with pytest.raises(CommandError, match="empty"):
        session.run("data.rename", data="field", name="  ")


@pytest.mark.parametrize("content", [b"", b"hello", b"SIMPLE  =                    T"])
def test_bad_files_leave_the_session_as_it_was(session, image_file, tmp_path, content):
    session.open(image_file)
    before = session.script()
    bad = tmp_path / "bad.fits"
    bad.write_bytes(content)
    with pytest.raises(ReadError, match=r"bad\.fits"):
        session.open(bad)
    with pytest.raises(ReadError, match="nowhere"):
        session.open(tmp_path / "nowhere.fits")
    assert session.script() == before
    assert session.names == ["field"]


def test_the_readable_files_of_several_are_opened_and_the_others_told(session, image_file, tmp_path):
    (tmp_path / "bad.fits").write_bytes(b"hello")
    assert len(session.open(image_file, tmp_path / "bad.fits")) == 1
    assert "bad.fits" in session.notices[-1][1]
    assert len(session.open(tmp_path)) == 1


def test_what_cannot_be_read_is_told_and_keeps_nothing_else_from_opening(session, image_file, tmp_path):
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.fits")
    assert len(session.open(tmp_path / "pipe.fits", tmp_path / "empty", image_file)) == 1
    told = session.notices[-1][1]
    assert "holds no files" in told
    assert "a named pipe" in told
    with pytest.raises(ReadError, match=r"a named pipe.*holds no files|holds no files.*a named pipe"):
        session.open(tmp_path / "pipe.fits", tmp_path / "empty")


def test_a_folder_without_permission_is_told(like_anybody, session, image_file, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert len(session.open(closed, image_file)) == 1
    level, told = session.notices[-1]
    assert level == "warning"
    assert str(closed) in told
    assert "permission denied" in told.casefold()
    before = session.names
    with pytest.raises(ReadError, match=r"(?i)permission denied"):
        session.open(closed)
    assert session.names == before


def test_of_a_file_in_a_closed_folder_the_folder_is_named(like_anybody, session, image_file, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    inside = image_file.rename(closed / "inside.fits")
    closed.chmod(0o600)
    try:
        with pytest.raises(ReadError) as raised:
            session.open(inside)
    finally:
        closed.chmod(0o700)
    told = str(raised.value)
    assert told.startswith(str(inside))
    assert "the folder " + str(inside) not in told
    assert f"the folder {closed}." in told
    assert "chmod u+x" in told


def test_of_a_folder_what_may_be_read_is_opened(like_anybody, session, image_file):
    closed = image_file.with_name("closed.fits")
    closed.write_bytes(image_file.read_bytes())
    closed.chmod(0)
    assert [data.name for data in session.open(image_file.parent)] == [image_file.stem]
    assert "closed.fits" in session.notices[-1][1]


def test_the_folders_of_a_download_are_looked_through(session, image_file, tmp_path):
    inner = tmp_path / "mastDownload" / "JWST" / "jw01"
    inner.mkdir(parents=True)
    image_file.rename(inner / "one.fits")
    assert [d.name for d in session.open(tmp_path / "mastDownload")] == ["one"]


def test_opening_nothing_says_so(session):
    with pytest.raises(jviz.JvizError, match="nothing to open"):
        session.open()


def test_a_view_says_what_it_shows_and_who_makes_it(session):
    session.add(np.ones((3, 4)), name="a")
    said = {"spectrum": "shows data of kind", "channel_maps": "are made by cube.channel_maps; a is of"}
    for kind, words in said.items():
        with pytest.raises(CommandError, match=words):
            session.view(kind, data="a")
    assert not session.views


def test_an_address_is_told_how_to_fetch(session):
    for address in ("https://example.org/a_i2d.fits", "mast:JWST/product/a_i2d.fits"):
        with pytest.raises(ReadError, match=f"{address} is an address.*archive.download"):
            session.open(address)


def test_the_folder_of_the_user_may_be_written_short(session, image_file, monkeypatch):
    monkeypatch.setenv("HOME", str(image_file.parent))
    monkeypatch.setenv("USERPROFILE", str(image_file.parent))
    [data] = session.open(f"~/{image_file.name}")
    assert data.path == image_file
    assert str(image_file) in session.script()


def test_a_name_can_be_chosen(session, image_file):
    assert session.open(image_file, name="mine")[0].name == "mine"
    assert "name='mine'" in session.script()


def test_views_are_named_and_found(session, image_file):
    session.open(image_file)
    one = session.view("image", data="field")
    two = session.view("image", data="field", name="Right", stretch="log")
    assert list(session.views) == ["Image 1", "Right"]
    assert session.find_view(None) is two
    assert session.find_view("Image 1") is one
    assert two.stretch == "log"
    with pytest.raises(CommandError, match="named 'Right' already"):
        session.view("image", name="Right")
    with pytest.raises(CommandError, match="no viewer 'hologram'"):
        session.view("hologram")
    with pytest.raises(CommandError, match="no 'colour'"):
        session.view("image", data="field", colour=1)
    assert len(session.views) == 2
    session.run("view.close", view=one)
    assert session.view("image").name == "Image 1"


def test_removing_data_takes_their_layers_views_and_subsets_along(session):
    for name in "ab":
        session.add(np.ones((3, 3)), name=name)
        session.view("image", data=name)
        session.subset(f"of {name}", CirclePixelRegion(PixCoord(1, 1), 1), data=name)
    session.run("view.show", view="Image 2", data="a")
    session.run("data.remove", data="a")
    assert list(session.views) == ["Image 2"]
    assert [layer.data.name for layer in session.views["Image 2"].layers] == ["b"]
    assert list(session.subsets) == ["of b"]
    session.undo()
    assert list(session.views) == ["Image 1", "Image 2"]
    assert list(session.subsets) == ["of a", "of b"]


def test_masks_must_fit_their_data(session):
    session.add(np.ones((3, 4)), name="a")
    session.subset("all", np.ones((3, 4), bool), data="a")
    bad = {
        "does not fit": (np.ones((4, 3), bool), "a"),
        "belongs to no data": (np.ones((3, 4), bool), None),
        "holds float64": (np.ones((3, 4)), "a"),
        "A str selects nothing": ("circle", "a"),
        "A CircularAnnulus selects nothing": (CircularAnnulus((3, 4), 1, 2), "a"),
    }
    for words, (mask, data) in bad.items():
        with pytest.raises(CommandError, match=words):
            session.subset("bad", mask, data=data)
    with pytest.raises(CommandError, match="needs a name"):
        session.subset(" ", np.ones((3, 4), bool), data="a")
    assert list(session.subsets) == ["all"]
    with pytest.raises(CommandError, match="no subset 'bad'; there are all"):
        session.run("subset.remove", name="bad")


def test_a_subset_is_given_as_object_or_as_name(session):
    session.add(np.arange(400.0).reshape(20, 20), name="a")
    old = session.subset("core", CirclePixelRegion(PixCoord(10, 9), 4), data="a")
    session.subset("core", CirclePixelRegion(PixCoord(10, 9), 2), data="a")
    by_name = session.run("photometry.aperture", data="a", region="core")
    by_object = session.run("photometry.aperture", data=session["a"], region=old)
    assert by_object["aperture_sum"] == by_name["aperture_sum"], "the object stands for what has its name now"
    assert [entry.lines for entry in list(session.history)[-2:]] == [
        ["session.run('photometry.aperture', data='a', region='core')"]
    ] * 2
    session.run("subset.remove", name="core")
    with pytest.raises(CommandError, match="no subset 'core'; there are none"):
        session.run("photometry.aperture", data="a", region=old)


def test_a_console_shows_what_things_are(session):
    session.add(np.ones((3, 4)), name="a")
    assert repr(session) == "<Session with <Image 'a' 3 × 4>>"
    assert repr(session.history) == "<History of 1 steps>\n  1  Add Data"
    job = session.submit("data.remove", data="a")
    job.result()
    assert repr(job) == "<Job 'Remove from Session: a' done 100%>"
    assert repr(session.commands["image.fit"]) == "<Command image.fit: Fit>"
    assert repr(jviz.help("image.go_to")) == str(jviz.help("image.go_to"))
    assert jviz.help("cube.moment").startswith("cube.moment(data: Cube, order: int = 0, ")


def test_a_misspelt_property_is_refused(session):
    session.add(np.ones((3, 4)), name="a")
    view = session.view("image", data="a")
    for target in (view, view.layer):
        with pytest.raises(CommandError, match=f"^{type(target).__name__} has no 'strech'. Did you mean stretch"):
            target.strech = "log"


def test_notices_are_told_and_remembered(session):
    heard = []
    session.noticed.connect(told := lambda level, text: heard.append((level, text)))
    session.notice("info", "hello")
    assert heard == list(session.notices) == [("info", "hello")]
    assert told


def test_who_leaves_is_called_no_more(session):
    heard = []
    stays, leaves = lambda: heard.append("stays"), lambda: heard.append("leaves")
    session.data_changed.connect(stays)
    before = session.receivers()
    session.data_changed.connect(leaves)
    session.add(np.ones((2, 2)))
    session.restore_receivers(before)
    session.add(np.ones((2, 2)))
    assert heard == ["stays", "leaves", "stays"]


def test_the_session_knows_whether_it_was_saved(session, tmp_path):
    assert not session.modified
    session.add(np.ones((3, 3)), name="a")
    assert session.modified
    session.save(tmp_path / "a.jviz")
    assert not session.modified
    session.undo()
    assert session.modified
    session.redo()
    assert not session.modified


def test_the_same_numbers_by_every_road(session, image_file, tmp_path):
    """From the file, through the session, its script, and the saved session."""
    session.open(image_file)
    session.view("image", data="field", stretch="asinh")
    with fits.open(image_file) as units:
        expected = units[0].data
    np.testing.assert_array_equal(session["field"].get(np.ndarray), expected)
    names: dict = {}
    exec(session.script(), names)
    np.testing.assert_array_equal(names["session"]["field"].get(np.ndarray), expected)
    assert names["session"].views["Image 1"].limits == session.views["Image 1"].limits
    names["session"].close()
    again = jviz.Session.load(session.save(tmp_path / "a.jviz"))
    np.testing.assert_array_equal(again["field"].get(np.ndarray), expected)
    assert again.views["Image 1"].limits == session.views["Image 1"].limits
    again.close()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("grid", "no", "grid is on or off"),
        ("active", "top", "'top' is no number for active"),
        ("plane", 3, "plane is a text"),
        ("layers", 5, "5 are no layers"),
        ("colormap", "nosuch", "There is no colour map 'nosuch'"),
        ("nan_color", "reddish", "write one as '#4cc9f0'"),
        ("stretch_parameter", 0, "must be above 0"),
        ("knots", ((1, 0), (0, 1)), "must rise"),
        ("align", [1, 2], "is no way to align layers"),
        ("exclude_flags", 7, "7 are no names"),
    ],
)
def test_a_view_refuses_what_a_property_cannot_be(session, name, value, words):
    session.add(np.ones((3, 4)), name="a")
    view = session.view("image", data="a")
    before = getattr(view, name)
    for attempt in (lambda: setattr(view, name, value), lambda: view.update(**{name: value})):
        with pytest.raises(jviz.JvizError, match=words):
            attempt()
        assert getattr(view, name) == before


def test_a_view_takes_numbers_of_numpy(session, tmp_path):
    image = session.add(np.arange(100.0).reshape(10, 10), name="a")
    view = session.view("image", data="a")
    view.update(centre=np.array([4.0, 5.0]), scale=np.float32(2), grid=np.bool_(True))
    view.limits = np.percentile(image.get(np.ndarray), [1, 99])
    assert view.limits == pytest.approx((0.99, 98.01))
    assert (view.centre, view.scale, view.grid) == ((4.0, 5.0), 2.0, True)
    assert "numpy" not in session.script()


def test_what_no_viewer_draws_is_told_beside_what_one_does(tmp_path):
    session, said = jviz.Session(), []
    session.noticed.connect(lambda level, text: said.append(text))
    np.save(tmp_path / "image.npy", np.ones((8, 9)))
    np.save(tmp_path / "phases.npy", np.ones((8, 9), complex))
    session.open(tmp_path / "phases.npy", show=True)
    assert not said  # the welcome page of a window has it
    session.open(tmp_path / "image.npy", show=True)
    session.open(tmp_path / "phases.npy", show=True)
    assert len(said) == 1
    assert said[0].startswith("phases (2) (NumPy array, complex128) is open. No viewer draws such data")
    session.close()
