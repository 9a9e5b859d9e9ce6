"""Spectra resampled, combined, smoothed, cropped and calculated with: laws, closed forms and Monte Carlo."""

import numpy as np
import pytest
from astropy import units as u
from scipy.integrate import quad
from scipy.stats import binom, norm

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.combining import combined
from jviz.backend.spectra.filtering import continuum_of, smoothed
from jviz.backend.spectra.median_errors import median_factor
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.resampling import resampled
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError, JvizError
from jviz.spectral import made_spectrum

RNG = np.random.default_rng(7)


def axis(values, unit="um", **more):
    return SpectralAxis(np.asarray(values, float), unit, "wavelength", **more)


def spectrum(values, flux, error=None, unit="mJy", **more):
    noise = None if error is None else np.broadcast_to(np.asarray(error, float), np.shape(flux)).copy()
    return Samples(axis(values), np.asarray(flux, float), unit, noise, "" if error is None else "std", **more)


def integral(samples):
    good = samples.good
    return np.sum((samples.flux * samples.axis.widths)[good])


@pytest.fixture
def session():
    return jviz.Session()


def add(session, samples, name):
    session.add(made_spectrum(samples, name, name))
    return name


# --- resampling ---


@pytest.mark.parametrize("step", [0.013, 0.1, 0.0037])
def test_line_flux_stays_on_any_grid(step):
    x = np.cumsum(RNG.uniform(0.005, 0.015, 400)) + 1
    one = spectrum(x, np.exp(-0.5 * ((x - 3) / 0.05) ** 2))
    new = resampled(one, axis(np.arange(2, 4, step)))
    assert integral(new) == pytest.approx(integral(one), rel=1e-10)


def test_counts_are_shared_out_and_kept():
    one = spectrum(np.arange(100.0), RNG.poisson(50, 100))
    new = resampled(one, axis(np.arange(0.5, 98, 1.7)), holds="counts")
    inside = np.isfinite(new.flux) & ~new.mask
    total = np.bincount(np.zeros(inside.sum(), int), new.flux[inside])[0]
    edges = new.axis.edges[:-1][inside][0], new.axis.edges[1:][inside][-1]
    assert total == pytest.approx(one.flux @ one.axis.shares(*edges), rel=1e-10)


def test_falling_axes_and_other_units_give_the_same():
    x = np.linspace(1, 2, 101)
    one = spectrum(x, np.sin(9 * x), 0.1)
    grid = axis(np.linspace(1.1, 1.9, 31))
    expected = resampled(one, grid)
    turned = Samples(axis(x[::-1]), one.flux[::-1], "mJy", one.uncertainty[::-1], "std")
    angstrom = axis(grid.values[::-1] * 1e4, "Angstrom")
    for new in (resampled(turned, grid), resampled(one, angstrom), resampled(turned, angstrom)):
        flux = new.flux if new.axis.rises else new.flux[::-1]
        np.testing.assert_allclose(flux, expected.flux, rtol=1e-9)
        np.testing.assert_allclose(new.error, expected.error, rtol=1e-9)


@pytest.mark.parametrize("method", ["conserving", "linear"])
def test_errors_and_correlation_of_resampling_are_those_of_many_noisy_spectra(method):
    x, grid, n = np.arange(60.0), axis(np.arange(3, 55, 0.7)), 4000
    sigma = RNG.uniform(0.5, 1.5, 60)
    one = resampled(spectrum(x, np.zeros(60), sigma), grid, method)
    noise = RNG.normal(size=(n, 60)) * sigma
    many = np.array([resampled(spectrum(x, row), grid, method).flux for row in noise[:1500]])
    np.testing.assert_allclose(many.std(axis=0), one.error, rtol=0.09)
    found = [np.corrcoef(many[:, i], many[:, i + 1])[0, 1] for i in range(many.shape[1] - 1)]
    assert one.meta["neighbour correlation"] == pytest.approx(np.median(found), abs=0.04)


def test_bad_samples_leave_holes_and_do_not_leak():
    flux = np.ones(40)
    flux[20] = np.nan
    mask = np.arange(40) == 10
    flux[10] = 1e30
    one = spectrum(np.arange(40.0), flux, 1.0, mask=mask)
    new = resampled(one, axis(np.arange(0, 40, 0.5)))
    assert np.nanmax(np.abs(new.flux - 1)) < 1e-12
    assert not new.good[20]
    assert not new.good[40]


