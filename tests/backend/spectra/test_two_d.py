"""Traces and extractions: synthetic spectra with known answers, Monte Carlo, and specreduce."""

import numpy as np
import pytest
from scipy.special import erf

from jviz.backend.spectra.extraction import aperture, background_of, edges_of, extracted, spatial_profile
from jviz.backend.spectra.tracing import found_trace, profile_across
from jviz.backend.spectra.two_d import Frame, Wavelengths, dispersion_axis, wavelengths_of
from jviz.errors import JvizError

ROWS, COLUMNS = 40, 300
X = np.arange(COLUMNS)
TILTED = 18 + 4 * X / COLUMNS - 3 * (X / COLUMNS) ** 2
FLUX = 1000 * (1 + 0.5 * np.sin(X / 20))
NONE = Wavelengths()


def gaussian(centre=TILTED, width=1.4, rows=ROWS):
    """Shares of a Gaussian's light that fall on each pixel."""
    y = np.arange(rows)[:, None]
    edge = [(y + s - centre) / (np.sqrt(2) * width) for s in (0.5, -0.5)]
    return (erf(edge[0]) - erf(edge[1])) / 2


def frame(values, variance=None, bad=None, waves=NONE, **more):
    bad = ~np.isfinite(values) if bad is None else bad
    noise = None if variance is None else np.broadcast_to(np.asarray(variance, float), values.shape)
    return Frame(np.asarray(values, float), noise, bad, waves, **more)


def noisy(rng, sky=50.0, gain=1.0, read=5.0, flux=FLUX):
    truth = gaussian() * flux + sky
    variance = truth / gain + read**2
    return truth + rng.normal(size=truth.shape) * np.sqrt(variance), variance


# --- traces ---


@pytest.mark.parametrize("finder", ["gaussian", "centroid", "peak"])
def test_a_tilted_and_curved_trace_is_found(finder):
    values, variance = noisy(np.random.default_rng(1))
    trace = found_trace(frame(values, variance), finder)
    np.testing.assert_allclose(trace.centre, TILTED, atol=0.02 if finder == "gaussian" else 0.12)


def test_a_brighter_neighbour_a_hot_row_and_gaps_do_not_pull_it():
    rng = np.random.default_rng(2)
    values, variance = noisy(rng)
    values += 5 * gaussian(np.full(COLUMNS, 34.0), 1.0) * FLUX
    values[:, 100:140] = np.nan
    values[5, 40:60] = 1e5
    trace = found_trace(frame(values, variance), guess=19.0, window=4)
    np.testing.assert_allclose(trace.centre, TILTED, atol=0.1)


def test_nothing_to_trace_is_said():
    with pytest.raises(JvizError, match="too few for a trace of order 2"):
        found_trace(frame(np.full((30, 100), np.nan)))


def test_the_profile_across_is_straight_along_a_trace():
    offsets, light, error = profile_across(frame(gaussian() * FLUX, 4.0), TILTED)
    known = np.isfinite(light)
    assert abs((offsets * light)[known].sum() / light[known].sum()) < 0.05
    assert np.nanmedian(error) == pytest.approx(2 * np.sqrt(np.pi / 2) / np.sqrt(COLUMNS), rel=1e-6)


# --- sums ---


def test_cut_pixels_count_by_their_share():
    shares = aperture((10, 1), np.array([2.25]), np.array([5.0]))[:, 0]
    np.testing.assert_allclose(shares, [0, 0, 0.25, 1, 1, 0.5, 0, 0, 0, 0])
    assert shares.sum() == pytest.approx(2.75)


@pytest.mark.parametrize("method", ["boxcar", "horne"])
def test_the_light_within_the_width_is_found(method):
    width = 8.0
    got = extracted(frame(gaussian() * FLUX, 1.0), TILTED, method, width)
    inside = erf(width / 2 / np.sqrt(2) / 1.4)
    np.testing.assert_allclose(got.flux / FLUX, inside, rtol=0.023)
    assert np.median(got.flux / FLUX) == pytest.approx(inside, rel=2.5e-3)
    assert got.axis.quantity == "channel"


@pytest.mark.parametrize("method", ["boxcar", "horne"])
def test_the_light_between_two_edges_is_found(method):
    got = extracted(frame(gaussian() * FLUX, 1.0), TILTED, method, (-1.5, 5.0))
    pixels = (aperture((ROWS, COLUMNS), TILTED - 1.5, TILTED + 5.0) * gaussian()).sum(axis=0)
    np.testing.assert_allclose(got.flux / FLUX, pixels, rtol=1e-9 if method == "boxcar" else 0.025)
    inside = (erf(5.0 / np.sqrt(2) / 1.4) + erf(1.5 / np.sqrt(2) / 1.4)) / 2
    assert np.mean(got.flux / FLUX) == pytest.approx(inside, rel=0.015)  # cut pixels are taken to be evenly lit
    same = extracted(frame(gaussian() * FLUX, 1.0), TILTED, method, (-4.0, 4.0))
    np.testing.assert_array_equal(same.flux, extracted(frame(gaussian() * FLUX, 1.0), TILTED, method, 8.0).flux)


