"""Spectral ranges: what they are made of, and that they survive a script and a session file."""

import astropy.units as u
import pytest

import jviz
from jviz.backend.spectra.ranges import SpectralRanges, ranges_of, ranges_of_text
from jviz.conversion.codec import decode, encode
from jviz.errors import JvizError
from jviz.source import source_of


def test_bounds_are_put_in_order():
    made = SpectralRanges(((5.0, 4.0), (1.0, 2.0)), "um")
    assert made.ranges == ((1.0, 2.0), (4.0, 5.0))
    assert (made.low, made.high) == (1.0, 5.0)


@pytest.mark.parametrize(
    "given",
    [
        (4900 * u.AA, 0.51 * u.um),
        [(4900 * u.AA, 5100 * u.AA)],
        SpectralRanges(((4900, 5100),), "Angstrom"),
    ],
)
def test_pairs_of_quantities_are_ranges_in_their_first_unit(given):
    made = ranges_of(given)
    assert made.unit == "Angstrom"
    assert made.ranges[0] == pytest.approx((4900.0, 5100.0), rel=1e-15)


@pytest.mark.parametrize("given", ["line", 5, (1.0,), [(3, 3)], ()])
def test_what_is_no_range_is_told(given):
    with pytest.raises(jviz.JvizError, match=r"range"):
        ranges_of(given)


def test_ranges_survive_a_session_file_and_a_script():
    made = SpectralRanges(((1.5, 2.0), (3.0, 4.0)), "um")
    assert decode(encode(made, []), []) == made
    assert eval(source_of(made), {"jviz": jviz}) == made


@pytest.mark.parametrize(
    ("text", "bounds", "unit"),
    [
        ("5.0 to 5.1 um", (5.0, 5.1), "um"),
        ("6600 Å – 665 nm", (6600.0, 6650.0), "Angstrom"),
        ("-20 - -10 km/s", (-20.0, -10.0), "km / s"),
        ("230.6..230.5 GHz", (230.5, 230.6), "GHz"),
        ("110, 115", (110.0, 115.0), ""),
    ],
)
def test_ranges_are_read_as_people_write_them(text, bounds, unit):
    made = ranges_of_text(text)
    assert made.ranges == (pytest.approx(bounds),)
    assert made.unit == unit


@pytest.mark.parametrize("text", ["Range 1", "H alpha", "Range 1 - 2", "5 um", ""])
def test_names_are_no_ranges(text):
    assert ranges_of_text(text) is None


@pytest.mark.parametrize("text", ["5 to 6 parsnips", "5 um to 3 km/s", "5 to 5 um"])
def test_ranges_that_cannot_be_are_told(text):
    with pytest.raises(JvizError, match=r"unit|one unit|bounds"):
        ranges_of_text(text)
