"""The sample data keep the promises of real ones: errors that fit the scatter, fluxes, positions, flags."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS

from jviz.backend.cache import home
from jviz.backend.demo import make_demo, sample_files
from jviz.backend.demo.cube import LINES, REDSHIFT
from jviz.backend.io.registry import open_products
from jviz.backend.progress import Cancelled

SEED = 7


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return make_demo(tmp_path_factory.mktemp("demo"), seed=SEED)


@pytest.fixture(scope="module")
def mosaic(demo):
    with fits.open(demo[0], memmap=False) as hdus:
        hdus.verify("exception")
        return {hdu.name: (hdu.data, hdu.header) for hdu in hdus}


@pytest.fixture(scope="module")
def catalogue(demo):
    return QTable.read(demo[1], format="ascii.ecsv")


def digests(paths):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def test_a_seed_fixes_every_byte(demo, tmp_path):
    assert digests(demo) == digests(make_demo(tmp_path, seed=SEED))
    others = digests(make_demo(tmp_path, seed=SEED + 1))
    assert not set(others) & set(digests(demo))
    assert sorted(tmp_path.iterdir()) == sorted(tmp_path / path.name for path in demo)


def test_everything_says_that_it_is_simulated(demo, catalogue):
    for path in demo:
        assert path.name.startswith("simulated")
        if path.suffix == ".fits":
            header = fits.getheader(path)
            assert header["TELESCOP"] == "SIMULATED"
            assert "SIMULATED" in header["OBJECT"]
            assert "SIMULATED" in str(header["HISTORY"])
    assert catalogue.meta["telescope"] == "SIMULATED"


def test_errors_fit_the_scatter_of_empty_sky(mosaic, catalogue):
    """Neighbouring pixels of smooth sky differ by nothing but noise."""
    sci, err = mosaic["SCI"][0].copy(), mosaic["ERR"][0]
    for x, y, radius in zip(catalogue["x"].value, catalogue["y"].value, catalogue["radius"].value, strict=True):
        reach = round(12 + 3 * radius / 0.031)
        sci[max(0, round(y) - reach) : round(y) + reach, max(0, round(x) - reach) : round(x) + reach] = np.nan
    box = np.s_[1200:2000, 1000:2000]
    pull = np.diff(sci[box], axis=1) / np.hypot(err[box][:, 1:], err[box][:, :-1])
    spread = np.diff(np.nanpercentile(pull, [15.865, 84.135]))[0] / 2
    assert spread == pytest.approx(1, abs=0.04)


def test_errors_grow_where_fewer_exposures_were_taken(mosaic):
    err, wht = mosaic["ERR"][0], mosaic["WHT"][0]
    dark = np.s_[1900:, 1000:]
    full, half = wht[dark].max(), wht[dark].max() / 2
    ratio = np.median(err[dark][wht[dark] == half]) / np.median(err[dark][wht[dark] == full])
    assert ratio == pytest.approx(np.sqrt(2), rel=0.02)


def isolated_stars(catalogue, mosaic):
    x, y, flux = catalogue["x"].value, catalogue["y"].value, catalogue["flux"].value
    bad = (mosaic["DQ"][0] & 1) > 0
    for row in np.flatnonzero((catalogue["kind"] == "star") & (catalogue["snr"] > 60)):
        near = np.hypot(x - x[row], y - y[row]) < 30
        i, j = round(y[row]), round(x[row])
        inside = 40 < i < 2000 and 40 < j < 2000 and not bad[i - 10 : i + 11, j - 10 : j + 11].any()
        if inside and flux[near].sum() < 1.01 * flux[row]:
            yield row


def test_aperture_sums_of_isolated_stars_are_the_fluxes_of_the_catalogue(mosaic, catalogue):
    sci, header = mosaic["SCI"]
    radius, share = catalogue.meta["aperture_radius_pixels"], catalogue.meta["encircled_energy"]
    offset = np.arange(-24, 25)
    distance = np.hypot(offset, offset[:, None])
    stars = list(isolated_stars(catalogue, mosaic))
    assert len(stars) >= 5
    pulls = []
    for row in stars:
        i, j = round(catalogue["y"][row].value), round(catalogue["x"][row].value)
        cut = sci[i - 24 : i + 25, j - 24 : j + 25].astype(float)
        inside = distance <= radius
        sky = np.nanmedian(cut[(distance > 17) & (distance < 24)])
        measured = np.sum(cut[inside] - sky) / share * header["PIXAR_SR"] * 1e6
        flux, error = catalogue["flux"][row].value, catalogue["flux_err"][row].value
        # The sky is uneven, and the share is that of a star centred on its pixel.
        pulls.append((measured - flux) / np.hypot(1.5 * error, 0.01 * flux))
    assert np.median(np.abs(pulls)) < 1.5
    assert np.mean(np.abs(pulls) < 4) > 0.8


def test_positions_on_the_sky_are_positions_in_the_image(mosaic, catalogue):
    for name in ("SCI", "ERR", "DQ", "WHT"):
        wcs = WCS(mosaic[name][1])
        x, y = wcs.wcs_world2pix(catalogue["ra"].value, catalogue["dec"].value, 0)
        assert np.abs(x - catalogue["x"].value).max() < 1e-3
        assert np.abs(y - catalogue["y"].value).max() < 1e-3
    area = wcs.proj_plane_pixel_area().to_value("sr")
    assert area == pytest.approx(mosaic["SCI"][1]["PIXAR_SR"], rel=1e-9)
    assert np.degrees(np.arctan2(*wcs.pixel_scale_matrix[:, 1])) == pytest.approx(30)


def test_magnitudes_and_errors_of_the_catalogue_agree(catalogue):
    assert catalogue["abmag"].to_value("mag(AB)") == pytest.approx(catalogue["flux"].to("mag(AB)").value, abs=1e-3)
    assert catalogue["snr"] == pytest.approx((catalogue["flux"] / catalogue["flux_err"]).value, rel=1e-2)
    assert (np.diff(catalogue["flux"].value) <= 0).all()


def test_flags_say_what_is_wrong(mosaic, catalogue):
    sci, dq, wht = mosaic["SCI"][0], mosaic["DQ"][0], mosaic["WHT"][0]
    assert dq.dtype == np.uint32
    unusable = (dq & 1) > 0
    assert (np.isnan(sci) == unusable).all()
    assert (np.isnan(mosaic["ERR"][0]) == unusable).all()
    assert ((wht == 0) == unusable).all()
    brightest = catalogue[0]
    assert dq[round(brightest["y"].value), round(brightest["x"].value)] & 3 == 3
    for bit in (2, 4, 1024, 2048):
        assert 0 < np.mean((dq & bit) > 0) < 0.01


def test_spectra_are_sums_of_the_cube(demo):
    with fits.open(demo[2], memmap=False) as cube:
        sci, err, header = cube["SCI"].data.astype(float), cube["ERR"].data.astype(float), cube["SCI"].header
        assert (np.isnan(sci) == ((cube["DQ"].data & 1) > 0)).all()
    for path in demo[4:]:
        spectrum = QTable.read(path, hdu=1)
        aperture = fits.getheader(path, 1)
        row, column = np.indices(sci.shape[1:])
        inside = np.hypot(column + 1 - aperture["EXTR_X"], row + 1 - aperture["EXTR_Y"]) <= aperture["EXTR_R"]
        whole = np.isfinite(sci[:, inside]).all(1)
        total = sci[whole][:, inside].sum(1) * header["PIXAR_SR"] * 1e6
        error = np.sqrt((err[whole][:, inside] ** 2).sum(1)) * header["PIXAR_SR"] * 1e6
        assert whole.mean() > 0.9
        assert spectrum["FLUX"].to_value("Jy")[whole] == pytest.approx(total)
        assert spectrum["FLUX_ERROR"].to_value("Jy")[whole] == pytest.approx(error)
        waves = WCS(header).spectral.pixel_to_world(np.arange(400)).to_value("um")
        assert spectrum["WAVELENGTH"].to_value("um") == pytest.approx(waves)


def test_errors_of_the_cube_fit_its_scatter(demo):
    with fits.open(demo[2], memmap=False) as cube:
        sci, err = cube["SCI"].data, cube["ERR"].data
    line_free = np.s_[250:340, 4:41, 8:37]
    curve = sci[line_free][2:] - 2 * sci[line_free][1:-1] + sci[line_free][:-2]
    pull = curve / (np.sqrt(6) * err[line_free][1:-1])
    spread = np.diff(np.nanpercentile(pull, [15.865, 84.135]))[0] / 2
    assert spread == pytest.approx(1, abs=0.05)


def test_lines_stand_at_their_redshifted_wavelengths_and_turn(demo):
    with fits.open(demo[2], memmap=False) as cube:
        sci, wcs = cube["SCI"].data, WCS(cube["SCI"].header)
    waves = wcs.spectral.pixel_to_world(np.arange(400)).to_value("um")
    rest = LINES["Br gamma"][0] * (1 + REDSHIFT)
    near = np.abs(waves - rest) < 0.005

    def velocity(y, x):
        line = np.nansum(sci[near, y - 1 : y + 2, x - 1 : x + 2], (1, 2))
        line = np.clip(line - np.median(line), 0, None)
        return (np.sum(line * waves[near]) / line.sum() / rest - 1) * 299792

    assert abs(velocity(22, 22)) < 30
    assert velocity(29, 32) > 60
    assert velocity(15, 12) < -60


def test_the_slit_shows_the_same_lines(demo):
    with fits.open(demo[3], memmap=False) as slit:
        sci, wave = slit["SCI"].data, slit["WAVELENGTH"].data
        axis = WCS(slit["SCI"].header)
    assert axis.wcs_pix2world([[100, 0]], 0)[0, 0] * 1e6 == pytest.approx(wave[0, 100], rel=1e-6)
    spectrum = np.nanmedian(sci[28:36], 0)
    rest = LINES["Br gamma"][0] * (1 + REDSHIFT)
    near = np.flatnonzero(np.abs(wave[0] - rest) < 0.008)
    assert wave[0, near[np.argmax(spectrum[near])]] == pytest.approx(rest, abs=0.002)


def test_samples_are_made_once_and_mended(own_folders):
    first = sample_files(seed=SEED)
    assert all(path.is_relative_to(home("data") / "demo") for path in first)
    stamps = [path.stat().st_mtime_ns for path in first]
    assert sample_files(seed=SEED) == first
    assert [path.stat().st_mtime_ns for path in first] == stamps
    first[3].unlink()
    assert all(path.exists() for path in sample_files(seed=SEED))


def test_cancelling_leaves_no_half_file(tmp_path):
    def cancel(done, total=1.0, text=""):
        if done > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_demo(tmp_path, seed=SEED, progress=cancel)
    assert list(tmp_path.iterdir()) == []


def test_the_generator_imports_nothing_heavy():
    code = "import sys, jviz.backend.demo; print({'astropy', 'scipy', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_jviz_opens_the_samples_as_what_they_are(demo):
    assert open_products(demo[0])[0].flags == "jwst"
    kinds = [open_products(path)[0].kind for path in demo if path.suffix == ".fits"]
    assert kinds == ["image", "cube", "spectrum2d", "spectrum", "spectrum"]
