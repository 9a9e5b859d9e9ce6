"""Errors of cubes count as what they are, whatever they are called; said once, and remembered."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.errors import JvizError
from tests.model.test_cube_operations import cube_header

SHAPE = (60, 12, 14)


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def opened(session, path, *, noise, kind, name="ERR", unit="", said=(), factor=1.0, turned=False):
    """Open a cube with noise of one standard deviation, told as std, var or ivar."""
    rng = np.random.default_rng(2)
    values = 5 * noise + rng.normal(0, noise, SHAPE)
    told = np.full(SHAPE, factor * {"std": noise, "var": noise**2, "ivar": noise**-2}[kind])
    header, beside = cube_header(SHAPE[0], unit="erg/s/cm2/Angstrom"), fits.Header(said)
    if unit:
        beside["BUNIT"] = unit
    if turned:
        for key in ("CTYPE", "CRVAL", "CDELT", "CRPIX", "CUNIT"):
            first, second, third = (header[f"{key}{n}"] for n in (1, 2, 3))
            header[f"{key}1"], header[f"{key}2"], header[f"{key}3"] = third, first, second
        values, told = np.moveaxis(values, 0, 2), np.moveaxis(told, 0, 2)
    parts = [fits.ImageHDU(values.astype("f4"), header, name="SCI"), fits.ImageHDU(told, beside, name=name)]
    fits.HDUList([fits.PrimaryHDU(), *parts]).writeto(path, overwrite=True)
    [data] = session.open(path)
    return data


def error_of_mean(session, cube):
    made = session.run("cube.collapse", data=cube, statistic="mean", spectral=None)
    return float(np.median(made.plane("ERR").read())) * np.sqrt(SHAPE[0])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", ["ERR", "VAR", "IVAR", "STAT", "SIGMA"])
@pytest.mark.parametrize("kind", ["std", "var", "ivar"])
def test_numbers_tell_whatever_the_name_says(session, tmp_path, name, kind, turned):
    cube = opened(session, tmp_path / "a.fits", noise=3e-17, kind=kind, name=name, turned=turned)
    assert np.isclose(error_of_mean(session, cube), 3e-17, rtol=1e-3)
    called = {"ERR": "std", "SIGMA": "std", "VAR": "var", "STAT": "var", "IVAR": "ivar"}[name]
    told = [text for _, text in session.notices if f"{name} holds" in text]
    assert len(told) == (called != kind)


@pytest.mark.parametrize(("unit", "said"), [
    ("erg2/s2/cm4/Angstrom2", {}), ("", {"HDUCLAS3": "MSE"}), ("", {"UTYPE": "VarianceUncertainty"})])
def test_the_unit_and_the_header_tell_where_numbers_cannot(session, tmp_path, unit, said):
    cube = opened(session, tmp_path / "a.fits", noise=2.0, kind="var", unit=unit, said=said)
    assert np.isclose(error_of_mean(session, cube), 2.0, rtol=1e-3)


@pytest.mark.parametrize("factor", [0.15, 1.0, 6.0])
def test_errors_that_are_too_large_or_small_stay_errors(session, tmp_path, factor):
    cube = opened(session, tmp_path / "a.fits", noise=20.0, kind="std", factor=factor)
    assert np.isclose(error_of_mean(session, cube), factor * 20, rtol=1e-3)
    assert not session.notices


def test_what_is_open_is_asked_and_the_answer_kept(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", noise=13.0, kind="var")
    assert cube.errors_unclear
    assert np.isclose(error_of_mean(session, cube), 169, rtol=1e-3)
    assert any("is taken for standard deviations, as its name says" in text for _, text in session.notices)
    session.run("cube.errors", data=cube, kind="variance")
    [data] = [one for one in session.data if one.name == "a"]
    assert np.isclose(error_of_mean(session, data), 13, rtol=1e-3)
    session.undo()
    session.undo()
    assert np.isclose(error_of_mean(session, session["a"]), 169, rtol=1e-3)
    session.redo()
    session.notices.clear()
    [again] = session.open(tmp_path / "a.fits")
    assert not again.errors_unclear
    assert not session.notices
    assert np.isclose(error_of_mean(session, again), 13, rtol=1e-3)
    session.save(tmp_path / "work.jviz")
    other = jviz.Session.load(tmp_path / "work.jviz")
    assert np.isclose(error_of_mean(other, other[again.name]), 13, rtol=1e-3)
    other.close()


def test_a_cube_without_errors_has_nothing_to_say(session, tmp_path):
    fits.PrimaryHDU(np.ones((5, 6, 7), "f4"), cube_header(5)).writeto(tmp_path / "a.fits")
    [cube] = session.open(tmp_path / "a.fits")
    with pytest.raises(JvizError, match="has no errors"):
        session.run("cube.errors", data=cube)