@pytest.mark.parametrize("method", ["conserving", "linear"])
def test_wavelengths_in_air_are_brought_to_those_in_vacuum(method):
    """Na D2 in air and in vacuum (NIST)."""
    x = np.arange(5880, 5900, 0.02)
    one = Samples(axis(x, "Angstrom", medium="air"), np.exp(-0.5 * ((x - 5889.951) / 0.5) ** 2))
    made = resampled(one, axis(np.arange(5885, 5897, 0.05), "Angstrom", medium="vacuum"), method)
    assert made.axis.medium == "vacuum"
    assert (made.flux @ made.axis.values) / made.flux.sum() == pytest.approx(5891.583, abs=2e-3)


def test_spectra_over_frequency_and_wavelength_meet():
    """What is per hertz keeps its integral over frequency on a grid of frequencies, whatever it was sampled on."""
    c, x = 299_792.458, np.linspace(1.0, 2.0, 801)  # THz times µm
    one = spectrum(x, np.sin(9 * x) + 2, 0.1)
    edges = np.linspace(c / 1.8e3, c / 1.1e3, 32)
    grid = SpectralAxis((edges[1:] + edges[:-1]) / 2, "THz", "frequency")
    made = resampled(one, grid)
    borders = c / 1e3 / one.axis.edges
    integral = np.concatenate([[0], np.cumsum(one.flux * -np.diff(borders))])
    expected = -np.diff(np.interp(edges, borders[::-1], integral[::-1])) / np.diff(edges)
    np.testing.assert_allclose(made.flux, expected, rtol=1e-9)
    assert made.axis.unit == "THz"
    assert made.axis.medium == ""


def test_channels_and_wavelengths_do_not_meet():
    with pytest.raises(JvizError, match="say first what is counted"):
        resampled(Samples(SpectralAxis(np.arange(9.0)), np.ones(9)), axis(np.arange(2, 5.0)))


def test_the_command_takes_a_grid_or_another_spectrum(session):
    x = np.linspace(1, 2, 101)
    a = add(session, spectrum(x, x, 0.1), "a")
    b = add(session, spectrum(np.linspace(1.2, 1.5, 7), np.ones(7)), "b")
    made = session.run("spectrum.resample", data=a, like=b)
    np.testing.assert_allclose(made.samples[0].flux, np.linspace(1.2, 1.5, 7), rtol=1e-9)
    made = session.run("spectrum.resample", data=a, step=0.1)
    assert len(made.samples[0]) == 11
    made = session.run("spectrum.resample", data=a, step=0.01, logarithmic=True)
    ratio = made.samples[0].axis.values[1:] / made.samples[0].axis.values[:-1]
    np.testing.assert_allclose(ratio, 1.01)
    session.undo()
    assert made.name not in session.names
    for wrong, text in (({}, "Say onto which"), ({"step": -1.0}, "above 0"), ({"step": 1e-12}, "larger one")):
        with pytest.raises(CommandError, match=text):
            session.run("spectrum.resample", data=a, **wrong)


# --- combining ---


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9, 10, 25])
def test_the_variance_of_medians(n):
    medians = np.median(np.random.default_rng(n).normal(size=(60_000, n)), axis=1)
    assert median_factor(n) == pytest.approx(medians.var(), rel=0.025)


