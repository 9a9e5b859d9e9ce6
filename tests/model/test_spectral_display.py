"""Spectral values as viewers show them: multiples that read well, digits that tell channels apart."""

import numpy as np
import pytest

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.units import readable_unit
from jviz.spectral_display import scale_of, units_for
from jviz.viewers.readout import place_text

FREQUENCIES = SpectralAxis(230.538e9 + 61035.0 * np.arange(50), "Hz", "frequency", rest=230.538e9, rest_unit="Hz",
                           convention="radio")  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "value", "readable"),
    [
        ("Hz", 2.3e11, "GHz"), ("Hz", 1.42e9, "GHz"), ("Hz", 1.5e8, "MHz"), ("GHz", 230.0, "GHz"), ("m", 5.6e-6, "um"),
        ("m", 1.3e-3, "mm"), ("m/s", 1.2e4, "km/s"), ("m s-1", -1.2e4, "km/s"), ("m.s**-1", 0.0, "km/s"),
        ("Angstrom", 6563.0, "Angstrom"), ("nonsense", 1.0, "nonsense"), ("", 1.0, ""),
    ],
)  # fmt: skip
def test_units_of_files_become_what_people_count_in(unit, value, readable):
    assert readable_unit(unit, value) == readable


def test_channels_of_a_radio_cube_are_told_apart_in_ghz():
    scale = scale_of(FREQUENCIES)
    assert scale.unit == "GHz"
    assert len({scale.text(k) for k in range(50)}) == 50
    assert float(scale.text(3, unit=False)) == pytest.approx(230.538183105, abs=1e-6)
    assert scale.channel(230.538183105) == pytest.approx(3, abs=1e-3)
    assert "Hz" in units_for(FREQUENCIES)
    assert scale_of(FREQUENCIES, "Hz").values[0] == 230.538e9


def test_frequencies_are_shown_as_radio_velocities():
    """v = c (ν₀ − ν)/ν₀, as CASA and CARTA count."""
    values = scale_of(FREQUENCIES, "km/s").values
    assert np.allclose(values, 299792.458 * (230.538e9 - FREQUENCIES.values) / 230.538e9, atol=1e-9)


def test_places_along_a_spectrum_have_digits_for_its_samples():
    ghz = FREQUENCIES.values / 1e9
    assert len({place_text(x, ghz) for x in ghz}) == 50
    assert place_text(5.25, np.linspace(5, 6, 11)) == "5.25"
    assert place_text(0.0, ghz) == "0"
    assert place_text(3.0, np.array([3.0])) == "3"
