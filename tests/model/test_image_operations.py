"""Commands that make images of images: values, errors, flags, place, undo, script and saved sessions."""

from contextlib import closing

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.wcs import WCS, Sip

from jviz import CommandError, Session


def make_wcs(*, sip=False, scale=1e-5, angle=20.0, shape=(40, 50)):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"] if sip else ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [22.0, 17.5]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = scale * np.array([[-c, s], [s, c]])
    if sip:
        a, b = np.zeros((4, 4)), np.zeros((4, 4))
        a[2, 0], a[1, 1], b[0, 2], b[2, 1] = 1e-4, -5e-5, 8e-5, 2e-6
        wcs.sip = Sip(a, b, -a, -b, wcs.wcs.crpix)
    wcs.wcs.set()
    wcs.pixel_shape = shape[::-1]
    return wcs


@pytest.fixture
def session():
    rng = np.random.default_rng(3)
    with closing(Session()) as session:
        for name in ("one", "two"):
            values = rng.normal(10, 1, (40, 50))
            ccd = CCDData(
                values,
                unit="MJy/sr",
                uncertainty=StdDevUncertainty(rng.uniform(0.1, 0.3, (40, 50))),
                wcs=make_wcs(sip=True),
            )
            ccd.flags = rng.integers(0, 4, (40, 50)).astype(np.int32)
            session.add(ccd, name=name)
        yield session


def planes(data):
    return {p.meaning: p.read() for p in data.planes.values()}


def test_difference_has_values_errors_flags_unit_and_place(session):
    made = session.run("image.arithmetic", expression="a - 2*b", a="one", b="two")
    a, b, c = (planes(d) for d in (session["one"], session["two"], made))
    assert np.allclose(c["data"], a["data"] - 2 * b["data"])
    assert np.allclose(c["error"], np.hypot(a["error"], 2 * b["error"]))
    assert made.unit == session["one"].unit
    assert np.allclose(
        made.wcs.all_pix2world([[3, 4]], 0), session["one"].wcs.all_pix2world([[3, 4]], 0), rtol=0, atol=1e-12
    )
    assert "a - 2*b" in made.header["HISTORY"]
    session.undo()
    assert made.name not in session.names
    session.redo()
    assert made.name in session.names


@pytest.mark.parametrize(
    ("expression", "function", "unit"),
    [
        ("one*two", lambda a, b: a * b, "MJy2 / sr2"),
        ("one/two", lambda a, b: a / b, ""),
        ("one**2", lambda a, b: a**2, "MJy2 / sr2"),
        ("log10(one/two)", lambda a, b: np.log10(a / b), ""),
        ("log(one/two) + exp(two/one)", None, ""),
        ("sqrt(abs(one - 3))", lambda a, b: np.sqrt(a - 3), "MJy(1/2) / sr(1/2)"),
        ("(one/two)**1.5", lambda a, b: (a / b) ** 1.5, ""),
        ("max(one, 10)", None, "MJy / sr"),
    ],
)
def test_errors_agree_with_monte_carlo(session, expression, function, unit):
    made = session.run("image.arithmetic", expression=expression)
    assert made.unit.replace(" ", "") == unit.replace(" ", "")
    if function is None:
        return
    a, b = planes(session["one"]), planes(session["two"])
    rng = np.random.default_rng(5)
    draws = [function(a["data"] + rng.normal(0, a["error"]), b["data"] + rng.normal(0, b["error"])) for _ in range(400)]
    ratio = planes(made)["error"] / np.std(draws, axis=0)
    assert np.allclose(planes(made)["data"], function(a["data"], b["data"]))
    assert abs(np.median(ratio) - 1) < 0.01


def test_planes_where_and_comparisons(session):
    made = session.run("image.arithmetic", expression="where((a > 10) & (a.err < 0.2), a, 0)", a="one")
    a = planes(session["one"])
    assert np.allclose(planes(made)["data"], np.where((a["data"] > 10) & (a["error"] < 0.2), a["data"], 0))
    clipped = session.run("image.arithmetic", expression="clip(one, 9, 11)")
    assert np.allclose(planes(clipped)["data"], np.clip(a["data"], 9, 11))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("a - nothing", "no data of this session"),
        ("__import__('os')", "no function"),
        ("one.__class__.x", "cannot be used"),
        ("one[0]", "cannot be used"),
        ("one +", "cannot be read"),
        ("one + one*one", "cannot be added"),
        ("log(one)", "without a unit"),
        ("sqrt(one, two)", "takes 1 argument"),
        ("1 + 1", "no image"),
        ("one.what", "no plane"),
        ("lambda: one", "cannot be used"),
        ("one % 2", "cannot be used"),
        ("'x' * one", "no number"),
        ("small + one", "reproject"),
        ("moved + one", "reproject"),
    ],
)
def test_bad_expressions_say_what_is_wrong(session, expression, words):
    session.add(np.ones((5, 5)), name="small")
    session.add(CCDData(np.ones((40, 50)), unit="MJy/sr", wcs=make_wcs(angle=0)), name="moved")
    before = session.names
    with pytest.raises(CommandError, match=words):
        session.run("image.arithmetic", expression=expression)
    assert session.names == before