@pytest.mark.parametrize("n", [1, 3, 5, 7, 9, 15, 25, 101])
def test_the_variance_of_medians_is_that_of_the_middle_one_of_an_odd_number(n):
    # ∫ 4 t P(median > t) dt: at most half of the values lie below t
    integral = quad(lambda t: 4 * t * binom.cdf((n - 1) // 2, n, norm.cdf(t)), 0, np.inf)[0]
    assert median_factor(n) == pytest.approx(integral, rel=1e-3)


@pytest.mark.parametrize("how", ["mean", "weighted", "median", "clipped"])
@pytest.mark.parametrize("errors", ["propagated", "scatter"])
def test_errors_of_combined_spectra_are_those_of_many(how, errors):
    m, n = 7, 20_000
    sigma = np.full(m, 2.0) if how in ("median", "clipped") else np.linspace(1, 3, m)
    values = RNG.normal(size=(m, n)) * sigma[:, None] + 100
    spectra = [spectrum(np.arange(n), row, s) for row, s in zip(values, sigma, strict=True)]
    made = combined(spectra, how, errors=errors, sigma=5.0)
    assert made.flux.mean() == pytest.approx(100, abs=0.05)
    # of seven values some are clipped that belong to the rest, which makes their scatter look smaller
    tolerance = 0.15 if (how, errors) == ("clipped", "scatter") else 0.05
    assert np.sqrt(np.mean(made.error**2)) == pytest.approx(made.flux.std(), rel=tolerance)


def test_clipping_takes_away_a_cosmic_ray_and_missing_samples_count_less():
    x = np.arange(50.0)
    spectra = [spectrum(x, np.ones(50) + 0.01 * RNG.normal(size=50), 0.01) for _ in range(8)]
    spectra[3].flux[17] = 500
    spectra[2].flux[5] = np.nan
    made = combined(spectra, "clipped")
    np.testing.assert_allclose(made.flux, 1, atol=0.03)
    mean = combined(spectra)
    assert mean.error[5] == pytest.approx(0.01 / np.sqrt(7))
    assert mean.error[6] == pytest.approx(0.01 / np.sqrt(8))


def test_units_are_converted_and_grids_aligned(session):
    x = np.linspace(1, 2, 101)
    a = add(session, spectrum(x, np.full(101, 2.0), 0.1), "a")
    b = add(session, spectrum(np.linspace(0.9, 2.1, 77), np.full(77, 0.004), 0.0001, unit="Jy"), "b")
    made = session.run("spectrum.combine", data=[a, b])
    np.testing.assert_allclose(made.samples[0].flux, 3)
    assert (made.unit, made.samples[0].meta["NCOMBINE"]) == ("mJy", 2)
    c = add(session, spectrum(x, np.ones(101), unit="K"), "c")
    with pytest.raises(JvizError, match="Spectra in mJy and K cannot be combined"):
        session.run("spectrum.combine", data=[a, c])
    with pytest.raises(CommandError, match="only one spectrum"):
        session.run("spectrum.combine", data=[a])


# --- smoothing, cropping, continuum, arithmetic ---


@pytest.mark.parametrize(("kernel", "width"), [("gaussian", 4.0), ("boxcar", 5.0), ("boxcar", 2.6), ("median", 5.0)])
def test_errors_of_smoothed_spectra(kernel, width):
    noise = RNG.normal(size=30_000) * 2
    made = smoothed(spectrum(np.arange(30_000), noise, 2.0), kernel, width)
    assert made.flux[50:-50].std() == pytest.approx(np.median(made.error), rel=0.04)


def test_a_gaussian_of_a_gaussian_is_a_wider_one():
    x = np.arange(400.0)
    made = smoothed(spectrum(x, np.exp(-0.5 * ((x - 200) / 6) ** 2)), "gaussian", 8.0)
    sigma = np.hypot(6, 8 / np.sqrt(8 * np.log(2)))
    np.testing.assert_allclose(made.flux, 6 / sigma * np.exp(-0.5 * ((x - 200) / sigma) ** 2), atol=2e-4)


def test_smoothing_keeps_out_of_bad_samples():
    flux = np.ones(50)
    flux[20], flux[30] = np.nan, 1e9
    made = smoothed(spectrum(np.arange(50), flux, 1.0, mask=np.arange(50) == 30), "gaussian", 5.0)
    assert np.isnan(made.flux[20])
    assert made.flux[30] == 1e9
    np.testing.assert_allclose(made.flux[made.good], 1)


def test_crop_keeps_the_range_in_any_unit(session):
    x = np.linspace(1, 2, 101)
    a = add(session, spectrum(x, x, 0.1), "a")
    made = session.run("spectrum.crop", data=a, spectral=(15000 * u.AA, 1.7 * u.um))
    np.testing.assert_allclose(made.samples[0].axis.values, x[(x > 1.4999) & (x < 1.70001)])
    with pytest.raises(JvizError, match="the spectrum covers 1 to 2 um"):
        session.run("spectrum.crop", data=a, spectral=(3 * u.um, 4 * u.um))


@pytest.mark.parametrize(("method", "order"), [("polynomial", 3), ("spline", 5), ("median", 0)])
def test_a_continuum_is_found_below_lines(method, order):
    x = np.linspace(1, 5, 800)
    smooth = 3 + 0.4 * x - 0.05 * x**2
    lines = 20 * np.exp(-0.5 * ((x - 2) / 0.01) ** 2) - 2 * np.exp(-0.5 * ((x - 4) / 0.01) ** 2)
    one = spectrum(x, smooth + lines + RNG.normal(size=800) * 0.02, 0.02)
    model, _ = continuum_of(one, method, order, exclude=SpectralRanges(((3.9, 4.1),), "um"))
    np.testing.assert_allclose(model, smooth, atol=0.06)


def test_the_error_of_a_polynomial_continuum_is_that_of_many_fits():
    x = np.linspace(1, 5, 100)
    _, variance = continuum_of(spectrum(x, np.ones(100), 0.1), order=2, sigma=0)
    fits = [continuum_of(spectrum(x, RNG.normal(size=100) * 0.1, 0.1), order=2, sigma=0)[0] for _ in range(600)]
    np.testing.assert_allclose(np.std(fits, axis=0), np.sqrt(variance), rtol=0.12)


def test_continuum_results(session):
    x = np.linspace(1, 5, 100)
    a = add(session, spectrum(x, 2 * x, 0.1), "a")
    made = [session.run("spectrum.continuum", data=a, order=1, result=r).samples[0].flux for r in
            ("continuum", "subtracted", "normalized")]  # fmt: skip
    np.testing.assert_allclose(made[0], 2 * x, rtol=1e-9)
    np.testing.assert_allclose(made[1], 0, atol=1e-9)
    np.testing.assert_allclose(made[2], 1, rtol=1e-9)
    with pytest.raises(JvizError, match="Only 2 samples are left"):
        session.run("spectrum.continuum", data=a, order=1, spectral=(1 * u.um, 1.05 * u.um))


def test_expressions_of_spectra_have_units_and_errors(session):
    x = np.linspace(1, 2, 50)
    a = add(session, spectrum(x, np.full(50, 6.0), 0.3), "a")
    b = add(session, spectrum(x, np.full(50, 0.002), 0.0001, unit="Jy"), "b")
    made = session.run("spectrum.arithmetic", expression="a - 2*b").samples[0]
    np.testing.assert_allclose(made.flux, 2)
    np.testing.assert_allclose(made.error, np.hypot(0.3, 0.2))
    assert u.Unit(made.unit) == u.mJy
    ratio = session.run("spectrum.arithmetic", expression="p / q", p=a, q=b).samples[0]
    np.testing.assert_allclose(ratio.flux * (u.Unit(ratio.unit) if ratio.unit else 1), 3)
    with pytest.raises(CommandError, match="no data of this session"):
        session.run("spectrum.arithmetic", expression="zz + 1")


def test_a_script_repeats_it(session):
    x = np.linspace(1, 2, 101)
    add(session, spectrum(x, x, 0.1), "a")
    session.run("spectrum.smooth", data="a", width=5.0)
    assert "spectrum.smooth" in session.script()


def test_a_pair_of_quantities_is_a_spectral_range(tmp_path):
    import astropy.units as u

    session = jviz.Session(settings={})
    for number, region in enumerate([(4.1 * u.um, 4600 * u.nm), (4.1, 4.6) * u.um]):
        made = session.run("subset.create", name=f"R{number}", region=region)
        assert made.kind == "spectral"
        assert (made.region.low, made.region.high) == pytest.approx((4.1, 4.6))
        assert made.region.unit == "um"
    with pytest.raises(jviz.JvizError, match="is no spectral range"):
        session.run("subset.create", name="bad", region=("a", "b"))
    assert list(session.subsets) == ["R0", "R1"]
    session.close()


def test_samples_with_infinite_errors_are_resampled():
    axis = SpectralAxis(np.arange(4000.0, 4006.0), "Angstrom", "wavelength")
    flux, error = np.array([1.0, np.nan, np.nan, 1.2, 1.3, 1.1]), np.array([0.1, 0.1, 0.1, np.inf, 0.1, 0.1])
    found = resampled(Samples(axis, flux, "mJy", error, "std"), SpectralAxis(np.arange(4000.0, 4005.1, 0.5), "Angstrom",
                                                                           "wavelength"))  # fmt: skip
    assert np.isfinite(found.error[[0, -1]]).all()
    assert not np.isfinite(found.error[6])
