"""Files in the layouts that specutils has readers for: the same spectra as its own readers find in them."""

import warnings

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.backend.dq import flag_names

N = 50
RNG = np.random.default_rng(3)
FLUX = RNG.normal(10, 1, N).astype("f4")
SIGMA = RNG.uniform(0.3, 0.7, N).astype("f4")
BAD = (np.arange(N) == 7).astype("i4")
LINEAR = {"CRVAL1": 5000.0, "CDELT1": 2.0, "CRPIX1": 1.0}
NANOMETRES = 400 + 0.08 * np.arange(N)


def unit(values=None, name="", kind=fits.ImageHDU, **cards):
    made = kind(values)
    for key, value in cards.items():
        made.header[key] = value
    if name:
        made.name = name
    return made


def primary(values=None, **cards):
    return unit(values, kind=fits.PrimaryHDU, **cards)


def table(name="", cards=(), **columns):
    made = []
    for key, (form, values, *units) in columns.items():
        made.append(fits.Column(key, form, array=values, unit=units[0] if units else None))
    found = fits.BinTableHDU.from_columns(made)
    found.header.update(dict(cards))
    if name:
        found.name = name
    return found


def rows(count=3):
    return np.array([FLUX, SIGMA**2, 0 * FLUX + 1, 5000 + 2.0 * np.arange(N)], "f4")[:count]


def twodfgrs():
    said = {"IMAGE": "SPECTRUM", **LINEAR}
    return [primary(np.zeros((9, 9), "i2"), IMAGE="SKYCHART"), unit(rows(), **said), unit(2 * rows(), **said)]


SIX = {"OBSRA": 1.0, "OBSDEC": 1.0, "Z": 0.1, "Z_HELIO": 0.1, "QUALITY": 4, "CTYPE1": "wavelength",
       "CUNIT1": "Angstroms", **LINEAR}  # fmt: skip


def sixdfgs_split():
    return [primary(rows(), **SIX)]


def sixdfgs_combined():
    images = [primary(np.zeros((9, 9), "i2")), *(unit(np.zeros((9, 9), "i2")) for _ in range(4))]
    return [*images, *(unit(rows(4), name, **SIX) for name in ("SPECTRUM V", "SPECTRUM R", "SPECTRUM VR"))]


def twoslaq():
    cards = {"MSTITLE": "2dF-SDSS LRG/QSO survey", "CTYPE1": "LINEAR", "CRVAL1": 5000.0, "CD1_1": 2.0, "CRPIX1": 1.0}
    return [primary(np.array([[FLUX], [0 * FLUX + 1]]), **cards, WAT1_001="wtype=linear units=Angstroms")]


def gama_lt():
    return [primary(FLUX, ORIGIN="Liverpool JMU", GAMANAME="G", CRPIX=1.0, CRVAL=5000.0, CDELT=2.0)]


def gama_wigglez():
    return [primary(FLUX, SURVEY="WiggleZ", GAMANAME="G", **LINEAR), unit(SIGMA**2, **LINEAR), unit(0 * BAD, **LINEAR)]


def ozdes():
    cards = {"CTYPE1": "Wavelength", "CUNIT1": "Angstrom", "BUNIT": "ct", **LINEAR}
    one = [unit(SIGMA**2, **cards), unit(0 * BAD, **cards)]
    return [primary(FLUX, REFERENC="ozdes", **cards), *one, unit(2 * FLUX, **cards), *(u.copy() for u in one)]


def aaomega():
    cards = {"INSTRUME": "AAOMEGA-2dF", "OBJECT": "field", "MEANRA": 1.0, "MEANDEC": 1.0, "CTYPE1": "Wavelength",
             "CUNIT1": "Angstroms", **LINEAR}  # fmt: skip
    names = ("RA", "DEC", "MAGNITUDE", "PIVOT", "PID", "X", "Y", "XERR", "YERR", "THETA", "RETRACTOR")
    numbers = {key: ("D", np.zeros(3)) for key in names}
    words = {key: ("4A", np.array(["star", "obj2", "obj3"])) for key in ("NAME", "COMMENT")}
    fibres = table("FIBRES", **words, **numbers, TYPE=("1A", np.array(["P", "S", "P"])))
    flux = np.array([FLUX, 2 * FLUX, 3 * FLUX])
    return [primary(flux, **cards), unit(np.tile(SIGMA**2, (3, 1)), "VARIANCE"), fibres,
            table("REDUCTION_ARGS", A=("1A", np.array(["a"]))), unit(flux, "RWSS")]  # fmt: skip


