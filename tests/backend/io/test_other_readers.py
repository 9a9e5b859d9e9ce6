"""Readers of files that are not FITS: what is written by other libraries reads back, and damage is told."""

import json
import re
import struct
import zipfile

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from PIL import Image

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.io.registry import open_products
from jviz.errors import ReadError


def only(path, **options):
    [product] = open_products(path, **options)
    return product


def message(path, **options):
    """Return the one clear message: it names the file and says what to do."""
    with pytest.raises(ReadError) as caught:
        open_products(path, **options)
    text = str(caught.value)
    assert path.name in text
    assert text.endswith((".", "…"))
    assert "Traceback" not in text
    assert "\n" not in text
    return text


def picture():
    """A picture whose top left corner is bright, (rows from the top, columns)."""
    grey = np.full((30, 40), 20, "u1")
    grey[:10, :15] = 200
    return grey


def upright(array):
    """Row 0 of a picture is its top; row 0 of an image is its bottom."""
    return array[::-1]


# ---- tables


@pytest.fixture
def table():
    return QTable(
        {"name": ["a", "b", "c"], "ra": [10.0, 20.0, 30.5] * u.deg, "flux": [1.5, np.nan, 3.0] * u.mJy, "n": [1, 2, 3]}
    )


def assert_same(found, expected):
    assert isinstance(found, QTable)
    assert found.colnames == expected.colnames
    for name in expected.colnames:
        column, other = found[name], expected[name]
        assert getattr(column, "unit", None) == getattr(other, "unit", None)
        if np.asarray(other).dtype.kind == "f":
            plain = np.ma.filled(getattr(column, "unmasked", column), np.nan)
            assert np.array_equal(np.asarray(plain, float), np.asarray(other, float), equal_nan=True)
        else:
            assert list(column) == list(other)


def test_ecsv(tmp_path, table):
    table.meta["telescope"] = "JWST"
    path = tmp_path / "sources.ecsv"
    table.write(path)
    product = only(path)
    assert product.kind == "catalog"
    assert product.header["telescope"] == "JWST"
    assert_same(product.load_object(), table)


def test_votable(tmp_path, table):
    path = tmp_path / "sources.xml"
    Table(table).write(path, format="votable")
    product = only(path)
    assert (product.kind, product.label) == ("catalog", "VOTable")
    assert_same(product.load_object(), table)


def test_votable_of_several_tables(tmp_path, table):
    from astropy.io.votable import tree

    file = tree.VOTableFile()
    resource = tree.Resource()
    file.resources.append(resource)
    for name in ("bright", "faint"):
        one = tree.VOTableFile.from_table(Table(table["ra", "n"])).get_first_table()
        one.name = one.ID = name
        resource.tables.append(one)
    path = tmp_path / "two.vot"
    file.to_xml(str(path))
    products = open_products(path)
    assert [product.name for product in products] == ["two[bright]", "two[faint]"]
    again = only(path, **products[1].options)
    assert list(again.load_object()["n"]) == [1, 2, 3]
    assert "no table 7" in message(path, table=7)


@pytest.mark.parametrize(
    ("name", "delimiter"), [("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t"), ("d.dat", " "), ("e.txt", "|")]
)
def test_text(tmp_path, name, delimiter):
    path = tmp_path / name
    rows = [["name", "ra", "mag"], ["a", "10.5", "21.25"], ["b", "20.5", "-1e3"]]
    path.write_text("\n".join(delimiter.join(row) for row in rows) + "\n")
    product = only(path)
    assert product.kind == "catalog"
    found = product.load_object()
    assert found.colnames == ["name", "ra", "mag"]
    assert list(found["mag"]) == [21.25, -1000.0]


