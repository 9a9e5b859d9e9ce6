"""Fits of lines: against closed forms and astropy, and errors against the scatter of many noisy spectra."""

import numpy as np
import pytest

from jviz.backend.spectra.line_fits import C_KMS, fit_lines, profile
from jviz.errors import CommandError

X = np.linspace(0.64, 0.68, 400)
ALL = np.ones(400, bool)
S = 2 * np.sqrt(2 * np.log(2))


def test_profiles_have_area_one_and_their_width():
    x = np.linspace(-4000, 4000, 2_000_001)
    for gauss, lorentz in ((3.0, 0.0), (0.0, 3.0), (2.0, 1.5)):
        assert np.trapezoid(profile(x, 0.0, gauss, lorentz), x) == pytest.approx(1, abs=6e-4)


@pytest.mark.parametrize("shape", ["gaussian", "lorentzian", "voigt"])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_was_put_in_comes_out(shape, sign):
    gauss, lorentz = {"gaussian": (0.002, 0), "lorentzian": (0, 0.002), "voigt": (0.0015, 0.001)}[shape]
    base = 5 + 20 * (X - 0.66)
    flux = base + sign * 0.004 * profile(X, 0.6571, gauss, lorentz)
    found = fit_lines(X, flux, np.full(400, 0.1), [0.6568], use=ALL, shape=shape, width=0.0015)
    line = found.lines[0]
    level = 5 + 20 * (0.6571 - 0.66)
    assert line.center[0] == pytest.approx(0.6571, abs=1e-8)
    assert line.flux[0] == pytest.approx(sign * 0.004, rel=1e-5)
    assert line.equivalent_width[0] == pytest.approx(-sign * 0.004 / level, rel=1e-5)
    if shape != "voigt":
        assert line.fwhm[0] == pytest.approx(0.002, rel=1e-5)
    assert line.velocity_width[0] == pytest.approx(C_KMS * line.fwhm[0] / line.center[0], rel=1e-9)
    np.testing.assert_allclose(found.model, flux, atol=1e-6)


def test_errors_are_the_scatter_of_noisy_spectra():
    draw = np.random.default_rng(1)
    true = 3 + 0.006 * profile(X, 0.655, 0.0025, 0) + 0.003 * profile(X, 0.6585, 0.0025, 0)
    fits = [
        fit_lines(X, true + draw.normal(0, 0.15, 400), np.full(400, 0.15), [0.655, 0.6585], use=ALL, width=0.002)
        for _ in range(150)
    ]
    for name in ("center", "fwhm", "flux", "equivalent_width", "velocity_width", "amplitude"):
        pairs = np.array([getattr(fit.lines[1], name) for fit in fits])
        assert np.std(pairs[:, 0]) == pytest.approx(np.median(pairs[:, 1]), rel=0.2), name
    assert np.mean([fit.chi2 / fit.free for fit in fits]) == pytest.approx(1, abs=0.03)


def test_astropy_finds_the_same():
    from astropy.modeling import fitting, models

    draw = np.random.default_rng(3)
    flux = 2 + 0.8 * np.exp(-0.5 * ((X - 0.66) / 0.001) ** 2) + draw.normal(0, 0.05, 400)
    ours = fit_lines(X, flux, np.full(400, 0.05), [0.6603], use=ALL, order=0, width=0.002).lines[0]
    fitter = fitting.TRFLSQFitter(calc_uncertainties=True)
    theirs = fitter(models.Gaussian1D(0.7, 0.6603, 0.001) + models.Const1D(2.0), X, flux, weights=np.full(400, 20.0),
                    maxiter=2000, acc=1e-14)  # fmt: skip
    errors = np.sqrt(np.diag(theirs.cov_matrix.cov_matrix))
    np.testing.assert_allclose(ours.center, (theirs.mean_0.value, errors[1]), rtol=1e-3)
    np.testing.assert_allclose(ours.amplitude, (theirs.amplitude_0.value, errors[0]), rtol=1e-3)
    np.testing.assert_allclose(ours.fwhm, (theirs.stddev_0.value * S, errors[2] * S), rtol=1e-3)