def sdss_v(**columns):
    units = [primary(V_ASTRA="0.6", SDSS_ID=1, DATASUM="0")]
    for number, name in enumerate(("BOSS/APO", "BOSS/LCO", "APOGEE/APO", "APOGEE/LCO")):
        count = 0 if number % 2 else len(columns["telescope"][1])
        made = table(name, **{key: (form, values[:count]) for key, (form, values) in columns.items()})
        made.header["DATASUM"] = str(count)
        units.append(made)
    return units


def mwm_star():
    waves = np.array([5000 + 2.0 * np.arange(N)], "f4")
    return sdss_v(
        sdss_id=("K", np.ones(1)), telescope=("6A", np.array(["apo25m"])), snr=("E", np.ones(1)),
        min_mjd=("J", np.ones(1)), max_mjd=("J", np.ones(1)), wavelength=(f"{N}E", waves), flux=(f"{N}E", FLUX[None]),
        ivar=(f"{N}E", SIGMA[None] ** -2), pixel_flags=(f"{N}J", BAD[None]),
    )  # fmt: skip


def mwm_visit():
    two = np.array([FLUX, 2 * FLUX])
    units = sdss_v(
        sdss_id=("K", np.ones(2)), telescope=("6A", np.array(["apo25m"] * 2)), snr=("E", np.ones(2)),
        mjd=("J", np.array([59000, 59001])), obj=("1A", np.array(["a", "a"])), flux=(f"{N}E", two),
        ivar=(f"{N}E", np.tile(SIGMA**-2, (2, 1))), pixel_flags=(f"{N}J", np.tile(BAD, (2, 1))),
    )  # fmt: skip
    for made in units[1:]:
        made.header.update({"CRVAL": 3.55, "CDELT": 1e-4, "CTYPE": "LOG-LINEAR", "NPIXELS": N})
    return units


def pfs_object():
    """An older file, whose table is the second extension; newer ones call the column "wavelength"."""
    columns = {"lambda": ("D", NANOMETRES), "flux": ("E", FLUX), "fluxVariance": ("E", SIGMA**2), "mask": ("J", BAD)}
    return [primary(), table("CONFIG", visit=("J", np.ones(1))), table("FLUXTBL", **columns)]


PFS = "pfsObject-00001-1,1-001-00000001-01-0x12345678.fits"


def by_specutils(path, label):
    from specutils import SpectrumList

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = SpectrumList.read(str(path), format=label)
    for one in found:
        flux, error = np.atleast_2d(one.flux.value), one.uncertainty
        for n in range(len(flux)):
            yield flux[n], one.spectral_axis, None if error is None else (error.uncertainty_type, error.array)


