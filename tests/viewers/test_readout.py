"""The numbers under the cursor are those of the file."""

import math

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from jviz.viewers.image_overlays import bar_title
from jviz.viewers.readout import pretty_unit, read_out, unit_of_ratio


@pytest.fixture
def acs(session, shared_data):
    return session.open(shared_data / "j8bt06nyq_flt.fits", show=False)[0]


def test_values_errors_and_flags_are_those_of_the_file(session, acs, shared_data):
    view = session.view("image", data=acs)
    with fits.open(shared_data / "j8bt06nyq_flt.fits") as units:
        science, error, flags = (units[name].data for name in ("SCI", "ERR", "DQ"))
        y, x = (int(v[5]) for v in np.nonzero(flags))
        for column, row in [(0, 0), (1023, 1023), (500, 12), (x, y)]:
            found = read_out(view, column + 0.3, row - 0.4)
            assert found.value == science[row, column]
            assert found.error == error[row, column]
            assert found.flags == flags[row, column]
            assert bool(found.flag_names) == bool(flags[row, column])
    assert "ELECTRONS" in read_out(view, 3, 4).value_text
    assert "±" in read_out(view, 3, 4).value_text


def test_sky_is_that_of_astropy_in_every_frame(session, acs, shared_data):
    view = session.view("image", data=acs, sky_frame="galactic", sky_style="degrees")
    assert read_out(view, 10, 20).lon is None  # nobody has loaded the WCS yet
    _ = acs.sky
    found = read_out(view, 10.25, 20.75)
    with fits.open(shared_data / "j8bt06nyq_flt.fits") as units:
        place = WCS(units["SCI"].header, units).pixel_to_world(10.25, 20.75)
    assert SkyCoord(found.lon, found.lat, unit="deg").separation(place.icrs).arcsec < 1e-6
    shown = [float(word) for word in found.sky_text.split()]
    galactic = place.galactic
    assert np.allclose(shown, [galactic.l.deg, galactic.b.deg], atol=1e-6)
    assert found.position("icrs", "sexagesimal").startswith(place.icrs.ra.to_string("hour", sep=":", pad=True)[:8])
    assert found.position("ecliptic")


def test_pixels_are_counted_as_the_user_wants(session, ramp):
    view = session.view("image", data=session.add(ramp, name="a"))
    assert read_out(view, 3.0, 4.0, origin=1).pixel_text == "4.0, 5.0"
    assert read_out(view, 3.0, 4.0).pixel_text == "3.0, 4.0"


def test_beside_the_image_there_is_no_value(session, ramp):
    view = session.view("image", data=session.add(ramp, name="a"))
    for x, y in [(-0.6, 3), (59.6, 3), (3, 39.6), (math.nan, 2)]:
        assert read_out(view, x, y).value is None
    assert read_out(view, -0.4, 39.4).value == ramp[39, 0]


def test_nan_is_said(session):
    data = np.full((4, 4), np.nan, np.float32)
    view = session.view("image", data=session.add(data, name="a"))
    assert read_out(view, 1, 1).value_text == "nan"


def test_compressed_files_are_read_from_memory_or_not_at_all(session, shared_data):
    data = session.open(shared_data / "k4m_160319_075112_oow_zd_ls9.CCD3.fits", show=False)[0]
    view = session.view("image", data=data)
    with fits.open(shared_data / "k4m_160319_075112_oow_zd_ls9.CCD3.fits") as units:
        truth = units["CCD3"].data[7, 9]
    assert read_out(view, 9, 7).value == pytest.approx(float(truth))


def test_variance_becomes_an_error(session, shared_data):
    data = session.open(shared_data / "muse_udf_subcube.fits", show=False)[0]
    view = session.view("image", data=data)
    index = view.layer.index
    with fits.open(shared_data / "muse_udf_subcube.fits") as units:
        value, variance = (units[name].data[(*index, 5, 6)] for name in ("DATA", "STAT"))
    found = read_out(view, 6, 5)
    assert found.value == pytest.approx(float(value))
    assert found.error == pytest.approx(math.sqrt(variance))


@pytest.mark.parametrize(
    ("raw", "pretty"),
    [
        ("MJy/sr", "MJy/sr"),
        ("10**(-20)*erg/s/cm**2/Angstrom", "10⁻²⁰ erg/s/cm²/Å"),
        ("10**(-6)counts/s", "10⁻⁶ counts/s"),
        ("erg cm-2 s-1", "erg cm⁻² s⁻¹"),
        ("W/m^2-sr", "W/m²-sr"),
        ("10**(-40)*erg**2/s**2/cm**4/Angstrom**2", "10⁻⁴⁰ erg²/s²/cm⁴/Å²"),
        ("ERG/CM2/S/A", "erg/cm²/s/Å"),
        ("ANGSTROM", "Å"),
        ("microJansky", "µJy"),
        ("", ""),
        ("+", ""),
    ],
)
def test_units_are_written_as_people_do(raw, pretty):
    assert pretty_unit(raw) == pretty


def test_importing_the_viewer_is_light():
    import subprocess
    import sys

    heavy = ("astropy", "numba", "pyqtgraph", "glue", "scipy", "matplotlib")
    code = f"import sys, jviz.viewers.image, jviz.viewers.picture; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("first", "second", "unit"),
    [("MJy/sr", "MJy/sr", ""), ("COUNTS", "DN", "COUNTS / (DN)"), ("", "DN", "1 / (DN)"), ("DN", "", "DN")],
)
def test_a_ratio_has_the_unit_of_one_image_by_the_other(session, tmp_path, first, second, unit):
    for name, text in (("first", first), ("second", second)):
        fits.PrimaryHDU(np.ones((9, 9), "f4"), fits.Header({"BUNIT": text})).writeto(tmp_path / f"{name}.fits")
    session.open(tmp_path / "first.fits", tmp_path / "second.fits", show=False)
    view = session.view("image", data="first")
    session.run("view.show", view=view, data="second")
    session.run("compare.ratio", view=view, data="first", against="second")
    assert bar_title(view.layers[-1]) == unit_of_ratio(view.layers[-1]) == unit


@pytest.mark.parametrize(("cards", "text"), [
    ({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CUNIT1": "arcsec", "CUNIT2": "arcsec", "CRPIX1": 30.5,
      "CRPIX2": 20.5, "CDELT1": 2.0, "CDELT2": 2.0, "CROTA2": 180.0}, "HPLN -21.00″  HPLT 19.00″"),
    ({"CTYPE1": "CRLN-CAR", "CTYPE2": "CRLT-CAR", "CRVAL1": 180.0, "CRPIX1": 30.0, "CRPIX2": 20.0, "CDELT1": 1.0,
      "CDELT2": 1.0}, "CRLN 191.000000°  CRLT -9.000000°"),
    ({"CTYPE1": "DETX", "CTYPE2": "DETY", "CRPIX1": 1.0, "CRPIX2": 1.0, "CRVAL1": 100.0, "CRVAL2": 50.0, "CDELT1": 2.0,
      "CDELT2": 0.5}, "DETX 180  DETY 55"),
])  # fmt: skip
def test_coordinates_that_are_not_of_the_stars_are_told(session, tmp_path, cards, text):
    fits.PrimaryHDU(np.ones((40, 60), "f4"), fits.Header(cards)).writeto(tmp_path / "map.fits")
    [data] = session.open(tmp_path / "map.fits", show=False)
    view = session.view("image", data=data)
    assert read_out(view, 40, 10).spectral == ""  # nobody has loaded the WCS yet
    assert data.sky is None
    found = read_out(view, 40, 10)
    assert found.spectral == text
    assert text in found.text
