"""Ramps in a session: rates of pixels and of all, groups that are shown, what is refused."""

import numpy as np
import pytest
from astropy.io import fits
from regions import CirclePixelRegion, PixCoord, RectanglePixelRegion

from jviz.errors import CommandError
from jviz.ramp_data import DIFFERENCE
from jviz.ramp_means import fit_region, rates_at
from jviz.ramps import JumpRule
from tests.ramp_files import JUMP_AT, RATE, SECONDS, write_ramp


@pytest.fixture
def ramp(session, tmp_path):
    return session.open(write_ramp(tmp_path / "jw1_ramp.fits"))[0]


def test_the_rate_of_a_pixel(session, ramp):
    table = session.run("ramp.fit", data=ramp, x=9, y=11, gain=2.0, readnoise=4.2)
    assert table["integration"].tolist() == ["0", "1", "all"]
    assert str(table["rate"].unit) in ("DN / s", "dn / s")
    pull = (table["rate"].value - RATE) / table["rate_err"].value
    assert (np.abs(pull) < 4).all()
    # The rate of all is the mean of both, weighted by the variance of their read noise, which is the same.
    assert table["rate"][2].value == pytest.approx(table["rate"][:2].value.mean(), rel=1e-5)
    assert table["n_groups"].tolist() == [8, 8, 16]
    assert table.meta["noise"] == "gain 2 e⁻/DN as given, read noise 4.2 DN as given"


def test_jumps_are_found_and_may_be_left_alone(session, ramp):
    column, row, _ = JUMP_AT
    found = session.run("ramp.fit", data=ramp, x=column, y=row, gain=2.0, readnoise=4.2)
    assert found["n_jumps"].tolist() == [1, 1, 2]
    assert abs(found["rate"][2].value - RATE) < 4 * found["rate_err"][2].value
    blind = session.run("ramp.fit", data=ramp, x=column, y=row, gain=2.0, readnoise=4.2, find_jumps=False)
    assert blind["n_jumps"].tolist() == [0, 0, 0]
    assert blind["rate"][2].value > 3 * RATE
    high = session.run("ramp.fit", data=ramp, x=column, y=row, gain=2.0, readnoise=4.2, threshold=1e6)
    assert high["n_jumps"][2] == 0


def test_without_references_the_noise_is_measured(session, ramp, monkeypatch, tmp_path):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    table = session.run("ramp.fit", data=ramp, x=9, y=11)
    assert "gain not known" in table.meta["noise"]
    assert "measured in this ramp" in table.meta["noise"]
    assert (table["var_poisson"].value < 1e-2 * table["var_rnoise"].value).all()


def test_the_noise_of_means_of_reads_is_that_of_one_read(session, tmp_path, monkeypatch):
    """Four reads are averaged to a group, whose differences scatter by 3 √2 DN."""
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    path = write_ramp(tmp_path / "jw2_ramp.fits")
    fits.setval(path, "NFRAMES", value=4)
    [ramp] = session.open(path)
    noise = float(session.run("ramp.fit", data=ramp, x=9, y=11).meta["noise"].rpartition("read noise ")[2].split()[0])
    assert noise == pytest.approx(3 * np.sqrt(2) * np.sqrt(4), rel=0.1)
    image = session.run("ramp.refit", data=ramp)
    assert ((image.plane("DQ").read() & 4) != 0).mean() < 0.02


def test_all_pixels_become_an_image_that_undo_takes_back(session, ramp):
    made = session.run("ramp.refit", data=ramp, gain=2.0, readnoise=4.2)
    assert made.unit == "DN/s"
    rates, errors = (made.plane(name).read() for name in ("SCI", "ERR"))
    one = session.run("ramp.fit", data=ramp, x=JUMP_AT[0], y=JUMP_AT[1], gain=2.0, readnoise=4.2)
    assert rates[JUMP_AT[1], JUMP_AT[0]] == pytest.approx(one["rate"][2].value, rel=1e-6)
    assert errors[JUMP_AT[1], JUMP_AT[0]] == pytest.approx(one["rate_err"][2].value, rel=1e-6)
    flags = made.plane("DQ").read()
    assert flags[JUMP_AT[1], JUMP_AT[0]] & 4
    assert flags[0, 0] & 2
    assert np.nanmedian(rates) == pytest.approx(RATE, rel=0.01)
    session.undo()
    session.undo()
    assert made.name not in session.names


