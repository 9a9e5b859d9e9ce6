"""Region files: every format there and back, thousands at once, bad lines, opening, footprints."""

import time
import zipfile

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData
from regions import (
    CircleAnnulusPixelRegion,
    CirclePixelRegion,
    CircleSkyRegion,
    EllipsePixelRegion,
    EllipseSkyRegion,
    LinePixelRegion,
    LineSkyRegion,
    PixCoord,
    PointPixelRegion,
    PointSkyRegion,
    PolygonPixelRegion,
    PolygonSkyRegion,
    RectangleAnnulusPixelRegion,
    RectanglePixelRegion,
    Regions,
    TextPixelRegion,
)

import jviz
from jviz import CommandError, ReadError
from jviz.backend.regions.ds9 import parse_ds9, sketch_ds9
from jviz.backend.regions.ds9_writing import ds9_text
from jviz.backend.regions.excluding import cut_excluded
from jviz.backend.regions.kinds import kind_of
from jviz.backend.regions.masks import Target, weights
from jviz.backend.regions.outlines import outline
from jviz.backend.regions.tables import regions_of_table, table_of_regions
from tests.backend.regions.skies import sip_wcs

AT = PixCoord(30.25, 31.5)
PIXEL = {
    "circle": CirclePixelRegion(AT, 6.5),
    "ellipse": EllipsePixelRegion(AT, 9, 4, 35 * u.deg),
    "box": RectanglePixelRegion(AT, 9, 4, 35 * u.deg),
    "annulus": CircleAnnulusPixelRegion(AT, 3, 6),
    "frame": RectangleAnnulusPixelRegion(AT, 3, 6, 2, 4, 20 * u.deg),
    "polygon": PolygonPixelRegion(PixCoord([10, 50.5, 30], [12, 14, 55])),
    "line": LinePixelRegion(AT, PixCoord(3, 4)),
    "point": PointPixelRegion(AT),
    "text": TextPixelRegion(AT, "a word"),
}
SUPPORTED = {
    "ds9": list(PIXEL),
    "ecsv": list(PIXEL),
    "csv": list(PIXEL),
    "fits": ["circle", "ellipse", "box", "annulus", "polygon", "point"],
}
ENDINGS = {"ds9": "reg", "ecsv": "ecsv", "csv": "csv", "crtf": "crtf", "fits": "fits", "stcs": "stcs"}


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64)), name="image")
    yield session
    session.close()


def said(subset):
    return np.nan_to_num(outline(subset.region).points)


@pytest.mark.parametrize("format", list(SUPPORTED))
def test_pixel_regions_come_back(session, tmp_path, format):
    for name in SUPPORTED[format]:
        session.run("region.add", region=PIXEL[name], name=name, data="image", color="#12ab34", group="mine")
    before = list(session.subsets.values())
    path = session.run("region.export_file", path=str(tmp_path / f"all.{ENDINGS[format]}"))
    assert path.exists()
    session.run("region.remove", names=list(session.subsets))
    added = session.run("region.import_file", path=str(path))
    assert len(added) == len(before)
    for old, new in zip(before, added, strict=True):
        assert type(new.region) is type(old.region)
        np.testing.assert_allclose(said(new), said(old), atol=1e-6)
        assert new.data is session["image"]
        if format in ("ds9", "ecsv", "csv"):
            assert (new.color, new.group) == (old.color, old.group)
            assert new.name == (old.name if new.name != "a word" else "a word") or old.name == "text"
    session.undo()
    assert not session.subsets


@pytest.mark.parametrize("format", ["ds9", "ecsv", "csv", "crtf", "stcs"])
@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk5"])
def test_sky_regions_come_back(session, tmp_path, format, frame):
    at = SkyCoord(150, 2, unit="deg").transform_to(frame)
    vertices = SkyCoord([150, 150.01, 150.005], [2, 2.001, 2.01], unit="deg").transform_to(frame)
    session.subset("circle", CircleSkyRegion(at, 3 * u.arcsec))
    session.subset("polygon", PolygonSkyRegion(vertices))
    session.subset("ellipse", EllipseSkyRegion(at, 5 * u.arcsec, 2 * u.arcsec, 20 * u.deg))
    before = list(session.subsets.values())
    path = session.run("region.export_file", path=str(tmp_path / f"sky.{ENDINGS[format]}"))
    session.run("region.remove", names=list(session.subsets))
    added = session.run("region.import_file", path=str(path))
    for old, new in zip(before, added, strict=True):
        ring_old, ring_new = (SkyCoord(*outline(s.region).ring(0).T, unit="deg") for s in (old, new))
        for point in ring_old[::5]:
            assert ring_new.separation(point).min().to_value("arcsec") < 0.2


