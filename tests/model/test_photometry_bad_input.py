"""What cannot be measured is said in clear words, what can be is measured, and nothing is lost."""

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import MaskedColumn, QTable, Table

import jviz
from jviz import CommandError
from jviz.backend.io.product import Plane
from tests.backend.regions.skies import sip_wcs

SIDE, SIGMA = 160, 1.7
STARS = [(40.0, 50.0), (110.0, 60.0), (70.0, 120.0)]


def image(level=10.0, seed=1):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    values = np.random.default_rng(seed).normal(level, 0.5, (SIDE, SIDE))
    for x, y in STARS:
        values += 300 * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / SIGMA**2)
    return values.astype(np.float32)


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    session.heard = []
    session.noticed.connect(lambda level, text: session.heard.append(text))
    yield session
    session.close()


def add(session, values, unit="MJy/sr", *, wcs=True, error=None, name="image"):
    uncertainty = None if error is None else StdDevUncertainty(np.full((SIDE, SIDE), error, np.float32))
    made = CCDData(values, unit=unit, wcs=sip_wcs(size=SIDE) if wcs else None, uncertainty=uncertainty)
    return session.add(made, name=name)


NOTHING = [
    ("photometry.aperture", {"positions": STARS}, "no pixel with a value"),
    ("photometry.detect", {}, "no pixel to look at: all are NaN"),
    ("photometry.catalog", {}, "no pixel to look at: all are NaN"),
    ("photometry.background", {}, "no pixel to look at: all are NaN"),
    ("photometry.growth_curve", {"position": STARS[0]}, "no pixel with a value"),
    ("photometry.encircled_energy", {"position": STARS[0]}, "no pixel with a value"),
    ("photometry.build_psf", {"positions": STARS}, "no pixel to look at: all are NaN"),
]


@pytest.mark.parametrize(("command", "options", "words"), NOTHING)
def test_all_nan(session, command, options, words):
    add(session, np.full((SIDE, SIDE), np.nan, np.float32))
    with pytest.raises(CommandError, match=words):
        session.run(command, data="image", **options)
    assert session.names == ["image"]


@pytest.mark.parametrize(("command", "options"), [
    ("photometry.detect", {"method": "segmentation"}), ("photometry.detect", {"method": "dao"}),
    ("photometry.detect", {"method": "peaks"}), ("photometry.catalog", {}),
])  # fmt: skip
def test_no_sources(session, command, options):
    add(session, np.random.default_rng(0).normal(5, 1, (SIDE, SIDE)).astype(np.float32))
    with pytest.raises(CommandError, match=r"No source of image is above S/N 50.*lower snr"):
        session.run(command, data="image", snr=50, **options)
    assert session.names == ["image"]


def test_missing_errors(session):
    add(session, image())
    plain = session.run("photometry.aperture", data="image", positions=STARS)
    assert np.isnan(plain["flux_err"].value).all()
    assert np.isfinite(plain["flux"].value).all()
    assert any("it has no errors" in text for text in session.heard)
    ring = session.run("photometry.aperture", data="image", positions=STARS, annulus=(10, 15))
    assert np.isfinite(ring["flux_err"].value).all()
    found = session.run("photometry.catalog", data="image", snr=10)
    assert "scatter of the background alone" in "".join(found.table.meta["notes"])
    with pytest.raises(CommandError, match="no plane of errors; take the scatter"):
        session.run("photometry.detect", data="image", noise="errors")


def test_errors_that_are_all_0_are_said(session):
    session.add(CCDData(image(), unit="uJy", uncertainty=StdDevUncertainty(np.zeros(image().shape))), name="sure")
    table = session.run("photometry.aperture", data="sure", positions=[(20, 20)], radii=3)
    assert any("are 0" in note for note in table.meta["notes"])
    assert table["aperture_sum_err"][0].value == 0


def test_missing_pixel_area(session):
    add(session, image(), wcs=False, error=0.5)
    table = session.run("photometry.aperture", data="image", positions=STARS)
    assert "solid angle of pixels is not known" in "".join(table.meta["notes"])
    assert np.isnan(table["abmag"].value).all()
    assert table["flux"].unit == u.Unit("MJy/sr")  # the sum, and it is said
    found = session.run("photometry.catalog", data="image", snr=10).table
    assert "solid angle of pixels is not known" in "".join(found.meta["notes"])
    assert len(found) == 3
    assert np.isfinite(found["kron_flux"].value).all()


@pytest.mark.parametrize("unit", ["K", "km/s", "adu", ""])
def test_units_that_are_no_flux(session, unit):
    add(session, image(), unit or u.dimensionless_unscaled, error=0.5)
    table = session.run("photometry.aperture", data="image", positions=STARS)
    assert "give zero_point=" in "".join(table.meta["notes"])
    assert np.isfinite(table["flux"].value).all()
    known = session.run("photometry.aperture", data="image", positions=STARS, zero_point=25.0)
    np.testing.assert_allclose(known["abmag"].value, 25 - 2.5 * np.log10(table["flux"].value))


