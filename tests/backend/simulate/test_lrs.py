"""Exposures of a slit spectrometer: geometry, light on the detector, reference files, and apertures."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from scipy.interpolate import UnivariateSpline

from jviz.backend.calibration.rules import Rules
from jviz.backend.simulate import plan_of, simulate
from jviz.backend.simulate.exposing import CENTRE
from jviz.backend.simulate.geometry import Pointing
from jviz.backend.simulate.lrs import FRAME, RESOLVING, SENSITIVITY, SLIT, SPOT, lean, response, waves_of
from jviz.backend.simulate.lrs_references import RING, aperture_shares
from jviz.backend.simulate.writing import make_field
from tests.crds_cache import errors_by_crds


@pytest.fixture(scope="module")
def plan():
    return plan_of(seed=7, instrument="miri-lrs", dithers=1, groups=3)


@pytest.fixture(scope="module")
def made(plan, tmp_path_factory):
    return simulate(plan, tmp_path_factory.mktemp("lrs") / "field")


def reference(made, kind, suffix="fits"):
    return made.cache / "references" / "jwst" / "miri" / f"jwst_miri_{kind}_9001.{suffix}"


def test_the_header_is_that_of_a_raw_exposure_through_the_slit(made):
    [exposure] = made.exposures
    assert exposure.name == "jw09999001001_02101_00001_mirimage_uncal.fits"
    header = fits.getheader(exposure)
    said = {"EXP_TYPE": "MIR_LRS-FIXEDSLIT", "FILTER": "P750L", "READPATT": "FASTR1", "PATTTYPE": "ALONG-SLIT-NOD",
            "SRCTYAPT": "POINT", "SIMULATD": True}  # fmt: skip
    assert {key: header[key] for key in said} == said
    assert "BAND" not in header
    assert plan_of(seed=1, instrument="miri-lrs").dithers == 2


def test_nods_stay_in_the_slit_and_the_header_says_where(plan):
    field = make_field(plan)
    for number in range(1, 10):
        said = field.dithered(number)
        x, y = FRAME.from_telescope(*said.from_sky(*CENTRE))
        assert y == pytest.approx(SLIT[1], abs=1e-3)
        assert abs(x - SLIT[0]) < 10.5
        along, across = field.offset(said)
        assert along == pytest.approx((x - SLIT[0]) * FRAME.scale_x, abs=1e-3)
        assert across == pytest.approx(0, abs=1e-3)


def test_the_spectrum_holds_the_light_of_the_source_where_its_trace_runs(made, plan):
    scene = make_field(plan).scene
    with fits.open(made.truths[0]) as true, fits.open(made.exposures[0]) as hdus:
        sky, rate = true["SCI"].data.astype(float), true["RATE"].data
        science = hdus["SCI"].header
    pointing = Pointing(*(science[key] for key in ("RA_REF", "DEC_REF", "ROLL_REF", "V2_REF", "V3_REF")))
    x, _ = (float(value) for value in FRAME.from_telescope(*pointing.from_sky(*CENTRE)))
    columns = np.arange(1032)
    flat = fits.getdata(reference(made, "flat"), "SCI")
    for row in (60, 200, 350):
        wave = waves_of(row)
        above = np.where(sky[row] > 0, sky[row] - scene.sky(wave), 0)
        light = above.sum() * 1e6 * FRAME.pixel_area
        step = abs(waves_of(row + 0.5) - waves_of(row - 0.5))
        [expected] = scene.source(np.array([wave]), step, RESOLVING)
        assert light == pytest.approx(expected, rel=1e-3)
        assert (above * columns).sum() / above.sum() == pytest.approx(x + lean(row), abs=2e-3)
        lit = (sky[row] > 0) & (flat[row] > 0.5)
        expected = sky[row] * flat[row] / (SENSITIVITY * response(wave))
        np.testing.assert_allclose(rate[row, lit], expected[lit], rtol=1e-5)
    assert (rate[sky == 0] == 0).all()
    assert rate.max() * 8 * 2.8 < 40_000  # the usual number of groups does not fill a well


def test_the_table_of_wavelengths_survives_the_splines_of_the_pipelines(made):
    """They smooth by up to 0.002, which a cubic polynomial does not notice."""
    with fits.open(reference(made, "specwcs")) as hdus:
        rows, header = hdus["WAVETABLE"].data, hdus[0].header
    place = rows["y_center"] + header["IMY"] - 1
    assert (np.diff(place) == -1).all()
    for column, expected in (("wavelength", waves_of(place)), ("x_center", lean(place))):
        spline = UnivariateSpline(place[::-1], rows[column][::-1], s=0.002)
        np.testing.assert_allclose(spline(place), expected, atol=1e-9)
    corners = [FRAME.from_telescope(header[f"V2VERT{n}"], header[f"V3VERT{n}"]) for n in (1, 2, 3, 4)]
    assert (corners[1][0] - corners[0][0]) * FRAME.scale_x == pytest.approx(4.7, abs=1e-3)
    assert (corners[2][1] - corners[1][1]) * FRAME.scale_y == pytest.approx(0.51, abs=1e-3)


def test_apertures_hold_what_a_sum_over_a_made_up_spectrum_gives(made):
    place, wave, fine = np.arange(-30, 30, 0.01) + 0.005, 11.0, 0.01
    profile = SPOT.in_box(place * FRAME.scale_x, 0.0, fine * FRAME.scale_x, 50.0, wave)
    frequency = np.fft.fftfreq(place.size)
    smeared = np.fft.ifft(np.fft.fft(profile) * np.sinc(frequency / fine) ** 4).real
    sides = smeared[(np.abs(place) > RING[0]) & (np.abs(place) < RING[1])].mean()
    for size in (4, 8, 12):
        inside = np.abs(place) < size / 2
        assert aperture_shares(size, wave) == pytest.approx((smeared[inside] - sides).sum(), abs=1e-3)
    rows = fits.getdata(reference(made, "apcorr"), "APCORR")
    column = list(rows["size"][0]).index(8)
    factor = np.interp(wave, rows["wavelength"][0], rows["apcorr"][0][:, column])
    assert factor == pytest.approx(1 / aperture_shares(8.0, wave), rel=1e-4)


def test_reference_files_are_those_that_the_pipelines_ask_for(made):
    rules = Rules(made.cache)
    header = fits.getheader(made.exposures[0])
    chosen = {kind: choice.file for kind, choice in rules.choices(header, rules.context()).items()}
    for kind in ("mask", "dark", "flat", "distortion", "specwcs", "photom", "pathloss", "extract1d", "apcorr"):
        assert rules.reference(chosen[kind], "MIRI").is_file(), kind
    for kind in ("regions", "cubepar", "fringe"):
        assert chosen[kind] == "N/A"
    [aperture] = json.loads(reference(made, "extract1d", "json").read_text())["apertures"]
    assert (aperture["xstart"] + aperture["xstop"]) / 2 == np.mean(aperture["bkg_coeff"])


def test_the_truth_beside_is_that_of_the_scene(made, plan):
    scene = make_field(plan).scene
    spectrum, lines = (QTable.read(made.folder / f"{name}_truth.ecsv") for name in ("spectrum", "lines"))
    np.testing.assert_allclose(spectrum["continuum"].value, scene.continuum(spectrum["wavelength"].value))
    assert np.diff(lines["wavelength"].value).min() > 0.5  # none is blended
    assert list(lines["name"]) == ["[Ne VI]", "[Ar III]", "[S IV]", "[Ne II]"]


def test_crds_certifies_every_reference_file(made):
    assert errors_by_crds(made.cache) == []