def test_ds9_files_mean_what_regions_reads(shared_data, tmp_path):
    with zipfile.ZipFile(shared_data / "regions_files.zip") as archive:
        archive.extractall(tmp_path)
    import warnings

    for path in sorted(tmp_path.glob("ds9.*.reg")):
        text = path.read_text()
        ours, problems = parse_ds9(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = list(Regions.parse(text, format="ds9"))
        assert len(ours) >= len(theirs), (path.name, problems)
        for region in theirs:
            if "Ecliptic" in repr(getattr(region, "center", "")) or "ecliptic" in path.name:
                continue
            same = [o for o in ours if type(o) is type(region)]
            points = outline(region).points
            # the text files give positions with 1e-5 degrees at worst
            assert any(len(p := outline(o).points) == len(points) and np.abs(p - points).max() < 1e-6 for o in same), (
                path.name,
                region,
            )


def test_bad_lines_are_told_by_number_and_the_rest_is_kept(session, tmp_path):
    path = tmp_path / "bad.reg"
    path.write_text(
        "# Region file format: DS9\nimage\ncircle(10,10,3) # text={one} color=#0ff tag={a}\ncircle(1,2)\n"
        'panda(1,2,3,4)\nfk5; circle(150,2,0.3") # text={two}\ncircle(150,95,1")\nnonsense here\n'
        "detector\ncircle(1,2,3)\n"
    )
    added = session.run("region.import_file", path=str(path))
    assert [s.name for s in added] == ["one", "two"]
    assert (added[0].color, added[0].group) == ("#00ffff", "a")
    text = session.notices[-1][1]
    for part in ("line 4: circle(1,2)", "line 5: panda", "line 7: circle(150,95", "line 8", "line 10: detector"):
        assert part in text
    empty = tmp_path / "empty.reg"
    empty.write_text("image\npanda(1,2,3,4)\n")
    with pytest.raises(ReadError, match=r"empty\.reg holds no regions.*line 2: panda"):
        session.run("region.import_file", path=str(empty))
    with pytest.raises(ReadError, match=r"gone\.reg"):
        session.run("region.import_file", path=str(tmp_path / "gone.reg"))
    with pytest.raises(CommandError, match="ending"):
        session.run("region.export_file", path=str(tmp_path / "a.txt"))
    assert len(session.subsets) == 2


@pytest.mark.parametrize("how", ["import", "open"])
def test_excluded_regions_are_cut_out_of_those_that_they_lie_on(session, tmp_path, how):
    path, out = tmp_path / "cut.reg", tmp_path / "out.reg"
    # the sign counts for all regions of a file, wherever it stands
    path.write_text("image\n-circle(20,20,3.2)\ncircle(20,20,9.2) # text={core}\ncircle(50,50,4.2) # text={far}\n")
    if how == "open":
        session.open(path)
    else:
        session.run("region.import_file", path=str(path))
    assert list(session.subsets) == ["core", "far"]
    assert "1 region with a minus sign (exclude) cut out" in session.notices[-1][1]
    table = session.run("region.statistics", data="image", mode="center")
    rows, columns = np.mgrid[:64, :64]
    far = np.hypot(columns - 19, rows - 19)
    other = np.hypot(columns - 49, rows - 49) < 4.2
    assert table["n_pixels"].tolist() == [((far < 9.2) & (far >= 3.2)).sum(), other.sum()]
    session.run("region.export_file", path=str(out))
    session.run("region.remove", names=["core", "far"])
    session.run("region.import_file", path=str(out))
    again = session.run("region.statistics", data="image", mode="center")
    assert again["n_pixels"].tolist() == table["n_pixels"].tolist()
    session.undo()
    session.undo()
    assert list(session.subsets) == ["core", "far"]


def test_excluded_regions_that_cut_nothing_stay_and_keep_their_sign(session, tmp_path):
    path, out = tmp_path / "cut.reg", tmp_path / "out.reg"
    path.write_text("image\ncircle(20,20,9)\n-circle(50,50,3)\n-line(15,15,25,25)\nfk5;-circle(150,2,1\")\n")
    added = session.run("region.import_file", path=str(path))
    level, text = session.notices[-1]
    assert (level, len(added)) == ("warning", 4)
    assert "3 others with the sign are regions" in text
    session.run("region.export_file", path=str(out))
    assert [line[0] for line in out.read_text().splitlines() if "(" in line] == ["c", "-", "-", "-"]


def test_excluded_regions_can_stay_regions(session, tmp_path):
    path = tmp_path / "cut.reg"
    path.write_text("image\ncircle(20,20,9)\n-circle(20,20,3)\n")
    added = session.run("region.import_file", path=str(path), excluded="regions")
    assert [s.shape for s in added] == ["circle", "circle"]
    assert "1 with the sign is a region like the rest" in session.notices[-1][1]


def test_excluded_regions_of_the_sky_are_cut_out_across_the_pole_and_the_seam_of_longitude():
    text = 'icrs\nbox(0.001,89.9999,20",10",30)\ncircle(359.9999,10,9")\n-circle(180,89.9999,3")\n'
    found, count = cut_excluded(sketch_ds9(f'{text}-ellipse(0.0005,10,3",2",0)\n')[0])
    assert count == 2
    assert [type(region).__name__ for region in found] == ["CompoundSkyRegion"] * 2


@pytest.mark.parametrize(("statement", "inside"), [
    ("circle(20,20,9.2)-circle(24,20,5.2)", lambda a, b: a & ~b),
    ("circle(20,20,9.2) & !circle(24,20,5.2)", lambda a, b: a & ~b),
    ("circle 20 20 9.2 & !circle 24 20 5.2", lambda a, b: a & ~b),
    ("circle(20,20,9.2)*circle(24,20,5.2)", lambda a, b: a & b),
    ("circle(20,20,9.2)+circle(24,20,5.2)", lambda a, b: a | b),
    ("circle(20,20,9.2) || circle(24,20,5.2)", lambda a, b: a | b),
    ("circle(50,50,2.2)|circle(20,20,9.2)&circle(24,20,5.2)-circle(50,50,4.2)", lambda a, b: a & b),
    ("# composite(20,20,0) && composite=1\ncircle(20,20,9.2) &&\ncircle(24,20,5.2)", lambda a, b: a & b),
])  # fmt: skip
def test_operators_between_shapes_make_one_region(session, tmp_path, statement, inside):
    path = tmp_path / "ciao.reg"
    path.write_text(f"image\n{statement} # text={{both}} color=red\n")
    [subset] = session.run("region.import_file", path=str(path))
    rows, columns = np.mgrid[:64, :64]
    first, second, small = (
        np.hypot(columns - x, rows - y) < r for x, y, r in ((19, 19, 9.2), (23, 19, 5.2), (49, 49, 2.2))
    )
    expected = inside(first, second) | (small if "|circle" in statement and "50" in statement else False)
    [row] = session.run("region.statistics", data="image", region=subset.name, mode="center")
    assert row["n_pixels"] == expected.sum()
    if "composite" not in statement:
        assert (subset.name, subset.color) == ("both", "#ff0000")


def test_a_statement_that_is_not_understood_gives_no_part_of_it():
    found, problems = parse_ds9("image\ncircle(10,10,5)-blob(12,10,2)\ncircle(1,1,5)&circle(2,2)\ncircle(9,9,1)\n")
    assert [n for n, _ in problems] == [2, 3]
    assert [type(r).__name__ for r in found] == ["CirclePixelRegion"]


LOOKS = """image
global color=red dash=1
point(3,4) # point=diamond 31 text={a; b}
circle(10,10,5) # fill=1 font="times 12 bold" text="c; d # e" tag=one tag={two three}
global width=2
box(20,20,4,4,0) # select=1 edit=0 move=0 rotate=0 delete=0 text={locked} background
line(1,1,5,5) # line=1 1 dash=0 text={arrow} width=4
# text(5,5) textangle=30 text={words}
"""


@pytest.mark.parametrize("ending", ["reg", "ecsv", "csv"])
def test_looks_that_are_not_drawn_are_written_again(session, tmp_path, ending):
    (tmp_path / "a.reg").write_text(LOOKS)
    session.run("region.import_file", path=str(tmp_path / "a.reg"))
    assert list(session.subsets) == ["a; b", "c; d # e", "locked", "arrow", "words"]
    assert [s.locked for s in session.subsets.values()] == [False, False, True, False, False]
    session.run("region.export_file", path=str(tmp_path / f"b.{ending}"))
    session.undo()
    session.run("region.import_file", path=str(tmp_path / f"b.{ending}"))
    session.run("region.export_file", path=str(tmp_path / "c.reg"))
    lines = (tmp_path / "c.reg").read_text().splitlines()[2:]
    words = [line.partition("# ")[2].removesuffix(" tag={a}").removesuffix(" tag={b}") for line in lines]
    assert words == [
        "color=#ff0000 text={a; b} dash=1 point=diamond 31",
        'color=#ff0000 text={c; d # e} dash=1 fill=1 font="times 12 bold" tag={one} tag={two three}',
        "color=#ff0000 width=2 text={locked} dash=1 background edit=0 move=0 rotate=0 delete=0",
        "color=#ff0000 width=4 text={arrow} line=1 1",
        "text(5,5) color=#ff0000 width=2 text={words} dash=1 textangle=30",
    ]
    session.run("region.edit", name="locked", locked=False)
    session.run("region.export_file", path=str(tmp_path / "d.reg"), names=["locked"])
    assert "move=0" not in (tmp_path / "d.reg").read_text()


@pytest.mark.parametrize("ending", ["ecsv", "csv"])
def test_tables_keep_the_names_of_texts_and_what_has_no_group(session, tmp_path, ending):
    session.run("region.add", region=PIXEL["text"], name="label", data="image")
    session.run("region.add", region=PIXEL["circle"], name="core", data="image", group="one")
    session.run("region.export_file", path=str(tmp_path / f"a.{ending}"))
    session.run("region.remove", names=["label", "core"])
    session.run("region.import_file", path=str(tmp_path / f"a.{ending}"))
    assert {n: (s.text, s.group) for n, s in session.subsets.items()} == {"label": ("a word", "a"), "core": ("", "one")}


def test_casa_files_keep_names(session, tmp_path):
    image = session["image"]
    for name, x in (("core, of it", 20), ("it's \"far\"", 40)):
        lon, lat = image.sky.pixel_to_sky(float(x), 20.0)
        session.subset(name, CircleSkyRegion(SkyCoord(lon, lat, unit="deg"), 0.3 * u.arcsec))
    ends = SkyCoord(*image.sky.pixel_to_sky([10.0, 20.0], [5.0, 9.0]), unit="deg")
    session.run("region.add", region=LineSkyRegion(ends[0], ends[1]), name="slit", color="#12ab34")
    session.run("region.add", region=PointSkyRegion(ends[0]), name="a star", color="#4cc9f0")
    session.run("region.export_file", path=str(tmp_path / "a.crtf"))
    session.run("region.remove", names=list(session.subsets))
    session.run("region.import_file", path=str(tmp_path / "a.crtf"))
    assert list(session.subsets) == ["core of it", "it s far", "slit", "a star"]
    assert session.subsets["a star"].region.center.separation(ends[0]).arcsec < 1e-5
    assert session.subsets["a star"].color == "#4cc9f0"
    assert session.subsets["slit"].color == "#12ab34"
    assert session.subsets["slit"].region.end.separation(ends[1]).arcsec < 1e-5


@pytest.mark.parametrize("cards", [
    {"LTV1": -100.0, "LTV2": 7.5, "LTM1_1": 0.5, "LTM2_2": 0.5},
    {"WCSTY1P": "PHYSICAL", "WCSTY2P": "PHYSICAL", "CRPIX1P": 0.5, "CRVAL1P": 201.0, "CDELT1P": 2.0,
     "CRPIX2P": 0.5, "CRVAL2P": -14.0, "CDELT2P": 2.0},
])  # fmt: skip
def test_physical_pixels_are_those_of_the_image_before_it_was_cut(session, tmp_path, cards):
    header = fits.Header(cards)
    fits.PrimaryHDU(np.ones((64, 64), np.float32), header).writeto(tmp_path / "cut.fits")
    [data] = session.open(tmp_path / "cut.fits")
    text = "physical\ncircle(240,25,8)\n-box(240,25,8,4,30) # text={b}\nimage\ncircle(5,6,2)\n"
    (tmp_path / "a.reg").write_text(text)
    added = session.run("region.import_file", path=str(tmp_path / "a.reg"), data=data.name, excluded="regions")
    circle, box, own = (s.region for s in added)
    assert circle.center.xy == pytest.approx((19, 19))
    assert circle.radius == pytest.approx(4)
    assert (box.width, box.height, box.angle.to_value("deg")) == pytest.approx((4, 2, 30))
    assert own.center.xy == pytest.approx((4, 5))
    session.undo()
    [cut, own] = session.run("region.import_file", path=str(tmp_path / "a.reg"), data=data.name)
    assert cut.region.region1.region1.center.xy == pytest.approx((19, 19))


def test_boxes_of_casa_lie_between_their_corners(session, tmp_path):
    path = tmp_path / "a.crtf"
    path.write_text(
        "#CRTFv0\nglobal coord=ICRS\nbox[[10h00m00s, 60d00m00s], [10h00m10s, 60d01m00s]]\n"
        "centerbox[[150deg, 60deg], [75arcsec, 60arcsec]]\n"
    )
    corners, centred = (s.region for s in session.run("region.import_file", path=str(path)))
    assert np.allclose(corners.vertices.ra.deg, [150, 150 + 10 / 240, 150 + 10 / 240, 150])
    assert np.allclose(corners.vertices.dec.deg, [60, 60, 60 + 1 / 60, 60 + 1 / 60])
    width = corners.vertices[0].separation(corners.vertices[1])
    assert width.arcsec == pytest.approx(75, rel=1e-4)
    assert centred.width.to_value("arcsec") == pytest.approx(75)


def test_casa_files_keep_groups_in_comments(session, tmp_path):
    for name, ra, group in (("a", 150.1, "stars"), ("b", 150.2, "stars"), ("c", 150.3, ""), ("d", 150.4, "the sky")):
        session.run("region.add", region=CircleSkyRegion(SkyCoord(ra, 2, unit="deg"), 1 * u.arcsec), name=name)
        if group:
            session.run("region.group", names=[name], group=group)
    path = tmp_path / "a.crtf"
    session.run("region.export_file", path=str(path))
    path.write_text(path.read_text() + "circle[[nonsense]]\n")
    said = []
    session.noticed.connect(lambda level, text: said.append(text))
    session.run("region.remove", names=list(session.subsets))
    session.run("region.import_file", path=str(path))
    groups = {name: subset.group for name, subset in session.subsets.items()}
    assert groups == {"a": "stars", "b": "stars", "c": "a", "d": "the sky"}
    last = len(path.read_text().splitlines())
    assert [f"line {last}" in text for text in said] == [True]


def test_casa_files_hold_pixel_regions_by_their_place_on_the_sky(session, tmp_path):
    session.run("region.add", region=PIXEL["circle"], name="one", data="image")
    session.run("region.export_file", path=str(tmp_path / "a.crtf"))
    [back] = session.run("region.import_file", path=str(tmp_path / "a.crtf"))
    x, y = session["image"].sky.sky_to_pixel(back.region.center.ra.deg, back.region.center.dec.deg)
    assert (float(x), float(y)) == pytest.approx((30.25, 31.5), abs=1e-4)


def test_sizes_of_nothing_leave_the_rest_of_a_file_whole():
    found, problems = parse_ds9(
        "image\nannulus(5,5,0,2,4)\ncircle(1,1,0)\nbox(1,1,3,0,0)\nellipse(9,9,4,2,2,3,0)\npoint(1,2)\n"
    )
    assert [type(r).__name__ for r in found] == ["CirclePixelRegion", "CircleAnnulusPixelRegion", "PointPixelRegion"]
    assert [number for number, _ in problems] == [3, 4, 5]


def test_what_a_format_lacks_is_told(session, tmp_path):
    session.run("region.add", region=PIXEL["circle"], name="one", data="image")
    session.run("region.boolean", first="one", second="one", mode="xor", name="two")
    session.run("region.export_file", path=str(tmp_path / "a.reg"))
    assert "left out 1" in session.notices[-1][1]
    with pytest.raises(CommandError, match="Nothing can be written"):
        session.run("region.export_file", path=str(tmp_path / "b.reg"), names=["two"])
    assert not (tmp_path / "b.reg").exists()


def test_thousands_of_lines_come_in(session, tmp_path):
    rng = np.random.default_rng(2)
    lines = [
        f'circle({150 + x:.6f},{2 + y:.6f},0.5") # text={{star {i}}}'
        for i, (x, y) in enumerate(rng.normal(0, 1e-3, (3000, 2)))
    ]
    path = tmp_path / "many.reg"
    path.write_text("icrs\n" + "\n".join(lines))
    start = time.perf_counter()
    added = session.run("region.import_file", path=str(path))
    print(f"{time.perf_counter() - start:.2f} s")
    assert len(added) == 3000
    assert added[2999].name == "star 2999"
    assert added[17].region.center.ra.deg == pytest.approx(float(lines[17].split("(")[1].split(",")[0]))


def test_opened_files_become_subsets_that_are_shown(session, tmp_path):
    path = tmp_path / "two.reg"
    path.write_text("image\ncircle(10,10,3)\nbox(20,20,4,4,0)\n")
    [data] = session.open(path)
    assert data.kind == "regions"
    assert list(session.subsets) == ["two 1", "two 2"]
    assert {s.group for s in session.subsets.values()} == {"two"}
    assert session.subsets["two 1"].data is session["image"]
    session.undo()
    assert not session.subsets
    assert session.names == ["image"]


def test_footprints_become_regions(session, tmp_path):
    image = session["image"]
    [edges] = session.run("region.from_footprint", data="image")
    x, y = image.sky.sky_to_pixel(edges.region.vertices.ra.deg, edges.region.vertices.dec.deg)
    assert (x.min(), x.max(), y.min(), y.max()) == pytest.approx((-0.5, 63.5, -0.5, 63.5), abs=1e-4)
    header = sip_wcs(size=64).to_header(relax=True)
    header["S_REGION"] = "POLYGON ICRS  150.0 2.0 150.01 2.0 150.01 2.01 150.0 2.01"
    fits.PrimaryHDU(np.ones((64, 64), np.float32), header).writeto(tmp_path / "jw_cal.fits")
    session.open(tmp_path / "jw_cal.fits")
    [footprint] = session.run("region.from_footprint", data="jw_cal")
    assert footprint.region.vertices.ra.deg.tolist() == [150.0, 150.01, 150.01, 150.0]


def test_sectors_are_read_as_polygons_of_their_area():
    found, problems = parse_ds9(
        "image\npanda(30,30,0,360,4,5,10,2)\nepanda(30,30,30,90,1,0,0,10,6,1,20)\nbpanda(30,30,0,360,3,4,2,12,6,1,0)\n"
        "panda(30,30,0,90,1,5,4,1)\n"
    )
    assert [n for n, _ in problems] == [5]

    def area(region):
        x, y = region.vertices.x, region.vertices.y
        return 0.5 * abs(np.roll(x, 1) @ y - np.roll(y, 1) @ x)

    areas = [area(r) for r in found]
    inner, outer = (np.pi / 4) * (7.5**2 - 25), (np.pi / 4) * (100 - 7.5**2)
    np.testing.assert_allclose(areas[:8], [inner] * 4 + [outer] * 4, rtol=2e-4)
    # an elliptical sector by its angles on the circle: half of a b times their difference
    t = [np.arctan2(np.sin(np.radians(a)) / 6, np.cos(np.radians(a)) / 10) for a in (30, 90)]
    assert areas[8] == pytest.approx(0.5 * 60 * (t[1] - t[0]), rel=2e-4)
    assert sum(areas[9:12]) == pytest.approx(12 * 6 - 4 * 2, rel=1e-6)
    assert {r.meta["tag"][0] for r in found[:8]} == {"sectors 1"}


LINES = """image
# vector(5,5,10,30) vector=1
# segment(1,2,3,4,5,9)
# ruler(1,2,3,4) ruler=image
# compass(8,8,5) compass=physical {N} {E} 1 1
# projection(1,2,3,4,2)
galactic
# vector(150,2,10",30) vector=1
# compass(150,2,10") compass=fk5 {N} {E} 1 1
"""


def test_lines_with_a_meaning_come_back():
    found, problems = parse_ds9(LINES)
    assert not problems
    kinds = ["vector", "path", "ruler", "compass", "line", "vector", "compass"]
    assert [kind_of(r) for r in found] == kinds
    assert found[0].end.xy == pytest.approx((4 + 10 * np.cos(np.pi / 6), 9))
    assert found[3].end.xy == pytest.approx((7, 12))
    vector = found[5]
    assert vector.start.separation(vector.end).arcsec == pytest.approx(10)
    # the angle counts from the parallel, to the west, with north up
    assert vector.start.position_angle(vector.end).deg == pytest.approx(300)
    again, problems = parse_ds9(ds9_text(found))
    assert [kind_of(r) for r in again] == kinds
    assert not problems
    for old, new in zip(found, again, strict=True):
        np.testing.assert_allclose(outline(new).points, outline(old).points, atol=1e-7)
    for old, new in zip(found, regions_of_table(table_of_regions(found), "x")[0], strict=True):
        assert kind_of(new) == kind_of(old)


@pytest.mark.parametrize("ending", ["reg", "ecsv", "csv"])
@pytest.mark.parametrize("mode", ["or", "andnot", "and"])
def test_combined_regions_come_back_where_the_format_has_them(session, tmp_path, ending, mode):
    other = CirclePixelRegion(PixCoord(34, 31), 5)
    session.run("region.add", region=PIXEL["circle"], name="core", data="image", color="#12ab34", group="mine")
    session.run("region.add", region=other, name="core", data="image", mode=mode)
    session.run("region.add", region=PIXEL["box"], name="box", data="image")
    before = session.subsets["core"]
    session.run("region.export_file", path=str(tmp_path / f"a.{ending}"))
    if (ending, mode) == ("reg", "and"):
        assert "left out 1" in session.notices[-1][1]
        return
    session.run("region.remove", names=["core", "box"])
    session.run("region.import_file", path=str(tmp_path / f"a.{ending}"))
    after = session.subsets["core"]
    assert list(session.subsets) == ["core", "box"]
    assert (after.shape, after.color, after.group) == ("combined", before.color, before.group)
    target = Target((64, 64))
    np.testing.assert_allclose(
        weights(after.region, target).full((64, 64)), weights(before.region, target).full((64, 64)), atol=0.02
    )


def test_sky_regions_are_written_as_pixels_of_an_image_to_fits(session, tmp_path):
    image = session["image"]
    lon, lat = image.sky.pixel_to_sky(30.0, 31.0)
    session.subset("star", CircleSkyRegion(SkyCoord(lon, lat, unit="deg"), 0.3 * u.arcsec))
    session.run("region.export_file", path=str(tmp_path / "a.fits"))
    [back] = session.run("region.import_file", path=str(tmp_path / "a.fits"))
    assert back.region.center.xy == pytest.approx((30, 31), abs=1e-5)
    assert back.region.radius == pytest.approx(0.3 / 0.06, rel=0.02)


def test_width_and_all_tags_come_back(session, tmp_path):
    path = tmp_path / "a.reg"
    path.write_text("image\n-circle(10,11,3) # color=red width=3 text={hi there} tag={a} tag={b}\n")
    session.run("region.import_file", path=str(path))
    session.run("region.edit", name="hi there", group="c")
    session.run("region.export_file", path=str(tmp_path / "b.reg"))
    line = "-circle(10,11,3) # color=#ff0000 width=3 text={hi there} tag={c} tag={b}"
    assert line in (tmp_path / "b.reg").read_text()