def test_groups_are_gone_through(session, ramp):
    view = session.view("ramp", data=ramp)
    session.run("ramp.group", group=2, integration=1, view=view)
    assert view.layer.index == (1, 2)
    session.run("ramp.step", by=6, view=view)
    assert (view.integration, view.group) == (0, 0)
    session.run("ramp.step", by=-1, view=view)
    assert (view.integration, view.group) == (1, 7)
    session.undo()  # going through groups is one step
    assert (view.integration, view.group) == (1, 4)
    with pytest.raises(CommandError, match="group"):
        session.run("ramp.group", group=99, view=view)
    assert view.group == 4


def test_differences_are_those_of_groups(session, ramp):
    counts = ramp.plane("SCI").read()
    steps = ramp.plane(DIFFERENCE)
    expected = np.diff(counts, axis=1)
    np.testing.assert_allclose(steps.read((1, 3)), expected[1, 2])
    np.testing.assert_allclose(steps.read((slice(None), slice(2, 5), 7)), expected[:, 1:4, 7])
    assert np.isnan(steps.read((0, 0))).all()
    assert np.isnan(steps.read((..., slice(0, 3)))[:, 0]).all()
    np.testing.assert_allclose(np.asarray(steps.raw())[:, 1:], expected)
    view = session.view("ramp", data=ramp)
    session.run("ramp.group", group=3, difference=True, view=view)
    assert view.layer.plane == DIFFERENCE
    assert view.layer.stretch == "linear"
    session.undo()
    assert not view.difference


def test_a_script_repeats_it(session, ramp):
    view = session.view("ramp", data=ramp)
    session.run("ramp.group", group=5, difference=True, view=view)
    session.run("ramp.refit", data=ramp, gain=2.0, readnoise=4.2)
    scope = {}
    exec(session.script(), scope)
    again = scope["session"]
    assert again.names == session.names
    np.testing.assert_array_equal(again.data[-1].plane().read(), session.data[-1].plane().read())
    again.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": 99, "y": 3}, "beside"),
        ({"x": 3, "y": 3, "gain": -1.0}, "gain"),
        ({"x": 3, "y": 3, "readnoise": 0.0}, "read noise"),
        ({"x": 3, "y": 3, "threshold": 0.0}, "threshold"),
    ],
)
def test_what_is_refused(session, ramp, arguments, said):
    with pytest.raises(CommandError, match=said):
        session.run("ramp.fit", data=ramp, **arguments)


def test_rates_are_no_ramps(session, tmp_path):
    first = fits.PrimaryHDU()
    first.header.update(TELESCOP="JWST", INSTRUME="NIRCAM", DATAMODL="CubeModel")
    path = tmp_path / "a_rateints.fits"
    fits.HDUList([first, fits.ImageHDU(np.ones((3, 8, 8), np.float32), name="SCI")]).writeto(path)
    rates = session.open(path)[0]
    with pytest.raises(CommandError, match="uncal and ramp"):
        session.run("ramp.fit", data=rates, x=1, y=1)
    view = session.view("ramp", data=rates)
    session.run("ramp.group", group=2, view=view)
    assert view.layer.index == (2,)
    with pytest.raises(CommandError, match="no groups"):
        session.run("ramp.group", group=1, difference=True, view=view)


def test_the_simulated_chain_gives_the_rates_of_the_pipeline(session, shared_data, monkeypatch):
    """Of raw counts, so that only what the corrections change little can be compared: the middle of all pixels."""
    folder = shared_data / "sim_nircam_sub160"
    monkeypatch.setenv("CRDS_PATH", str(folder / "crds"))
    raw, rate = session.open(
        folder / "jw09999001001_02101_00001_nrcb1_uncal.fits", folder / "jw09999001001_02101_00001_nrcb1_rate.fits"
    )
    made = session.run("ramp.refit", data=raw).plane().read()
    there = rate.plane().read()
    assert np.nanmedian(made - there) == pytest.approx(0.0, abs=0.5)
    bright = there > 20
    assert np.nanmedian((made / there)[bright]) == pytest.approx(1.0, abs=0.05)


def test_a_pixel_of_a_difference_reads_no_more_than_that_pixel(ramp):
    read = []

    class Watched(type(ramp.plane("SCI"))):
        def read(self, index=..., **options):
            found = super().read(index, **options)
            read.append(found.size)
            return found

    from jviz.ramp_data import Differences

    watched = Watched(**{name: getattr(ramp.plane("SCI"), name) for name in ("name", "shape", "dtype", "load")})
    picture = Differences(watched)[1, 3]
    assert read == []
    assert picture.shape == ramp.shape[-2:]
    value = picture[7:8, 9:10]
    assert read == [1, 1]
    counts = ramp.plane("SCI").read()
    np.testing.assert_allclose(value[0, 0], counts[1, 3, 7, 9] - counts[1, 2, 7, 9])


