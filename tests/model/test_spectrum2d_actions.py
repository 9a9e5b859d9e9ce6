"""The commands on 2-D spectra, on real exposures beside what the JWST pipeline made of them, and on made ones."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.data import Spectrum2D
from jviz.errors import CommandError


@pytest.fixture
def session():
    return jviz.Session()


@pytest.fixture
def slit(session, tmp_path):
    """A slit of MJy/sr whose wavelengths run along x, with a source on a tilted line, and flags."""
    y, x = np.mgrid[:30, :200]
    rng = np.random.default_rng(1)
    centre = 12 + x / 50
    values = 50 * np.exp(-0.5 * ((y - centre) / 1.3) ** 2) + rng.normal(size=x.shape)
    flags = np.zeros(x.shape, np.uint32)
    values[12, 20], flags[12, 20] = 1e6, 1
    hdus = [
        fits.PrimaryHDU(header=fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DATAMODL": "SlitModel"})),
        fits.ImageHDU(values.astype("f4"), name="SCI"),
        fits.ImageHDU(np.ones(x.shape, "f4"), name="ERR"),
        fits.ImageHDU(flags, name="DQ"),
        fits.ImageHDU((1 + 0.01 * x + 0.001 * y).astype("f4"), name="WAVELENGTH"),
    ]
    hdus[1].header.update(BUNIT="MJy/sr", PIXAR_SR=1e-13, DISPAXIS=1)
    fits.HDUList(hdus).writeto(tmp_path / "slit_cal.fits")
    [data] = session.open(tmp_path / "slit_cal.fits")
    return data


def test_the_pipelines_own_spectrum_of_the_exposure_comes_out(session, shared_data):
    base = "jw02565007001_03101_00002_nrs2"
    [data] = session.open(shared_data / f"{base}_s2d.fits")
    assert isinstance(data, Spectrum2D)
    with fits.open(shared_data / f"{base}_x1d.fits") as hdus:
        header, rows = hdus[1].header, hdus[1].data
        row = (header["EXTRYSTR"] + header["EXTRYSTP"]) / 2 - 1
        width = header["EXTRYSTP"] - header["EXTRYSTR"] + 1
        made = session.run("spectrum2d.extract", data=data, trace=row, width=width).samples[0]
        np.testing.assert_allclose(made.axis.values, rows["WAVELENGTH"], rtol=1e-6)
        good = made.good
        np.testing.assert_allclose(made.flux[good], rows["FLUX"][good], rtol=1e-3)
        # the pipeline weighs the variance of cut pixels once, not twice
        assert np.nanmedian(made.error / rows["FLUX_ERROR"]) == pytest.approx(1, abs=0.03)
        best = session.run("spectrum2d.extract", data=data, trace=row, width=width, method="horne").samples[0]
        pull = (best.flux - rows["FLUX"]) / rows["FLUX_ERROR"]
        assert abs(np.nanmedian(pull)) < 0.5
    assert (made.unit, made.axis.unit, made.axis.medium) == ("Jy", "um", "vacuum")


EXPECTED = {
    # file: first and last wavelength, unit; from the pixels themselves by astropy.io.fits
    "jw02565007001_03101_00002_nrs2_s2d.fits": (0.55164, 5.37776, "um"),
    "jw02565007001_03101_00002_nrs2_cal.fits": (0.54462, 5.38809, "um"),
    "jw01243001001_01101_00001_nrca5_cal.fits": (2.96801, 4.33044, "um"),
    "jw02565-o007_s000020115_nirspec_clear-prism_s2d.fits": (0.55155, 5.37777, "um"),
    "jw04233006001_03101_00002_nrs1_phot.186.4233_44597.fits": (0.54728, 5.38028, "um"),
    "rubies-egs61_prism-clear_4233_44597.spec.fits": (0.58, 5.33662, "um"),
    "o4sp040b0_raw.fits": (8264.95, 8298.75, "Angstrom"),
    "sprat_2d_lhs6328.fits.gz": (None, None, ""),
    "niriss_jw01324001001_test.beams.fits": (8281.03, 14679.94, "Angstrom"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_real_2d_spectrum_has_its_wavelengths(session, shared_data, name):
    low, high, unit = EXPECTED[name]
    data = next(d for d in session.open(shared_data / name) if d.kind == "spectrum2d")
    waves = data.wavelengths
    assert waves.unit == unit
    if low is None:
        assert waves.values is None
        assert "numbered" in waves.notes[0]
    else:
        assert waves.values.shape == data.shape
        assert np.nanmin(waves.values) == pytest.approx(low, abs=2e-5 * low)
        assert np.nanmax(waves.values) == pytest.approx(high, abs=2e-5 * high)


def test_a_trace_is_a_region_that_extraction_uses(session, slit):
    subset = session.run("spectrum2d.trace", data=slit, order=1)
    assert session.subsets["trace"] is subset
    assert subset.shape == "path"
    x, y = subset.region.vertices.x, subset.region.vertices.y
    np.testing.assert_allclose(y, 12 + x / 50, atol=0.15)
    made = session.run("spectrum2d.extract", data=slit, width=10.0).samples[0]
    expected = 50 * 1.3 * np.sqrt(2 * np.pi) * 1e-7
    assert np.median(made.flux) == pytest.approx(expected, rel=0.03)
    assert made.flux[20] == pytest.approx(expected, rel=0.2)
    assert made.area == pytest.approx(10 * 1e-13)
    moved = subset.region.copy()
    moved.vertices.y[:] += 12
    session.run("subset.create", name="trace", region=moved, data=slit)
    assert abs(np.median(session.run("spectrum2d.extract", data=slit, width=3.0).samples[0].flux)) < expected / 10
    session.undo(), session.undo(), session.undo(), session.undo()
    assert "trace" not in session.subsets


def test_traces_by_hand(session, slit):
    row = session.run("spectrum2d.trace", data=slit, method="by hand", points=14.0, name="row")
    assert set(row.region.vertices.y) == {14.0}
    line = session.run("spectrum2d.trace", data=slit, points=[(0, 12), (100, 14)], name="line")
    np.testing.assert_allclose(line.region.vertices.y, 12 + line.region.vertices.x / 50)
    for given in ("line", [(0, 12), (100, 14)], line.region):
        made = session.run("spectrum2d.extract", data=slit, trace=given, width=8.0).samples[0]
        assert np.median(made.flux) == pytest.approx(50 * 1.3 * np.sqrt(2 * np.pi) * 1e-7, rel=0.03)


def test_backgrounds_and_profile(session, slit):
    made = session.run(
        "spectrum2d.extract", data=slit, width=8.0, background=[(-10, -6), (6, 10)], fit="polynomial", order=1
    )
    assert np.median(made.samples[0].flux) > 0
    across = session.run("spectrum2d.profile", data=slit).table
    assert 12 <= across["row"][np.argmax(across["signal"])].value <= 17
    straight = session.run("spectrum2d.profile", data=slit, straighten=True).table
    assert abs(straight["offset"][np.argmax(straight["signal"])].value) <= 1


def test_wavelengths_that_run_upwards(session, tmp_path):
    x = np.mgrid[:200, :30][1]
    values = 50 * np.exp(-0.5 * ((x - 11) / 1.3) ** 2)
    hdu = fits.PrimaryHDU(values.astype("f4"))
    hdu.header.update(
        DISPAXIS=2, CTYPE2="WAVE", CUNIT2="Angstrom", CRVAL2=5000.0, CRPIX2=1.0, CDELT2=2.0, CTYPE1="LINEAR"
    )
    hdu.writeto(tmp_path / "up.fits")
    [data] = session.open(tmp_path / "up.fits")
    subset = session.run("spectrum2d.trace", data=data)
    np.testing.assert_allclose(subset.region.vertices.x, 11, atol=0.05)
    made = session.run("spectrum2d.extract", data=data, width=12.0).samples[0]
    np.testing.assert_allclose(made.flux, 50 * 1.3 * np.sqrt(2 * np.pi), rtol=1e-3)
    in_angstrom = made.axis.values * (1e10 if made.axis.unit == "m" else 1)
    np.testing.assert_allclose(in_angstrom[[0, -1]], [5000, 5398], rtol=1e-6)


def test_what_cannot_be_done_is_said(session, slit):
    with pytest.raises(CommandError, match="There is no trace 'nope'"):
        session.run("spectrum2d.extract", data=slit, trace="nope")
    with pytest.raises(CommandError, match="are no windows"):
        session.run("spectrum2d.extract", data=slit, trace=14.0, background=[(3, 3)])
    with pytest.raises(CommandError, match="is no trace"):
        session.run("spectrum2d.trace", data=slit, points=["a"])
    with pytest.raises(CommandError, match="needs points"):
        session.run("spectrum2d.trace", data=slit, method="by hand")
    with pytest.raises(CommandError, match="outside of the image"):
        session.run("spectrum2d.extract", data=slit, trace=500.0)


def test_a_script_and_a_session_file_keep_the_trace(session, slit, tmp_path):
    session.run("spectrum2d.trace", data=slit)
    assert "spectrum2d.trace" in session.script()
    session.save(tmp_path / "work.jviz")
    loaded = jviz.Session.load(tmp_path / "work.jviz")
    assert loaded.subsets["trace"].shape == "path"


def test_a_slit_on_a_small_part_of_the_detector(session, tmp_path):
    """As MIRI's LRS: wavelengths run along y, are known in the slit alone, and the light grows wider with them."""
    y, x = np.mgrid[:500, :300]
    inside = (x >= 120) & (x < 165) & (y >= 40) & (y < 240)
    centre = 133 + 2 * ((y - 40) / 200) ** 2
    width = 1.2 + 1.3 * (y - 40) / 200
    light = 3000 - 5.0 * y
    rng = np.random.default_rng(4)
    slit = light * np.exp(-0.5 * ((x - centre) / width) ** 2) / (width * np.sqrt(2 * np.pi)) + 70
    values = np.where(inside, slit + rng.normal(0, 0.3, x.shape), rng.normal(0, 300, x.shape))
    waves = np.where(inside, 5 + 0.02 * y, np.nan)
    hdus = [
        fits.PrimaryHDU(header=fits.Header({"TELESCOP": "JWST", "INSTRUME": "MIRI", "DATAMODL": "SlitModel"})),
        fits.ImageHDU(values.astype("f4"), name="SCI"),
        fits.ImageHDU(np.full(x.shape, 0.3, "f4"), name="ERR"),
        fits.ImageHDU(waves.astype("f4"), name="WAVELENGTH"),
    ]
    hdus[1].header.update(BUNIT="DN/s", DISPAXIS=2)
    fits.HDUList(hdus).writeto(tmp_path / "lrs_cal.fits")
    [data] = session.open(tmp_path / "lrs_cal.fits")
    found = session.run("spectrum2d.trace", data=data).region.vertices
    assert (found.y[0], found.y[-1]) == (40, 239)  # where there is light
    np.testing.assert_allclose(found.x, 133 + 2 * ((found.y - 40) / 200) ** 2, atol=0.1)
    options = {"data": data, "width": 16.0, "background": [(-12.0, -9.0), (12.0, 20.0)]}
    for method in ("boxcar", "horne"):
        made = session.run("spectrum2d.extract", method=method, **options).samples[0]
        np.testing.assert_allclose(made.axis.values, 5 + 0.02 * np.arange(40, 240), rtol=1e-6)
        np.testing.assert_allclose(made.flux[12:-12], light[52:228, 0], rtol=0.01)
    flat = session.run("spectrum2d.rectify", data=data, straighten=True)
    assert 45 <= flat.shape[0] < 60  # the slit and what straightening moves it by, not the detector
    row = float(flat.header["HISTORY"].rpartition("trace on row ")[2])
    middle = np.nanmedian(flat.get(np.ndarray), axis=1)
    assert abs(np.nanargmax(middle) - row) <= 1
