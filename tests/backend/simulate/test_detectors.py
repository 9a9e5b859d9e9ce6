"""What a simulated detector does with light, against closed forms."""

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.simulate.cosmic_rays import LENGTH, PER_PIXEL, draw_hits
from jviz.backend.simulate.detectors import DO_NOT_USE, HOT, MIRI, NIRCAM, frame_time, make_detector, ramp
from jviz.backend.simulate.plans import plan_of
from jviz.backend.simulate.references import Writer

SIDE, SECONDS, GROUPS = 96, 2.0, 9


@pytest.fixture(scope="module")
def detector():
    return make_detector(np.random.default_rng(1), NIRCAM, (SIDE, SIDE), np.ones((SIDE, SIDE)))


def even(detector, rate):
    return np.full(detector.shape, rate, np.float32)


@pytest.fixture(scope="module")
def reads(detector):
    return np.stack([ramp(np.random.default_rng([2, n]), detector, even(detector, 400.0), SECONDS, GROUPS)
                     for n in range(12)]).astype(float)  # fmt: skip


@pytest.fixture(scope="module")
def plain(detector):
    return ~detector.is_reference & (detector.mask == 0)


def linear(detector, counts):
    """Undo bias and non-linearity, as the pipelines do."""
    measured = counts - detector.bias
    return measured + detector.curvature * measured**2


def test_the_mean_of_ramps_is_the_light_that_fell(detector, reads, plain):
    drift = (reads - detector.bias)[..., detector.is_reference].mean(-1)
    signal = linear(detector, reads - drift[..., None, None])[..., plain].mean((0, 2))
    true = (400.0 + detector.dark[plain].mean()) * SECONDS * np.arange(1, GROUPS + 1)
    np.testing.assert_allclose(signal, true, rtol=2e-3)


def test_differences_scatter_by_poisson_and_by_two_reads(detector, reads, plain):
    steps = np.diff(linear(detector, reads), axis=1)
    # Drifts shift whole columns; they go with the median of each odd or even half.
    for parity in (0, 1):
        steps[..., parity::2] -= np.median(steps[..., parity::2], axis=(2, 3), keepdims=True)
    first = steps[:, 0][:, plain]
    gain, noise = detector.gain[plain].mean(), np.sqrt((detector.read_noise[plain].astype(float) ** 2).mean())
    measured = 1 + 2 * detector.curvature[plain].mean() * 1.5 * 400 * SECONDS
    expected = 400 * SECONDS / gain + 2 * (noise**2 + 1 / 12) * measured**2
    assert first.var() == pytest.approx(expected, rel=0.02)


def test_reference_pixels_see_drifts_and_no_light(detector, reads):
    reference = (reads - detector.bias)[..., detector.is_reference]
    assert np.abs(reference.mean((0, 2))).max() < 25
    assert detector.is_reference.sum() == SIDE**2 - (SIDE - 4) ** 2
    # What the amplifier adds to reference pixels, it adds to the others: nothing is left in the dark.
    dark = ramp(np.random.default_rng(5), detector, even(detector, 0.0), SECONDS, GROUPS) - detector.bias
    quiet = ~detector.is_reference & ((detector.mask & (HOT | DO_NOT_USE)) == 0)
    left = dark[:, quiet].mean(1) - dark[:, detector.is_reference].mean(1)
    assert np.abs(left).max() < 1.0


def test_wells_fill_and_stay_full(detector):
    reads = ramp(np.random.default_rng(3), detector, even(detector, 12_000.0), SECONDS, GROUPS).astype(float)
    full = (reads - detector.bias)[:, ~detector.is_reference & (detector.mask == 0)]
    top = detector.well[~detector.is_reference & (detector.mask == 0)]
    assert np.abs(full[-1] - top).mean() < 30
    assert (full[0] < 0.8 * top).all()
    assert reads.max() < 65_535