def test_csv_with_byte_order_mark_and_gaps(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("\ufeffid,mag\r\n1,\r\n2,20.5\r\n".encode())
    found = only(path).load_object()
    assert found.colnames == ["id", "mag"]
    assert found["mag"].mask.tolist() == [True, False]


@pytest.mark.parametrize("name", ["stars.csv", "stars.ecsv"])
def test_compressed_text(tmp_path, table, name):
    import gzip

    form = "ascii.ecsv" if name.endswith(".ecsv") else "ascii.csv"
    table.write(tmp_path / name, format=form)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    (tmp_path / name).unlink()
    product = only(packed)
    assert product.name == "stars"
    found = product.load_object()
    np.testing.assert_array_equal(np.asarray(found["n"]), [1, 2, 3])
    assert (str(found["ra"].unit) == "deg") == name.endswith(".ecsv")


def test_a_tab_separated_table_of_skycat_with_its_end(tmp_path):
    head = "stars\n\n# remark\nra_col: 1\n\nid\tra\tmag\n--\t--\t---\n"
    (tmp_path / "stars.txt").write_text(f"{head}a\t10.5\t20.25\nb\t10.75\t\n[EOD]\n")
    table = only(tmp_path / "stars.txt").load_object()
    assert table["mag"].tolist() == [20.25, None]
    assert table["ra"].tolist() == [10.5, 10.75]


def test_units_that_are_not_understood_are_noted(tmp_path):
    path = tmp_path / "odd.xml"
    source = Table({"x": [1.0, 2.0]})
    source.write(path, format="votable")
    path.write_text(path.read_text().replace('name="x"', 'name="x" unit="blobs per fortnight"'))
    product = only(path)
    assert "blobs" in product.warnings[0]
    assert list(product.load_object()["x"]) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ecsv", b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: nonsense}\na\n1\n"),
        ("b.ecsv", b"# %ECSV 1.0\n# --- {{{\n"),
        ("c.vot", b'<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE><TABLE>'),
        ("d.vot", b'<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE/></VOTABLE>'),
        ("e.csv", b"\xff\xfe\x00\x01" * 20),
        ("f.txt", b"once upon a time\nthere was a file\nwithout columns\n"),
        ("g.csv", b"\n\n\n"),
        ("h.parquet", b"PAR1 and then nothing"),
        ("i.json", b'{"asn_type": "image3", "products": [{"name": 1}]}'),
        ("j.json", b'{"asn_type": "image3", "products": ['),
        ("k.json", b'{"other": 1}'),
        ("l_pool.csv", b"filename|asn_candidate\nonly one cell\n"),
    ],
)
def test_damaged_tables(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    message(path)


def test_error_message_of_a_service_is_passed_on(tmp_path):
    path = tmp_path / "answer.xml"
    path.write_text(
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        '<RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">radius too large</INFO></RESOURCE></VOTABLE>'
    )
    assert "radius too large" in message(path)


# ---- associations


def test_associations_of_the_archive(shared_data):
    for path in sorted(shared_data.glob("*asn*.json")):
        product = only(path)
        assert (product.kind, product.label) == ("association", "JWST association")
        tree = product.tree()
        members = [member["expname"] for one in tree["products"] for member in one["members"]]
        assert list(product.load_object()["expname"]) == members
        assert product.header["asn_type"] == tree["asn_type"]


def test_trailing_commas_are_passed_over(tmp_path):
    path = tmp_path / "x_asn.json"
    path.write_text('{"asn_type": "image3", "products": [{"name": "p", "members": [{"expname": "a.fits",},],},],}')
    product = only(path)
    assert "commas" in product.warnings[0]
    assert list(product.load_object()["expname"]) == ["a.fits"]


def test_pool(shared_data):
    product = only(shared_data / "jwst_pool_004_wfs.csv")
    assert product.label == "JWST association pool"
    assert "asn_candidate" in product.load_object().colnames


def test_catalogues_of_missions(shared_data):
    vizier = only(shared_data / "2MASS_PSC.vot").load_object()
    assert vizier["RAJ2000"].unit == u.deg
    assert len(vizier) == 683
    sources = only(shared_data / "jwst_sourcecatalog_cat.ecsv").load_object()
    assert sources["xcentroid"].unit == u.pix
    assert sources["sky_centroid"].ra.unit == u.deg


# ---- pictures


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".tif", ".webp"])
def test_grey_and_upright(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(picture()).save(path, **options)
    product = only(path)
    assert product.kind == "image"
    plane = next(iter(product.planes.values()))
    assert plane.shape == (30, 40)
    assert np.allclose(plane.read(), upright(picture()), atol=1)


def test_colours(tmp_path):
    rgb = np.zeros((30, 40, 3), "u1")
    rgb[:10, :, 0], rgb[..., 1], rgb[:, :5, 2] = 255, 100, 50
    for name in ("a.png", "a.tif"):
        Image.fromarray(rgb).save(tmp_path / name)
        product = only(tmp_path / name)
        assert list(product.planes) == ["LUMINANCE", "R", "G", "B"]
        for index, colour in enumerate("RGB"):
            assert np.array_equal(product.planes[colour].read(), upright(rgb[..., index]))
        weighted = rgb @ np.array([0.2126, 0.7152, 0.0722])
        assert np.allclose(product.planes["LUMINANCE"].read(), upright(weighted), rtol=1e-5)
        assert product.planes["LUMINANCE"].shape == (30, 40)


def test_transparency_and_palettes(tmp_path):
    rgba = np.dstack([picture()] * 3 + [np.full((30, 40), 128, "u1")])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert list(only(tmp_path / "a.png").planes) == ["LUMINANCE", "R", "G", "B", "A"]
    assert (only(tmp_path / "a.png").planes["A"].read() == 128).all()
    Image.fromarray(rgba[..., :3]).quantize(16).save(tmp_path / "p.png")
    assert np.allclose(only(tmp_path / "p.png").planes["R"].read(), upright(picture()), atol=2)


def test_sixteen_bits(tmp_path):
    values = (np.arange(30 * 40).reshape(30, 40) * 50).astype("u2")
    Image.fromarray(values).save(tmp_path / "a.png")
    plane = next(iter(only(tmp_path / "a.png").planes.values()))
    assert plane.dtype == np.uint16
    assert np.array_equal(plane.read(), upright(values))


def test_turned_photograph(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=exif, quality=95)
    plane = next(iter(only(tmp_path / "a.jpg").planes.values()))
    assert plane.shape == (40, 30)
    assert np.abs(plane.read().astype(int) - upright(np.rot90(picture(), -1))).mean() < 3


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"tile": (16, 16)}])
def test_tiff_floats(tmp_path, options):
    import tifffile

    values = np.random.default_rng(1).normal(size=(30, 40)).astype("f4")
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    plane = next(iter(only(tmp_path / "a.tif").planes.values()))
    assert np.array_equal(plane.read(), upright(values))
    assert isinstance(plane.raw(), np.memmap) == (options in ({}, {"byteorder": ">"}))