@pytest.mark.parametrize("method", ["boxcar", "horne"])
@pytest.mark.parametrize("width", [9.0, (-3.0, 6.0)])
@pytest.mark.parametrize(("fit", "order"), [("median", 0), ("polynomial", 1)])
def test_errors_are_those_of_many_exposures(method, fit, order, width):
    rng = np.random.default_rng(3)
    options = {"windows": [(-14, -7), (7, 14)], "background": fit, "order": order}
    runs = [extracted(frame(*noisy(rng)), TILTED, method, width, **options) for _ in range(150)]
    flux, error = np.array([r.flux for r in runs]), np.array([r.error for r in runs])
    pull = (flux - flux.mean(axis=0)) / error
    assert pull.std() == pytest.approx(1, abs=0.04)
    low, high = edges_of(width)
    light = (erf(high / np.sqrt(2) / 1.4) - erf(low / np.sqrt(2) / 1.4)) / 2
    assert np.mean(flux.mean(axis=0) / FLUX / light) == pytest.approx(1, abs=0.01)


def test_optimal_beats_the_box_where_the_sky_rules():
    rng = np.random.default_rng(4)
    faint = np.full(COLUMNS, 60.0)
    got = {m: [] for m in ("boxcar", "horne")}
    for _ in range(40):
        values, variance = noisy(rng, sky=100.0, flux=faint)
        for method, runs in got.items():
            runs.append(extracted(frame(values - 100, variance), TILTED, method, 10.0).flux)
    spread = {m: np.std(runs) for m, runs in got.items()}
    # Gaussian of 1.4 pixels: the optimal sum holds 2 √π σ = 5.0 pixels of noise instead of 10
    assert spread["horne"] / spread["boxcar"] == pytest.approx(np.sqrt(2 * np.sqrt(np.pi) * 1.4 / 10), rel=0.1)


def test_a_cosmic_ray_is_left_out_by_the_optimal_sum():
    values, variance = noisy(np.random.default_rng(5))
    clean = extracted(frame(values - 50, variance), TILTED, "horne", 9.0)
    values[19, 120] += 1e5
    got = extracted(frame(values - 50, variance), TILTED, "horne", 9.0)
    assert abs(got.flux[120] - clean.flux[120]) < 4 * clean.error[120]
    assert extracted(frame(values - 50, variance), TILTED, "boxcar", 9.0).flux[120] > 5e4


@pytest.mark.parametrize("method", ["boxcar", "horne"])
def test_bad_pixels_are_made_up_for_or_mask_the_column(method):
    values = gaussian() * FLUX
    bad = np.zeros(values.shape, bool)
    bad[21, 50] = True
    bad[16:24, 80] = True
    values[bad] = 1e9
    got = extracted(frame(values, 1.0, bad), TILTED, method, 9.0)
    clean = extracted(frame(gaussian() * FLUX, 1.0), TILTED, method, 9.0)
    assert got.flux[50] == pytest.approx(clean.flux[50], rel=0.05)
    assert got.mask[80]
    assert got.mask.sum() == 1


def test_a_sloped_background_needs_a_line():
    slope = 30 + 2.0 * (np.arange(ROWS)[:, None] - TILTED) + 0 * X
    values = gaussian() * FLUX + slope
    one_sided = [(6, 15)]
    line, _ = background_of(frame(values, 1.0), TILTED, one_sided, "polynomial", 1, sigma=50)
    np.testing.assert_allclose(line, slope, atol=0.2)
    flat, variance = background_of(frame(np.full((ROWS, COLUMNS), 3.0), 4.0), TILTED, one_sided)
    np.testing.assert_allclose(flat, 3)
    assert np.median(variance) == pytest.approx(4 * np.pi / 2 / 9, rel=0.15)


def test_the_profile_of_each_column_sums_to_one():
    values, variance = noisy(np.random.default_rng(6), sky=0)
    shares = spatial_profile(frame(values, variance), FLUX, TILTED, 5.0)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    np.testing.assert_allclose(shares, gaussian(), atol=0.03)


