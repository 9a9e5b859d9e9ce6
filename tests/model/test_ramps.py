"""Ramps in a session: rates of pixels and of all, groups that are shown, what is refused."""

import numpy as np
import pytest

from jviz.errors import CommandError
from jviz.ramp_data import DIFFERENCE
from tests.ramp_files import JUMP_AT, RATE, write_ramp


@pytest.fixture
def ramp(session, tmp_path):
    return session.open(write_ramp(tmp_path / "jw1_ramp.fits"))[0]


def test_the_rate_of_a_pixel(session, ramp):
    table = session.run("ramp.fit", data=ramp, x=9, y=11, gain=2.0, readnoise=4.2)
    assert table["integration"].tolist() == ["1", "2", "all"]
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
    from astropy.io import fits

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
