"""Pixels come out of a file as astropy gives them."""

import mmap

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.io.fitsfile import FitsFile
from jviz.backend.io.registry import open_products

RNG = np.random.default_rng(5)


def write(path, *hdus):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def only_plane(path):
    [product] = open_products(path)
    return next(iter(product.planes.values()))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8", "i1", "u2", "u4", "u8"])
def test_every_number_type_comes_back(tmp_path, dtype):
    info = np.iinfo(dtype) if dtype[0] in "iu" else None
    if info:
        data = RNG.integers(info.min, info.max, (7, 9), dtype, endpoint=True)
        data[0, :2] = info.min, info.max
    else:
        data = RNG.normal(size=(7, 9)).astype(dtype)
        data[0, 0] = np.nan
    plane = only_plane(write(tmp_path / "a.fits", fits.ImageHDU(data)))
    assert plane.dtype == plane.read().dtype == np.dtype(dtype)
    np.testing.assert_array_equal(plane.read(), data)
    np.testing.assert_array_equal(plane.read(np.s_[2:5, ::3]), data[2:5, ::3])


@pytest.mark.parametrize(("dtype", "result"), [("u1", "f4"), ("i2", "f4"), ("i4", "f8"), ("f4", "f4")])
def test_scaled_values(tmp_path, dtype, result):
    raw = RNG.integers(0, 100, (5, 6)).astype(dtype)
    hdu = fits.ImageHDU(raw)
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.25, -3.5
    plane = only_plane(write(tmp_path / "a.fits", hdu))
    assert plane.dtype == plane.read().dtype == np.dtype(result)
    np.testing.assert_array_equal(plane.read(), raw * 0.25 - 3.5)  # exact in binary


@pytest.mark.parametrize(("scale", "zero"), [(1.0, 0.0), (2.0, 1.0), (1.0, 32768.0)])
def test_blank_is_nan(tmp_path, scale, zero):
    raw = np.arange(30, dtype="i2").reshape(5, 6)
    hdu = fits.ImageHDU(raw)
    hdu.header["BLANK"] = 7
    if (scale, zero) != (1.0, 0.0):
        hdu.header["BSCALE"], hdu.header["BZERO"] = scale, zero
    path = write(tmp_path / "a.fits", hdu)
    found = only_plane(path).read()
    assert np.argwhere(np.isnan(found)).tolist() == [[1, 1]]
    expected = np.where(raw == 7, np.nan, raw * scale + zero)
    np.testing.assert_array_equal(found, expected)


def test_arrays_are_maps_in_file_order_that_cannot_be_written(tmp_path):
    path = write(tmp_path / "a.fits", fits.ImageHDU(np.ones((4, 4), "f4")))
    raw = only_plane(path).raw()
    assert raw.dtype == np.dtype(">f4")
    assert not raw.flags.writeable
    base = raw
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


def test_the_file_may_go_while_it_is_open(tmp_path):
    data = RNG.normal(size=(50, 60)).astype("f4")
    path = write(tmp_path / "a.fits", fits.ImageHDU(data))
    plane = only_plane(path)
    path.unlink()
    np.testing.assert_array_equal(plane.read(), data)


def test_opening_does_not_change_the_file(tmp_path):
    path = write(tmp_path / "a.fits", fits.ImageHDU(np.ones((4, 4))))
    path.chmod(0o444)
    before = path.read_bytes(), path.stat().st_mtime_ns
    only_plane(path).read()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_index_of_many_extensions_agrees_with_astropy(tmp_path):
    hdus = [fits.ImageHDU(np.full((3, n + 1), n, "i2"), name=f"N{n}") for n in range(120)]
    hdus.insert(40, fits.BinTableHDU.from_columns([fits.Column("a", "PE()", array=[[1.0], [2.0, 3.0]])]))
    path = write(tmp_path / "a.fits", *hdus)
    file = FitsFile.open(path)
    with fits.open(path) as expected:
        starts = [unit._data_offset for unit in expected]
        shapes = [unit.shape for unit in expected if unit.is_image]
    assert [hdu.start for hdu in file.hdus] == starts
    assert [hdu.shape for hdu in file.hdus if hdu.what in ("image", "empty")] == shapes
    assert not file.warnings


def test_cards_of_every_unit_are_there(tmp_path):
    hdu = fits.ImageHDU(np.ones((4, 4)), name="SCI")
    hdu.header["LONGKEY"] = "x" * 150, "a comment"
    hdu.header["HIERARCH ESO INS NAME"] = "MUSE"
    hdu.header.add_history("once")
    path = write(tmp_path / "a.fits", hdu)
    [product] = open_products(path)
    with fits.open(path) as units:
        expected = [(card.keyword, card.value, card.comment) for card in units[1].header.cards]
    found = list(product.units[1].cards)
    assert [card[0] for card in found] == [card[0] for card in expected]
    assert product.header["LONGKEY"] == "x" * 150
    assert product.header["ESO INS NAME"] == "MUSE"
    assert product.units[1].header["HISTORY"].strip() == "once"


def test_random_groups_are_jumped_over(tmp_path):
    groups = fits.GroupData(np.ones((5, 1, 1, 3), "f4"), bitpix=-32, parnames=["UU"], pardata=[np.arange(5.0)])
    image = fits.ImageHDU(np.ones((4, 4)), name="AFTER")
    path = tmp_path / "a.fits"
    fits.HDUList([fits.GroupsHDU(groups), image]).writeto(path)
    [product] = open_products(path)
    assert product.options == {"hdu": "AFTER"}
