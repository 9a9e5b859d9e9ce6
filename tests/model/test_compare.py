"""Layers and comparisons as commands: order, reference, difference, composites, undo, scripts, words for bad input."""

import colorsys

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import jviz
from jviz.backend.filters import hues, in_order, wavelength
from jviz.backend.render import kernels
from jviz.compose import composed
from jviz.errors import CommandError
from jviz.geometry import geometry_of
from tests.model.sky_pairs import STARS, header, image


@pytest.fixture
def pair(session, tmp_path):
    """A view of an image and its twin turned by 30°."""
    for name, options in (("a", {}), ("b", {"angle": 30.0, "flux": 60.0})):
        image(tmp_path / f"{name}.fits", **options)
        session.open(tmp_path / f"{name}.fits", show=False)
    view = session.view("image", data="a")
    session.run("view.show", view=view, data="b")
    return view


def test_order_reference_and_back(session, pair):
    pair.update(centre=(500.0, 480.0), scale=2.0)
    before = geometry_of(pair).to_screen(*WCS(header()).all_world2pix(*STARS[0], 0))
    session.run("layer.reference", layer=1, view=pair)
    assert [layer.data.name for layer in pair.layers] == ["b", "a"]
    after = geometry_of(pair).to_screen(*WCS(header(angle=30.0)).all_world2pix(*STARS[0], 0))
    np.testing.assert_allclose(np.ravel(after), np.ravel(before), atol=0.5)
    session.undo()
    assert [layer.data.name for layer in pair.layers] == ["a", "b"]
    assert (pair.centre, pair.rotation) == ((500.0, 480.0), 0.0)
    session.run("layer.lower", layer=1, view=pair)
    session.run("layer.raise", layer=0, view=pair)
    assert [layer.data.name for layer in pair.layers] == ["a", "b"]


def test_layers_are_set_stepped_and_removed(session, pair):
    session.run("layer.set", layer=1, view=pair, opacity=0.4, blend="screen")
    assert (pair.layers[1].opacity, pair.layers[1].blend) == (0.4, "screen")
    session.run("layer.next", view=pair)
    session.run("layer.next", view=pair)
    assert pair.solo == 1
    assert pair.shown == (pair.layers[1],)
    session.run("layer.all", view=pair)
    assert len(pair.shown) == 2
    session.run("layer.toggle", layer=0, view=pair)
    assert pair.shown == (pair.layers[1],)
    session.run("layer.remove", layer=0, view=pair)
    assert [layer.data.name for layer in pair.layers] == ["b"]
    for _ in range(5):
        session.undo()
    assert len(pair.layers) == 2
    with pytest.raises(CommandError, match="layers 0"):
        session.run("layer.opacity", layer=7, view=pair)
    with pytest.raises(CommandError, match="blend"):
        session.run("layer.set", blend="burn", view=pair)


def test_difference_is_a_layer(session, pair):
    session.run("compare.difference", view=pair)
    assert (pair.layer.data.name, pair.layer.against.name, pair.layer.operation) == ("b", "a", "difference")
    low, high = pair.layer.limits
    assert -low == high > 10
    session.run("compare.ratio", view=pair)
    assert len(pair.layers) == 4
    session.undo()
    session.undo()
    assert len(pair.layers) == 2


def test_units_that_do_not_fit_are_refused(session):
    from astropy.nddata import CCDData

    for name, unit in (("flux", "MJy / sr"), ("counts", "adu"), ("same", "MJy / sr")):
        session.add(CCDData(np.ones((9, 9)), unit=unit), name=name)
    view = session.view("image", data="flux")
    with pytest.raises(CommandError, match="nothing to compare"):
        session.run("compare.difference", view=view)
    session.run("view.show", view=view, data="counts")
    with pytest.raises(CommandError, match="adu"):
        session.run("compare.difference", view=view)
    session.run("compare.ratio", view=view)
    session.run("compare.difference", data="flux", against="same", view=view)
    assert len(view.layers) == 4


