"""Outlines on the sky: read from S_REGION as archives write it and from WCS, and met by circles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from jviz.backend.library.footprints import Footprint, of_region, of_wcs, vector

SQUARE = "POLYGON ICRS 10.0 -1.0 12.0 -1.0 12.0 1.0 10.0 1.0"


def meets(footprint, ra, dec, radius=0.0):
    return footprint.meets(vector(ra, dec), radius)


def test_a_point_is_inside_or_not():
    square = of_region(SQUARE)
    assert meets(square, 11, 0)
    assert meets(square, 10.01, 0.99)
    assert not meets(square, 9.99, 0)
    assert not meets(square, 191, 0), "the other side of the sky"


@given(ra=st.floats(0, 360), dec=st.floats(-85, 85), east=st.floats(-3, 3), north=st.floats(-3, 3), r=st.floats(0, 2))
@settings(max_examples=150)
def test_circles_meet_squares_anywhere_on_the_sky(ra, dec, east, north, r):
    """In the frame of its middle a square is a square, so overlap is plane geometry there, up to the sagitta."""
    centre = SkyCoord(ra, dec, unit="deg")
    frame = centre.skyoffset_frame()
    corners = SkyCoord([-1, 1, 1, -1] * u.deg, [-1, -1, 1, 1] * u.deg, frame=frame).icrs
    text = "POLYGON " + " ".join(f"{c.ra.deg - 360:.9f} {c.dec.deg:.9f}" for c in corners)
    place = SkyCoord(east * u.deg, north * u.deg, frame=frame).icrs
    away = np.hypot(max(abs(east) - 1, 0), max(abs(north) - 1, 0))
    if abs(away - r) > 0.01:
        footprint = of_region(text)
        assert meets(footprint, place.ra.deg, place.dec.deg, r) == (away < r or away == 0)
        box = footprint.box
        middle = vector(ra, dec)
        assert all(box[2 * i] <= middle[i] <= box[2 * i + 1] for i in range(3))


def test_a_circle_is_met_by_all_that_touches_it():
    circle = of_region("CIRCLE ICRS 50 20 0.5")
    rng = np.random.default_rng(1)
    for angle, away in zip(rng.uniform(0, 360, 200), rng.uniform(0, 1, 200), strict=True):
        place = SkyCoord(50, 20, unit="deg").directional_offset_by(angle * u.deg, away * u.deg)
        if away < 0.5:
            assert meets(circle, place.ra.deg, place.dec.deg)
        if away > 0.52:
            assert not meets(circle, place.ra.deg, place.dec.deg)


def test_the_forms_that_archives_write():
    assert len(of_region("POLYGON GSC1  23.1 60.6  23.2 60.6  23.2 60.7 23.1 60.7 23.1 60.6").shapes[0]) == 4
    assert len(of_region("POLYGON J2000 1 1 2 1 2 2 POLYGON J2000 3 1 4 1 4 2").shapes) == 2
    assert meets(of_region("POLYGON -89.97 66.59 -89.80 66.59 -89.80 66.70 -89.97 66.70"), 270.1, 66.65)
    assert meets(of_region("polygon icrs 1e-1 -1.0e0 2E0 -1 2 1 0.1 1"), 1, 0)
    union = of_region("Union ICRS (Polygon 1 1 2 1 2 2 1 2 Circle 10 10 1)")
    assert meets(union, 1.5, 1.5)
    assert meets(union, 10, 10.5)
    for nothing in ("", "POLYGON ICRS", "POLYGON 1 2 3", "CIRCLE ICRS 1 2", "nan", "POLYGON 1 nan 2 3 4 5"):
        assert of_region(nothing) is None or nothing.startswith("POLYGON 1 nan")


def test_recorded_rows_of_the_archive_are_all_understood():
    import astroquery.mast

    data = Path(astroquery.mast.__file__).parent / "tests" / "data"
    rows = [row for name in ("caom.json", "advSearch.json", "advSearchPos.json")
            for row in json.loads((data / name).read_text())["data"] if row.get("s_region")]  # fmt: skip
    assert len(rows) > 20
    for row in rows:
        footprint = of_region(row["s_region"])
        assert footprint is not None, row["s_region"]
        assert meets(footprint, row["s_ra"], row["s_dec"], 0.6), row["s_region"]


def test_it_is_stored_and_read_back():
    footprint = of_region(SQUARE + " CIRCLE ICRS 50 20 0.5")
    again = Footprint.from_bytes(footprint.as_bytes())
    assert len(again.shapes) == 2
    for shape, other in zip(footprint.shapes, again.shapes, strict=True):
        np.testing.assert_array_equal(shape, other)


@pytest.mark.parametrize("kind", ["cd", "pc", "crota", "cube", "swapped"])
def test_corners_of_a_wcs_are_those_of_astropy(kind):
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.1, "CRVAL2": 62.2, "CRPIX1": 40.0,
                          "CRPIX2": 90.0})  # fmt: skip
    shape = (300, 200)
    if kind == "cd":
        header.update(CD1_1=-3e-4, CD1_2=1e-4, CD2_1=1.2e-4, CD2_2=2.9e-4)
    elif kind == "pc":
        header.update(CDELT1=-3e-4, CDELT2=2.8e-4, PC1_1=0.8, PC1_2=-0.6, PC2_1=0.6, PC2_2=0.8)
    elif kind == "crota":
        header.update(CDELT1=-3e-4, CDELT2=2.8e-4, CROTA2=33.0)
    elif kind == "cube":
        shape = (50, 300, 200)
        header.update(CDELT1=-3e-4, CDELT2=2.8e-4, CTYPE3="WAVE", CRVAL3=1e-6, CRPIX3=1.0, CDELT3=1e-9)
    else:
        header.update(CTYPE1="DEC--TAN", CTYPE2="RA---TAN", CRVAL1=62.2, CRVAL2=150.1, CDELT1=3e-4, CDELT2=-2.8e-4)
    header["NAXIS"] = len(shape)
    for axis, length in enumerate(reversed(shape), 1):
        header[f"NAXIS{axis}"] = length
    found = of_wcs(header, shape)
    wcs = WCS(header)
    wide, high = shape[-1], shape[-2]
    pixels = np.full((4, wcs.naxis), 0.0)
    pixels[:, :2] = [(-0.5, -0.5), (wide - 0.5, -0.5), (wide - 0.5, high - 0.5), (-0.5, high - 0.5)]
    world = wcs.wcs_pix2world(pixels, 0)
    right = vector(world[:, wcs.wcs.lng], world[:, wcs.wcs.lat])
    for corner in found.shapes[0]:
        assert np.linalg.norm(right - corner, axis=1).min() < 1e-11


def test_what_has_no_corners_has_no_footprint():
    sky = {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL1": 0.0, "CRVAL2": 0.0, "CRPIX1": 180.0, "CRPIX2": 90.0}
    assert of_wcs({**sky, "CDELT1": -1.0, "CDELT2": 1.0}, (180, 360)) is None
    assert of_wcs({}, (10, 10)) is None
    assert of_wcs({**sky, "CRVAL1": "none"}, (10, 10)) is None
    assert of_wcs({**sky, "CDELT1": 0.0, "CDELT2": 0.0}, (10, 10)) is None
