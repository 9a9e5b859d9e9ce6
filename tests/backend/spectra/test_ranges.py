"""Spectral ranges: what they are made of, and that they survive a script and a session file."""

import astropy.units as u
import pytest

import jviz
from jviz.backend.spectra.ranges import SpectralRanges, ranges_of
from jviz.conversion.codec import decode, encode
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
