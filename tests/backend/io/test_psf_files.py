"""PSFs in files: what jviz writes comes back and photutils reads it; STPSF grids and STDPSF files made here."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from photutils.psf import GriddedPSFModel

import jviz
from jviz import ReadError
from jviz.backend.io.registry import open_products
from jviz.backend.photometry.psfs import gaussian_psf
from jviz.data import from_product

PLACES = [(0, 0), (2047, 0), (0, 2047), (2047, 2047)]


def tables(count=4):
    one = gaussian_psf(2.0, size=21)
    return np.stack([one.values[0] * (1 + 0.01 * k) for k in range(count)]), one.fine


def test_a_psf_is_written_and_opened_again(tmp_path):
    session = jviz.Session(settings={})
    made = session.run("photometry.model_psf", shape="moffat", fwhm=3.0, name="mine")
    session.run("data.export", data="mine", path=tmp_path / "mine.fits")
    [again] = session.open(str(tmp_path / "mine.fits"))
    assert again.kind == "psf"
    np.testing.assert_array_equal(again.model.values, made.model.values)
    assert (again.model.fine, again.model.centre) == (made.model.fine, made.model.centre)
    session.close()


def test_a_grid_of_stpsf_is_opened_by_its_content_as_photutils_reads_it(tmp_path):
    values, fine = tables()
    header = fits.Header({"INSTRUME": "NIRCam", "DETECTOR": "NRCA1", "FILTER": "F200W", "OVERSAMP": fine})
    for k in range(60):
        header[f"FILL{k}"] = k  # long headers push the keywords beyond the first block
    for k, (x, y) in enumerate(PLACES):
        header[f"DET_YX{k}"] = (f"({float(y)}, {float(x)})", "where")
    path = tmp_path / "nircam_grid.fits"
    fits.PrimaryHDU(values, header).writeto(path)
    [product] = open_products(path)
    data = from_product(product)
    theirs = GriddedPSFModel.read(path, format="webbpsf")
    np.testing.assert_allclose(data.model.values, theirs.data)
    assert data.model.fine == fine
    assert sorted(map(tuple, data.model.places)) == sorted(PLACES)
    assert product.kind == "psf"
    assert "grid of 4" in product.label


def test_a_stdpsf_file_is_opened_with_its_places_counted_from_0(tmp_path):
    values, _ = tables()
    values = values[:, :101, :101]
    header = fits.Header({"NXPSFS": 2, "NYPSFS": 2, "IPSFX01": 1, "IPSFX02": 2048, "JPSFY01": 1, "JPSFY02": 2048})
    path = tmp_path / "STDPSF_NRCA1_F200W.fits"
    fits.PrimaryHDU(values, header).writeto(path)
    [product] = open_products(path)
    model = from_product(product).model
    assert model.fine == 4
    assert sorted(map(tuple, model.places)) == sorted(PLACES)
    near, share = model.at(np.array([0.0]), np.array([0.0]))
    assert share[0, 0] == pytest.approx(1)
    assert tuple(model.places[near[0, 0]]) == (0, 0)


@pytest.mark.parametrize("kind", ["webbpsf", "stdpsf"])
def test_stars_by_the_grid_of_a_file_are_those_of_photutils(tmp_path, kind):
    """STPSF has an even number of samples with the star between them, STDPSF an odd one and places counted from 1."""
    ticks = [0.0, 250.0, 500.0] if kind == "webbpsf" else [1, 251, 501]
    side = 84 if kind == "webbpsf" else 81
    offset = (np.arange(side) - (side - 1) / 2) / 4
    far = offset**2 + offset[:, None] ** 2
    places = [(x, y) for y in ticks for x in ticks]
    widths = [1.1 + 2e-4 * (x + 2 * y) for x, y in places]
    values = np.array([np.exp(-0.5 * far / s**2) / (2 * np.pi * s**2) for s in widths])
    if kind == "webbpsf":
        header = fits.Header({"INSTRUME": "NIRCam", "DETECTOR": "NRCA1", "OVERSAMP": 4, "DET_SAMP": 4, "NUM_PSFS": 9})
        header.update({f"DET_YX{k}": f"({y}, {x})" for k, (x, y) in enumerate(places)})
    else:
        header = fits.Header({"NXPSFS": 3, "NYPSFS": 3})
        header.update({f"{word}{k + 1:02d}": v for word in ("IPSFX", "JPSFY") for k, v in enumerate(ticks)})
    path = tmp_path / ("nircam_nrca1_grid.fits" if kind == "webbpsf" else "STDPSF_NRCA1_F200W.fits")
    fits.PrimaryHDU(values, header).writeto(path)
    theirs = GriddedPSFModel.read(path, format=kind)
    draw = np.random.default_rng(5)
    x, y = draw.uniform(30, 470, (2, 8))
    flux, rows = 10 ** draw.uniform(4, 5, 8), np.mgrid[:500, :500]
    image = np.zeros((500, 500))
    for a, b, f in zip(x, y, flux, strict=True):
        near = (slice(round(b) - 9, round(b) + 10), slice(round(a) - 9, round(a) + 10))
        image[near] += theirs.evaluate(rows[1][near], rows[0][near], f, a, b)
    session = jviz.Session(settings={})
    session.add(CCDData(image, unit="mJy", uncertainty=StdDevUncertainty(np.ones_like(image))), name="field")
    [grid] = session.open(str(path))
    stars = session.run("photometry.psf", data="field", psf=grid, positions=np.rint(np.c_[x, y]), passes=1, box_size=0)
    np.testing.assert_allclose(stars.table["flux"].to_value("mJy"), flux, rtol=1e-3)
    np.testing.assert_allclose(np.c_[stars.table["x"], stars.table["y"]], np.c_[x, y], atol=2e-3)
    session.close()


def test_an_image_is_no_psf_and_a_broken_one_is_said(tmp_path):
    fits.PrimaryHDU(np.ones((30, 30), np.float32)).writeto(tmp_path / "image.fits")
    assert open_products(tmp_path / "image.fits")[0].kind == "image"
    header = fits.Header({"OVERSAMP": 4, "PSFX0": 14.5, "PSFY0": 14.5})
    fits.PrimaryHDU(np.full((30, 30), np.nan), header).writeto(tmp_path / "broken.fits")
    with pytest.raises(ReadError, match="NaN in it"):
        open_products(tmp_path / "broken.fits")
