"""Astrometry against a reference: made shifts, rotations and scales come back, for FITS with SIP and GWCS."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData, NDData
from astropy.table import QTable

import jviz
from jviz import CommandError
from jviz.backend.catalogs.astrometry import Correction, corrected, fit_offsets, moved_wcs, on_plane, on_sky
from tests.backend.regions.skies import sip_wcs

SIZE = 1024
TRUE = (0.31, -0.22, 25.0 / 3600, 1.00004)
"""Shift in arcsec, rotation in degrees, scale."""


def gwcs_of(size=SIZE):
    from astropy.coordinates import ICRS
    from astropy.modeling import models
    from gwcs import WCS, coordinate_frames

    first = models.Shift(-size / 2) & models.Shift(-size / 2) | models.Scale(-0.06 / 3600) & models.Scale(0.06 / 3600)
    sky = models.Pix2Sky_TAN() | models.RotateNative2Celestial(150.0, 60.0, 180.0)
    detector = coordinate_frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    world = coordinate_frames.CelestialFrame(reference_frame=ICRS(), name="world")
    made = WCS([(detector, first | sky), (world, None)])
    made.bounding_box = ((-0.5, size - 0.5), (-0.5, size - 0.5))
    return made


def truth(sky, x, y):
    """Turn, stretch and shift the places with astropy's offsets about the middle of the image."""
    middle = SkyCoord(*sky.pixel_to_sky((SIZE - 1) / 2, (SIZE - 1) / 2), unit="deg")
    places = SkyCoord(*sky.pixel_to_sky(x, y), unit="deg")
    shift_ra, shift_dec, angle, scale = TRUE
    new = middle.spherical_offsets_by(shift_ra * u.arcsec, shift_dec * u.arcsec)
    distance, position = middle.separation(places), middle.position_angle(places)
    far = np.degrees(np.arctan(scale * np.tan(distance.rad)))
    return new.directional_offset_by(position + angle * u.deg, far * u.deg)


@pytest.mark.parametrize("kind", ["fits", "gwcs"])
def test_a_made_offset_is_found_and_taken_away(session, kind):
    wcs = sip_wcs(size=SIZE, dec=60.0) if kind == "fits" else gwcs_of()
    session.add(NDData(np.zeros((SIZE, SIZE), np.float32), unit="Jy", wcs=wcs), name="image")
    image = session["image"]
    draw = np.random.default_rng(11)
    x, y = draw.uniform(20, SIZE - 20, (2, 150))
    known = truth(image.sky, x, y)
    before = SkyCoord(*image.sky.pixel_to_sky(x, y), unit="deg")
    session.add(QTable({"x": x, "y": y, "sky_centroid": before}), name="sources")
    ra, dec = known.ra.copy(), known.dec.copy()
    dec[:10] += 0.07 * u.arcsec  # stars that moved
    strangers = draw.uniform(-0.008, 0.008, (2, 300))
    session.add(QTable({"ra": np.r_[ra.deg, 150 + strangers[0]] * u.deg,
                        "dec": np.r_[dec.deg, 60 + strangers[1]] * u.deg}), name="gaia")  # fmt: skip
    found = session.run("catalog.fit_wcs", catalog="sources", reference="gaia", image="image", apply=True)
    meta = found.table.meta
    assert 125 <= meta["n_used"] <= 141
    assert (meta["shift_ra"], meta["shift_dec"]) == pytest.approx(TRUE[:2], abs=2e-5)
    # The angle is to the north of the old middle; meridians converge: Δα sin δ, with shift_ra = Δα cos δ.
    converging = TRUE[0] / 3600 * np.tan(np.radians(60))
    assert meta["rotation"] == pytest.approx(TRUE[2] - converging, abs=1e-7)
    assert meta["scale"] == pytest.approx(TRUE[3], abs=1e-8)
    now = SkyCoord(*session["image"].sky.pixel_to_sky(x, y), unit="deg")
    assert now.separation(known).max() < 1e-5 * u.arcsec
    moved = session["sources"].table["sky_centroid"]
    assert moved.separation(known).max() < 1e-5 * u.arcsec
    if kind == "fits":
        np.testing.assert_array_equal(session["image"].wcs.sip.a, wcs.sip.a)
        np.testing.assert_array_equal(session["image"].wcs.wcs.crpix, wcs.wcs.crpix)
    session.undo()
    assert session["image"] is image
    assert session["sources"].table["sky_centroid"].separation(before).max() < 1e-9 * u.arcsec


def test_a_corrected_file_is_corrected_in_a_saved_session(session, tmp_path):
    wcs = sip_wcs(size=SIZE, dec=60.0)
    CCDData(np.zeros((SIZE, SIZE), np.float32), unit="Jy", wcs=wcs).write(tmp_path / "image.fits")
    [image] = session.open(tmp_path / "image.fits")
    x, y = np.random.default_rng(12).uniform(20, SIZE - 20, (2, 40))
    known = truth(image.sky, x, y)
    session.add(QTable({"x": x, "y": y}), name="sources")
    session.add(QTable({"ra": known.ra, "dec": known.dec}), name="gaia")
    session.run("catalog.fit_wcs", catalog="sources", reference="gaia", image=image, apply=True)
    session.save(tmp_path / "work.jviz")
    again = jviz.Session.load(tmp_path / "work.jviz")
    try:
        now = SkyCoord(*again[image.name].sky.pixel_to_sky(x, y), unit="deg")
        assert now.separation(known).max() < 1e-5 * u.arcsec
    finally:
        again.close()


