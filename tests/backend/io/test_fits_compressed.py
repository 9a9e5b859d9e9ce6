"""Compressed files give the same numbers, once decompressed into the cache."""

import bz2
import gzip
import lzma

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend import cache
from jviz.backend.io import fits_compressed
from jviz.backend.io.registry import open_products
from jviz.backend.progress import Cancelled
from jviz.errors import ReadError

DATA = np.random.default_rng(3).integers(-1000, 1000, (300, 200)).astype("i2")
PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def plain(path, data=DATA):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, name="SCI")]).writeto(path)
    return path


def packed(tmp_path, kind, name="m31.fits"):
    content = plain(tmp_path / "plain.fits").read_bytes()
    path = tmp_path / (name if name != "m31.fits" else f"{name}.{kind}")
    path.write_bytes(PACK[kind](content))
    return path


def entries():
    return sorted(cache.folder("entries").iterdir())


@pytest.mark.parametrize("kind", PACK)
def test_whole_files(tmp_path, kind):
    path = packed(tmp_path, kind)
    [product] = open_products(path)
    assert product.name == "m31"
    assert product.path == path
    assert product.plane("data").identity.path == str(path)
    np.testing.assert_array_equal(product.plane("data").read(), DATA)


@pytest.mark.parametrize("kind", PACK)
def test_the_content_decides_not_the_name(tmp_path, kind):
    [product] = open_products(packed(tmp_path, kind, "hidden.fits"))
    np.testing.assert_array_equal(product.plane("data").read(), DATA)


def test_only_the_first_opening_decompresses(tmp_path):
    path = packed(tmp_path, "gz")
    open_products(path)
    [entry] = entries()
    before = entry.stat().st_ino
    calls = []
    open_products(path, progress=lambda *args: calls.append(args))
    assert [e.stat().st_ino for e in entries()] == [before]
    assert calls == []


def test_cancel_leaves_nothing(tmp_path):
    def cancel(*_):
        raise Cancelled

    path = packed(tmp_path, "gz")
    with pytest.raises(Cancelled):
        open_products(path, progress=cancel)
    assert entries() == []


@pytest.mark.parametrize("kind", PACK)
def test_a_truncated_stream(tmp_path, kind):
    path = packed(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ReadError, match=r"m31\.fits.*truncated"):
        open_products(path)
    assert entries() == []


def test_damaged_gzip(tmp_path):
    path = packed(tmp_path, "gz")
    content = bytearray(path.read_bytes())
    content[-8] ^= 255  # the CRC
    path.write_bytes(content)
    with pytest.raises(ReadError, match="damaged"):
        open_products(path)


def test_a_bomb_does_not_fill_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "bomb.fits.gz"
    path.write_bytes(gzip.compress(b"SIMPLE  =                    T".ljust(3_000_000)))
    monkeypatch.setattr(fits_compressed, "_RESERVE", 10**18)
    with pytest.raises(ReadError, match=r"bomb\.fits\.gz needs 3 MB.*are free"):
        open_products(path)
    assert entries() == []


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"])
def test_tiles(tmp_path, kind):
    data = np.abs(DATA)
    path = tmp_path / "m31.fits.fz"
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, name="SCI", compression_type=kind)]).writeto(path)
    [product] = open_products(path)
    plane = product.plane("data")
    assert (product.kind, plane.shape, plane.dtype) == ("image", data.shape, data.dtype)
    assert not plane.immediate
    assert product.units[1].what == "compressed image"
    np.testing.assert_array_equal(plane.read(), data)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4", "f8"])
def test_tiles_of_every_type(tmp_path, dtype):
    data = np.abs(DATA[:50]).astype(dtype)
    path = tmp_path / "m31.fits"
    options = {"quantize_level": 0.0, "compression_type": "GZIP_2"} if dtype[0] == "f" else {}
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, **options)]).writeto(path)
    [product] = open_products(path)
    values = product.plane("data").read()
    assert values.dtype == data.dtype
    np.testing.assert_array_equal(values, data)


def test_tiles_of_a_cube_and_blank(tmp_path):
    data = np.arange(5 * 40 * 30, dtype="i4").reshape(5, 40, 30)
    hdu = fits.CompImageHDU(data, tile_shape=(2, 16, 16))
    hdu.header["BLANK"] = 77
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "c.fits")
    [product] = open_products(tmp_path / "c.fits")
    values = product.plane("data").read()
    assert product.kind == "cube"
    np.testing.assert_array_equal(values, np.where(data == 77, np.nan, data))


def test_cancelled_tiles_leave_nothing(tmp_path):
    def cancel(*_):
        raise Cancelled

    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(DATA)]).writeto(tmp_path / "c.fits")
    [product] = open_products(tmp_path / "c.fits")
    with pytest.raises(Cancelled):
        product.plane("data").raw(cancel)
    assert entries() == []
    np.testing.assert_array_equal(product.plane("data").read(), DATA)


def test_damaged_tiles(tmp_path):
    path = tmp_path / "c.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(DATA, compression_type="GZIP_1")]).writeto(path)
    [product] = open_products(path)
    with fits.open(path, disable_image_compression=True) as units:
        heap = units[1]._data_offset + units[1]._theap
    with path.open("r+b") as stream:
        stream.seek(heap)
        stream.write(b"\xff" * 2000)
    with pytest.raises(ReadError, match=r"c\.fits cannot be decompressed"):
        product.plane("data").read()
    assert entries() == []
