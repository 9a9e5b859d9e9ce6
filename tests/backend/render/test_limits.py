"""Limits: what the modes promise, on arrays of all kinds and on real files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jviz.backend.render.limits import (
    MODES,
    auto_limits,
    histogram,
    limits,
    suggest_stretch,
    zscale,
)
from jviz.backend.render.raster import Raster
from jviz.backend.render.stretch import stretch
from jviz.errors import JvizError
from tests.backend.render.planes import plane_of

rng = np.random.default_rng(11)


@pytest.mark.parametrize("size", [1, 2, 5, 999, 1000, 1001, 12345, 200_000])
@pytest.mark.parametrize("tail", [0.0, 0.05, 0.45])
def test_zscale_is_astropys(size, tail):
    ZScaleInterval = pytest.importorskip("astropy.visualization").ZScaleInterval
    values = rng.normal(100, 5, size)
    values[rng.random(size) < tail] += rng.exponential(500)
    values[: size // 9] = np.nan
    if np.isfinite(values).any():
        expected = ZScaleInterval().get_limits(values)
        np.testing.assert_allclose(zscale(values), expected, rtol=1e-8)


@settings(max_examples=100)
@given(
    arrays(np.float32, st.integers(0, 300), elements=st.floats(-(2.0**100), 2.0**100, width=32) | st.just(np.nan)),
    st.sampled_from(MODES),
)
def test_limits_differ_and_are_finite_whatever_the_data(values, mode):
    low, high = limits(values, mode)
    assert np.isfinite([low, high]).all()
    assert low < high
    assert suggest_stretch(values) in ("linear", "asinh", "log")


def test_percentiles_and_extremes():
    values = rng.normal(size=10_000)
    assert limits(values, "minmax") == (values.min(), values.max())
    low, high = limits(values, "percentile", low=10, high=70)
    assert (values < low).mean() == pytest.approx(0.1, abs=1e-3)
    assert (values > high).mean() == pytest.approx(0.3, abs=1e-3)
    assert limits(values, "manual", low=9, high=-3) == (9, -3)


def test_a_rasters_extremes_are_true_once_it_is_built():
    data = np.zeros((2100, 2100), np.float32)
    data[7, 8], data[11, 2000] = -3, 99
    raster = Raster(plane_of(data))
    raster.build()
    assert limits(raster, "minmax") == (-3, 99)


@pytest.mark.parametrize("options", [{"low": 5, "high": 3}, {"low": -1}, {"high": 101}])
def test_senseless_percentiles_are_refused(options):
    with pytest.raises(JvizError, match="Percentiles"):
        limits(np.arange(5.0), "percentile", **options)


def test_unknown_modes_are_refused():
    with pytest.raises(JvizError, match="zscale"):
        limits(np.arange(5.0), "best")


def frame(kind: str) -> np.ndarray:
    """Return pixels of some kind of image; the last 1000 are what one wants to see."""
    sky = rng.normal(0, 1, 50_000)
    feature = rng.uniform(3, 8, 1000)
    match kind:
        case "sky and a few very bright stars":
            sky[:100] = 1e6
        case "negative background":
            return np.r_[sky - 500, feature - 500]
        case "frame of zeros":
            return np.r_[np.zeros(100_000), sky + 100, feature + 100]
        case "frame of NaN":
            return np.r_[np.full(100_000, np.nan), sky, feature]
        case "sparse counts":
            return np.r_[np.zeros(400_000), rng.poisson(2, 5000) + 0.5, feature]
        case "tiny numbers":
            return np.r_[sky, feature] * 1e-20
    return np.r_[sky, feature]


@pytest.mark.parametrize(
    "kind",
    ["sky", "sky and a few very bright stars", "negative background", "frame of zeros", "frame of NaN",
     "sparse counts", "tiny numbers"],
)  # fmt: skip
def test_what_opens_shows_structure(kind):
    values = frame(kind).astype(np.float32)
    low, high = auto_limits(values)
    shown = stretch(suggest_stretch(values))((values[-1000:] - low) / (high - low))
    dark = stretch(suggest_stretch(values))((np.nanmedian(values) - low) / (high - low))
    assert np.median(shown) > 0.35
    assert np.ptp(shown) > 0.1
    assert np.median(shown) > dark + 0.2


def test_labels_are_shown_all():
    labels = rng.integers(0, 12, 5000)
    labels[0] = 40
    assert auto_limits(labels) == (0, 40)


def test_a_constant_is_drawn_in_the_middle_colour():
    for value in (0.0, 7.5, -3e-20):
        low, high = auto_limits(np.full(50, value))
        assert (value - low) / (high - low) == pytest.approx(0.5)


def test_a_hot_pixel_in_a_raw_frame_does_not_darken_it():
    counts = rng.poisson(9, 3000) + 1490
    counts[5] = 2600
    assert auto_limits(counts)[1] < 1600


def test_histograms_count_every_finite_value():
    values = np.r_[rng.normal(size=500), np.nan]
    counts, edges = histogram(values, 20)
    assert counts.sum() == 500
    assert len(edges) == 21
    assert histogram(np.full(5, np.nan), 4)[0].sum() == 0


def test_real_images_open_with_structure(shared_data):
    registry = pytest.importorskip("jviz.backend.io.registry")
    seen = 0
    for name in ("xdf_hst_wfc3ir_60mas_f160w_sci.fits", "wise-1b-1.fits", "allsky_rosat.fits", "ukidss.fits",
                 "j8bt06nyq_flt.fits", "jw01093012001_03102_00001_nis_cal.fits", "o4sp040b0_raw.fits",
                 "jw01288016001_34101_00002_mirimage_i2d.fits", "tpv.fits", "gc_msx_e.fits"):  # fmt: skip
        for product in registry.open_products(shared_data / name)[:1]:
            plane = product.plane("data")
            raster = Raster(plane, (0,) * (len(plane.shape) - 2))
            values = raster.sample()
            low, high = limits(raster)
            bright = stretch(suggest_stretch(values))((values[np.isfinite(values)] - low) / (high - low))
            spread = np.percentile(bright, 95) - np.percentile(bright, 5)
            assert spread > 0.15, f"{name} opens as a flat picture"
            seen += 1
    assert seen == 10
