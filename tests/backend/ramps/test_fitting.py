"""Ramps against stcal, closed forms and Monte Carlo."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from jviz.backend.progress import Cancelled
from jviz.backend.ramps.constants import measured_noise
from jviz.backend.ramps.fitting import DO_NOT_USE, JUMP, SATURATED, JumpRule, ReadOut, fit_ramps

SECONDS, GAIN, NOISE = 2.5, 1.9, 9.0


def simulated(shape, *, seed=5, frames=1, rate=None, noise=NOISE, gain=GAIN):
    """Return ramps (DN) of Poisson light and read noise; the noise is that of a difference of two reads."""
    rng = np.random.default_rng(seed)
    rate = rng.choice([0.0, 1.0, 20.0, 300.0], shape[2:]) if rate is None else np.broadcast_to(rate, shape[2:])
    light = rng.poisson(rate * gain * SECONDS, shape).cumsum(axis=1) / gain
    reads = rng.normal(0, noise / np.sqrt(2 * frames), shape)
    return (light + reads).astype(np.float32), rate


def with_cosmic_rays(counts, share=0.02, seed=6):
    """Add steps to some groups; returns where."""
    rng = np.random.default_rng(seed)
    hit = rng.random(counts.shape) < share
    hit[:, 0] = False
    steps = np.where(hit, rng.uniform(100, 3000, counts.shape), 0)
    return (counts + steps.cumsum(axis=1)).astype(np.float32), hit


@pytest.fixture
def awkward(tmp_path):
    """Ramps with all that may happen, as stcal and jviz take them."""

    def make(integrations, groups, frames):
        counts, _ = simulated((integrations, groups, 24, 31), frames=frames)
        counts, _ = with_cosmic_rays(counts)
        rng = np.random.default_rng(9)
        flags = np.zeros(counts.shape, np.uint8)
        full = rng.integers(0, 3 * groups, (integrations, 24, 31))
        for group in range(groups):
            flags[:, group][group >= full] |= SATURATED
        flags[rng.random(flags.shape) < 0.02] |= DO_NOT_USE
        flags[:, :, 3, 4] |= DO_NOT_USE
        area = counts.shape[2:]
        gain = rng.uniform(1.5, 2.2, area).astype(np.float32)
        noise = rng.uniform(6, 14, area).astype(np.float32)
        dark = rng.uniform(0, 0.1, area).astype(np.float32)
        return {"counts": counts, "flags": flags, "gain": gain, "noise": noise, "dark": dark, "frames": frames,
                "seconds": SECONDS}  # fmt: skip

    return make


@pytest.mark.skipif(find_spec("stcal") is None, reason="stcal is not installed")
@pytest.mark.parametrize(("integrations", "groups", "frames"), [(1, 8, 1), (3, 5, 4), (2, 14, 2), (2, 3, 1)])
def test_jumps_and_rates_are_those_of_stcal(awkward, tmp_path, integrations, groups, frames):
    given = awkward(integrations, groups, frames)
    np.savez(tmp_path / "in.npz", **given)
    script = Path(__file__).with_name("by_stcal.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path / "in.npz", tmp_path / "out.npz"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    theirs = np.load(tmp_path / "out.npz")
    ours = fit_ramps(
        given["counts"], given["flags"], given["gain"], given["noise"], ReadOut(SECONDS, frames), jumps=JumpRule(),
        dark=given["dark"],
    )  # fmt: skip
    assert np.array_equal(ours.flags & JUMP, theirs["flags"] & JUMP)
    assert (ours.flags & JUMP).any()
    for name, mine in (("slope", ours.rate), ("var_poisson", ours.var_poisson), ("var_rnoise", ours.var_rnoise),
                       ("err", ours.err)):  # fmt: skip
        np.testing.assert_allclose(mine, theirs[name], rtol=2e-6, atol=1e-6, err_msg=name)
    for number, name in enumerate(("slope", "var_poisson", "var_rnoise", "err")):
        np.testing.assert_allclose(ours.integrations[:, number], theirs[f"int_{name}"], rtol=2e-6, atol=1e-6)


def test_errors_are_those_of_many_ramps():
    counts, _ = simulated((1, 10, 100, 120), rate=30.0)
    found = fit_ramps(counts, None, GAIN, NOISE, ReadOut(SECONDS))
    pull = (found.rate - 30.0) / found.err
    # The weights are chosen by steps of the signal, so that the error is a few per cent off by design.
    assert abs(pull.mean()) < 0.05
    assert 0.93 < pull.std() < 1.08


def test_a_line_without_noise_is_found_exactly():
    counts = (100 + 7.5 * SECONDS * np.arange(6))[None, :, None, None] * np.ones((2, 1, 2, 3))
    found = fit_ramps(counts, None, GAIN, NOISE, ReadOut(SECONDS), model=True)
    np.testing.assert_allclose(found.rate, 7.5, rtol=1e-6)
    np.testing.assert_allclose(found.model, counts, rtol=1e-6)
    # Read noise of a line of equal weights through n groups: 12 σ² / (t² (n³ − n)), of two integrations the half.
    np.testing.assert_allclose(found.var_rnoise, 12 * (NOISE**2 / 2) / (SECONDS**2 * (216 - 6)) / 2, rtol=1e-5)


def test_a_jump_splits_the_ramp_and_changes_nothing():
    counts = (5.0 * SECONDS * np.arange(9))[None, :, None, None] * np.ones((1, 1, 1, 1))
    counts[:, 4:] += 5000
    found = fit_ramps(counts, None, GAIN, 2.0, ReadOut(SECONDS), jumps=JumpRule(neighbours=False), model=True)
    assert np.flatnonzero(found.flags[0, :, 0, 0] & JUMP).tolist() == [4]
    assert found.rate[0, 0] == pytest.approx(5.0, rel=1e-5)
    assert np.isfinite(found.model).all()


def test_most_cosmic_rays_are_found_and_little_else():
    counts, _ = simulated((1, 8, 200, 200), rate=5.0)
    counts, hit = with_cosmic_rays(counts, 0.002)
    found = fit_ramps(counts, None, GAIN, NOISE, ReadOut(SECONDS), jumps=JumpRule(neighbours=False)).flags & JUMP > 0
    assert found[hit].mean() > 0.95
    # Two-sided 5 σ of a difference and of a median of few: a few in ten thousand.
    assert found[~hit].mean() < 5e-4


def test_neighbours_of_clear_jumps_are_flagged():
    counts, _ = simulated((1, 8, 9, 9), rate=0.0)
    counts[:, 3:, 4, 4] += 800
    flags = fit_ramps(counts, None, GAIN, NOISE, ReadOut(SECONDS), jumps=JumpRule(threshold=9, three=9, two=9)).flags
    assert {tuple(place) for place in np.argwhere(flags[0, 3] & JUMP)} == {(4, 4), (3, 4), (5, 4), (4, 3), (4, 5)}


def test_pixels_without_a_usable_group_have_no_rate():
    counts, _ = simulated((1, 6, 4, 4))
    flags = np.zeros(counts.shape, np.uint8)
    flags[:, :, 0, 0] = DO_NOT_USE
    flags[:, :, 1, 1] = SATURATED
    flags[:, 1:, 2, 2] = SATURATED
    bad = np.zeros((4, 4), bool)
    bad[3, 3] = True
    gain = np.full((4, 4), GAIN)
    gain[0, 3] = np.nan
    found = fit_ramps(counts, flags, gain, NOISE, ReadOut(SECONDS), bad=bad)
    missing = {(0, 0), (1, 1), (2, 2), (3, 3), (0, 3)}
    assert {tuple(place) for place in np.argwhere(np.isnan(found.rate))} == missing
    assert (found.err[np.isnan(found.rate)] == 0).all()


def test_one_group_is_no_ramp():
    with pytest.raises(ValueError, match="two groups"):
        fit_ramps(np.zeros((2, 1, 4, 4)), None, GAIN, NOISE, ReadOut(SECONDS))


def test_the_read_noise_of_a_ramp_is_measured_in_it():
    counts, _ = simulated((1, 12, 100, 100), rate=0.0)
    assert measured_noise(counts[0]) == pytest.approx(NOISE, rel=0.03)
    flags = np.zeros(counts[0].shape, np.uint8)
    flags[3] = 1
    assert measured_noise(counts[0], flags) == pytest.approx(NOISE, rel=0.05)
    assert np.isnan(measured_noise(counts[0, :2]))


def test_it_can_be_given_up():
    def progress(done, total, text):
        raise Cancelled

    counts, _ = simulated((1, 4, 8, 8))
    with pytest.raises(Cancelled):
        fit_ramps(counts, None, GAIN, NOISE, ReadOut(SECONDS), jumps=JumpRule(), progress=progress)