@pytest.mark.parametrize(
    ("first", "second", "fits_together"),
    [
        ("ELECTRONS", "COUNTS", False),  # HST writes flt and raw files so
        ("ELECTRONS", "ELECTRONS/S", False),
        ("ELECTRONS", "electron", True),
        ("furlongs", "leagues", False),
        ("furlongs", "Furlongs", True),
        ("furlongs", "", True),
    ],
)
def test_differences_need_one_unit_whatever_headers_call_it(session, tmp_path, first, second, fits_together):
    for name, unit in (("first", first), ("second", second)):
        fits.PrimaryHDU(np.ones((9, 9), "f4"), fits.Header({"BUNIT": unit})).writeto(tmp_path / f"{name}.fits")
    session.open(tmp_path / "first.fits", tmp_path / "second.fits", show=False)
    view = session.view("image", data="first")
    session.run("view.show", view=view, data="second")
    if fits_together:
        session.run("compare.difference", view=view)
        return
    with pytest.raises(CommandError, match=f"{second}.*{first}.*no difference"):
        session.run("compare.difference", view=view)
    assert len(view.layers) == 2


def test_session_and_script_keep_it_all(session, pair, tmp_path):
    session.run("compare.difference", view=pair)
    session.run("compare.curtain", at=0.3, view=pair)
    pair.locks = ("zoom", "pan")
    session.save(tmp_path / "work.jviz")
    again = jviz.Session.load(tmp_path / "work.jviz")
    scope = {}
    exec(session.script(), scope)
    for other in (again, scope["session"]):
        view = other.views["Image 1"]
        assert (view.curtain, view.locks) == (0.3, ("pan", "zoom"))
        assert (view.layer.operation, view.layer.against.name) == ("difference", "a")
        assert view.layer.against is other["a"]
        other.close()


def test_data_taken_away_takes_its_differences_along(session, pair):
    session.run("compare.difference", view=pair)
    session.run("data.remove", data="a")
    assert [layer.data.name for layer in pair.layers] == ["b"]
    session.undo()
    assert len(pair.layers) == 3


def test_split_layers(session, pair):
    pair.update(scale=2.0, centre=(520.0, 480.0))
    session.run("view.split_layers", view=pair)
    first, second = session.views.values()
    assert [view.layers[0].data.name for view in (first, second)] == ["a", "b"]
    assert second.rotation == pytest.approx(30.0, abs=0.6)
    session.undo()
    assert len(session.views) == 1


# --- colour ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"TELESCOP": "JWST", "FILTER": "F200W", "PUPIL": "CLEAR"}, 2.0),
        ({"TELESCOP": "JWST", "FILTER": "F1500W"}, 15.0),
        ({"TELESCOP": "JWST", "FILTER": "F150W2", "PUPIL": "F162M"}, 1.62),
        ({"TELESCOP": "HST", "INSTRUME": "ACS", "FILTER1": "CLEAR1L", "FILTER2": "F814W"}, 0.814),
        ({"TELESCOP": "HST", "INSTRUME": "WFC3", "DETECTOR": "IR", "FILTER": "F160W"}, 1.6),
        ({"FILTER": "SDSS r'"}, 0.658),
        ({"FILTER": "Ks"}, 2.15),
        ({"FILTER": "dark"}, None),
    ],
)
def test_wavelengths_of_filters(cards, expected):
    assert wavelength(cards) == (pytest.approx(expected) if expected else None)


def test_colours_go_from_blue_to_red():
    assert in_order([{"FILTER": "K"}, {}, {"FILTER": "B"}]) == [2, 0, 1]
    assert hues(3) == ["#0000ff", "#00ff00", "#ff0000"]
    for count in range(3, 8):
        rgb = [tuple(int(h[k : k + 2], 16) / 255 for k in (1, 3, 5)) for h in hues(count)]
        angles = [colorsys.rgb_to_hsv(*c)[0] for c in rgb]
        assert angles == sorted(angles, reverse=True)


def arrays(session, n=3, shape=(40, 60)):
    random = np.random.default_rng(7)
    found = [random.gamma(1.0, 2.0, shape).astype(np.float32) for _ in range(n)]
    for number, array in enumerate(found):
        session.add(array, name=f"c{number}")
    return found


