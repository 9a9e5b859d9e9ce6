"""Catalogues tell which of their sources are saturated, masked or cut by the edge."""

import numpy as np
import pytest
from astropy.io import fits
from scipy.special import erf

import jviz

SIDE, SIGMA = 160, 1.7
STARS = {"plain": (40.2, 40.1), "saturated": (110.4, 50.3), "masked": (60.0, 110.2), "edge": (157.6, 120.0)}


@pytest.fixture
def session(tmp_path):
    image, edges = np.random.default_rng(2).normal(5, 0.5, (SIDE, SIDE)), np.arange(SIDE + 1) - 0.5
    for x, y in STARS.values():
        along = [0.5 * np.diff(erf((edges - c) / (SIGMA * np.sqrt(2)))) for c in (y, x)]
        image += 4000 * np.outer(*along)
    flags = np.zeros((SIDE, SIDE), np.uint32)
    flags[50, 110], flags[110, 61] = 2, 1  # SATURATED, DO_NOT_USE
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": "F200W", "PUPIL": "CLEAR"})
    units = [primary, fits.ImageHDU(image.astype("f4"), fits.Header({"BUNIT": "uJy"}), name="SCI"),
             fits.ImageHDU(np.full(image.shape, 0.5, "f4"), name="ERR"), fits.ImageHDU(flags, name="DQ")]  # fmt: skip
    fits.HDUList(units).writeto(tmp_path / "field_cal.fits")
    session = jviz.Session(settings={})
    session.open(tmp_path / "field_cal.fits")
    yield session
    session.close()


@pytest.mark.parametrize(("command", "options", "column"), [
    ("photometry.catalog", {"data": "field_cal", "psf_fwhm": 4.0}, "flags"),
    ("photometry.bands", {"data": ["field_cal"], "radius": 5}, "flags_F200W"),
])  # fmt: skip
def test_flags_of_sources(session, command, options, column):
    table = session.run(command, snr=8, **options).table
    found = {}
    for name, (x, y) in STARS.items():
        near = np.hypot(table["x_centroid"] - x, table["y_centroid"] - y)
        assert near.min() < 1
        found[name] = int(table[column][near.argmin()])
    assert found == {"plain": 0, "saturated": 4, "masked": 1, "edge": 2}
    assert "4: saturated pixels" in table[column].info.description
