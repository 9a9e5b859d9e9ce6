"""Raw frames with known truth: masters, exposures and combinations agree with it within their errors."""

from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits
from scipy.ndimage import binary_dilation

from jviz.backend.ccd.aligning import offset_of, shifted
from jviz.backend.ccd.frames import frames_of, read_frame, section
from jviz.backend.ccd.images import CcdImage, combined, from_counts
from jviz.backend.ccd.instruments import GENERIC, instruments, taken
from jviz.backend.ccd.lacosmic import find_rays
from jviz.backend.ccd.measuring import measured_gain, measured_read_noise
from jviz.backend.ccd.reducing import Options, reduced
from jviz.backend.ccd.star_patterns import Motion, motion_of, resampled
from jviz.errors import CommandError, JvizError
from tests.ccd_frames import GAIN, NOISE, SECONDS, SKY, night


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return night(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="module")
def done(truth):
    return reduced(frames_of(truth.folder, instruments({}))[1], Options())


def pulls(image, true):
    return ((image.values - true) / np.sqrt(image.variance))[~image.bad]


def of_role(done, role):
    return [made for made in done.made if made.role == role]


def test_each_step_agrees_with_the_truth_within_its_errors(done, truth):
    expected = {"master bias": truth.bias * GAIN, "master dark": truth.dark * 90, "master flat": truth.flat,
                "combined": truth.scene_at_rest * SECONDS}  # fmt: skip
    for role, true in expected.items():
        [made] = of_role(done, role)
        found = pulls(made.image, true)
        assert found.std() == pytest.approx(1, abs=0.04), role
        assert abs(found.mean()) < 0.1, role
        assert np.abs(found).max() < 6.5, role
    assert done.warnings == []


def test_exposures_have_their_errors_and_their_rays(done, truth):
    for made, offset in zip(of_role(done, "exposure"), truth.offsets, strict=True):
        rays = truth.rays[made.sources[0].removesuffix(".fits")]
        found = (made.image.flags & 8) > 0
        assert (found & rays).sum() > 0.97 * rays.sum()
        assert (found & binary_dilation(rays, np.ones((3, 3)))).sum() > 0.85 * found.sum()
        good = made.image.flags == 0
        pull = ((made.image.values - truth.scene(*offset) * SECONDS) / np.sqrt(made.image.variance))[good & ~rays]
        assert pull.std() == pytest.approx(1, abs=0.04)
        assert made.offset == pytest.approx(offset, abs=0.15)


def test_many_nights_give_the_scatter_that_their_errors_say(tmp_path):
    values, errors = [], []
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        night(folder, seed=100 + seed, rays=0, stars=0, biases=5, darks=3, flats=3, exposures=1)
        [made] = of_role(reduced(frames_of(folder, instruments({}))[1], Options(cosmic_rays=False)), "exposure")
        dark = np.s_[60:70, 60:70]
        values.append(made.image.values[dark])
        errors.append(np.sqrt(made.image.variance[dark]))
    ratio = np.std(values, axis=0, ddof=1) / np.mean(errors, axis=0)
    assert np.sqrt(np.mean(ratio**2)) == pytest.approx(1, abs=0.08)


def test_gain_and_read_noise_are_measured_where_headers_are_silent(tmp_path):
    night(tmp_path, header=False, exposures=1, rays=0)
    frames = frames_of(tmp_path, instruments({}))[1]
    result = reduced(frames, Options())
    assert result.gain == pytest.approx(GAIN, rel=0.03)
    assert result.read_noise == pytest.approx(NOISE, rel=0.03)
    assert "pairs of flats" in result.warnings[0]
    raw = {kind: [read_frame(f)[f.trim] for f in frames if f.kind == kind] for kind in ("bias", "flat")}
    assert measured_gain(raw["flat"], raw["bias"]) == pytest.approx(GAIN, rel=0.03)
    assert GAIN * measured_read_noise(raw["bias"]) == pytest.approx(NOISE, rel=0.03)
    for path in tmp_path.glob("flat*"):
        path.unlink()
    with pytest.raises(JvizError, match="two flats and two biases are needed"):
        reduced(frames_of(tmp_path, instruments({}))[1], Options())