def test_the_rate_of_a_region_is_the_mean_of_its_pixels(session, ramp):
    session.subset("half", CirclePixelRegion(PixCoord(20, 14), 3.2), data=ramp)
    table = session.run("ramp.fit", data=ramp, region="half", gain=2.0, readnoise=4.2)
    image = session.run("ramp.refit", data=ramp, gain=2.0, readnoise=4.2)
    rates, errors = (image.plane(name).read() for name in ("SCI", "ERR"))
    y, x = np.mgrid[: rates.shape[0], : rates.shape[1]]
    inside = np.hypot(x - 20, y - 14) < 3.2
    assert table.meta["pixels"] == inside.sum() == 37
    assert table["rate"][-1].value == pytest.approx(rates[inside].mean(dtype=float), rel=1e-6)
    spread = np.sqrt((errors[inside].astype(float) ** 2).sum()) / inside.sum()
    assert table["rate_err"][-1].value == pytest.approx(spread, rel=1e-5)
    assert abs(table["rate"][-1].value - RATE) < 4 * spread
    parts = table["var_poisson"] + table["var_rnoise"]
    np.testing.assert_allclose(np.sqrt(parts.value), table["rate_err"].value, rtol=1e-4)
    assert "region='half'" in session.script()
    session.undo()


def test_the_mean_ramp_of_a_region_has_no_steps(session, ramp):
    """The jump of one pixel, and the corner that is full from the middle on, leave the others' growth."""
    for region in (CirclePixelRegion(PixCoord(20, 14), 2.5), RectanglePixelRegion(PixCoord(4, 4), 8.2, 8.2)):
        found = fit_region(session, ramp, region, JumpRule(), 2.0, 4.2)
        steps = np.diff(found.counts, axis=1)
        np.testing.assert_allclose(steps, RATE * SECONDS, atol=6 * 3 * np.sqrt(2 / 12))
        np.testing.assert_allclose(found.counts - found.model, 0, atol=3)
        assert not found.flags.any()
    full = fit_region(session, ramp, RectanglePixelRegion(PixCoord(1, 1), 2.1, 2.1), JumpRule(), 2.0, 4.2)
    assert full.flags[0].tolist() == [0] * 4 + [2] * 4
    assert np.isnan(full.counts[0, 4:]).all()
    assert abs(full.rates[0] - RATE) < 5 * full.errors[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({}, "Say x and y of a pixel, or a region"), ({"x": 3}, "Say x and y"), ({"x": 3, "y": 4, "region": "off"}, "Say"),
     ({"region": "off"}, "off holds no pixel of jw1_ramp"), ({"region": "none"}, "There is no subset 'none'")],
)  # fmt: skip
def test_what_is_no_place_is_refused(session, ramp, arguments, said):
    session.subset("off", CirclePixelRegion(PixCoord(-50, 60), 5), data=ramp)
    with pytest.raises(CommandError, match=said):
        session.run("ramp.fit", data=ramp, **arguments)


def test_integrations_of_a_pixel_are_joined_by_their_errors(session, tmp_path):
    first = fits.PrimaryHDU()
    first.header.update(TELESCOP="JWST", INSTRUME="NIRCAM", DATAMODL="CubeModel")
    rng = np.random.default_rng(2)
    errors = np.full((5, 8, 9), 0.3, np.float32)
    errors[1] = 0.6
    rates = (7 + errors * rng.standard_normal(errors.shape)).astype(np.float32)
    flags = np.zeros(errors.shape, np.uint32)
    flags[3, 2, 4] = 1
    path = tmp_path / "a_rateints.fits"
    fits.HDUList([first, *(fits.ImageHDU(a, name=n) for a, n in ((rates, "SCI"), (errors, "ERR"), (flags, "DQ")))]
                 ).writeto(path)  # fmt: skip
    [data] = session.open(path)
    found = rates_at(data, 4, 2)
    use = [0, 1, 2, 4]
    weights = 1 / errors[use, 2, 4].astype(float) ** 2
    assert found.rates[-1] == pytest.approx(np.average(rates[use, 2, 4], weights=weights), rel=1e-6)
    assert found.errors[-1] == pytest.approx(weights.sum() ** -0.5, rel=1e-6)
    assert np.flatnonzero(found.flags).tolist() == [3]
    assert found.words.startswith("mean of 4 integrations; they scatter by")
    np.testing.assert_array_equal(found.counts[0], rates[:, 2, 4])
