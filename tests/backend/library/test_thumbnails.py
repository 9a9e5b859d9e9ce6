"""Small pictures: what is bright stays bright and in its place, and the cache stays within its limit."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from jviz.backend import cache
from jviz.backend.library import thumbnails


def drawn(path):
    picture = thumbnails.picture_of(path)
    assert picture is not None
    assert picture.dtype == np.uint8
    return picture


def test_an_image_keeps_its_shape_and_its_top(tmp_path):
    values = np.random.default_rng(1).normal(0, 1, (300, 900)).astype("f4")
    values[270:290, 30:60] += 200
    values[:, 880:] = np.nan
    path = tmp_path / "a.fits"
    fits.writeto(path, values)
    picture = drawn(path)
    assert picture.shape == (60, 180, 4)
    assert (picture[2:6, 6:12, 0] == 255).all(), "rows 270 to 290 of 300 are near the top"
    assert picture[30:, :, 0].mean() < 200
    assert (picture[:, -3:, 3] == 0).all()
    assert (picture[:, :170, 3] == 255).all()


def test_a_large_image_is_read_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr(thumbnails, "MOST_READ", 10_000)
    y, x = np.mgrid[:1000, :1000]
    path = tmp_path / "a.fits"
    fits.writeto(path, (x + 1000.0 * (y > 500)).astype("f4"))
    picture = drawn(path)
    assert picture.shape == (100, 100, 4)
    assert picture[0, 50, 0] > picture[-1, 50, 0]
    assert picture[0, 90, 0] > picture[0, 5, 0]


def test_a_cube_is_averaged_over_what_is_there(tmp_path):
    values = np.full((40, 20, 30), 1.0, "f4")
    values[:, 5, 7] = 50
    values[::2, 12, 20] = np.nan
    path = tmp_path / "cube_s3d.fits"
    hdu = fits.PrimaryHDU(values)
    hdu.header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CTYPE3="WAVE", CDELT1=-1e-4, CDELT2=1e-4, CDELT3=1e-9,
                      CRVAL3=1e-6, CUNIT3="m")  # fmt: skip
    hdu.writeto(path)
    picture = drawn(path)
    assert picture.shape == (20, 30, 4)
    assert np.unravel_index(picture[..., 0].argmax(), (20, 30)) == (14, 7)
    assert picture[7, 20, 3] == 255


def test_a_curve_rises_where_the_flux_does(tmp_path):
    path = tmp_path / "a.fits"
    fits.writeto(path, np.concatenate([np.zeros(500), np.ones(500)]).astype("f4"))
    picture = drawn(path)
    inked = picture[..., 3] > 100
    rows = [np.flatnonzero(inked[:, column]).mean() for column in (30, 190)]
    assert rows[0] > 100 > 30 > rows[1]


def test_places_of_a_catalogue(tmp_path):
    from astropy.table import Table

    path = tmp_path / "a.ecsv"
    Table({"ra": [10.0, 10.2, 10.1], "dec": [0.0, 0.0, 0.1]}).write(path)
    inked = drawn(path)[..., 3] > 100
    assert inked[:30, 95:130].any(), "the northern one is at the top"
    assert inked[90:, :30].any(), "east is left"
    assert inked[90:, 195:].any()


def test_what_has_no_picture(tmp_path):
    from astropy.table import Table

    Table({"a": [1, 2]}).write(tmp_path / "a.ecsv")
    (tmp_path / "broken.fits").write_bytes(b"SIMPLE  = nothing")
    fits.writeto(tmp_path / "nan.fits", np.full((10, 10), np.nan, "f4"))
    for name in ("a.ecsv", "broken.fits", "nan.fits", "none.fits"):
        assert thumbnails.picture_of(tmp_path / name) is None, name
        assert thumbnails.made("0" * 64, tmp_path / name) is None


def test_real_files_are_drawn_or_left_out(shared_data):
    found = {path: thumbnails.picture_of(path) for path in sorted(shared_data.glob("*.fits"))}
    assert sum(picture is not None for picture in found.values()) > 25
    for path, picture in found.items():
        if picture is not None:
            assert max(picture.shape[:2]) <= thumbnails.SIZE, path.name
            assert picture[..., 3].any(), path.name


def test_pictures_are_kept_by_checksum_within_a_limit(tmp_path):
    path = tmp_path / "a.fits"
    fits.writeto(path, np.random.default_rng(1).normal(0, 1, (300, 300)).astype("f4"))
    made = [thumbnails.made(f"{number:064d}", path) for number in range(4)]
    path.unlink()
    assert thumbnails.made(f"{2:064d}", path) == made[2], "made once, it does not need the file"
    assert Image.open(io.BytesIO(made[0].read_bytes())).size == (150, 150)
    for number, picture in enumerate(made):
        os.utime(picture, (number, number))
    assert thumbnails.kept(f"{0:064d}") == made[0]
    size = made[0].stat().st_size
    assert thumbnails.trimmed(2 * size) == 2 * size
    assert [picture.exists() for picture in made] == [True, False, False, True]
    assert made[0].is_relative_to(cache.folder("thumbnails"))


def test_drawing_is_given_up(tmp_path):
    from jviz.backend.progress import Cancelled

    path = tmp_path / "a.fits"
    fits.writeto(path, np.ones((30, 30), "f4"))

    def progress(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        thumbnails.made("1" * 64, path, progress=progress)
    assert thumbnails.kept("1" * 64) is None


def test_files_are_drawn_ahead_until_the_cache_is_full(tmp_path):
    files = []
    for number in range(4):
        path = tmp_path / f"{number}.fits"
        fits.writeto(path, np.random.default_rng(number).normal(0, 1, (200, 200)).astype("f4"))
        files.append((f"sum{number}", str(path)))
    broken = tmp_path / "broken.fits"
    broken.write_bytes(b"SIMPLE  = nothing of that")
    files[1] = ("none", str(broken))
    assert thumbnails.draw_ahead([("gone", str(tmp_path / "gone.fits")), *files[:3]], 10**9)
    assert thumbnails.known() == {"sum0", "none", "sum2"}
    times = {path: path.stat().st_mtime_ns for path in cache.folder("thumbnails").iterdir()}
    assert thumbnails.draw_ahead(files[:3], 10**9)
    again = {path: path.stat().st_mtime_ns for path in cache.folder("thumbnails").iterdir()}
    assert again == times, "none is drawn anew"
    assert not thumbnails.draw_ahead(files, 1)
    assert "sum3" not in thumbnails.known()