def test_ccdproc_makes_the_same_of_the_same_frames(done, truth):
    import ccdproc
    from astropy import units as u
    from astropy.nddata import CCDData

    def ccd(path):
        frame = next(f for f in frames if f.path.name == path)
        raw = CCDData(read_frame(frame), unit="adu", header={"EXPTIME": frame.exposure})
        raw = ccdproc.subtract_overscan(raw, overscan=raw[frame.overscan], overscan_axis=1, median=True)
        raw = CCDData(raw.data[frame.trim], unit="adu", header=raw.header)
        return ccdproc.gain_correct(raw, GAIN * u.electron / u.adu)

    frames = frames_of(truth.folder, instruments({}))[1]
    bias = ccdproc.combine([ccd(f"bias{n}.fits") for n in range(9)], method="average")
    [ours] = of_role(done, "master bias")
    assert np.median(np.abs(ours.image.values - bias.data)) < 0.05
    dark = ccdproc.combine([ccdproc.subtract_bias(ccd(f"dark{n}.fits"), bias) for n in range(9)], method="average")
    dark.header["EXPTIME"] = 90.0
    science = ccdproc.subtract_bias(ccd("field0.fits"), bias)
    science = ccdproc.subtract_dark(science, dark, exposure_time="EXPTIME", exposure_unit=u.s, scale=True)
    flat = CCDData(of_role(done, "master flat")[0].image.values, unit=u.one)
    science = ccdproc.flat_correct(science, flat, norm_value=1.0)
    mine = of_role(done, "exposure")[0].image
    good = mine.flags == 0
    assert np.std((science.data - mine.values)[good]) < 0.1 * np.median(np.sqrt(mine.variance[good]))


def test_exposures_without_a_time_are_combined_as_they_are(tmp_path):
    night(tmp_path, rays=0, exposures=3)
    for path in tmp_path.glob("field*"):
        fits.delval(path, "EXPTIME")
    result = reduced(frames_of(tmp_path, instruments({}))[1], Options(cosmic_rays=False))
    [total], singles = of_role(result, "combined"), of_role(result, "exposure")
    assert "no exposure time" in result.warnings[0]
    level = np.mean([np.median(made.image.values) for made in singles])
    assert np.median(total.image.values[~total.image.bad]) == pytest.approx(level, rel=0.02)
    noise = np.mean([np.median(made.image.variance) for made in singles])
    assert np.median(total.image.variance[~total.image.bad]) == pytest.approx(noise / 3, rel=0.03)


def test_what_cannot_be_aligned_is_no_source_of_the_combination(tmp_path):
    night(tmp_path, stars=0, rays=0, exposures=3)
    result = reduced(frames_of(tmp_path, instruments({}))[1], Options())
    [total] = of_role(result, "combined")
    assert total.sources == ("field0.fits",)
    assert sum("it is not combined" in text for text in result.warnings) == 2


# --- one thing at a time


def test_overscan_is_taken_row_by_row():
    counts = np.tile(np.arange(10.0)[:, None], (1, 30)) + 5
    counts[:, 10:] += 100
    image = from_counts(counts, 2.0, 4.0, overscan=(slice(0, 10), slice(0, 10)), trim=(slice(0, 10), slice(10, 30)),
                        saturation=np.nan, exposure=1.0)  # fmt: skip
    assert np.all(image.values == 200)
    assert image.variance[0, 0] == pytest.approx(16 * (1 + np.pi / 2 * 10 / (10 + np.pi / 2 - 1) / 10))


def test_saturated_and_missing_pixels_are_flagged():
    counts = np.array([[10.0, 60_000.0, np.nan]])
    image = from_counts(counts, 1.0, 1.0, overscan=None, trim=None, saturation=60_000, exposure=1.0)
    assert image.flags.tolist() == [[0, 2, 1]]


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_the_error_of_a_combination_is_its_scatter(statistic):
    rng = np.random.default_rng(4)
    images = [CcdImage(rng.normal(10, 2, (200, 200)), np.full((200, 200), 4.0), np.zeros((200, 200), np.uint8))
              for _ in range(7)]  # fmt: skip
    images[0].values[0, 0] = 1e5
    total = combined(images, statistic, clip=5.0)
    assert total.values.std() == pytest.approx(np.sqrt(total.variance.mean()), rel=0.02)
    assert abs(total.values[0, 0] - 10) < 5
    flags = [CcdImage(i.values, i.variance, np.ones_like(i.flags)) for i in images]
    assert np.all(combined(flags).flags == 1)


def test_stars_are_no_cosmic_rays():
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:120, :120]
    light = 100 + sum(a / (2 * np.pi * 1.2**2) * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / 1.2**2)
                      for px, py, a in ((30, 40, 3e4), (80.3, 60.7, 1e5), (50, 90, 5e3)))  # fmt: skip
    image = rng.poisson(light) + rng.normal(0, 5, light.shape)
    rays, _ = find_rays(image, light + 25, np.zeros(light.shape, bool))
    assert rays.sum() <= 3
    image[20, 70:75] += 2000
    rays, clean = find_rays(image, light + 25, np.zeros(light.shape, bool))
    assert rays[20, 70:75].all()
    assert np.abs(clean[20, 70:75] - 100).max() < 60