def test_cosmic_rays_come_by_poisson_and_leave_their_charge():
    shape, groups = (512, 512), 20
    area = 512 * 512 * (18e-4) ** 2
    several = [draw_hits(np.random.default_rng([4, n]), 30.0, area, 1.5, groups, shape) for n in range(10)]
    rays = 30.0 * area * 1.5 * groups
    charge = sum(hits.electrons.sum() for hits in several)
    # Tracks end at the edge, hence a little less; the mean of exp(σ g) is exp(σ²/2).
    expected = 10 * rays * PER_PIXEL * np.exp(0.125) * (LENGTH + 0.5 / 6)
    assert charge == pytest.approx(expected, rel=0.05)
    groups_hit = np.bincount(np.concatenate([hits.group for hits in several]), minlength=groups)
    assert groups_hit.std() / groups_hit.mean() < 0.1
    first = several[0]
    places = np.stack([first.group, first.y, first.x])
    assert np.unique(places, axis=1).shape[1] == first.group.size


def test_the_charge_of_a_ray_stays(detector):
    hits = draw_hits(np.random.default_rng(6), 40.0, detector.area, SECONDS, GROUPS, detector.shape)
    without = ramp(np.random.default_rng(7), detector, even(detector, 5.0), SECONDS, GROUPS).astype(float)
    struck = ramp(np.random.default_rng(7), detector, even(detector, 5.0), SECONDS, GROUPS, hits).astype(float)
    total = np.zeros(detector.shape)
    for group in range(GROUPS):
        hits.add(total, group, detector.is_reference)
        added = linear(detector, struck[group]) - linear(detector, without[group])
        assert np.abs(added - total / detector.gain).max() < 0.01 * max(total.max(), 1) + 2
    assert total.sum() > 0


def test_frame_times_are_those_of_the_subarrays():
    assert frame_time(640) == pytest.approx(4.18584)
    assert frame_time(160) == pytest.approx(0.27864)
    assert frame_time(2048) == pytest.approx(10.73677)


def test_a_whole_detector_of_miri_has_reference_columns_whose_drift_is_that_of_every_fourth_column():
    detector = make_detector(np.random.default_rng(8), MIRI, MIRI.shape, np.ones(MIRI.shape))
    assert detector.amplifiers == 4
    assert detector.is_reference.sum() == 8 * 1024
    assert detector.is_reference[:, [0, 3, 1028, 1031]].all()
    dark = ramp(np.random.default_rng(9), detector, even(detector, 0.0), SECONDS, 3) - detector.bias
    quiet = ~detector.is_reference & (detector.mask == 0)
    step = dark[2] - dark[1]
    rows, columns = np.indices(detector.shape)
    offsets = []
    for amplifier in range(4):
        for parity in (0, 1):
            mine = (columns % 4 == amplifier) & (rows % 2 == parity)
            seen = step[mine & detector.is_reference].mean()
            assert step[mine & quiet].mean() == pytest.approx(seen, abs=0.5)
            offsets.append(seen)
    assert np.ptp(offsets) > 3  # they do differ


@pytest.mark.parametrize("family", [NIRCAM, MIRI])
def test_the_reference_of_linearity_undoes_the_bending_of_the_reads_it_is_for(family, tmp_path):
    """Raw reads of MIRI, reads without bias of the others: what comes out grows as the light does."""
    shape = (32, 32) if family is NIRCAM else family.shape
    plan = plan_of(seed=1, size=160) if family is NIRCAM else plan_of(seed=1, instrument="miri-mrs")
    detector = make_detector(np.random.default_rng(10), family, shape, np.ones(shape))
    instrument = {"INSTRUME": "X", "DETECTOR": "Y"}
    written = {file.kind: file for file in Writer(plan, instrument, "R", (1, 2)).detector(detector)}
    path = tmp_path / "linearity.fits"
    written["linearity"].write(path)
    assert ("superbias" in written) == family.has_superbias
    coefficients = fits.getdata(path, "COEFFS").astype(float)
    true = np.linspace(0, 30_000, 7)[:, None, None] * np.ones(shape)
    bent = 2 * true / (1 + np.sqrt(1 + 4 * detector.curvature * true))
    reads = bent + (0 if family.has_superbias else detector.bias)
    straight = sum(c * reads**power for power, c in enumerate(coefficients))
    seen = ~detector.is_reference
    np.testing.assert_allclose((straight - straight[0])[:, seen], true[:, seen], atol=0.05)
    np.testing.assert_array_equal(straight[:, ~seen], reads[:, ~seen])
