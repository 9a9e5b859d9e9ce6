"""Gini, M20, concentration, asymmetry and smoothness against profiles whose values are known in closed form."""

import numpy as np
import pytest
from photutils.morphology import gini as gini_of_photutils
from scipy.optimize import brentq
from scipy.special import gamma, gammainc, gammaincinv

from jviz.backend.photometry.morphology import NUMBERS, TOTAL, Stamp, gini, m20, measure

RNG = np.random.default_rng(11)


def test_the_gini_coefficient_of_known_distributions():
    assert gini(np.full(50, 3.0)) == pytest.approx(0, abs=1e-12)
    assert gini(np.array([0.0] * 49 + [7.0])) == pytest.approx(1)
    assert gini(np.arange(1.0, 101)) == pytest.approx(1 / 3)
    drawn = RNG.exponential(1, 400)
    assert gini(drawn) == pytest.approx(gini_of_photutils(drawn))
    assert gini(RNG.exponential(1, 200_000)) == pytest.approx(0.5, abs=0.005)
    assert np.isnan(gini(np.zeros(4)))


def test_m20_of_a_flat_disc_that_brightens_inwards():
    """A fifth of the light lies within r² = 0.2 R²; the second moment within r goes as r⁴: M20 = 2 log10(0.2)."""
    y, x = np.mgrid[-200:201, -200:201].astype(float)
    disc = np.hypot(x, y) <= 200
    light = (1 - 1e-6 * np.hypot(x, y))[disc]
    assert m20(light, x[disc], y[disc]) == pytest.approx(2 * np.log10(0.2), abs=2e-3)


class Sersic:
    """A round Sérsic profile and its numbers, by integrals over radius."""

    def __init__(self, n, re):
        self.n, self.re, self.b = n, re, gammaincinv(2 * n, 0.5)
        self.petrosian = brentq(lambda r: self.ratio(r) - 0.2, 0.5 * re, 8 * re)
        self.r20, self.r50, self.r80 = (brentq(lambda r, p=p: self.part(r) / self.part(TOTAL * self.petrosian) - p,
                                               1e-6 * re, 9 * re) for p in (0.2, 0.5, 0.8))  # fmt: skip
        self.concentration = 5 * np.log10(self.r80 / self.r20)
        u = (np.arange(400_000) + 0.5) / 400_000  # (r / Petrosian radius)²
        light = self.at(self.petrosian * np.sqrt(u))
        self.gini = ((1 - 2 * u) * light).sum() / light.sum()
        bright = np.searchsorted(np.cumsum(light), 0.2 * light.sum())
        self.m20 = np.log10((light * u)[:bright].sum() / (light * u).sum())

    def at(self, r):
        return np.exp(-self.b * ((r / self.re) ** (1 / self.n) - 1))

    def part(self, r):
        return gammainc(2 * self.n, self.b * (r / self.re) ** (1 / self.n))

    def ratio(self, r):
        n, b = self.n, self.b
        within = 2 * np.pi * n * self.re**2 * np.exp(b) / b ** (2 * n) * gamma(2 * n) * self.part(r)
        return self.at(r) / (within / (np.pi * r**2))

    def image(self, size, x, y, fine=9, ratio=1.0, turn=0.0):
        sub = (np.arange(fine) - (fine - 1) / 2) / fine
        along = (np.arange(size)[:, None] + sub).ravel()
        u, v = along - x, along[:, None] - y
        u, v = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
        return self.at(np.hypot(u, v / ratio)).reshape(size, fine, size, fine).mean((1, 3))


def stamp(values, noise=0.0, error=1e-3, at=None):
    size = len(values)
    x, y = at or (size / 2, size / 2)
    return Stamp(values, np.full(values.shape, noise), np.full(values.shape, error), x, y)


@pytest.mark.parametrize(("n", "re", "close"), [(1.0, 14.0, 1.0), (2.5, 14.0, 1.6), (4.0, 14.0, 3.0)])
def test_a_sersic_profile_has_the_numbers_of_its_integrals(n, re, close):
    truth = Sersic(n, re)
    size = 2 * int(1.9 * truth.petrosian) + 1
    values = truth.image(size, size / 2 + 0.23, size / 2 - 0.4)
    found, flags = measure(stamp(values))
    assert flags == 0
    for name, share in (("petrosian_radius", 0.004), ("r50", 0.006), ("r80", 0.004)):
        want = truth.petrosian if name == "petrosian_radius" else getattr(truth, name)
        assert found[name] == pytest.approx(want, rel=share * close)
    assert found["concentration"] == pytest.approx(truth.concentration, abs=0.015 * close)
    assert found["gini"] == pytest.approx(truth.gini, abs=0.003 * close)
    assert found["m20"] == pytest.approx(truth.m20, abs=0.01 * close)
    # interpolation of the cusp is all that differs from its turned image
    assert 0 <= found["asymmetry"] < 0.012 * close
    assert abs(found["smoothness"]) < 0.005