def test_stars_at_the_edge_are_no_cosmic_rays():
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:120, :120]
    light = 240 + sum(3e4 / (2 * np.pi * 1.6**2) * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / 1.6**2)
                      for px, py in ((2, 40), (60, 3), (117.5, 80), (30, 118), (1, 1)))  # fmt: skip
    image = rng.poisson(light) + rng.normal(0, 5, light.shape)
    rays, _ = find_rays(image, light + 25, np.zeros(light.shape, bool))
    assert rays.sum() <= 3
    rays, clean = find_rays(image, light + 25, np.ones(light.shape, bool))
    assert not rays.any()
    assert clean == pytest.approx(image)


def test_shifts_conserve_light_and_carry_errors():
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:80, :90]
    star = np.exp(-0.5 * ((x - 40) ** 2 + (y - 30) ** 2) / 4) * 500
    one = CcdImage(star + rng.normal(0, 1, star.shape), np.ones(star.shape), np.zeros(star.shape, np.uint8))
    moved = CcdImage(np.roll(star, (4, -7), (0, 1)) + rng.normal(0, 1, star.shape), one.variance, one.flags)
    dx, dy, peak = offset_of(moved, one)
    assert (dx, dy) == pytest.approx((-7, 4), abs=0.1)
    assert peak > 60
    noise = [CcdImage(rng.normal(0, 1, star.shape), one.variance, one.flags) for _ in range(6)]
    assert max(offset_of(*pair)[2] for pair in pairwise(noise)) < 40
    back = shifted(moved, -7, 4)
    good = back.flags == 0
    assert np.std((back.values - one.values)[good]) == pytest.approx(np.sqrt(2), rel=0.05)
    half = shifted(one, 0.5, 0.0, fractions=True)
    assert half.variance[10, 10] == pytest.approx(0.5)


def test_exposures_that_are_turned_and_scaled_come_onto_each_other(tmp_path):
    turns, scales = (0.0, 25.0, -140.0, 180.0, 3.0), (1.0, 1.05, 0.97, 1.0, 1.0)
    truth = night(tmp_path, seed=11, turns=turns, scales=scales, biases=5, darks=5, flats=5)
    done = reduced(frames_of(tmp_path, instruments({}))[1], Options(align="stars"))
    assert done.warnings == []
    for made, offset, turn, scale in zip(of_role(done, "exposure"), truth.offsets, turns, scales, strict=True):
        assert made.offset == pytest.approx(offset, abs=0.1)
        assert abs((made.turn - turn + 180) % 360 - 180) < 0.08
        assert made.scale == pytest.approx(scale, abs=1e-3)
    [whole] = of_role(done, "combined")
    # Interpolation between pixels widens stars a little: the light in a circle is what it was.
    y, x = np.mgrid[: truth.flat.shape[0], : truth.flat.shape[1]]
    true = truth.scene_at_rest * SECONDS
    py, px = np.unravel_index(np.argmax(np.where((x > 40) & (x < 130) & (y > 40) & (y < 110), true, 0)), true.shape)
    circle = (np.hypot(x - px, y - py) < 8) & ~whole.image.bad
    background = SKY * SECONDS
    light = (whole.image.values - background)[circle].sum() / (true - background)[circle].sum()
    assert light == pytest.approx(1, abs=0.02)
    beside = reduced(frames_of(tmp_path, instruments({}))[1], Options())
    assert any("could be aligned" in text for text in beside.warnings)


def test_noise_and_other_fields_have_no_motion():
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:150, :170]

    def field(stars):
        places = rng.uniform([0, 0], [170, 150], (stars, 2))
        light = sum(300 * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / 1.6**2) for px, py in places)
        return CcdImage(light + rng.normal(0, 3, x.shape), np.full(x.shape, 9.0), np.zeros(x.shape, np.uint8))

    fields = [field(count) for count in (0, 3, 25, 40, 60, 80)]
    assert all(motion_of(one, two) is None for one, two in pairwise(fields))
    for one in fields[2:]:
        motion = motion_of(one, one)
        assert motion.degrees == pytest.approx(0, abs=1e-6)
        assert motion.offset((150, 170)) == pytest.approx((0, 0), abs=1e-6)


