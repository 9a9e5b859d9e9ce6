"""Photometry of real mosaics, and source catalogues of the JWST pipeline, as far as they are on this machine."""

import numpy as np
import pytest
from photutils.aperture import CircularAperture

from jviz import CommandError


def test_a_catalogue_of_a_miri_mosaic_is_that_of_photutils_with_ab_and_vega_magnitudes(session, shared_data):
    data = session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")[0]
    level, *_ = session.run("photometry.background", data=data)
    table = session.run("photometry.catalog", data=data, snr=5).table
    assert 3 <= len(table) <= 40
    values = data.plane().read() - level.plane().read()
    places = np.c_[table["x_centroid"], table["y_centroid"]]
    ny, nx = values.shape
    radius = table.meta["radii"][0]
    inside = (places > radius).all(axis=1) & (places < np.array([nx, ny]) - radius - 1).all(axis=1)
    masks = CircularAperture(places, radius).to_mask(method="exact")
    sums = np.array([np.nansum(mask.multiply(np.nan_to_num(values))) for mask in masks])
    factor = 1e6 * data.header["PIXAR_SR"]  # Jy for 1 MJy/sr in a pixel
    whole = inside & np.isfinite(table["aper30_flux"].value)
    np.testing.assert_allclose(table["aper30_flux"].value[whole], sums[whole] * factor, rtol=0.02)
    offset = (table["kron_abmag"] - table["kron_vegamag"]).value
    np.testing.assert_allclose(offset[np.isfinite(offset)], 2.5 * np.log10(3631 / 17.12))  # Vega in F1500W: 17.12 Jy
    assert np.isfinite(table["kron_flux_err"].value).all()


def test_galaxies_of_a_nircam_mosaic_are_where_they_are_bright(session, shared_data):
    data = session.open(shared_data / "nircam_f200w_cutout_401.fits")[0]
    table = session.run("photometry.catalog", data=data, snr=5).table
    assert 50 < len(table) < 300
    assert 20 < np.nanmedian(table["kron_abmag"].value) < 30
    x, y = (np.rint(np.asarray(table[n])).astype(int) for n in ("x_centroid", "y_centroid"))
    values = data.plane().read()
    assert (values[y, x] > np.nanmedian(values)).mean() > 0.95
    again = session.run("photometry.aperture", data=data, positions="nircam_f200w_cutout_401 catalogue", radii=4)
    assert np.isfinite(again["flux"].value).all()


@pytest.mark.parametrize(("name", "columns"), [
    ("jwst_sourcecatalog_cat.ecsv", {"label", "sky_centroid", "isophotal_abmag", "is_extended"}),
    ("ngc1097_jwst_F405N_cat.fits", {"ra", "dec", "aperture_sum_abmag"}),
])  # fmt: skip
def test_catalogues_of_the_pipeline_have_places_on_the_sky(session, shared_data, name, columns):
    [catalog] = session.open(shared_data / name)
    assert columns <= set(catalog.table.colnames)
    assert catalog.places.system == "sky"
    image = session.open(shared_data / "nircam_f200w_cutout_401.fits")[0]
    with pytest.raises(CommandError, match="positions lies on"):  # another part of the sky, and it is said
        session.run("photometry.aperture", data=image, positions=catalog)