@pytest.mark.parametrize(
    ("made", "label", "name", "names"),
    [(twodfgrs, "2dFGRS", "a.fits", [""] * 2), (sixdfgs_split, "6dFGS-split", "a.fits", [""]),
     (sixdfgs_combined, "6dFGS-combined", "a.fits", [""] * 3), (twoslaq, "2SLAQ-LRG", "a.fits", [""]),
     (gama_lt, "GAMA-LT", "a.fits", [""]), (gama_wigglez, "GAMA-WiggleZ", "a.fits", [""]),
     (ozdes, "OzDES", "a.fits", [""] * 2), (aaomega, "Data Central AAOmega", "a.fits", ["star", "obj2", "obj3"]),
     (mwm_star, "SDSS-V mwm", "a.fits", [""] * 2),
     (mwm_visit, "SDSS-V mwm", "a.fits", ["MJD 59000", "MJD 59001"] * 2),
     (pfs_object, "Subaru-pfsObject", PFS, [""])],
)  # fmt: skip
def test_the_spectra_are_those_that_specutils_finds(session, tmp_path, made, label, name, names):
    fits.HDUList(made()).writeto(tmp_path / name)
    opened = [data for data in session.open(tmp_path / name, show=False) if data.kind == "spectrum"]
    samples = [one for data in opened for one in data.samples]
    # 2SLAQ's sky comes as a spectrum of its own there
    expected = list(by_specutils(tmp_path / name, label))[: 1 if made is twoslaq else None]
    assert [one.name for one in samples] == names
    for one, (flux, axis, error) in zip(samples, expected, strict=True):
        np.testing.assert_allclose(one.flux, flux, rtol=1e-6)
        factor = {"nm": 10.0, "Angstrom": 1.0, "Angstroms": 1.0}[one.axis.unit]
        np.testing.assert_allclose(one.axis.values * factor, axis.to_value("AA"), rtol=1e-6)
        assert one.axis.quantity == "wavelength"
        if error is None:
            assert one.uncertainty is None
            continue
        power = {"std": 1.0, "var": 0.5, "ivar": -0.5}[error[0]]
        np.testing.assert_allclose(one.error, np.atleast_2d(error[1])[0] ** power, rtol=1e-5)


@pytest.fixture
def session():
    session = jviz.Session({})
    yield session
    session.close()


@pytest.fixture
def opened(session, tmp_path):
    def write(*units):
        fits.HDUList(list(units)).writeto(tmp_path / "a.fits")
        return session.open(tmp_path / "a.fits", show=False)

    return write


def test_objects_of_pfs_are_in_nanometres_and_nanojansky(opened):
    flags, version = {"MP_BAD": 0, "MP_CR": 8}, {"DAMD_VER": 2}
    covariance = np.array([SIGMA**2, 0 * SIGMA, 0 * SIGMA])
    columns = {"wavelength": ("D", NANOMETRES), "flux": ("E", FLUX), "error": ("E", SIGMA), "mask": ("K", 256 * BAD)}
    data = opened(
        primary(), unit(FLUX, "FLUX", **version), unit(256 * BAD, "MASK", **version, **flags),
        unit(NANOMETRES, "WAVELENGTH", **version), unit(0 * FLUX, "SKY", **version),
        unit(covariance, "COVAR", **version), unit(np.zeros((1, 1), "f4"), "COVAR2"),
        table("FLUX_TABLE", {**version, **flags}, **columns),
    )  # fmt: skip
    assert [one.kind for one in data] == ["spectrum", "spectrum"]
    for one, kind in zip((d.samples[0] for d in data), ("var", "std"), strict=True):
        np.testing.assert_allclose(one.axis.values, NANOMETRES)
        np.testing.assert_allclose(one.error, SIGMA, rtol=1e-6)
        assert (one.axis.unit, one.axis.medium, one.unit, one.kind) == ("nm", "vacuum", "nJy", kind)
        assert np.flatnonzero(one.mask).tolist() == [7]
        assert one.axis.notes == ()


def test_fibres_of_pfs_are_spectra_of_their_own(opened):
    waves = NANOMETRES + 0.01 * np.arange(3)[:, None]
    flux = np.array([FLUX, 2 * FLUX, 3 * FLUX])
    covariance = np.zeros((3, 3, N), "f4")
    covariance[:, 0] = SIGMA**2
    [data] = opened(
        primary(DAMD_VER=2, MP_BAD=0), unit(np.array([12, 14, 9], "i4"), "FIBERID"), unit(waves, "WAVELENGTH"),
        unit(flux, "FLUX"), unit(np.zeros((3, N), "i4"), "MASK"), unit(0 * flux, "SKY"), unit(1 + 0 * flux, "NORM"),
        unit(covariance, "COVAR"),
    )  # fmt: skip
    assert [one.name for one in data.samples] == ["fibre 12", "fibre 14", "fibre 9"]
    for number, one in enumerate(data.samples):
        np.testing.assert_allclose(one.flux, flux[number])
        np.testing.assert_allclose(one.axis.values, waves[number])
        np.testing.assert_allclose(one.error, SIGMA, rtol=1e-6)
        assert (one.axis.unit, one.unit) == ("nm", "")