def test_resampling_carries_errors():
    rng = np.random.default_rng(6)
    noise = rng.normal(100, 2, (120, 130))
    one = CcdImage(noise, np.full(noise.shape, 4.0), np.zeros(noise.shape, np.uint8))
    turn = 1.1 * np.exp(1j * np.radians(30))
    motion = Motion(np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]), np.array([20.0, -5.0]), 9, 0.1)
    moved = resampled(one, motion)
    good = ~moved.bad
    pull = (moved.values - 100 * 1.1**2)[good] / np.sqrt(moved.variance[good])
    assert pull.std() == pytest.approx(1, abs=0.03)
    assert 0.3 < good.mean() < 0.9


# --- what frames are


def test_kinds_and_numbers_of_frames(truth):
    instrument, frames = frames_of(truth.folder, instruments({}))
    assert instrument is GENERIC
    assert {kind: sum(f.kind == kind for f in frames) for kind in ("bias", "dark", "flat", "science")} == {
        "bias": 9, "dark": 9, "flat": 9, "science": 5,
    }  # fmt: skip
    assert (frames[0].gain, frames[0].read_noise) == (GAIN, NOISE)


@pytest.mark.parametrize(("text", "found"), [
    ("[1:32,5:10]", (slice(4, 10), slice(0, 32))), (" [ 1:200 , 1:100 ] ", (slice(0, 100), slice(0, 200))),
    ("[0:32,5:10]", None), ("[1:300,5:10]", None), ("", None), ("none", None),
])  # fmt: skip
def test_sections_of_fits(text, found):
    assert section(text, (100, 200)) == found


def test_own_keywords_come_first(tmp_path):
    header = fits.Header({"INSTRUME": "MYCAM 2", "WHAT": "LIGHT", "IMAGETYP": "bias", "CONV": 2.5, "GAIN": 9.9})
    fits.writeto(tmp_path / "a.fits", np.ones((20, 20), np.float32), header)
    own = {"mine": taken("MYCAM*", {"type": "WHAT", "gain": ["CONV"]}, {"science": "LIGHT"})}
    instrument, [frame] = frames_of(tmp_path, instruments(own))
    assert (instrument.name, frame.kind, frame.gain) == ("mine", "science", 2.5)
    with pytest.raises(CommandError, match="'gian' is no meaning"):
        taken("*", {"gian": "X"}, {})
    with pytest.raises(CommandError, match="no instrument 'yours'"):
        frames_of(tmp_path, instruments(own), "yours")


def test_what_cannot_be_reduced_is_said(tmp_path):
    with pytest.raises(JvizError, match="no folder"):
        frames_of(tmp_path / "nowhere", instruments({}))
    with pytest.raises(JvizError, match="no FITS files"):
        frames_of(tmp_path, instruments({}))
    (tmp_path / "broken.fits").write_bytes(b"not FITS at all")
    fits.writeto(tmp_path / "what.fits", np.ones((20, 20), np.float32), fits.Header({"IMAGETYP": "focus"}))
    frames = frames_of(tmp_path, instruments({}))[1]
    assert "cannot be read" in frames[0].note
    assert "'focus' says of no kind" in frames[1].note
    with pytest.raises(JvizError, match="no science frames"):
        reduced(frames, Options())


def test_damaged_frames_and_those_of_another_binning_are_left_out_and_named(tmp_path):
    truth = night(tmp_path, biases=3, darks=2, flats=2, exposures=3)
    whole = (tmp_path / "field0.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.fits").write_bytes(b"")
    binned = fits.Header({"IMAGETYP": "object", "EXPTIME": SECONDS, "FILTER": "R", "OBJECT": "field"})
    fits.writeto(tmp_path / "a_binned.fits", np.ones((75, 97), np.float32), binned)  # the first by its name
    fits.delval(tmp_path / "field1.fits", "EXPTIME")
    notes = {frame.path.name: frame.note for frame in frames_of(tmp_path, instruments({}))[1]}
    assert notes["empty.fits"] == "it is empty. Fetch it again."
    assert "bytes before the end" in notes["cut.fits"]
    done = reduced(frames_of(tmp_path, instruments({}))[1], Options(align="none"))
    said = "\n".join(done.warnings)
    for words in ("cut.fits is left out: cut.fits ends", "empty.fits is left out: it is empty",
                  "a_binned.fits has 75 × 97", "field1.fits has no exposure time; no dark current"):  # fmt: skip
        assert words in said
    assert [made.sources for made in of_role(done, "exposure")] == [(f"field{n}.fits",) for n in range(3)]
    assert of_role(done, "combined")[0].image.exposure == 0
    first = of_role(done, "exposure")[0].image
    assert pulls(first, truth.scene(0, 0) * SECONDS).std() == pytest.approx(1, abs=0.15)
