"""Cubes smoothed, cut, binned and brought together: closed forms, scatter, missing values, axis and place."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import jviz
from jviz.errors import JvizError

N, NY, NX = 40, 12, 14
WAVES = 5.0 + 0.01 * np.arange(N)


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def cube_header(n=N, step=0.01, pixel=0.2, unit="MJy/sr"):
    header = fits.Header()
    axes = [
        ("RA---TAN", 150.0, -pixel / 3600, 7.0, "deg"), ("DEC--TAN", 2.0, pixel / 3600, 6.0, "deg"),
        ("WAVE", 5.0, step, 1.0, "um"),
    ]  # fmt: skip
    for number, (kind, value, by, middle, text) in enumerate(axes, 1):
        header[f"CTYPE{number}"], header[f"CRVAL{number}"], header[f"CDELT{number}"] = kind, value, by
        header[f"CRPIX{number}"], header[f"CUNIT{number}"] = middle, text
    header["BUNIT"] = unit
    return header


def opened(session, path, values, error=None, dq=None, **more):
    header = cube_header(len(values), **more)
    parts = [fits.PrimaryHDU(), fits.ImageHDU(np.asarray(values, np.float32), header, name="SCI")]
    if error is not None:
        parts.append(fits.ImageHDU(np.broadcast_to(error, values.shape).astype(np.float32), header, name="ERR"))
    if dq is not None:
        parts.append(fits.ImageHDU(dq.astype(np.uint32), name="DQ"))
    parts[0].header["TELESCOP"] = "JWST"
    fits.HDUList(parts).writeto(path)
    [data] = session.open(path)
    return data


def values_of(cube):
    return cube.plane("SCI").read()


def errors_of(cube):
    return cube.plane("ERR").read()


def world(cube, channel, row, column):
    return np.array([float(v) for v in cube.wcs.low_level_wcs.pixel_to_world_values(column, row, channel)])


def line(centre, sigma):
    return np.exp(-0.5 * ((np.arange(N) - centre) / sigma) ** 2)


def test_smoothing_widens_a_gaussian_line_as_it_must(session, tmp_path):
    values = np.broadcast_to(line(20, 2.0)[:, None, None], (N, NY, NX))
    cube = opened(session, tmp_path / "a.fits", values, 0.1)
    made = session.run("cube.smooth", data=cube, axis="spectral", sigma=1.5)
    expected = line(20, 2.5) * 2.0 / 2.5
    inner = slice(8, 32)
    assert np.allclose(values_of(made)[inner, 5, 5], expected[inner], atol=2e-4)
    assert made.axis.unit == "um"
    assert np.allclose(made.axis.values, WAVES)
    assert np.allclose(world(made, 3, 4, 5), world(cube, 3, 4, 5))
    assert "smoothed" in str(made.header["HISTORY"])


@pytest.mark.parametrize(("kernel", "size"), [("gaussian", 1.2), ("box", 3.0), ("median", 3.0)])
@pytest.mark.parametrize("axis", ["spectral", "spatial"])
def test_errors_of_smoothed_noise_are_its_scatter(session, tmp_path, kernel, size, axis):
    noise = np.random.default_rng(3).normal(5, 0.5, (N, 30, 30))
    cube = opened(session, tmp_path / "noise.fits", noise, 0.5)
    made = session.run("cube.smooth", data=cube, axis=axis, sigma=size, kernel=kernel)
    inner = np.s_[8:-8, 8:-8, 8:-8]
    scatter, told = values_of(made)[inner].std(), errors_of(made)[inner].mean()
    assert abs(scatter / told - 1) < 0.06
    assert abs(values_of(made).mean() - 5) < 0.02


def test_missing_and_flagged_values_take_no_part_in_smoothing(session, tmp_path):
    values, dq = np.full((N, NY, NX), 3.0), np.zeros((N, NY, NX))
    values[10], values[:, 4, 4] = np.nan, np.nan
    values[20, 6, 6], dq[20, 6, 6] = 1e6, 1
    cube = opened(session, tmp_path / "gaps.fits", values, 0.1, dq)
    for axis in ("spectral", "spatial"):
        made = values_of(session.run("cube.smooth", data=cube, axis=axis, sigma=1.0))
        missing = ~np.isfinite(values)
        missing[20, 6, 6] = True
        assert np.isnan(made[missing]).all()
        assert np.allclose(made[~missing], 3.0)
        filled = values_of(session.run("cube.smooth", data=cube, axis=axis, sigma=1.0, fill=True))
        assert np.isclose(filled[20, 6, 6], 3.0)


def test_a_kernel_without_size_is_told(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((N, NY, NX)))
    with pytest.raises(JvizError, match="above 0"):
        session.run("cube.smooth", data=cube, sigma=0)
    with pytest.raises(JvizError, match="odd number"):
        session.run("cube.smooth", data=cube, sigma=4, kernel="median")


def test_large_results_lie_in_the_cache_and_are_the_same(session, tmp_path, monkeypatch):
    cube = opened(session, tmp_path / "a.fits", np.random.default_rng(1).normal(size=(N, NY, NX)), 0.1)
    here = session.run("cube.smooth", data=cube, sigma=1.0)
    monkeypatch.setattr("jviz.backend.room.IN_MEMORY", 1000)
    there = session.run("cube.smooth", data=cube, sigma=1.0)
    assert isinstance(there.plane("SCI").raw(), np.memmap)
    assert np.array_equal(values_of(here), values_of(there), equal_nan=True)


def test_what_was_made_is_written_and_read_again(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.random.default_rng(1).normal(size=(N, NY, NX)), 0.1)
    made = session.run("cube.smooth", data=cube, sigma=1.0, name="made")
    session.run("data.export", data=made, path=tmp_path / "made.fits")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = WCS(fits.getheader(tmp_path / "made.fits", "SCI"))
    assert np.isclose(wcs.wcs_pix2world([[0, 0, 10]], 0)[0][2], 5.1e-6)
    [again] = session.open(tmp_path / "made.fits")
    assert np.allclose(values_of(again), values_of(made))


def test_a_continuum_is_taken_away_under_a_line(session, tmp_path):
    x = np.linspace(-1, 1, N)[:, None, None]
    slope = np.linspace(-1, 1, NX)[None, None, :]
    values = np.broadcast_to(5 + slope * x + 0.5 * x**2 + 3 * line(20, 1.0)[:, None, None], (N, NY, NX)).copy()
    values[:, 2, 2], values[7] = np.nan, np.nan
    cube = opened(session, tmp_path / "a.fits", values, 0.1)
    made = session.run("cube.continuum", data=cube, order=2, exclude=(5.14, 5.26))
    expected = np.where(np.isfinite(values), 3 * line(20, 1.0)[:, None, None], np.nan)
    assert np.allclose(values_of(made), expected, atol=2e-3, equal_nan=True)
    clipped = session.run("cube.continuum", data=cube, order=2, result="continuum")
    level = (5 + slope * x + 0.5 * x**2)[5, 0]
    assert np.allclose(values_of(clipped)[5, 5], level, atol=0.02)


@pytest.mark.parametrize("result", ["subtracted", "continuum"])
def test_errors_of_continua_are_their_scatter(session, tmp_path, result):
    noise = np.random.default_rng(8).normal(5, 0.5, (N, 60, 60))
    cube = opened(session, tmp_path / "noise.fits", noise, 0.5)
    made = session.run("cube.continuum", data=cube, order=3, sigma=0, exclude=(5.14, 5.26), result=result)
    scatter, told = values_of(made).std(axis=(1, 2)), errors_of(made).mean(axis=(1, 2))
    assert np.allclose(scatter, told, rtol=0.08)


def test_signal_to_noise_is_the_ratio_without_unit(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.full((N, NY, NX), 3.0), 0.5)
    made = session.run("cube.snr", data=cube)
    assert np.allclose(values_of(made), 6.0)
    assert made.unit == ""
    bare = opened(session, tmp_path / "b.fits", np.full((N, NY, NX), 3.0))
    with pytest.raises(JvizError, match="no errors"):
        session.run("cube.snr", data=bare)


def test_the_point_spread_of_all_channels_becomes_as_wide_as_wanted(session, tmp_path):
    y, x = np.mgrid[:41, :41] - 20.0
    widths = np.linspace(2.0, 4.0, N)  # spaxels of 0.2 arcsec
    sigma = (widths / np.sqrt(8 * np.log(2)))[:, None, None]
    star = np.exp(-0.5 * (x**2 + y**2) / sigma**2) / (2 * np.pi * sigma**2)
    cube = opened(session, tmp_path / "star.fits", star, 0.1)
    made = values_of(session.run("cube.psf_match", data=cube, fwhm_to=1.2, fwhm_from=(0.4, 0.8)))
    wanted = 6 / np.sqrt(8 * np.log(2))
    for channel in (0, 20, N - 1):
        total = made[channel].sum()
        assert np.isclose(total, 1, rtol=0.01)
        assert np.isclose(np.sqrt((made[channel] * x**2).sum() / total), wanted, rtol=0.02)
    with pytest.raises(JvizError, match="be widened"):
        session.run("cube.psf_match", data=cube, fwhm_to=0.5, fwhm_from=(0.4, 0.8))


def test_a_kernel_much_wider_than_the_cube_gives_the_mean(session, tmp_path):
    noise = np.random.default_rng(4).normal(5, 1, (N, NY, NX))
    cube = opened(session, tmp_path / "noise.fits", noise, 1.0)
    made = session.run("cube.smooth", data=cube, axis="spatial", sigma=1e7)
    assert np.allclose(values_of(made), noise.mean(axis=(1, 2))[:, None, None], rtol=1e-5)
    assert np.allclose(errors_of(made), 1 / np.sqrt(NY * NX), rtol=1e-4)


@pytest.mark.parametrize(("command", "arguments"), [
    ("cube.smooth", {}), ("cube.smooth", {"axis": "spatial"}), ("cube.rebin", {"spatial": 2}), ("cube.slab", {}),
    ("cube.crop", {}), ("cube.mask", {"minimum_snr": 0.0}), ("cube.arithmetic", {"expression": "a + 1"}),
    ("cube.psf_match", {"fwhm_to": 2.0, "fwhm_from": 1.0}), ("cube.continuum", {}), ("cube.snr", {}),
    ("cube.regrid", {}),
])  # fmt: skip
def test_what_would_hold_no_value_is_told_in_a_sentence(session, tmp_path, command, arguments):
    cube = opened(session, tmp_path / "a.fits", np.full((N, NY, NX), np.nan), 0.1)
    given = {"cube.arithmetic": "a", "cube.regrid": "data"}.get(command, "data")
    more = {"cube.slab": {"spectral": (5.1, 5.2)}, "cube.regrid": {"reference": cube}}.get(command, {})
    with pytest.raises(JvizError, match=r"Nothing (would be left )?of a") as told:
        session.run(command, **{given: cube}, **arguments, **more)
    assert len(str(told.value)) < 250
    assert session.names == ["a"]
