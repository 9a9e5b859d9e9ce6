"""Cubes cropped, rebinned, masked and turned: flux, place, axis, errors, words."""

import numpy as np
import pytest
from regions import CirclePixelRegion, PixCoord, RectanglePixelRegion

from jviz.errors import JvizError
from tests.model.test_cube_operations import NX, NY, WAVES, N, errors_of, opened, values_of, world


@pytest.fixture
def numbers():
    return np.random.default_rng(4).normal(10, 0.5, (N, NY, NX)).astype(np.float32)


def test_a_cropped_cube_keeps_place_axis_flags_and_errors(session, tmp_path, numbers):
    dq = np.arange(numbers.size).reshape(numbers.shape) % 4
    cube = opened(session, tmp_path / "a.fits", numbers, 0.5, dq)
    box = RectanglePixelRegion(PixCoord(6, 5), 4, 3)
    made = session.run("cube.crop", data=cube, region=box, spectral=(5.1, 5.2))
    rows, columns = slice(4, 7), slice(4, 9)
    assert np.array_equal(values_of(made), numbers[10:21, rows, columns])
    assert np.array_equal(made.plane("DQ").read(), dq[10:21, rows, columns])
    assert np.allclose(errors_of(made), 0.5)
    assert np.allclose(made.axis.values, WAVES[10:21])
    assert np.allclose(world(made, 2, 1, 3), world(cube, 12, 5, 7), rtol=1e-12)


def test_rebinning_keeps_flux_and_its_errors_are_the_scatter(session, tmp_path, numbers):
    cube = opened(session, tmp_path / "flux.fits", numbers, 0.5, unit="Jy")
    made = session.run("cube.rebin", data=cube, spectral=4, spatial=2)
    assert np.isclose(values_of(made).sum() * 4, numbers.sum(), rtol=1e-5)
    assert np.isclose(values_of(made).std(), errors_of(made).mean(), rtol=0.1)
    assert np.allclose(made.axis.values, WAVES.reshape(-1, 4).mean(axis=1))
    middle = (world(cube, 1.5, 2.5, 4.5), world(made, 0, 1, 2))
    assert np.allclose(*middle, rtol=1e-12)
    brightness = opened(session, tmp_path / "sb.fits", numbers, 0.5)
    made = session.run("cube.rebin", data=brightness, spectral=2, spatial=2)
    assert np.isclose(values_of(made).mean(), numbers.mean(), rtol=1e-5)
    with pytest.raises(JvizError, match="cannot be rebinned"):
        session.run("cube.rebin", data=cube, spatial=99)


def test_missing_values_leave_means_of_blocks_alone(session, tmp_path):
    values = np.full((N, NY, NX), 2.0)
    values[::3, ::2, 1], values[:, :2, :2] = np.nan, np.nan
    made = values_of(session.run("cube.rebin", data=opened(session, tmp_path / "a.fits", values), spatial=2))
    assert np.isnan(made[:, 0, 0]).all()
    made[:, 0, 0] = 2
    assert np.allclose(made, 2)


def test_masks_keep_regions_ranges_and_what_is_significant(session, tmp_path, numbers):
    cube = opened(session, tmp_path / "a.fits", numbers, 0.5)
    circle = CirclePixelRegion(PixCoord(6, 5), 3)
    inside = circle.to_mask("center").to_image((NY, NX)) > 0
    made = values_of(session.run("cube.mask", data=cube, region=circle))
    assert np.array_equal(np.isfinite(made), np.broadcast_to(inside, made.shape))
    rest = values_of(session.run("cube.mask", data=cube, region=circle, keep="outside"))
    assert np.array_equal(np.isfinite(rest), np.broadcast_to(~inside, made.shape))
    made = values_of(session.run("cube.mask", data=cube, minimum_snr=20.5))
    assert np.array_equal(np.isfinite(made), numbers >= 20.5 * 0.5)
    for more, words in (({}, "Say what"), ({"minimum_snr": 1e6}, "Nothing")):
        with pytest.raises(JvizError, match=words):
            session.run("cube.mask", data=cube, **more)


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 1, 0), (1, 0, 2)])
def test_axes_in_another_order_are_written_so_and_seen_as_before(session, tmp_path, numbers, order):
    from astropy.io import fits
    from astropy.wcs import WCS

    cube = opened(session, tmp_path / "a.fits", numbers, 0.5)
    made = session.run("cube.transpose", data=cube, order=order)
    path = tmp_path / "turned.fits"
    session.run("data.export", data=made, path=path)
    with fits.open(path) as units:
        assert np.array_equal(units["SCI"].data, numbers.transpose(order))
        wcs = WCS(units["SCI"].header)
    pixel = np.array([3, 4, 5])[list(order)][::-1]  # x first
    found = {kind: v for kind, v in zip(wcs.wcs.ctype, wcs.wcs_pix2world([pixel], 0)[0], strict=True)}
    expected = dict(zip(["RA---TAN", "DEC--TAN", "WAVE"], world(cube, 3, 4, 5), strict=True))
    assert all(np.isclose(found[kind], value, rtol=1e-9) for kind, value in expected.items())
    assert made.shape[0] == N
    assert np.allclose(made.axis.values, WAVES)
    with pytest.raises(JvizError, match="no order"):
        session.run("cube.transpose", data=cube, order=(0, 0, 1))


@pytest.mark.parametrize(("unit", "how", "factor", "said"), [
    ("Jy", "auto", 4, "summed (as the unit Jy is no brightness)"), ("K", "auto", 1, "averaged (as the unit K"),
    ("", "auto", 1, "averaged (as there is no unit)"), ("", "sum", 8, "2 × 2 spaxels, summed"),
])  # fmt: skip
def test_what_has_no_unit_is_averaged_and_the_history_says_so(session, tmp_path, unit, how, factor, said):
    cube = opened(session, tmp_path / "a.fits", np.ones((N, NY, NX)), unit=unit)
    made = session.run("cube.rebin", data=cube, spectral=2, spatial=2, how=how)
    assert np.allclose(values_of(made), factor)
    assert said in " ".join(str(made.header["HISTORY"]).split())