def test_errors_of_galah_are_parts_of_the_flux(opened):
    said = {"ORIGIN": "GALAH", "CTYPE1": "Wavelength", "CUNIT1": "Angstrom", **LINEAR}
    data = opened(primary(FLUX, **said), unit(SIGMA / FLUX, **said), unit(2 * FLUX, **said), unit(SIGMA, **said),
                  unit(FLUX / 10, **said))  # fmt: skip
    assert len(data) == 3
    np.testing.assert_allclose(data[0].samples[0].error, SIGMA, rtol=1e-5)
    np.testing.assert_allclose(data[2].samples[0].flux, FLUX / 10)


def test_the_noise_and_the_quality_of_osiris(session, opened):
    cards = {"INSTRUME": "OSIRIS", "CURRINST": "OSIRIS", "TELESCOP": "Keck I", "CTYPE1": "WAVE", "CUNIT1": "nm",
             "CRVAL1": 2000.0, "CDELT1": 0.25, "CRPIX1": 1.0, "CTYPE2": "RA---TAN", "CTYPE3": "DEC--TAN",
             "CDELT2": 1e-5, "CDELT3": 1e-5, "CUNIT2": "deg", "CUNIT3": "deg"}  # fmt: skip
    values = RNG.normal(5, 1, (6, 5, N)).astype("f4")
    quality = np.full(values.shape, 9, "u1")
    quality[0, 0], quality[0, 1], quality[0, 2], quality[0, 3] = 0, 8, 0x3B, 15  # 0x30: three exposures of a mosaic
    [cube] = opened(primary(values, **cards), unit(0.5 + 0 * values), unit(quality))
    assert cube.kind == "cube"
    assert cube.product.plane("error").name == "NOISE"
    np.testing.assert_allclose(cube.product.plane("error").read(), 0.5)
    flags = cube.product.plane("flags")
    assert flags.shape == cube.shape == (N, 6, 5)
    assert [flag_names(v, cube.product.flags) for v in flags.read()[3, 0]] == [
        ["DO_NOT_USE", "OUTSIDE"], ["DO_NOT_USE"], ["INTERPOLATED"], ["INTERPOLATED", "POORLY_INTERPOLATED"], [],
    ]  # fmt: skip
    got = session.run("cube.collapse", data=cube, statistic="mean").get(np.ndarray)
    assert np.isnan(got[0]).tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(got[1:], values[1:].mean(axis=2), rtol=1e-5)


def test_the_mask_and_the_flags_of_kcwi_are_one(session, opened):
    cards = {"INSTRUME": "KCWI", "TELESCOP": "Keck II", "CTYPE3": "AWAV", "CUNIT3": "Angstrom", "CRVAL3": 3500.0,
             "CD3_3": 1.0, "CRPIX3": 1.0, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -1e-4, "CD2_2": 1e-4,
             "CUNIT1": "deg", "CUNIT2": "deg", "BUNIT": "FLAM16"}  # fmt: skip
    values = RNG.normal(5, 1, (N, 4, 5)).astype("f4")
    mask, flags = np.zeros((2, *values.shape), "u1")
    mask[:, 0, 0], flags[:, 0, 1], flags[:, 0, 2], flags[:, 0, 3] = 1, 128, 12, 2
    others = unit(0.5 + 0 * values, "UNCERT"), unit(mask, "MASK"), unit(flags, "FLAGS")
    [cube] = opened(primary(values, **cards), *others)
    assert cube.product.plane("error").name == "UNCERT"
    found = cube.product.plane("flags").read()[2, 0]
    assert [flag_names(v, cube.product.flags) for v in found] == [
        ["DO_NOT_USE"], ["DO_NOT_USE", "PADDING"], ["CRHIT", "SATURATED"], ["BADPIX"], []]  # fmt: skip
    got = session.run("cube.collapse", data=cube, statistic="mean").get(np.ndarray)
    assert np.isnan(got[0]).tolist() == [True, True, False, False, False]


