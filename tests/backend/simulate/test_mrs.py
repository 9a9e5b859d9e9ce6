"""Exposures of an integral-field spectrometer: headers, light on the detector, files, products against the truth."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS

from jviz.backend.calibration.rules import Rules
from jviz.backend.simulate import plan_of, simulate
from jviz.backend.simulate.checks import check_product
from jviz.backend.simulate.exposing import CENTRE
from jviz.backend.simulate.geometry import Pointing
from jviz.backend.simulate.slicer import CHANNELS
from jviz.backend.simulate.spots import Spot
from jviz.backend.simulate.writing import make_field
from jviz.errors import JvizError
from tests.crds_cache import errors_by_crds


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    plan = plan_of(seed=6, instrument="miri-mrs", dithers=1, groups=3)
    return simulate(plan, tmp_path_factory.mktemp("mrs") / "field")


def test_the_header_is_that_of_a_raw_exposure_of_the_spectrometer(made):
    [exposure] = made.exposures
    assert exposure.name == "jw09999001001_02101_00001_mirifushort_uncal.fits"
    with fits.open(exposure) as hdus:
        header, science = hdus[0].header, hdus["SCI"].header
        assert hdus["SCI"].data.shape == (1, 3, 1024, 1032)
    said = {"EXP_TYPE": "MIR_MRS", "CHANNEL": "12", "BAND": "SHORT", "READPATT": "FASTR1", "SUBARRAY": "FULL",
            "SIMULATD": True, "TITLE": "SIMULATED", "SRCTYAPT": "POINT"}  # fmt: skip
    assert {key: header[key] for key in said} == said
    assert (header["TARG_RA"], header["TARG_DEC"]) == CENTRE
    # Where the header says that the target lies in the field, the pointing puts it.
    pointing = Pointing(*(science[key] for key in ("RA_REF", "DEC_REF", "ROLL_REF", "V2_REF", "V3_REF")))
    place = CHANNELS[0].frame.from_telescope(*pointing.from_sky(*CENTRE))
    np.testing.assert_allclose(place, (header["XOFFSET"], header["YOFFSET"]), atol=1e-6)


def test_the_slices_hold_the_light_of_the_source_and_the_background(made):
    scene = make_field(plan_of(seed=6, instrument="miri-mrs", dithers=1, groups=3)).scene
    with fits.open(made.truths[0]) as true:
        sky, rate = true["SCI"].data.astype(float), true["RATE"].data
    channel, row = CHANNELS[0], 700
    light, waves = 0.0, []
    for one, lit, _, _ in channel.places(np.arange(1032), np.array([row])[:, None]):
        columns = np.flatnonzero(lit[0])
        a, b, c = one.lam
        wave = a + b * row + c * columns
        light += ((sky[row, columns] - scene.sky(wave)) * 1e6 * channel.pixel).sum()
        waves.append(wave.mean())
    # The halo reaches over the ends of the slices.
    assert light == pytest.approx(float(scene.continuum(np.mean(waves))), rel=0.01)
    assert (rate[:, [0, 1, 2, 3, 1028, 1031]] == 0).all()
    assert (rate[sky == 0] == 0).all()
    assert 500 < rate.max() < 4000


def test_the_detector_counts_what_the_truth_says(made):
    with fits.open(made.exposures[0]) as hdus, fits.open(made.truths[0]) as true:
        reads, rate = hdus["SCI"].data[0].astype(float), true["RATE"].data.astype(float)
        seconds, rays = hdus[0].header["TGROUP"], true["COSMIC_RAYS"].data
    good = (rate > 100) & (rate < 800)
    good[rays["y"], rays["x"]] = False
    light = (reads[1] - reads[0])[good].sum() / seconds
    assert light == pytest.approx(rate[good].sum(), rel=0.02)


def test_rules_of_the_cache_give_every_file_and_crds_would_choose_the_same(made):
    rules = Rules(made.cache)
    header = fits.getheader(made.exposures[0])
    chosen = {kind: choice.file for kind, choice in rules.choices(header, rules.context()).items()}
    kinds = ("mask", "gain", "readnoise", "saturation", "linearity", "dark", "flat", "fringe", "photom", "distortion",
             "specwcs", "regions", "wavelengthrange", "cubepar", "extract1d", "apcorr")  # fmt: skip
    for kind in kinds:
        assert rules.reference(chosen[kind], "MIRI").is_file(), kind
    for kind in ("superbias", "reset", "rscd", "emicorr", "mrsxartcorr"):
        assert chosen[kind] == "N/A"


def test_the_source_its_lines_and_its_spectrum_are_written_beside(made):
    [source] = QTable.read(made.catalogue)
    lines, spectrum = (QTable.read(made.folder / f"{name}_truth.ecsv") for name in ("lines", "spectrum"))
    assert source["RA"].value == CENTRE[0]
    np.testing.assert_allclose(lines["wavelength"] / lines["rest"] - 1, source["velocity"].value / 299792.458)
    assert "SIMULATED" in spectrum.meta["comment"]
    wave = spectrum["wavelength"].value
    for line in lines:
        near = np.abs(wave - line["wavelength"].value) < 0.03
        above = (spectrum["flux"] - spectrum["continuum"])[near]
        light = np.trapezoid(above.value, wave[near]) * u.Jy * u.um
        expected = (light * 299792.458 * u.km / u.s / line["wavelength"] ** 2).to("W m-2")
        assert line["flux"].to_value("W m-2") == pytest.approx(expected.value, rel=1e-3)


@pytest.mark.parametrize("choice", [{"size": 640}, {"filter": "F200W"}, {"stars": 3}, {"integrations": 2}])
def test_what_spectrometers_do_not_have_is_refused(choice):
    with pytest.raises(JvizError, match=f"Exposures of miri-mrs have no {next(iter(choice))} to choose; leave it out"):
        plan_of(seed=1, instrument="miri-mrs", **choice)


# --- products against the truth -----------------------------------------------------------------------


@pytest.fixture
def product(made):
    """Return the path of a product of the exposures, of a run of which the record tells."""
    folder = made.folder.parent / "run"
    folder.mkdir(exist_ok=True)
    (folder / "record.json").write_text(f'{{"inputs": [{{"path": "{made.exposures[0]}"}}]}}')
    return lambda kind: folder / f"jw09999-o001_t001_miri_ch1-short_{kind}.fits"


def checked(path):
    return {check.quantity: check for check in check_product(path)}


def test_a_spectrum_is_compared_with_the_true_one(made, product):
    truth = QTable.read(made.folder / "spectrum_truth.ecsv")
    truth = truth[truth["wavelength"].value < 6]
    rng, velocity = np.random.default_rng(3), 5.0
    wave = truth["wavelength"].value
    moved = np.interp(wave / (1 + velocity / 299792.458), wave, truth["flux"].value)
    values = {"WAVELENGTH": wave, "FLUX": 1.01 * moved + 2e-4 * rng.standard_normal(wave.size),
              "FLUX_ERROR": np.full(wave.size, 2e-4), "DQ": np.zeros(wave.size, np.int32)}  # fmt: skip
    columns = [fits.Column(name, "J" if name == "DQ" else "D", array=array) for name, array in values.items()]
    table = fits.BinTableHDU.from_columns(columns, name="EXTRACT1D")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(product("x1d"))
    checks = checked(product("x1d"))
    assert checks["continuum / truth"].value == pytest.approx(1.01, abs=5 * checks["continuum / truth"].uncertainty)
    assert checks["continuum / truth"].uncertainty < 5e-4
    for name in ("[Fe II]", "H2 0-0 S(7)"):
        found, flux = checks[f"velocity of {name}"], checks[f"flux of {name} / truth"]
        assert found.value == pytest.approx(velocity, abs=5 * found.uncertainty)
        assert 0 < found.uncertainty < 2
        assert flux.value == pytest.approx(1.01, abs=5 * flux.uncertainty)
    assert "velocity of [Ne VI]" not in checks  # it is of the other channel


@pytest.mark.parametrize("is_tabulated", [False, True])
def test_a_cube_is_compared_with_the_source_and_the_background(made, product, is_tabulated):
    wcs = WCS(naxis=3)
    wcs.wcs.ctype, wcs.wcs.cunit = ["RA---TAN", "DEC--TAN", "WAVE"], ["deg", "deg", "um"]
    wcs.wcs.crpix, wcs.wcs.cdelt = [20.0, 21.0, 1.0], [-0.13 / 3600, 0.13 / 3600, 0.01]
    wcs.wcs.crval = [*CENTRE, 4.95]
    east, north = 4.0, -7.0  # mas that the source is off
    x, y = np.indices((40, 40))[::-1]
    wave, truth = 4.95 + 0.01 * np.arange(70), QTable.read(made.folder / "spectrum_truth.ecsv")
    background = np.interp(wave, truth["wavelength"].value, truth["background"].value)
    share = Spot().in_box((x - 19) * 0.13 + east / 1000, (y - 20) * 0.13 - north / 1000, 0.13, 0.13,
                          wave[:, None, None])  # fmt: skip
    cube = 1.004 * background[:, None, None] + 2e5 * share
    cube += np.random.default_rng(4).standard_normal(cube.shape)
    header = wcs.to_header()
    header["CUNIT3"], header["CRVAL3"], header["CDELT3"] = "um", 4.95, 0.01
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(cube.astype(np.float32), header, name="SCI")]
    if is_tabulated:  # as cubes of several channels are
        hdus[1].header.update(CTYPE3="WAVE-TAB", CRVAL3=1.0, PS3_0="WCS-TABLE", PS3_1="wavelength")
        column = fits.Column("wavelength", f"{wave.size}E", dim=f"(1,{wave.size})", array=wave[None, :, None])
        hdus.append(fits.BinTableHDU.from_columns([column], name="WCS-TABLE"))
    fits.HDUList(hdus).writeto(product("s3d"), overwrite=True)
    checks = checked(product("s3d"))
    for name, expected in (("east", east), ("north", north)):
        found = checks[f"offset {name}"]
        assert found.value == pytest.approx(expected, abs=5 * found.uncertainty + 0.05)
        assert found.uncertainty < 0.5
    found = checks["background / truth"]
    assert found.value == pytest.approx(1.004, abs=5 * found.uncertainty + 1e-3)


def test_a_spectrum_of_images_has_no_truth(tmp_path):
    made = simulate(plan_of(seed=1, size=160, dithers=1, groups=3, stars=0, galaxies=0), tmp_path / "field")
    path = made.folder / "jw09999-o001_t001_nircam_x1d.fits"
    with pytest.raises(JvizError, match=r"There is no spectrum_truth\.ecsv in .*: the exposures there are not of a"):
        check_product(path)


def test_crds_certifies_every_reference_file(made):
    assert errors_by_crds(made.cache) == []
