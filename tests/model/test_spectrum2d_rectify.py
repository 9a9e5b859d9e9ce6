"""Rectified 2-D spectra: tilted and curved lines become columns, fluxes stay, errors follow."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.errors import CommandError

NOISE = 0.2


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def slit(path, *, unit="MJy/sr", seed=None, waves=True, up=False):
    """Write a slit with curved lines (in vacuum, µm) at 1.8 and 2.6 µm and a source on a bent trace."""
    y, x = np.mgrid[:40, :240]
    wave = 1 + 0.01 * x + 0.002 * (y - 20) + 0.0003 * (y - 20) ** 2 / 10
    centre = 18 + 4 * ((x - 120) / 120) ** 2
    values = sum(10 * np.exp(-0.5 * ((wave - c) / 0.02) ** 2) for c in (1.8, 2.6))
    values = values + 20 * np.exp(-0.5 * ((y - centre) / 1.5) ** 2)
    if seed is not None:
        values = values + np.random.default_rng(seed).normal(0, NOISE, x.shape)
    planes = [values, np.full(x.shape, NOISE), wave]
    if up:
        planes = [plane.T for plane in planes]
    hdus = [fits.PrimaryHDU(header=fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DATAMODL": "SlitModel"}))]
    names = ("SCI", "ERR", "WAVELENGTH") if waves else ("SCI", "ERR")
    hdus += [fits.ImageHDU(p.astype("f8"), name=n) for p, n in zip(planes, names, strict=False)]
    hdus[1].header.update(BUNIT=unit, PIXAR_SR=1e-13, DISPAXIS=2 if up else 1)
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path, values, wave


@pytest.mark.parametrize("up", [False, True])
def test_curved_lines_become_columns(session, tmp_path, up):
    path, _, _ = slit(tmp_path / "slit.fits", up=up)
    [data] = session.open(path)
    made = session.run("spectrum2d.rectify", data=data, trace=5)
    assert made.kind == "spectrum2d"
    values, waves = made.get(np.ndarray), made.wavelengths
    assert (waves.unit, waves.medium) == ("um", "vacuum")
    assert (waves.values == waves.values[0]).all()
    w, sky = waves.values[0], np.r_[0:10, 30:40]
    for center in (1.8, 2.6):
        near = np.abs(w - center) < 0.1
        part = values[np.ix_(sky, near)]
        found = (part * w[near]).sum(axis=1) / part.sum(axis=1)
        np.testing.assert_allclose(found, center, atol=2e-4)


def test_the_flux_of_every_row_stays(session, tmp_path):
    path, values, wave = slit(tmp_path / "slit.fits", unit="DN")
    [data] = session.open(path)
    made = session.run("spectrum2d.rectify", data=data).get(np.ndarray)
    np.testing.assert_allclose(np.nansum(made, axis=1), values.sum(axis=1), rtol=4e-3)
    per = session.run("spectrum2d.rectify", data=data, holds="density", step=0.013)
    w = per.wavelengths.values[0]
    widths = np.gradient(wave, axis=1)
    inner = np.nansum(per.get(np.ndarray) * 0.013, axis=1)
    np.testing.assert_allclose(inner, (values * widths).sum(axis=1), rtol=2e-2)
    assert np.allclose(np.diff(w), 0.013)


def test_the_trace_is_brought_onto_one_row_and_extracts_the_same(session, tmp_path):
    path, _, _ = slit(tmp_path / "slit.fits", seed=2)
    [data] = session.open(path)
    session.run("spectrum2d.trace", data=data, order=2)
    made = session.run("spectrum2d.rectify", data=data, straighten=True)
    values = made.get(np.ndarray)
    rows = np.arange(len(values))[:, None]
    light = np.where(np.isfinite(values), np.clip(values - 8, 0, None), 0)[:, 20:-20]
    found = (light * rows).sum(axis=0) / light.sum(axis=0)
    assert np.std(found) < 0.15
    before = session.run("spectrum2d.extract", data=data, width=10).samples[0]
    after = session.run("spectrum2d.extract", data=made, width=10, trace=float(np.median(found))).samples[0]
    inner = (before.axis.values > 1.3) & (before.axis.values < 3.1)
    there = np.interp(before.axis.values[inner], after.axis.values, after.flux)
    assert np.median(there / before.flux[inner]) == pytest.approx(1, abs=0.01)
    session.undo()
    session.undo()
    session.undo()
    assert len(session.names) == 1


def test_errors_are_the_scatter(session, tmp_path):
    many = []
    for seed in range(40):
        path, _, _ = slit(tmp_path / f"slit{seed}.fits", seed=seed)
        [data] = session.open(path)
        made = session.run("spectrum2d.rectify", data=data, trace=20)
        many.append(made.get(np.ndarray))
    error = made.plane("ERR").read()
    inner = (slice(2, 38), slice(20, -20))
    ratio = np.std([one[inner] for one in many], axis=0) / error[inner]
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.05)


def test_what_has_no_wavelengths_is_told(session, tmp_path):
    path, _, _ = slit(tmp_path / "slit.fits", waves=False)
    [data] = session.open(path)
    with pytest.raises(CommandError, match="cannot be rectified: it has no wavelengths"):
        session.run("spectrum2d.rectify", data=data)
    path, _, _ = slit(tmp_path / "other.fits")
    [data] = session.open(path)
    with pytest.raises(CommandError, match="take another one"):
        session.run("spectrum2d.rectify", data=data, step=-1)


def test_a_real_exposure(session, shared_data):
    [data] = session.open(shared_data / "jw02565007001_03101_00002_nrs2_cal.fits")
    made = session.run("spectrum2d.rectify", data=data)
    w = made.wavelengths.values
    assert (w == w[0]).all()
    assert (np.diff(w[0]) > 0).all()
    assert np.isfinite(made.get(np.ndarray)).mean() > 0.5