def test_ties_hold_and_make_errors_smaller():
    draw = np.random.default_rng(5)
    ratio = 0.6585 / 0.655
    flux = 1 + 0.006 * profile(X, 0.655, 0.002, 0) + 0.001 * profile(X, 0.6585, 0.002 * ratio, 0)
    flux = flux + draw.normal(0, 0.1, 400)
    options = {"use": ALL, "width": 0.002}
    free = fit_lines(X, flux, np.full(400, 0.1), [0.655, 0.6585], **options)
    tied = fit_lines(X, flux, np.full(400, 0.1), [0.655, 0.6585], tie_centers=True, tie_widths=True, **options)
    a, b = tied.lines
    assert b.center[0] / a.center[0] == pytest.approx(ratio, rel=1e-12)
    assert a.velocity_width[0] == pytest.approx(b.velocity_width[0], rel=1e-9)
    assert b.flux[1] < free.lines[1].flux[1]
    fixed = fit_lines(X, flux, np.full(400, 0.1), [0.655, 0.6585], fix_centers=True, fix_width=True, **options)
    assert fixed.lines[0].center == (0.655, 0.0)
    assert fixed.lines[0].fwhm == (pytest.approx(0.002), 0.0)


def test_the_resolution_is_taken_off_in_quadrature():
    flux = 1 + 0.006 * profile(X, 0.655, 0.002, 0)
    line = fit_lines(X, flux, np.full(400, 0.1), [0.655], use=ALL, width=0.002, resolution=0.0012).lines[0]
    assert line.fwhm[0] == pytest.approx(0.0016, rel=1e-4)


def test_without_errors_the_scatter_tells():
    flux = 1 + 0.006 * profile(X, 0.655, 0.002, 0) + np.random.default_rng(2).normal(0, 0.1, 400)
    known = fit_lines(X, flux, np.full(400, 0.1), [0.655], use=ALL, width=0.002).lines[0]
    unknown = fit_lines(X, flux, None, [0.655], use=ALL, width=0.002)
    assert unknown.scaled
    assert unknown.lines[0].flux[1] == pytest.approx(known.flux[1], rel=0.1)


def test_too_few_samples_are_refused():
    with pytest.raises(CommandError, match="cannot tell"):
        fit_lines(X, np.ones(400), None, [0.655], use=np.arange(400) < 4)
    with pytest.raises(CommandError, match="1 good samples cannot tell"):
        fit_lines(X[:1], np.ones(1), np.ones(1), [X[0]], use=np.ones(1, bool))


def test_flux_ratios_hold_and_free_lines_stay_free():
    x = np.linspace(0.48, 0.51, 600)
    use = np.ones(600, bool)
    places = [0.486268, 0.496030, 0.500824]
    true = [0.0004, 0.0006, 0.0006 * 2.98]
    flux = 1 + sum(f * profile(x, c, 0.0006 * c / places[0], 0) for f, c in zip(true, places, strict=True))
    draw = np.random.default_rng(11)
    options = {"use": use, "width": 0.0006, "tie_centers": True, "tie_widths": True}
    fits = [
        fit_lines(x, flux + draw.normal(0, 0.1, 600), np.full(600, 0.1), places, flux_ratios=[None, 1, 2.98], **options)
        for _ in range(60)
    ]
    for fit in fits[:5]:
        hb, weak, strong = fit.lines
        assert strong.flux[0] / weak.flux[0] == pytest.approx(2.98, rel=1e-9)
        assert strong.flux[1] / weak.flux[1] == pytest.approx(2.98, rel=1e-6)
        assert abs(hb.flux[0] - true[0]) < 5 * hb.flux[1]
    for k in range(3):
        values = np.array([fit.lines[k].flux for fit in fits])
        assert abs(values[:, 0].mean() - true[k]) < 4 * values[:, 1].mean() / np.sqrt(60)
        assert values[:, 0].std() == pytest.approx(values[:, 1].mean(), rel=0.35)
    free = fit_lines(x, flux, np.full(600, 0.1), places, **options)
    assert fits[0].lines[1].flux[1] < free.lines[1].flux[1]


@pytest.mark.parametrize("ratios", [[1, 2], [1, None, None], [1, 0, 2]])
def test_senseless_flux_ratios_are_refused(ratios):
    with pytest.raises(CommandError, match="lux ratio"):
        fit_lines(X, np.ones(400), None, [0.65, 0.66, 0.67], use=ALL, flux_ratios=ratios)