def test_without_errors_they_come_from_the_scatter():
    rng = np.random.default_rng(7)
    values = gaussian() * FLUX * 0 + rng.normal(size=(ROWS, COLUMNS)) * 3
    got = extracted(frame(values), TILTED, "boxcar", 6.0)
    assert np.median(got.error) == pytest.approx(3 * np.sqrt(6), rel=0.06)


@pytest.mark.parametrize(
    ("unit", "area", "expected", "factor"),
    [
        ("MJy/sr", 2e-13, "Jy", 2e-7),
        ("MJy", None, "Jy", 1e6),
        ("DN/s", 2e-13, "DN/s", 1),
        ("MJy/sr", None, "MJy/sr", 1),
    ],
)
def test_units_of_sums(unit, area, expected, factor):
    got = extracted(frame(np.ones((20, 5)), 1.0, unit=unit, area=area), np.full(5, 9.5), width=4.0)
    assert got.unit == expected
    np.testing.assert_allclose(got.flux, 4 * factor)
    np.testing.assert_allclose(got.error, 2 * factor)


def test_bad_requests_are_refused():
    one = frame(np.ones((20, 5)), 1.0)
    with pytest.raises(JvizError, match="width is 0"):
        extracted(one, np.full(5, 10.0), width=0)
    for none in ((3, 3), (4, 1), (1, 2, 3), ("a", 2)):
        with pytest.raises(JvizError, match="is no window"):
            extracted(one, np.full(5, 10.0), width=none)
    with pytest.raises(JvizError, match="outside of the image"):
        extracted(one, np.full(5, 99.0))
    with pytest.raises(JvizError, match="windows have no good pixel"):
        extracted(one, np.full(5, 10.0), windows=[(50, 60)])


# --- wavelengths ---


def test_wavelengths_follow_the_trace_over_tilted_lines():
    plane = 1 + 0.01 * X + 0.004 * np.arange(ROWS)[:, None]
    plane[:17, :30] = np.nan
    waves = wavelengths_of(plane, "um", {"TELESCOP": "JWST"}, None, plane.shape)
    got = extracted(frame(gaussian() * FLUX, 1.0, waves=waves), TILTED)
    np.testing.assert_allclose(got.axis.values, 1 + 0.01 * X + 0.004 * TILTED, rtol=1e-12)
    assert (got.axis.unit, got.axis.medium, got.axis.quantity) == ("um", "vacuum", "wavelength")


def test_a_fits_wcs_gives_wavelengths_and_the_dispersed_axis():
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cunit = ["", "WAVE"], ["", "m"]
    wcs.wcs.crval, wcs.wcs.cdelt, wcs.wcs.crpix = [0, 5e-7], [1, 1e-10], [1, 1]
    waves = wavelengths_of(None, "", {}, wcs, (50, 8))
    np.testing.assert_allclose(waves.values[:, 3], 5e-7 + 1e-10 * np.arange(50))
    assert dispersion_axis({}, waves.values, (50, 8)) == (0, "the wavelengths of the pixels")


@pytest.mark.parametrize(
    ("header", "shape", "axis"),
    [
        ({"DISPAXIS": 2}, (10, 90), 0),
        ({"DISPAXIS": 1}, (90, 10), 1),
        ({"CTYPE2": "LAMBDA"}, (10, 90), 0),
        ({}, (90, 10), 0),
    ],
)
def test_which_axis_is_dispersed(header, shape, axis):
    assert dispersion_axis(header, None, shape)[0] == axis


def test_specreduce_finds_the_same_sums():
    from astropy import units as u
    from astropy.nddata import NDData, VarianceUncertainty
    from specreduce.extract import BoxcarExtract
    from specreduce.tracing import ArrayTrace

    values, variance = noisy(np.random.default_rng(8))
    image = NDData(
        values * u.ct, uncertainty=VarianceUncertainty(variance * u.ct**2), mask=np.zeros(values.shape, bool)
    )
    theirs = BoxcarExtract(image, ArrayTrace(image, TILTED), width=7).spectrum
    ours = extracted(frame(values, variance), TILTED, "boxcar", 7.0)
    np.testing.assert_allclose(ours.flux, theirs.flux.value, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_medians_leave_out_nan_as_numpy_does(axis):
    from jviz.backend.spectra.medians import nan_median

    rng = np.random.default_rng(9)
    values = np.where(rng.random((9, 8)) < 0.3, np.nan, rng.normal(size=(9, 8)))
    values[0, 0] = values[1, 1] = 1.0
    assert not np.isnan(values).all(axis=axis).any()
    np.testing.assert_allclose(nan_median(values, axis=axis), np.nanmedian(values, axis=axis))
    assert np.isnan(nan_median(np.full((3, 3), np.nan), axis=axis)).all()