def test_tables_written_by_specutils_come_back(session, tmp_path):
    import astropy.units as u
    from astropy.nddata import StdDevUncertainty
    from specutils import Spectrum

    flux, error = np.array([FLUX, 2 * FLUX, 3 * FLUX], float), np.tile(SIGMA, (3, 1)).astype(float)
    waves = 1 + 0.01 * np.arange(N)
    made = Spectrum(flux=flux * u.Jy, spectral_axis=waves * u.um, uncertainty=StdDevUncertainty(error * u.Jy))
    made.write(tmp_path / "many.fits", format="tabular-fits")
    [data] = session.open(tmp_path / "many.fits", show=False)
    assert len(data.samples) == 3
    for number, one in enumerate(data.samples):
        np.testing.assert_allclose(one.flux, flux[number])
        np.testing.assert_allclose(one.error, error[number])
        np.testing.assert_allclose(one.axis.values, waves)


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot"])
def test_columns_are_known_by_their_units_where_names_tell_nothing(session, tmp_path, suffix):
    import astropy.units as u
    from astropy.table import QTable

    columns = QTable({"a": (1 + 0.01 * np.arange(N)) * u.um, "b": FLUX * u.mJy, "c": SIGMA * u.mJy, "d": BAD})
    columns.write(tmp_path / f"a{suffix}", **({"format": "votable"} if suffix == ".vot" else {}))
    places = QTable({"ra": np.arange(20.0) * u.deg, "b": np.ones(20) * u.mJy, "size": np.ones(20) * u.um})
    places.write(tmp_path / f"b{suffix}", **({"format": "votable"} if suffix == ".vot" else {}))
    [data] = session.open(tmp_path / f"a{suffix}", show=False)
    [one] = data.samples
    assert (one.axis.unit, one.unit, one.kind) == ("um", "mJy", "std")
    np.testing.assert_allclose(one.error, SIGMA, rtol=1e-6)
    [other] = session.open(tmp_path / f"b{suffix}", show=False)
    assert other.kind == "catalog"


@pytest.mark.parametrize(
    ("first", "step", "unit"), [(0.6, 0.05, "um"), (5.0, 0.1, "um"), (400.0, 1.0, "nm"), (3800.0, 2.0, "Angstrom")]
)
def test_wavelengths_without_a_unit_are_taken_by_their_size_and_that_is_said(session, tmp_path, first, step, unit):
    waves = first + step * np.arange(N)
    np.savetxt(tmp_path / "a.txt", np.column_stack([waves, FLUX]))
    [data] = session.open(tmp_path / "a.txt", show=False)
    [one] = data.samples
    assert (one.axis.unit, one.axis.quantity) == (unit, "wavelength")
    np.testing.assert_allclose(one.axis.values, waves)  # as the file has them
    assert "no unit of wavelength" in one.axis.notes[0]


def test_beams_of_grizli_have_the_wavelengths_of_their_trace(opened):
    """Each beam is followed by a table with a row for each column, in ångströms; the WCS is that of the sky."""
    parts, first = [primary()], (8000.0, 8500.0)
    for start in first:
        values = np.ones((12, N), "f4")
        sky = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 3.5, "CRVAL2": -30.0, "CDELT1": -1e-5,
               "CDELT2": 1e-5, "DISPAXIS": 1, "BUNIT": "DN/s"}  # fmt: skip
        parts += [unit(values, "SCI", EXTVER=2, **sky), unit(values, "ERR", EXTVER=2)]
        parts.append(unit(0 * values, "CONTAM", EXTVER=2))
        parts.append(table("TRACE", wavelength=("E", start + 46.7 * np.arange(N)), trace=("E", 6 + 0 * np.arange(N))))
    data = [one for one in opened(*parts) if one.kind == "spectrum2d"]
    assert len(data) == 2
    for one, start in zip(data, first, strict=True):
        assert one.wavelengths.unit == "Angstrom"
        np.testing.assert_allclose(one.wavelengths.values[3], start + 46.7 * np.arange(N), rtol=1e-6)