def test_corrections_keep_projections_without_a_cd_matrix_and_swapped_axes():
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["DEC--TAN", "RA---TAN"], [40.0, 10.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [100, 200], [2e-5, -2e-5]
    wcs.wcs.set()
    correction = Correction(10.0, 40.0, (1.0001, 2e-4, -2e-4, 1.0001), (0.4, -0.2))
    new = moved_wcs(wcs, correction)
    x, y = np.random.default_rng(1).uniform(0, 400, (2, 30))
    old_dec, old_ra = wcs.wcs_pix2world(x, y, 0)
    dec, ra = new.wcs_pix2world(x, y, 0)
    wanted = SkyCoord(*corrected(old_ra, old_dec, correction), unit="deg")
    assert SkyCoord(ra, dec, unit="deg").separation(wanted).max() < 1e-6 * u.arcsec


def test_the_plane_is_that_of_fits():
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [10.0, 85.0], [1.0, 1.0]
    lon, lat = np.random.default_rng(2).uniform((0, 84), (360, 89), (50, 2)).T
    plane = on_plane(lon, lat, 10.0, 85.0)
    np.testing.assert_allclose(plane, np.transpose(wcs.wcs_world2pix(lon, lat, 0)) + 1, atol=1e-10)
    np.testing.assert_allclose(on_sky(plane, 10.0, 85.0), (lon, lat), atol=1e-11)
    assert np.isnan(on_plane([190.0], [-85.0], 10.0, 85.0)).all()


@pytest.mark.parametrize("model", ["shift", "rotation", "similarity", "affine"])
def test_errors_hold_by_monte_carlo(model):
    draw = np.random.default_rng(13)
    a = np.array([300, -200]) + draw.uniform(-100, 100, (60, 2))
    fits = [fit_offsets(a, a + draw.normal(0, 0.1, a.shape), model, clip=0) for _ in range(600)]
    shifts = np.array([f.shift for f in fits])
    assert shifts.std(axis=0) == pytest.approx(np.mean([f.shift_error for f in fits], axis=0), rel=0.12)
    if model != "shift":
        turns = np.array([f.matrix[1, 0] for f in fits])
        assert turns.std() == pytest.approx(np.mean([f.matrix_error[1, 0] for f in fits]), rel=0.12)


def test_what_cannot_be_compared_is_said(session):
    session.add(CCDData(np.zeros((64, 64)), unit="Jy", wcs=sip_wcs(size=64)), name="image")
    session.add(CCDData(np.zeros((64, 64)), unit="Jy"), name="plain")
    session.add(QTable({"x": [10.0, 20], "y": [10.0, 30]}), name="sources")
    session.add(QTable({"ra": [10.0] * u.deg, "dec": [10.0] * u.deg}), name="far")
    with pytest.raises(CommandError, match="larger radius"):
        session.run("catalog.fit_wcs", catalog="sources", reference="far", image="image")
    with pytest.raises(CommandError, match="no positions on the sky"):
        session.run("catalog.fit_wcs", catalog="sources", reference="sources", image="image")
    with pytest.raises(CommandError, match="no world coordinates"):
        session.run("catalog.fit_wcs", catalog="sources", reference="far", image="plain")


def test_a_check_is_drawn_counted_and_told_how_sure_it_is(session):
    wcs = sip_wcs(size=SIZE, dec=60.0)
    session.add(CCDData(np.zeros((SIZE, SIZE), np.float32), unit="Jy", wcs=wcs), name="image")
    draw = np.random.default_rng(5)
    x, y = draw.uniform(20, SIZE - 20, (2, 120))
    known = SkyCoord(*session["image"].sky.pixel_to_sky(x, y), unit="deg")
    noise = draw.normal(0, 0.01, (2, 120)) / 3600
    session.add(QTable({"x": x, "y": y}), name="sources")
    places = {"ra": known.ra + noise[0] / np.cos(np.radians(60)) * u.deg, "dec": known.dec + noise[1] * u.deg}
    session.add(QTable(places), name="gaia")
    made = session.run("catalog.fit_wcs", catalog="sources", reference="gaia", image="image")
    table = made.table
    assert np.allclose(table["residual"], np.hypot(table["residual_ra"], table["residual_dec"]))
    # of two dimensions with Gaussian errors: the mean of r / σ is √(π/2)
    assert np.mean(table["n_sigma"]) == pytest.approx(np.sqrt(np.pi / 2), abs=0.15)
    assert ((table["quality"] > 0.9) & (table["n_candidates"] == 1)).mean() > 0.9
    assert table.meta["false_matches"] < 3
    shown = {view.kind: view for view in session.views.values() if view.data is made}
    assert set(shown) == {"table", "scatter", "histogram"}
    assert shown["table"].layers[0].arrows == "residual"
    assert shown["histogram"].x == "residual"
    session.undo()
    assert not any(view.data is made for view in session.views.values())
