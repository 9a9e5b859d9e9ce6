"""Cube views without a window: slices, slabs, sides, and what is said about the spectral axis."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits

from jviz import CommandError, Session
from jviz.backend.progress import silent
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.cube_pictures import slab_map


@pytest.fixture
def cube(tmp_path):
    """A cube with NaN and uneven values on an axis from 1 to 4.9 µm, in a session."""
    values = np.random.default_rng(3).normal(5, 2, size=(40, 6, 7)).astype(np.float32)
    values[3, 2, 2] = values[12:15, 4, 5] = np.nan
    values[:, 0, 0] = np.nan
    unit = fits.PrimaryHDU(values)
    unit.header.update({"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 1.0, "CDELT3": 0.1, "CRPIX3": 1.0, "BUNIT": "Jy"})
    unit.writeto(tmp_path / "cube.fits")
    session = Session()
    [data] = session.open(tmp_path / "cube.fits")
    yield session, data, values
    session.close()


def read(raster):
    """Return the pixels of a small raster."""
    return raster.all_values()


def test_a_slice_is_reached_by_number_and_by_value(cube):
    session, data, values = cube
    view = session.view("cube", data=data)
    view.slice = 7
    assert view.spectral_value == pytest.approx(1.7)
    view.spectral_value = 2.04
    assert view.slice == 10
    np.testing.assert_array_equal(read(view.layer.raster()), values[10])
    with pytest.raises(CommandError, match="outside of cube"):
        view.spectral_value = 9.0
    with pytest.raises(CommandError, match="number of the slice"):
        view.slice = 40
    assert view.slice == 10


def test_slices_are_set_together_with_other_things_and_nothing_when_one_is_wrong(cube):
    session, data, _ = cube
    view = session.view("cube", data=data)
    view.update(slice=7, width=3, rate=20)
    assert (view.slice, view.width, view.rate) == (7, 3, 20)
    view.update(spectral_value=2.04, width=1)
    assert (view.slice, view.width) == (10, 1)
    view.update(order=(1, 2, 0), slice=4)
    assert (view.order, view.cut, view.layer.index) == ((1, 2, 0), (4, 3), (10,))
    for wrong in ({"slice": 40}, {"spectral_value": 9.0}):
        with pytest.raises(CommandError):
            view.update(width=5, order=(), **wrong)
        assert (view.slice, view.width, view.order) == (4, 1, (1, 2, 0))


def test_commands_on_slices_are_repeated_by_the_script(cube):
    session, data, _ = cube
    session.view("cube", data=data)
    session.run("cube.slice", value=3.0)
    session.run("cube.step", by=-3)
    session.run("cube.width", width=3)
    assert session.views["Cube 1"].slice == 17
    again = {}
    exec(session.script(), again)
    twin = again["session"].views["Cube 1"]
    assert (twin.slice, twin.width) == (17, 3)
    again["session"].close()


@pytest.mark.parametrize("statistic", ["sum", "mean", "median", "min", "max", "moment0", "moment1", "moment2"])
def test_slabs_against_sums_over_channels(cube, statistic):
    _, data, values = cube
    low, high = 1.93, 3.25  # cuts channels 9 (by 0.98 - …) and 23
    x = 1.0 + 0.1 * np.arange(40)
    share = np.clip((np.minimum(x + 0.05, high) - np.maximum(x - 0.05, low)) / 0.1, 0, 1)
    if statistic in ("median", "min", "max"):
        part = values[share >= 0.5].astype(float)
        part[:, 0, 0] = 0
        wanted = getattr(np, f"nan{statistic}")(part, axis=0)
    else:
        good = np.isfinite(values)
        weight = np.where(good, share[:, None, None], 0.0)
        flux = np.where(good, values, 0.0).astype(float)
        total = (weight * flux).sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            first = (weight * flux * x[:, None, None]).sum(0) / total
            second = (weight * flux * (x[:, None, None] - first) ** 2).sum(0) / total
            wanted = {"sum": total, "mean": total / weight.sum(0), "moment0": 0.1 * total, "moment1": first,
                      "moment2": second}[statistic]  # fmt: skip
    wanted[0, 0] = np.nan
    np.testing.assert_allclose(slab_map(data, "", (low, high, statistic), silent), wanted, rtol=2e-5)


def test_moments_of_a_slab_have_units_of_their_own(cube):
    session, data, _ = cube
    view = session.view("cube", data=data)
    for statistic, wanted in (("mean", u.Jy), ("moment0", u.Jy * u.um), ("moment1", u.um), ("moment2", u.um**2)):
        view.slab = (1.93, 3.25, statistic)
        view.layer.raster().all_values()
        assert u.Unit(view.layer.shown_unit) == wanted
    view.layer.order = (1, 2, 0)
    assert view.layer.shown_unit == data.unit


def test_a_slab_follows_its_spectral_subset(cube):
    session, data, values = cube
    view = session.view("cube", data=data)
    session.subset("line", SpectralRanges(((1950.0, 2450.0),), "nm"))
    session.run("cube.show_slab", subset="line", statistic="mean")
    np.testing.assert_allclose(read(view.layer.raster())[3], values[10:15, 3].mean(0), rtol=1e-5)
    steps = len(session.history)
    session.subset("line", SpectralRanges(((2950.0, 3450.0),), "nm"))
    np.testing.assert_allclose(read(view.layer.raster())[3], values[20:25, 3].mean(0), rtol=1e-5)
    assert len(session.history) == steps + 1
    session.undo()
    np.testing.assert_allclose(read(view.layer.raster())[3], values[10:15, 3].mean(0), rtol=1e-5)


def test_limits_stay_the_same_over_all_slices(cube):
    session, data, values = cube
    view = session.view("cube", data=data, limits_mode="minmax")
    assert view.limits == pytest.approx((np.nanmin(values), np.nanmax(values)))
    before = view.layer.shown_limits
    view.slice = 3
    assert view.layer.shown_limits == before
    view.layer.limits_from = "image"
    assert view.limits == pytest.approx((np.nanmin(values[3]), np.nanmax(values[3])))


def test_sides_show_the_right_values(cube):
    session, data, values = cube
    view = session.view("cube", data=data)
    session.run("cube.axes", side="wavelength-y")
    view.slice = 5
    np.testing.assert_array_equal(read(view.layer.raster()), values[:, :, 5].T)
    session.run("cube.axes", side="x-wavelength")
    view.slice = 4
    np.testing.assert_array_equal(read(view.layer.raster()), values[:, 4, :])
    session.run("cube.axes", side="x-y")
    assert view.slice == 20


def test_what_a_file_leaves_open_is_said_once(tmp_path):
    values = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    fits.PrimaryHDU(values).writeto(tmp_path / "plain.fits")
    session = Session()
    [data] = session.open(tmp_path / "plain.fits")
    view = session.view("cube", data=data)
    assert data.axis.quantity == "channel"
    session.run("cube.spectral_axis", data=data, axis=-1, unit="um", first=2.0, step=0.5, medium="air")
    data = session["plain"]
    assert view.data is data
    assert data.shape == (6, 4, 5)
    np.testing.assert_allclose(data.axis.values, 2.0 + 0.5 * np.arange(6))
    assert (data.axis.unit, data.axis.quantity, data.axis.medium) == ("um", "wavelength", "air")
    np.testing.assert_array_equal(data.get(np.ndarray), values)
    view.slice = 4
    np.testing.assert_array_equal(read(view.layer.raster()), values[:, :, 4])
    [again] = session.open(tmp_path / "plain.fits")
    assert again.axis.unit == "um"
    session.save(tmp_path / "work.jviz")
    assert Session.load(tmp_path / "work.jviz")["plain"].axis.medium == "air"
    session.undo()
    session.undo()
    session.undo()
    assert session["plain"].shape == (4, 5, 6)
    for wrong, words in (({"axis": 3}, "axes 0 to 2"), ({"unit": "kg"}, "no unit"), ({"first": 1.0}, "Give both")):
        with pytest.raises(CommandError, match=words):
            session.run("cube.spectral_axis", data="plain", **wrong)


def written(path, kind, start, step, unit, **cards):
    """Write a cube of ten channels on a linear axis."""
    hdu = fits.PrimaryHDU(np.zeros((10, 3, 4), np.float32))
    hdu.header.update({"CTYPE3": kind, "CUNIT3": unit, "CRVAL3": start, "CDELT3": step, "CRPIX3": 1.0, **cards})
    hdu.writeto(path)
    return path


def test_cubes_with_the_lock_go_together_by_wavelength_velocity_or_channel(tmp_path):
    rest, light = 1.420405752e9, 299792.458
    session = Session()
    [waves] = session.open(written(tmp_path / "waves.fits", "WAVE", 2.0, 0.01, "um"))
    wide = 299792.458 / 2.09e-6 * 1e-6  # GHz of 2.09 µm
    [rates] = session.open(written(tmp_path / "rates.fits", "FREQ", wide, 700.0, "GHz"))
    [line] = session.open(written(tmp_path / "line.fits", "FREQ", rest * (1 - 50 / light), -1e5, "Hz", RESTFRQ=rest))
    [other] = session.open(written(tmp_path / "other.fits", "VRAD", 0.0, 20.0, "km/s", RESTFRQ=1.152e11))
    views = {data.name: session.view("cube", data=data) for data in (waves, rates, line, other)}
    for view in views.values():
        view.locks = ("slice",)
    views["waves"].slice = 4  # 2.04 µm
    assert views["rates"].slice == round((light / 2.04 - light / 2.09) / 700.0)
    assert views["line"].slice == 5  # does not reach there, and stays
    views["line"].match = "velocity"
    views["line"].slice = 1
    speed = light * (1 - (rest * (1 - 50 / light) - 1e5) / rest)
    assert views["other"].slice == round(speed / 20)
    views["waves"].match = "channel"
    views["waves"].slice = 9
    assert [view.slice for view in views.values()] == [9, 9, 9, 9]
    session.undo()
    assert views["other"].slice == round(speed / 20)


def test_the_mean_frequency_of_a_slab_is_finer_than_channels_of_a_kilohertz(session, tmp_path):
    """From the file, and as the read-out has it: the steps of a float32 there are 16 kHz wide."""
    from jviz.cube_pictures import slab_raster
    from tests.model.test_cube_operations import cube_header

    header = cube_header(80, unit="Jy/beam")
    header.update({"CTYPE3": "FREQ", "CUNIT3": "Hz", "CRVAL3": 230e9, "CDELT3": 1e3})
    centres = np.random.default_rng(4).uniform(20, 60, (6, 7))
    values = np.exp(-0.5 * ((np.arange(80)[:, None, None] - centres) / 3.0) ** 2).astype("f4")
    fits.PrimaryHDU(values, header).writeto(tmp_path / "a.fits")
    [data] = session.open(tmp_path / "a.fits")
    raster = slab_raster(data, "", (229.99e9, 230.01e9, "moment1"))
    raster._source.raw()
    for x, y in ((0, 0), (3, 2), (6, 5)):
        assert abs(raster.value(x, y) - (230e9 + 1e3 * centres[y, x])) < 1.0  # Hz


def test_half_a_slice_is_refused(session, tmp_path):
    session.add(np.ones((9, 6, 7), "f4"), name="ones")
    view = session.view("cube", data="ones")
    with pytest.raises(CommandError, match=r"number of slices is 2\.5; it must be a whole number"):
        view.layers[0].width = 2.5
    with pytest.raises(CommandError, match=r"width of cube\.width must be a whole number"):
        session.run("cube.width", width=2.5, view=view)
    view.layers[0].width = 3.0
    assert view.layers[0].width == 3