GEOMETRY = [
    ("image.crop", {"x": (5, 30), "y": (7, 39)}, lambda x, y: (x - 5, y - 7)),
    ("image.flip", {"axis": "x"}, lambda x, y: (49 - x, y)),
    ("image.flip", {"axis": "y"}, lambda x, y: (x, 39 - y)),
    ("image.rotate_pixels", {"angle": 90}, lambda x, y: (39 - y, x)),
    ("image.rotate_pixels", {"angle": 180}, lambda x, y: (49 - x, 39 - y)),
    ("image.rotate_pixels", {"angle": -90}, lambda x, y: (y, 49 - x)),
]


@pytest.mark.parametrize(("id", "options", "where"), GEOMETRY)
def test_pixels_keep_their_values_and_places(session, id, options, where):
    old = session["one"]
    new = session.run(id, data="one", **options)
    before, after = planes(old), planes(new)
    for x, y in ((10, 12), (20, 30), (29, 8)):
        u, v = where(x, y)
        assert after["data"][v, u] == before["data"][y, x]
        assert after["error"][v, u] == before["error"][y, x]
        assert np.allclose(new.wcs.all_pix2world(u, v, 0), old.wcs.all_pix2world(x, y, 0), rtol=0, atol=1e-12)
        assert np.allclose(new.wcs.all_world2pix(*old.wcs.all_pix2world(x, y, 0), 0), (u, v), atol=1e-3)


def test_rebin_keeps_flux_and_place(session):
    new = session.run("image.rebin", data="one", factor=(5, 4))
    before, after = planes(session["one"]), planes(new)
    blocks = before["data"].reshape(10, 4, 10, 5)
    assert np.allclose(after["data"], blocks.mean(axis=(1, 3)))
    assert np.allclose(after["error"], np.sqrt((before["error"].reshape(10, 4, 10, 5) ** 2).sum(axis=(1, 3))) / 20)
    at = session["one"].wcs.all_pix2world(2 + 5 * 3, 1.5 + 4 * 6, 0)
    assert np.allclose(new.wcs.all_pix2world(3, 6, 0), at, rtol=0, atol=1e-12)
    total = session.run("image.rebin", data="one", factor=2, how="sum")
    assert np.isclose(planes(total)["data"].sum(), before["data"].sum())


def test_cutout_by_position_and_region(session):
    from regions import CirclePixelRegion, PixCoord

    new = session.run("image.cutout", data="one", position="pixel 20 15", size=11)
    assert np.array_equal(planes(new)["data"], planes(session["one"])["data"][10:21, 15:26])
    session.run("region.add", region=CirclePixelRegion(PixCoord(20, 15), 5), name="core", data="one")
    new = session.run("image.cutout", data="one", region="core")
    assert np.array_equal(planes(new)["data"], planes(session["one"])["data"][10:21, 15:26])
    with pytest.raises(CommandError, match="no pixel"):
        session.run("image.cutout", data="one", position="pixel 900 900", size=11)
    with pytest.raises(CommandError, match="either"):
        session.run("image.cutout", data="one")


def test_saved_sessions_and_scripts_make_the_same(session, tmp_path):
    made = session.run("image.arithmetic", expression="one - two", name="difference")
    session.run("image.flip", data="difference", axis="x", name="mirrored")
    session.save(tmp_path / "s.jviz")
    with closing(Session.load(tmp_path / "s.jviz")) as again:
        assert np.array_equal(planes(again["mirrored"])["data"], planes(session["mirrored"])["data"])
        assert np.allclose(again["mirrored"].wcs.all_pix2world(3, 4, 0), session["mirrored"].wcs.all_pix2world(3, 4, 0))
        assert again["difference"].unit == made.unit
    assert "image.arithmetic" in session.script()


def test_real_distorted_images_keep_their_places(shared_data):
    with closing(Session()) as session:
        for file in ("j8bt06nyq_flt.fits", "tpv.fits", "jw01288016001_34101_00002_mirimage_i2d.fits"):
            data = session.open(shared_data / file)[0]
            for id, options in (("image.flip", {"axis": "x"}), ("image.rotate_pixels", {"angle": 90})):
                new = session.run(id, data=data, **options)
                ny, nx = data.shape[-2:]
                x, y = nx / 3, ny / 4
                u, v = (nx - 1 - x, y) if id == "image.flip" else (ny - 1 - y, x)
                for name in ("wcs",):
                    first, second = getattr(data, name).pixel_to_world(x, y), getattr(new, name).pixel_to_world(u, v)
                    assert first.separation(second).arcsec < 1e-6