@pytest.mark.parametrize(("q", "stretch"), [(8.0, 0.5), (3.0, 2.0), (0.5, 0.1)])
def test_lupton_is_that_of_astropy(session, q, stretch):
    from astropy.visualization import make_lupton_rgb

    red, green, blue = arrays(session)
    view = session.run("image.compose_rgb", data=["c0", "c1", "c2"], colors=["red", "green", "blue"],
                       limits=[(0.5, 1.5)] * 3, q=q, stretch=stretch)  # fmt: skip
    expected = make_lupton_rgb(red, green, blue, minimum=0.5, stretch=stretch, Q=q).astype(int)
    mine = composed(view)[::-1]
    assert np.abs(mine * 255 - expected).max() <= 1.01
    screen = np.zeros(red.shape, np.uint32)
    hue = np.eye(3)
    kernels.lupton(np.stack([red, green, blue]), hue, np.array([[0.5, 1.5]] * 3), screen, q=q, stretch=stretch)
    channels = np.stack([screen >> 16 & 255, screen >> 8 & 255, screen & 255], axis=-1).astype(int)
    assert np.abs(channels - expected).max() <= 1


@pytest.mark.parametrize("method", ["screen", "add"])
def test_blends_in_closed_form(session, method):
    first, second = arrays(session, 2)
    view = session.run("image.compose_rgb", data=["c0", "c1"], colors=["#ff8000", "#0080ff"], method=method,
                       limits=[(0.0, 4.0)] * 2)  # fmt: skip
    for layer in view.layers:
        layer.stretch = "linear"
    a = np.clip(first / 4, 0, 1)[..., None] * np.array([1.0, 128 / 255, 0.0])
    b = np.clip(second / 4, 0, 1)[..., None] * np.array([0.0, 128 / 255, 1.0])
    expected = np.minimum(a + b, 1) if method == "add" else 1 - (1 - a) * (1 - b)
    np.testing.assert_allclose(composed(view)[::-1], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["c.tif", "c.png"])
@pytest.mark.parametrize("bits", [8, 16])
def test_export_keeps_depth_and_place(session, pair, tmp_path, name, bits):
    view = session.run("image.compose_rgb", data=["a", "b"], limits=[(0.0, 50.0)] * 2)
    path = session.run("image.export_rgb", path=tmp_path / name, view=view, bits=bits)
    picture = _read(path)
    assert (picture.shape, picture.dtype.itemsize * 8) == ((1000, 1000, 3), bits)
    expected = np.rint(composed(view) * (2**bits - 1))
    assert np.abs(picture.astype(float) - expected).max() <= 1
    pyavm = pytest.importorskip("pyavm")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = pyavm.AVM.from_image(str(path)).to_wcs()
    x, y = wcs.all_world2pix(*STARS[0], 0)
    expected_x, expected_y = WCS(header()).all_world2pix(*STARS[0], 0)
    assert np.hypot(x - expected_x, y - expected_y) < 0.01
    # The star's light is where the metadata say, in a picture whose first row is the top one.
    assert picture[999 - round(float(y)), round(float(x))].max() > 0.4 * (2**bits - 1)


def _read(path):
    if path.suffix == ".tif":
        import tifffile

        return tifffile.imread(path)
    return _png(path)


def _png(path):
    """Decode our own kind of PNG: no filters, one run of chunks."""
    import struct
    import zlib

    raw = path.read_bytes()
    at, data, size = 8, b"", None
    while at < len(raw):
        (length,), kind = struct.unpack(">I", raw[at : at + 4]), raw[at + 4 : at + 8]
        body = raw[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", raw[at + 8 + length : at + 12 + length])[0]
        if kind == b"IHDR":
            size = struct.unpack(">IIBB", body[:10])
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, _ = size
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 3 * width * depth // 8)
    assert not rows[:, 0].any()
    return np.ascontiguousarray(rows[:, 1:]).view(">u2" if depth == 16 else np.uint8).reshape(height, width, 3)


def test_composites_of_bad_input(session):
    arrays(session, 2)
    for arguments, words in (
        ({"data": ["c0"]}, "two to seven"),
        ({"data": ["c0", "c0"]}, "two to seven"),
        ({"data": ["c0", "c1"], "colors": ["red"]}, "one colour"),
        ({"data": ["c0", "c1"], "colors": ["red", "reddish"]}, "reddish"),
    ):
        with pytest.raises(CommandError, match=words):
            session.run("image.compose_rgb", **arguments)
    assert not session.views
    view = session.run("image.compose_rgb", data=["c0", "c1"])
    with pytest.raises(CommandError, match=r"\.tiff or \.png"):
        session.run("image.export_rgb", path="x.jpg", view=view)
    with pytest.raises(CommandError, match="step"):
        session.run("image.export_rgb", path="x.png", view=view, step=0)
