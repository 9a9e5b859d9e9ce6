"""Reprojection keeps the flux of sources, brightness, errors and flags."""

import numpy as np
import pytest
from astropy.wcs import WCS

from jviz.backend.images.picture import Picture
from jviz.backend.images.projection import reprojected, rotated


def grid(scale, angle, size):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [(size + 1) / 2, (size + 1) / 2]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = scale * np.array([[-c, s], [s, c]])
    wcs.wcs.set()
    return wcs


def stars(size=80):
    y, x = np.mgrid[:size, :size]
    places = ((30.3, 40.1, 100), (50.7, 35.2, 10))
    return sum(f * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 8) / (8 * np.pi) for a, b, f in places)


@pytest.mark.parametrize("method", ["interpolate", "exact", "adaptive"])
@pytest.mark.parametrize(("scale", "size"), [(1e-5, 120), (0.7e-5, 160), (1.5e-5, 80)])
def test_flux_of_sources_stays(method, scale, size):
    picture = Picture(stars(), wcs=grid(1e-5, 0, 80))
    new = reprojected(picture, grid(scale, 33, size), (size, size), method, flux=True)
    assert np.nansum(new.values) == pytest.approx(110, rel=3e-4)


def test_brightness_errors_and_flags():
    dq = np.zeros((80, 80), np.uint32)
    dq[20:30, 20:30] = 1 << 30
    picture = Picture(np.full((80, 80), 7.0), np.full((80, 80), 0.5), dq, wcs=grid(1e-5, 0, 80))
    new = reprojected(picture, grid(2e-5, 0, 30), (30, 30), "exact", flux=False)
    assert np.allclose(new.values, 7)
    assert np.allclose(new.error, 0.25, rtol=1e-3)
    assert set(np.unique(new.dq)) == {0, 1 << 30}
    assert (new.dq > 0).sum() == pytest.approx(25, abs=11)


def test_outside_and_missing_values_are_nan():
    values = stars()
    values[10:14, 10:14] = np.nan
    new = rotated(Picture(values), 30.0, "exact", flux=True)
    assert new.wcs is None
    assert np.isnan(new.values[0, 0])
    assert np.nansum(new.values) == pytest.approx(110, rel=3e-4)
    assert new.values.shape == (110, 110)
