"""Commands on regions: boolean modes, edits, copies to the sky and back, undo and scripts."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from regions import (
    CirclePixelRegion,
    CircleSkyRegion,
    EllipsePixelRegion,
    PixCoord,
    PolygonPixelRegion,
    RectanglePixelRegion,
)

import jviz
from jviz import CommandError
from tests.backend.regions.skies import sip_wcs

CIRCLE = CirclePixelRegion(PixCoord(30, 31), 6)
OTHER = RectanglePixelRegion(PixCoord(34, 31), 8, 6, 20 * u.deg)


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64)), name="image")
    session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64, angle=80)), name="turned")
    yield session
    session.close()


def inside(region):
    y, x = np.mgrid[:64, :64]
    return region.contains(PixCoord(x, y))


@pytest.mark.parametrize(
    ("mode", "law"),
    [
        ("and", np.logical_and),
        ("or", np.logical_or),
        ("xor", np.logical_xor),
        ("andnot", lambda a, b: a & ~b),
    ],
)
def test_modes_are_those_of_sets(session, mode, law):
    session.run("region.add", region=CIRCLE, name="core", data="image")
    session.run("region.add", region=OTHER, name="core", data="image", mode=mode)
    wanted = law(inside(CIRCLE), inside(OTHER))
    np.testing.assert_array_equal(inside(session.subsets["core"].region), wanted)
    assert len(session.subsets) == 1
    session.undo()
    assert session.subsets["core"].region is CIRCLE
    session.run("region.add", region=OTHER, name="other", data="image")
    made = session.run("region.boolean", first="core", second="other", mode=mode)
    np.testing.assert_array_equal(inside(made.region), wanted)
    assert len(session.subsets) == 3


def test_masks_combine_too(session):
    a, b = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    a[:, :10], b[:5] = True, True
    session.run("region.add", region=a, name="m", data="image")
    made = session.run("region.add", region=b, name="m", data="image", mode="andnot")
    np.testing.assert_array_equal(made.region, a & ~b)
    with pytest.raises(CommandError, match="both be masks"):
        session.run("region.add", region=CIRCLE, name="m", data="image", mode="and")


def test_names_and_colours_are_given(session):
    first = session.run("region.add", region=CIRCLE, data="image")
    second = session.run("region.add", region=CIRCLE, data="image")
    third = session.run("region.add", region=CIRCLE, data="image", name="Region 2", group="stars", color="#ff0000")
    assert [first.name, second.name, third.name] == ["Region 1", "Region 2", "Region 2 (2)"]
    assert first.color != second.color
    assert (third.color, third.group) == ("#ff0000", "stars")
    with pytest.raises(CommandError, match="no colour"):
        session.run("region.add", region=CIRCLE, color="reddish")
    with pytest.raises(CommandError, match="is no region"):
        session.run("region.add", region="circle(1,2,3)")
    assert len(session.subsets) == 3


def test_every_edit_is_undone_and_repeated(session):
    session.run("region.add", region=CIRCLE, name="core", data="image")
    session.run("region.add", region=OTHER, name="other", data="image")
    edits = [
        {"region": OTHER},
        {"color": "#123456"},
        {"visible": False},
        {"locked": True},
        {"group": "stars"},
        {"rename": "nucleus"},
    ]
    for edit in edits:
        before = session.subsets
        session.run("region.edit", name="core", **edit)
        after = session.subsets
        assert after.keys() != before.keys() or after["core"] is not before["core"]
        session.undo()
        assert session.subsets == before
        session.redo()
        assert session.subsets == after
        if "locked" in edit or "rename" in edit:
            session.undo()
    assert list(session.subsets) == ["core", "other"]
    session.run("region.edit", name=["core", "other"], visible=True, group="both")
    assert {s.group for s in session.subsets.values()} == {"both"}
    session.run("region.remove", names=["core", "other"])
    assert not session.subsets
    session.undo()
    assert list(session.subsets) == ["core", "other"]


def test_the_script_makes_the_same_regions(session):
    session.run("region.add", region=CIRCLE, name="core", data="image")
    session.run("region.edit", name="core", color="#123456", rename="nucleus")
    session.run("region.copy", name="nucleus", to="sky", rename="sky")
    again = {}
    lines = session.script()
    exec(lines, again)  # the script's own session
    repeated = again["session"]
    try:
        assert repeated.subsets.keys() == session.subsets.keys()
        assert repeated.subsets["nucleus"].color == "#123456"
        assert repeated.subsets["sky"].region == session.subsets["sky"].region
    finally:
        repeated.close()


def test_locked_regions_stay(session):
    session.run("region.add", region=CIRCLE, name="core", data="image")
    session.run("region.edit", name="core", locked=True)
    for id, arguments in (
        ("region.remove", {"names": "core"}),
        ("region.edit", {"name": "core", "region": OTHER}),
        ("region.transform", {"name": "core"}),
        ("region.add", {"region": OTHER, "name": "core", "mode": "or"}),
    ):
        with pytest.raises(CommandError, match="core is locked; unlock it first"):
            session.run(id, **arguments)
    session.run("region.edit", name="core", locked=False)
    session.run("region.remove", names="core")


def test_bad_names_are_told(session):
    session.run("region.add", region=CIRCLE, name="core", data="image")
    with pytest.raises(CommandError, match="no region 'cor'; there are core"):
        session.run("region.edit", name="cor", visible=False)
    with pytest.raises(CommandError, match="not empty"):
        session.run("region.edit", name="core", rename=" ")
    session.run("region.add", region=CIRCLE, name="two", data="image")
    with pytest.raises(CommandError, match="named 'two' already"):
        session.run("region.edit", name="core", rename="two")


def test_to_the_sky_and_back_is_where_it_was(session):
    polygon = PolygonPixelRegion(PixCoord([10, 50, 30], [12, 14, 55]))
    for name, region in (("circle", CIRCLE), ("ellipse", EllipsePixelRegion(PixCoord(20, 40), 9, 4, 35 * u.deg)),
                         ("polygon", polygon), ("box", OTHER)):  # fmt: skip
        session.run("region.add", region=region, name=name, data="image")
        sky = session.run("region.transform", name=name, to="sky")
        assert (sky.kind, sky.data) == ("sky", None)
        back = session.run("region.transform", name=name, to="pixel", data="image").region
        for parameter in region._params:
            old, new = getattr(region, parameter), getattr(back, parameter)
            if hasattr(old, "x"):
                np.testing.assert_allclose([new.x, new.y], [old.x, old.y], atol=1e-6)
            else:
                # the scale along an axis and across it are not quite at right angles under distortion
                assert float(u.Quantity(new).value) == pytest.approx(float(u.Quantity(old).value), rel=1e-3)


def test_a_region_of_another_image_combines_through_the_sky(session):
    session.run("region.add", region=CIRCLE, name="core", data="image")
    sky = CircleSkyRegion(SkyCoord(150, 2, unit="deg"), 0.3 * u.arcsec)
    made = session.run("region.add", region=sky, name="core", mode="or").region
    x, _ = session["image"].sky.sky_to_pixel(150.0, 2.0)
    assert made.region2.center.x == pytest.approx(float(x))
    session.run("region.add", region=CIRCLE, name="core", data="turned", mode="and")
    copied = session.run("region.copy", name="core", to="pixel", data="turned")
    assert copied.data is session["turned"]
    bare = session.add(np.ones((8, 8)), name="bare")
    with pytest.raises(CommandError, match="bare has no world coordinates"):
        session.run("region.copy", name="core", to="pixel", data=bare)
