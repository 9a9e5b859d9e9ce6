"""Units as headers write them."""

import pytest
from astropy import units as u

from jviz.backend.units import parse_unit


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("ELECTRONS", u.electron),
        ("ELECTRONS/S", u.electron / u.s),
        ("electrons/s", u.electron / u.s),
        ("e-", u.electron),
        ("e-/s", u.electron / u.s),
        ("COUNTS", u.ct),
        ("Counts/s", u.ct / u.s),
        ("cps", u.ct / u.s),
        ("10**(-6)counts/s", 1e-6 * u.ct / u.s),
        ("DN/s", u.DN / u.s),
        ("MJy/sr", u.MJy / u.sr),
        ("W/m^2-sr", u.W / u.m**2 / u.sr),
        ("erg/cm2-s-sr", u.erg / u.cm**2 / u.s / u.sr),
        ("Jy-km/s", u.Jy * u.km / u.s),
        ("ERG/CM2/S/A", u.erg / u.cm**2 / u.s / u.AA),
        ("10^-20 erg s-1 cm-2 A-1", 1e-20 * u.erg / u.cm**2 / u.s / u.AA),
        ("1E-17 erg/s/cm^2/Ang/spaxel", 1e-17 * u.erg / u.cm**2 / u.s / u.AA / u.pix),
        ("A", u.A),
        ("mA", u.mA),
        ("Angstroms", u.AA),
        ("microns", u.um),
        ("JY/BEAM", u.Jy / u.beam),
        ("MJy/SR", u.MJy / u.sr),
        ("KM/S", u.km / u.s),
        ("FLAM16", 1e-16 * u.erg / u.cm**2 / u.s / u.AA),
        ("10**(-20)*erg/s/cm**2/Angstrom", 1e-20 * u.erg / u.s / u.cm**2 / u.AA),
        ("deg.", u.deg),
        ("Degrees", u.deg),
        ("arcseconds", u.arcsec),
        ("mas/years", u.mas / u.yr),
        ("ergs/s/cm^2", u.erg / u.s / u.cm**2),
        ("microJy", u.uJy),
        ("magnitudes", u.mag),
        ("ABmag", u.ABmag),
        ("AB mag", u.ABmag),
        ("mag_ST", u.STmag),
        ("Vegamag", u.mag),
        ("ABmag/arcsec^2", u.mag / u.arcsec**2),
        ("log(Lsun)", u.dex(u.Lsun)),
    ],
)
def test_units_of_headers(text, unit):
    assert parse_unit(text) == u.Unit(unit)


@pytest.mark.parametrize("text", ["+", "furlongs", "e-17"])
def test_what_is_no_unit(text):
    assert parse_unit(text) is None


def test_powers_without_their_one_and_with_a_sign_before_it():
    from astropy import units as u

    from jviz.backend.units import parse_unit

    wanted = u.erg / (u.s * u.cm**2 * u.AA)
    for text in ("E-17 ERG/S/CM^2/ANG", "x10^-17 erg/s/cm2/A", "1E-17 ERG/S/CM^2/ANG", "10^-17 erg/s/cm^2/Ang"):
        assert abs(parse_unit(text).to(wanted) / 1e-17 - 1) < 1e-9, text