def test_tiff_stack_and_series(tmp_path):
    import tifffile

    cube = np.arange(5 * 30 * 40, dtype="u2").reshape(5, 30, 40)
    tifffile.imwrite(tmp_path / "a.tif", cube, photometric="minisblack")
    product = only(tmp_path / "a.tif")
    assert product.kind == "cube"
    assert np.array_equal(next(iter(product.planes.values())).read(), cube[:, ::-1])
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(cube[0], photometric="minisblack")
        writer.write(cube[1, :10], photometric="minisblack")
    products = open_products(tmp_path / "b.tif")
    assert [product.shape for product in products] == [(30, 40), (10, 40)]
    again = only(tmp_path / "b.tif", **products[1].options)
    assert np.array_equal(next(iter(again.planes.values())).read(), upright(cube[1, :10]))
    message(tmp_path / "b.tif", series=9)


def test_planar_tiff(tmp_path):
    import tifffile

    planes = np.random.default_rng(2).integers(0, 255, (3, 30, 40)).astype("u1")
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    product = only(tmp_path / "a.tif")
    assert np.array_equal(product.planes["G"].read(), upright(planes[1]))


def test_lzw_tiff(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert np.array_equal(next(iter(only(tmp_path / "a.tif").planes.values())).read(), upright(picture()))


def test_damaged_pictures(tmp_path):
    Image.fromarray(np.random.default_rng(3).integers(0, 255, (60, 80, 3)).astype("u1")).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "head.png").write_bytes(whole[:20])
    message(tmp_path / "head.png")
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match=r"half\.png"):
        only(tmp_path / "half.png").planes["R"].read()
    (tmp_path / "text.png").write_text("<html>not found</html>")
    message(tmp_path / "text.png")


def test_damaged_tiff(tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.zeros((100, 100), "f4"))
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "short.tif").write_bytes(whole[:5000])
    assert "truncated" in message(tmp_path / "short.tif")
    (tmp_path / "head.tif").write_bytes(b"II*\0\x08\0\0\0")
    message(tmp_path / "head.tif")


# ---- arrays of numpy


@pytest.mark.parametrize(
    ("shape", "kind"), [((7,), "spectrum"), ((4, 5), "image"), ((3, 4, 5), "cube"), ((2, 3, 4, 5), "other")]
)
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "?"])
def test_npy(tmp_path, shape, kind, dtype):
    values = np.random.default_rng(4).normal(0, 100, shape).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    product = only(tmp_path / "a.npy")
    assert (product.kind, product.shape) == (kind, shape)
    plane = product.planes["DATA"]
    assert np.array_equal(plane.read(), values)
    assert dtype == "?" or isinstance(plane.raw(), np.memmap)


def test_npy_tables_and_what_cannot_be_shown(tmp_path):
    np.save(tmp_path / "t.npy", np.array([(1, 2.5), (3, 4.5)], dtype=[("n", "i4"), ("x", "f8")]))
    product = only(tmp_path / "t.npy")
    assert product.kind == "catalog"
    assert list(product.load_object()["x"]) == [2.5, 4.5]
    np.save(tmp_path / "o.npy", np.array([{}, 1], dtype=object))
    assert "Python objects" in message(tmp_path / "o.npy")
    np.save(tmp_path / "c.npy", np.ones((3, 3), complex))
    assert only(tmp_path / "c.npy").kind == "other"