def test_positions_off_the_image(session):
    add(session, image(), error=0.5)
    table = session.run("photometry.aperture", data="image", positions=[*STARS, (-50.0, 20.0), (0.0, 0.0)], radii=4)
    assert np.isnan(table["flux"][3].value)
    assert table["flags"][3] & 16
    assert table["flags"][4] & 2  # over the edge
    assert "1 of 5 have no pixel to use" in "".join(table.meta["notes"])
    for command in ("photometry.aperture", "photometry.build_psf"):
        with pytest.raises(CommandError, match="lies on image"):
            session.run(command, data="image", positions=[(-50.0, 20.0), (1e4, 5.0)])


def test_saturated_stars(session):
    data = add(session, image(), error=0.5)
    flags = np.zeros((SIDE, SIDE), np.uint32)
    flags[49:52, 39:42] = 2  # SATURATED of JWST
    data.product.flags = "jwst"
    data.product.planes["DQ"] = Plane("DQ", flags.shape, flags.dtype, lambda progress: flags, "flags", "")
    table = session.run("photometry.aperture", data="image", positions=STARS, radii=4)
    assert (table["flags"] & 4).tolist() == [4, 0, 0]
    assert np.isfinite(table["flux"].value).all()  # the pixels are used unless their flag is excluded
    left_out = session.run("photometry.aperture", data="image", positions=STARS, radii=4, exclude_flags="SATURATED")
    assert left_out["n_masked"].tolist() == [9, 0, 0]
    assert left_out["flags"][0] & 1


def test_tables_with_masked_rows_and_without_places(session):
    add(session, image(), error=0.5)
    x = MaskedColumn([40.0, 110.0, 70.0], mask=[False, True, False])
    session.add(Table({"x": x, "y": [50.0, 60.0, 120.0]}), name="holes")
    table = session.run("photometry.aperture", data="image", positions="holes", radii=4)
    assert np.isfinite(table["flux"].value).tolist() == [True, False, True]
    assert "1 of 3 have no pixel to use" in "".join(table.meta["notes"])
    session.add(QTable({"mass": [1.0, 2.0]}), name="masses")
    with pytest.raises(CommandError, match="no columns of positions"):
        session.run("photometry.aperture", data="image", positions="masses")
    with pytest.raises(CommandError, match="empty"):
        session.run("photometry.aperture", data="image", positions=[])


@pytest.mark.parametrize(("options", "words"), [
    ({"error": np.ones((3, 3))}, "errors have shape"), ({"error": -1.0}, "0 or more"),
    ({"error": "nobody"}, "no errors"),
    ({"radii": "3 Jy"}, "angle"),
    ({"radii": -2}, "above 0"), ({"annulus": (8, 4)}, "outer radius is larger"), ({"gain": 0}, "gain of 0"),
    ({"aperture_correction": "no.fits"}, "There is no file"), ({"vega": "no.asdf"}, "There is no file"),
    ({"vega": float("nan")}, "give a number"), ({"exclude_flags": "NO_SUCH_FLAG"}, "NO_SUCH_FLAG"),
])  # fmt: skip
def test_options_that_are_none(session, options, words):
    add(session, image(), error=0.5)
    with pytest.raises(CommandError, match=words):
        session.run("photometry.aperture", data="image", positions=STARS, **options)


def test_bands_of_nothing_and_of_other_sizes(session):
    add(session, image(), error=0.5)
    session.add(CCDData(np.ones((20, 20)), unit="MJy/sr"), name="small")
    with pytest.raises(CommandError, match="small is not on the pixels of image"):
        session.run("photometry.bands", data=["image", "small"])
    with pytest.raises(CommandError, match="two bands or more"):
        session.run("photometry.bands", data=[])
    assert session.names == ["image", "small"]


def test_a_light_curve_of_nothing(session, tmp_path):
    from astropy.io import fits

    add(session, image())
    with pytest.raises(CommandError, match="takes data of kind ramp or cube or spectrum"):
        session.run("timeseries.light_curve", data="image", position=STARS[0])
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "CubeModel"})
    nothing = fits.ImageHDU(np.full((5, 30, 30), np.nan, np.float32), name="SCI")
    fits.HDUList([primary, nothing]).writeto(tmp_path / "jw01_rateints.fits")
    [data] = session.open(tmp_path / "jw01_rateints.fits")
    with pytest.raises(CommandError, match="no value there in any integration: all are NaN"):
        session.run("timeseries.light_curve", data=data, position=(15, 15))
