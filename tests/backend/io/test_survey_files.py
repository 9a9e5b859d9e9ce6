"""Files of surveys and instruments made from their data models: what is a spectrum or cube, its axis, errors, masks."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.backend.dq import flag_names
from jviz.flags import excluded_bits

N = 40
RNG = np.random.default_rng(12)
LOG = {"COEFF0": 3.58, "COEFF1": 1e-4, "CRVAL1": 3.58, "CD1_1": 1e-4, "CRPIX1": 1, "DC-FLAG": 1}
WAVES = 10 ** (3.58 + 1e-4 * np.arange(N))


@pytest.fixture
def opened(tmp_path):
    """Write units as a file, and open it."""
    session = jviz.Session({})

    def write(*units, name="file.fits"):
        fits.HDUList(list(units)).writeto(tmp_path / name)
        return session.open(tmp_path / name, show=False)

    yield write
    session.close()


def unit(values, kind=fits.ImageHDU, **cards):
    """Make a unit; None keeps a card out."""
    made = kind(np.asarray(values))
    for key, value in cards.items():
        made.header[key.replace("__", "-")] = value
    return made


# --- spectra ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind", "error"),
    [(("ARRAY", ("SPECTRUM", "CONTINUUM-SUBTRACTED SPECTRUM", "ERROR", "MASK")), "std", 0.5),
     (("ROW", ("Spectrum", "Error", "Spectrum_nocalib", "Error_nocalib", "Sky")), "std", 0.5),
     (("ARRAY", ("Flux", "Inverse", "WaveLength", "Andmask", "Ormask")), "ivar", 0.5)],
)  # fmt: skip
def test_rows_that_belong_to_one_spectrum_are_one(opened, words, kind, error):
    key, titles = words
    contents = {"spectrum": RNG.normal(10, 1, N), "flux": RNG.normal(10, 1, N), "error": np.full(N, 0.5),
                "inverse": np.full(N, 4.0)}  # fmt: skip
    contents["mask"] = contents["andmask"] = (np.arange(N) == 4) * 8
    rows = np.array([contents.get(title.lower(), np.ones(N)) for title in titles], "f4")
    cards = LOG | {f"{key}{n}": title for n, title in enumerate(titles, 1)} | {"BUNIT": "10**(-17) erg/s/cm**2/A"}
    [data] = opened(unit(rows, fits.PrimaryHDU, **cards))
    assert data.kind == "spectrum"
    [one] = data.samples
    np.testing.assert_allclose(one.flux, rows[0])
    np.testing.assert_allclose(one.axis.values, WAVES, rtol=1e-9)
    assert (one.axis.quantity, one.kind) == ("wavelength", kind)
    np.testing.assert_allclose(one.error, error)
    masked = [4] if any("mask" in title.lower() for title in titles) else []
    assert (np.flatnonzero(one.mask).tolist() if one.mask is not None else []) == masked


def test_a_plate_of_sdss_is_one_spectrum_for_each_fibre(opened):
    flux = RNG.normal(10, 1, (5, N)).astype("f4")
    mask = np.zeros((5, N), "i4")
    mask[2, 7] = 1 << 20
    [data] = opened(
        unit(flux, fits.PrimaryHDU, **LOG, BUNIT="1E-17 erg/cm^2/s/Ang"), unit(np.full((5, N), 4, "f4")), unit(mask),
        unit(mask * 0), unit(np.ones((5, N), "f4")),
    )  # fmt: skip
    assert len(data.samples) == 5
    np.testing.assert_allclose(data.samples[3].flux, flux[3])
    np.testing.assert_allclose(data.samples[3].axis.values, WAVES, rtol=1e-9)
    np.testing.assert_allclose(data.samples[3].error, 0.5)
    assert np.flatnonzero(data.samples[2].mask).tolist() == [7]


def test_visits_of_apogee_have_the_wavelengths_of_their_chips(opened):
    flux, waves = RNG.normal(10, 1, (3, N)), np.linspace(17000, 15000, 3 * N).reshape(3, N)
    [data] = opened(
        fits.PrimaryHDU(), unit(flux, BUNIT="Flux (10^-17 erg/s/cm^2/Ang)"),
        unit(np.full((3, N), 0.5), BUNIT="Flux (10^-17 erg/s/cm^2/Ang)"), unit(np.zeros((3, N), "i2")),
        unit(waves, BUNIT="Wavelength (Ang)"),
    )  # fmt: skip
    assert len(data.samples) == 3
    for one, row, wave in zip(data.samples, flux, waves, strict=True):
        np.testing.assert_allclose(one.flux, row)
        np.testing.assert_allclose(one.axis.values, wave)
        assert (one.unit, one.axis.unit, one.kind) == ("10^-17 erg/s/cm^2/Ang", "Ang", "std")
        np.testing.assert_allclose(one.error, 0.5)


def test_stars_of_apogee_have_logarithmic_wavelengths(opened):
    axis = {"CRVAL1": 4.179, "CDELT1": 6e-6, "CRPIX1": 1, "CTYPE1": "LOG-LINEAR", "DC__FLAG": 1}
    flux = RNG.normal(10, 1, (3, N)).astype("f4")
    said = "Flux (10^-17 erg/s/cm^2/Ang)"
    [data] = opened(fits.PrimaryHDU(), unit(flux, **axis, BUNIT=said), unit(0.5 + 0 * flux, **axis, BUNIT=said),
                    unit(np.zeros((3, N), "i2")))  # fmt: skip
    assert len(data.samples) == 3
    np.testing.assert_allclose(data.samples[1].flux, flux[1])
    np.testing.assert_allclose(data.samples[1].axis.values, 10 ** (4.179 + 6e-6 * np.arange(N)), rtol=1e-9)
    np.testing.assert_allclose(data.samples[1].error, 0.5)


def test_a_fit_of_aspcap_is_a_spectrum_with_its_error(opened):
    axis = {"CRVAL1": 4.179, "CDELT1": 6e-6, "CRPIX1": 1, "DC__FLAG": 1}
    flux = RNG.normal(1, 0.1, N).astype("f4")
    [data] = opened(fits.PrimaryHDU(header=fits.Header({"TARG1": "x"})), unit(flux, **axis),
                    unit(np.full(N, 0.01, "f4"), **axis), unit(np.ones(N, "f4"), **axis))  # fmt: skip
    [one] = data.samples
    np.testing.assert_allclose(one.flux, flux)
    np.testing.assert_allclose(one.error, 0.01, rtol=1e-6)


def test_x_shooter_has_its_errors_and_quality_beside_the_flux(opened):
    axis = {"CTYPE1": "LINEAR", "CUNIT1": "nm", "CRVAL1": 300.0, "CDELT1": 0.02, "CRPIX1": 1.0}
    flux, bad = RNG.normal(1, 0.1, N), (np.arange(N) == 9).astype("i4")
    [data] = opened(unit(flux, fits.PrimaryHDU, **axis, BUNIT="erg/s/cm2/Angstrom", EXTNAME="FLUX"),
                    unit(np.full(N, 0.1), **axis, EXTNAME="ERRS"), unit(bad, **axis, EXTNAME="QUAL"))  # fmt: skip
    [one] = data.samples
    np.testing.assert_allclose(one.axis.values, 300 + 0.02 * np.arange(N))
    np.testing.assert_allclose(one.error, 0.1)
    assert one.flags[9] == 1


# --- cubes -----------------------------------------------------------------------------------------

SHAPE = (12, 6, 5)
SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 3.0, "CRPIX2": 3.0,
       "CUNIT1": "deg", "CUNIT2": "deg", "CDELT1": -5e-5, "CDELT2": 5e-5}  # fmt: skip
WAVE = {"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 1.5, "CDELT3": 0.01, "CRPIX3": 1.0}
VALUES = RNG.normal(5, 1, SHAPE).astype("f4")


def meanings(cube):
    return {plane.meaning: plane.name for plane in cube.product.planes.values()}


def test_kmos_has_its_noise_beside_the_data(opened):
    cards = SKY | WAVE
    cubes = opened(fits.PrimaryHDU(), unit(VALUES, **cards, EXTNAME="IFU.1.DATA"),
                   unit(0.5 + 0 * VALUES, **cards, EXTNAME="IFU.1.NOISE"),
                   unit(VALUES, **cards, EXTNAME="IFU.7.DATA"),
                   unit(VALUES, **cards, EXTNAME="IFU.7.NOISE"))  # fmt: skip
    assert [meanings(cube) for cube in cubes] == [{"data": f"IFU.{n}.DATA", "error": f"IFU.{n}.NOISE"} for n in (1, 7)]


def test_califa_has_its_errors_weights_and_bad_pixels(opened):
    cube = opened(unit(VALUES, fits.PrimaryHDU, **SKY, **WAVE), unit(0.5 + 0 * VALUES, EXTNAME="ERROR"),
                  unit(1 + 0 * VALUES, EXTNAME="ERRWEIGHT"), unit(np.zeros(SHAPE, "u1"), EXTNAME="BADPIX"),
                  unit(VALUES[0], EXTNAME="FIBCOVER"))[0]  # fmt: skip
    assert meanings(cube) == {"data": "PRIMARY", "error": "ERROR", "weight": "ERRWEIGHT", "flags": "BADPIX"}


@pytest.mark.parametrize(("spelled", "factor"), [("microns", 1.0), ("MICRON", 1.0), ("Angstroms", 1e-4), ("um", 1.0)])
def test_units_of_axes_that_are_spelled_otherwise_are_understood(opened, spelled, factor):
    from jviz.backend.spectra.units import quantity_of

    [cube] = opened(unit(VALUES, fits.PrimaryHDU, **SKY, **(WAVE | {"CUNIT3": spelled})))
    quantity, metres = quantity_of(cube.axis.unit)
    assert quantity == cube.axis.quantity == "wavelength"
    np.testing.assert_allclose(cube.axis.values * metres * 1e6, factor * (1.5 + 0.01 * np.arange(12)), rtol=1e-9)
    assert cube.sky is not None


def test_manga_has_inverse_variances_and_can_be_shown_in_jansky(opened):
    from jviz.backend.spectra.fluxes import flux_unit

    waves = 3621.6 * 10 ** (1e-4 * np.arange(12))
    axis = WAVE | {"CTYPE3": "WAVE-LOG", "CUNIT3": "Angstrom", "CRVAL3": 3621.6, "CDELT3": 3621.6e-4 * np.log(10)}
    bad = np.zeros(SHAPE, "i4")
    cube = opened(fits.PrimaryHDU(), unit(VALUES, **SKY, **axis, EXTNAME="FLUX", BUNIT="1E-17 erg/s/cm^2/Ang/spaxel"),
                  unit(4 + 0 * VALUES, EXTNAME="IVAR"), unit(bad, EXTNAME="MASK"),
                  unit(waves, EXTNAME="WAVE"))[0]  # fmt: skip
    assert meanings(cube)["inverse variance"] == "IVAR"
    np.testing.assert_allclose(cube.axis.values, waves, rtol=1e-8)
    assert flux_unit(cube.unit).density == "lambda"


@pytest.mark.parametrize("maps", [False, True])
def test_manga_leaves_out_what_is_not_to_be_used(opened, maps):
    """Bit 10 of MANGA_DRP3PIXMASK; in maps of the analysis pipeline it means something else."""
    bad = np.zeros(SHAPE, "i4")
    bad[:, 2, 3], bad[:, 1, 1] = 1024 + 1, 2
    primary = fits.PrimaryHDU()
    primary.header["INSTRUME"] = "MaNGA"
    if maps:
        primary.header["DAPFRMT"] = "MODEL"
    cube = opened(primary, unit(VALUES, **SKY, **WAVE, EXTNAME="FLUX"), unit(bad, EXTNAME="MASK"))[0]
    found = excluded_bits(cube)
    assert found == (0 if maps else 1024)
    left = cube.source("", found).read(slice(None))
    assert np.isnan(left[:, 2, 3]).all() != maps
    assert np.isfinite(left).sum() == VALUES.size - (0 if maps else SHAPE[0])
    assert flag_names(1027, "manga") == ["NOCOV", "LOWCOV", "DO_NOT_USE"]


@pytest.mark.parametrize("stokes", [3, 4])
def test_stokes_is_taken_apart_on_whichever_axis_it_is(opened, stokes):
    frequency = 7 - stokes
    values = RNG.normal(0, 1, (12, 4, 6, 5) if stokes == 3 else (4, 12, 6, 5)).astype("f4")
    cards = SKY | {f"CTYPE{stokes}": "STOKES", f"CRVAL{stokes}": 1.0, f"CDELT{stokes}": 1.0, f"CRPIX{stokes}": 1.0,
                   f"CTYPE{frequency}": "FREQ", f"CUNIT{frequency}": "Hz", f"CRVAL{frequency}": 230e9,
                   f"CDELT{frequency}": -1e6, f"CRPIX{frequency}": 1.0, "RESTFRQ": 230.538e9}  # fmt: skip
    cubes = opened(unit(values, fits.PrimaryHDU, **cards))
    assert [cube.name[-2] for cube in cubes] == list("IQUV")
    for number, cube in enumerate(cubes):
        assert cube.shape == SHAPE
        part = values[:, number] if stokes == 3 else values[number]
        np.testing.assert_array_equal(cube.plane().read(), part)
        np.testing.assert_allclose(cube.axis.values, 230e9 - 1e6 * np.arange(12), rtol=1e-12)
        assert cube.sky is not None


def test_errors_of_tables_go_by_more_names(opened):
    def column(name, values):
        return fits.Column(name, "D", array=values)

    waves, flux = column("wave", np.linspace(1, 2, N)), column("fnu", np.ones(N))
    [data] = opened(fits.PrimaryHDU(), fits.BinTableHDU.from_columns([waves, flux, column("enu", np.full(N, 0.1))]))
    assert (data.samples[0].kind, data.samples[0].uncertainty[0]) == ("std", 0.1)
    columns = [waves, column("flux", np.ones(N)), column("fluxVariance", np.full(N, 0.25))]
    [data] = opened(fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns), name="second.fits")
    assert (data.samples[0].kind, data.samples[0].error[0]) == ("var", 0.5)


@pytest.mark.parametrize("code", ["LAMBDA", "Wavelength"])
def test_axes_in_angstrom_that_fits_does_not_know_open_without_a_word(opened, recwarn, code):
    wave = {"CTYPE3": code, "CUNIT3": "Angstroms", "CRVAL3": 4700.0, "CDELT3": 1.05, "CRPIX3": 12.0}
    [cube] = opened(unit(VALUES, fits.PrimaryHDU, **SKY, **wave))
    assert (cube.axis.quantity, cube.axis.medium) == ("wavelength", "")
    np.testing.assert_allclose(cube.axis.values, 4700 + 1.05 * (np.arange(12) - 11))
    assert not recwarn.list