def test_npz(tmp_path):
    a, b = np.arange(12.0).reshape(3, 4), np.arange(5)
    np.savez(tmp_path / "a.npz", image=a, line=b)
    products = open_products(tmp_path / "a.npz")
    assert [(p.name, p.kind) for p in products] == [("a[image]", "image"), ("a[line]", "spectrum")]
    assert np.array_equal(products[0].planes["DATA"].read(), a)
    assert np.array_equal(only(tmp_path / "a.npz", **products[1].options).planes["DATA"].read(), b)
    assert "image, line" in message(tmp_path / "a.npz", member="none")
    np.savez(tmp_path / "one.npz", np.ones(3))
    assert only(tmp_path / "one.npz").name == "one"


def test_damaged_arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((50, 50)))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(whole[:1000])
    message(tmp_path / "short.npy")
    (tmp_path / "head.npy").write_bytes(whole[:20])
    message(tmp_path / "head.npy")
    (tmp_path / "a.npz").write_bytes(b"PK\3\4 and no more")
    message(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", b"nonsense")
    message(tmp_path / "b.npz")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("readme.txt", b"no arrays")
    message(tmp_path / "c.npz")


# ---- regions


def test_region_files(shared_data, tmp_path):
    from regions import Regions

    with zipfile.ZipFile(shared_data / "regions_files.zip") as archive:
        archive.extractall(tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) > 20
    for path in files:
        product = only(path)
        assert product.kind == "regions", path.name
        found = product.load_object()
        assert isinstance(found, Regions)
        assert len(found) > 0
        assert f"({len(found)})" in product.label
    # seven pandas, four epandas and four bpandas: every sector of theirs is a polygon
    pandas = only(tmp_path / "ds9.image.oneline.reg")
    assert sum(type(region).__name__ == "PolygonPixelRegion" for region in pandas.load_object()) >= 15


def test_lines_that_cannot_be_read_are_named_and_the_rest_stays(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text(
        '# Region file format: DS9\nglobal color=red\nfk5\ncircle(10,20,3")\nvector(1,2,3",45)\ncircle(a,b,3")\n'
        "box(1,2,\n"
        'ellipse(11,21,3",4",0)\n'
    )
    product = only(path)
    found = product.load_object()
    assert [type(region).__name__ for region in found] == ["CircleSkyRegion", "LineSkyRegion", "EllipseSkyRegion"]
    assert found[2].center.ra.deg == pytest.approx(11)
    assert all(word in product.warnings[0] for word in ("line 6", "line 7"))


def test_physical_pixels(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text("# Region file format: DS9\nphysical\ncircle(10,20,3)\n")
    [region] = only(path).load_object()
    assert (region.center.x, region.center.y) == (9, 19)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.reg", "not a region at all\n"),
        ("b.reg", "# Region file format: DS9\nimage\n"),
        ("c.reg", "image\nblob(1,2,3,4,5,6,7,8)\n"),
        ("d.crtf", "#CRTFv0\ncircle[[nonsense]]\n"),
    ],
)
def test_files_without_regions(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    message(path)


def test_noise_called_regions_gives_a_short_message(tmp_path):
    path = tmp_path / "noise.reg"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    assert len(message(path)) < 300


# ---- ASDF


def write_asdf(path, tree, **options):
    asdf_library().AsdfFile(tree).write_to(path, **options)
    return path


def science_tree():
    rng = np.random.default_rng(5)
    return {
        "meta": {"telescope": "JWST", "instrument": {"name": "NIRCAM"}, "bunit_data": "MJy/sr", "filename": "x" * 500},
        "data": rng.normal(size=(30, 40)).astype("f4"),
        "err": np.ones((30, 40), "f4"),
        "dq": np.full((30, 40), 4, "u4"),
        "var_poisson": np.ones((30, 40), ">f4"),
    }


def test_asdf_science(tmp_path):
    tree = science_tree()
    product = only(write_asdf(tmp_path / "a.asdf", tree))
    assert (product.kind, product.flags, product.label) == ("image", "jwst", "JWST NIRCAM ASDF")
    assert {name: plane.meaning for name, plane in product.planes.items()} == {
        "DATA": "data", "ERR": "error", "DQ": "flags", "VAR_POISSON": "variance",
    }  # fmt: skip
    assert product.planes["DATA"].unit == "MJy/sr"
    for name, plane in product.planes.items():
        assert isinstance(plane.raw(), np.memmap)
        assert np.array_equal(plane.read(), tree[name.lower()])
    shown = product.tree()
    assert shown["data"] == "float32 30 × 40"
    assert len(shown["meta"]["filename"]) == 200
    assert product.header["meta.telescope"] == "JWST"
    json.dumps(shown)


def test_asdf_roman(tmp_path):
    tree = {
        "roman": {k: v for k, v in science_tree().items() if k != "meta"} | {"meta": {"instrument": {"name": "WFI"}}}
    }
    product = only(write_asdf(tmp_path / "r.asdf", tree))
    assert (product.flags, product.label) == ("roman", "Roman WFI ASDF")
    assert only(tmp_path / "r.asdf", array="roman.dq").kind == "image"


@pytest.mark.parametrize("options", [{"all_array_compression": "zlib"}, {"all_array_storage": "inline"}])
def test_asdf_packed(tmp_path, options):
    tree = {"values": np.arange(12.0).reshape(3, 4)}
    product = only(write_asdf(tmp_path / "a.asdf", tree, **options))
    if not product.planes:  # inline arrays are shown in the tree
        assert "array" in str(product.tree())
        return
    assert np.array_equal(product.planes["VALUES"].read(), tree["values"])


def test_asdf_arrays_that_share_a_block(tmp_path):
    whole = np.arange(20.0).reshape(4, 5)
    products = open_products(
        write_asdf(tmp_path / "a.asdf", {"all": whole, "some": whole[1:3], "every": whole[:, ::2]})
    )
    found = {product.options["array"]: next(iter(product.planes.values())).read() for product in products}
    assert np.array_equal(found["some"], whole[1:3])
    assert np.array_equal(found["every"], whole[:, ::2])


def test_asdf_quantities(tmp_path):
    product = only(write_asdf(tmp_path / "a.asdf", {"flux": np.arange(5.0) * u.Jy}))
    assert (product.kind, product.planes["FLUX"].unit) == ("spectrum", "Jy")
    assert np.array_equal(product.planes["FLUX"].read(), np.arange(5.0))


def test_asdf_of_jwst(shared_data):
    from jviz.backend.wcs import SkyMap

    product = only(shared_data / "jw01345001001_14201_00001_nrcb2_tweakreg.asdf")
    assert (product.kind, product.label) == ("other", "GWCS (wcs)")
    sky = SkyMap.of(product.load_wcs().wcs, (2048, 2048))
    assert np.allclose(sky.sky_to_pixel(*sky.pixel_to_sky(100.0, 200.0)), (100, 200), atol=1e-5)
    picture = only(shared_data / "jwst_nircam_meta_gwcs_picture.asdf")
    assert list(picture.planes) == ["LUMINANCE", "R", "G", "B", "A"]
    assert picture.shape == (333, 151)
    assert picture.load_wcs().wcs is None


def test_asdf_with_the_gwcs_of_another_array(shared_data, tmp_path):
    with asdf_library().open(shared_data / "jw01345001001_14201_00001_nrcb2_tweakreg.asdf") as file:
        gwcs = file["wcs"]
        write_asdf(tmp_path / "cut.asdf", {"data": np.zeros((100, 100), "f4"), "meta": {"wcs": gwcs}})
        write_asdf(tmp_path / "full.asdf", {"data": np.zeros((2048, 2048), "u1"), "meta": {"wcs": gwcs}})
    cut = only(tmp_path / "cut.asdf").load_wcs()
    assert cut.wcs is None
    assert "cut-out" in cut.warnings[0]
    assert only(tmp_path / "full.asdf").load_wcs().wcs is not None


def test_damaged_asdf(tmp_path):
    whole = write_asdf(tmp_path / "a.asdf", science_tree()).read_bytes()
    for length in (12, 300, len(whole) - 3000, len(whole) // 2):
        path = tmp_path / f"cut{length}.asdf"
        path.write_bytes(whole[:length])
        if length > 12:
            message(path)
    start = re.search(rb"\xd3BLK", whole).start()
    lying = bytearray(whole)
    struct.pack_into(">Q", lying, start + 6 + 16, 1 << 50)
    (tmp_path / "lying.asdf").write_bytes(lying)
    message(tmp_path / "lying.asdf")
    (tmp_path / "yaml.asdf").write_bytes(b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- {a: [\n...\n")
    message(tmp_path / "yaml.asdf")
    assert "roman.data" not in message(tmp_path / "a.asdf", array="roman.data").split("It has:")[1]