@pytest.mark.parametrize(("n", "ratio", "turn"), [(1.0, 0.35, 0.6), (2.5, 0.6, 2.4), (1.0, 0.8, 1.5)])
def test_an_inclined_profile_has_the_gini_m20_and_radii_of_the_round_one(n, ratio, turn):
    """In semi-major axes the light is shared out as in a round profile, and both moments of M20 shrink alike."""
    truth = Sersic(n, 16.0)
    size = 2 * int(1.8 * truth.petrosian) + 1
    found, flags = measure(stamp(truth.image(size, size / 2 + 0.2, size / 2 - 0.3, 7, ratio, turn)))
    assert flags == 0
    assert found["petrosian_sma"] == pytest.approx(truth.petrosian, rel=0.012)
    assert found["half_light_sma"] == pytest.approx(truth.r50, rel=0.015)
    assert found["petrosian_ellipticity"] == pytest.approx(1 - ratio, abs=0.015)
    assert found["petrosian_angle"] == pytest.approx(np.degrees(turn), abs=1)
    if ratio > 0.5:  # the smoothing of a fifth of the radius makes the outline of flatter sources wider
        assert found["gini"] == pytest.approx(truth.gini, abs=0.008)
        assert found["m20"] == pytest.approx(truth.m20, abs=0.03)
    # circles of the same light are smaller
    assert found["petrosian_radius"] < 0.97 * found["petrosian_sma"]


def test_a_flat_disc_has_a_concentration_of_5_log10_2():
    y, x = np.mgrid[:161, :161]
    sub = (np.arange(5) - 2) / 5
    values = sum((np.hypot(x + a - 80, y + b - 80) <= 40) for a in sub for b in sub) / 25.0
    found, _ = measure(stamp(values, error=1e-6))
    assert found["r20"] == pytest.approx(40 * np.sqrt(0.2), rel=2e-3)
    assert found["concentration"] == pytest.approx(5 * np.log10(2), abs=5e-3)
    assert found["asymmetry"] < 2e-3


def test_a_knot_beside_the_centre_counts_twice_in_the_asymmetry():
    """I − I180 has the knot once at its place and once, negative, opposite: A = 2 f, f its part of all light."""
    truth = Sersic(1.0, 10.0)
    values = truth.image(121, 60, 60)
    knot = np.zeros_like(values)
    y, x = np.mgrid[:121, :121]
    knot += np.exp(-0.5 * ((x - 75) ** 2 + (y - 66) ** 2) / 1.5**2)
    knot *= 0.03 * values.sum() / knot.sum()
    found, _ = measure(stamp(values + knot))
    within = np.hypot(x - 60, y - 60) < TOTAL * found["petrosian_radius"]
    share = knot.sum() / (values + knot)[within].sum()
    assert found["asymmetry"] == pytest.approx(2 * share, rel=0.08)


def test_a_chequered_disc_has_the_smoothness_of_its_amplitude():
    """Half of the pixels stand out by a (1 − 1/n) above the mean of n = side² pixels, less where the profile bends."""
    y, x = np.mgrid[:161, :161]
    profile = np.exp(-np.hypot(x - 80, y - 80) / 15)
    amplitude = 0.2
    values = profile * (1 + amplitude * np.where((x + y) % 2, 1, -1))
    found, _ = measure(stamp(values))
    side = 2 * int(0.25 * found["petrosian_radius"] / 2) + 1
    assert found["smoothness"] == pytest.approx(amplitude / 2 * (1 - 1 / side**2), rel=0.1)


def test_noise_leaves_no_bias_and_errors_are_the_scatter():
    truth, noise = Sersic(1.0, 6.0), 0.05
    clean = truth.image(91, 45.2, 44.7)
    rng, rows, errors = np.random.default_rng(5), [], []
    for _ in range(50):
        found, _ = measure(stamp(clean + rng.normal(0, noise, clean.shape), noise, noise), 12, rng)
        rows.append([found[name] for name in NUMBERS])
        errors.append([found[f"{name}_err"] for name in NUMBERS])
    rows, errors = np.array(rows), np.array(errors)
    expected = [measure(stamp(clean))[0][name] for name in NUMBERS]
    assert np.all(np.abs(rows.mean(0) - expected) < [0.02, 0.012, 0.012, 0.01, 0.015])
    ratio = errors.mean(0) / rows.std(0)
    assert np.all((ratio > 0.6) & (ratio < 1.7)), ratio


def test_pixels_of_neighbours_are_left_out():
    truth = Sersic(1.0, 10.0)
    values = truth.image(121, 60, 60)
    holed = values.copy()
    holed[50:62, 78:90] = np.nan
    plain, _ = measure(stamp(values))
    found, flags = measure(stamp(holed))
    assert found["petrosian_radius"] == pytest.approx(plain["petrosian_radius"], rel=0.01)
    assert found["concentration"] == pytest.approx(plain["concentration"], abs=0.02)
    assert found["asymmetry"] < 0.01
    assert flags == 0
    holed[:, 70:] = np.nan
    assert measure(stamp(holed))[1] & 4


def test_what_cannot_be_measured_is_flagged():
    truth = Sersic(1.0, 30.0)
    found, flags = measure(stamp(truth.image(41, 20, 20)))
    assert flags == 1
    assert all(np.isnan(value) for value in found.values())
    star = Sersic(0.5, 1.0)
    assert measure(stamp(star.image(41, 20, 20)))[1] & (8 | 16) == 8 | 16
    assert measure(stamp(truth.image(201, 100, 100), error=10.0))[1] & 2
