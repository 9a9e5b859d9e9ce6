"""Wavelengths of lines, worked out another way: term values, constants of molecules, published wavelengths in air."""

import re

import numpy as np
import pytest

from jviz.backend.spectra.lines import LISTS, identify, lines_of
from jviz.backend.spectra.units import vacuum_to_air

RYDBERG_H = 1.0967758341e7
LOWER = {"Ly": 1, "H": 2, "Pa": 3, "Br": 4, "Pf": 5, "Hu": 6}


def waves(name, symbol):
    lines, values = lines_of((name,))
    return [value * 1e6 for line, value in zip(lines, values, strict=True) if line.name == symbol]


def test_hydrogen_follows_rydberg():
    for line in lines_of(("H",))[0]:
        series, step = re.fullmatch(r"(Ly|H|Pa|Br|Pf|Hu)([αβγδε]|\d+)", line.name).groups()
        lower = LOWER[series]
        upper = int(step) if step.isdigit() else lower + 1 + "αβγδε".index(step)
        expected = 1 / (RYDBERG_H * (1 / lower**2 - 1 / upper**2))
        # Fine structure shifts the mean of a line by up to 1.5e-5.
        assert np.isclose(line.wavelength, expected, rtol=2e-5), line


def h2_level(v, j):
    """Term values from the constants of Huber & Herzberg (1979), cm⁻¹; good to 1e-3."""
    half, k = v + 0.5, j * (j + 1)
    vibration = 4401.213 * half - 121.336 * half**2 + 0.8129 * half**3
    b, d = 60.853 - 3.0622 * half + 0.0577 * half**2 - 0.0051 * half**3, 0.04684 - 0.001668 * half + 0.000044 * half**2
    return vibration + b * k - d * k**2 + 4.7e-5 * k**3


def test_molecular_hydrogen_follows_its_levels():
    for line in lines_of(("H2",))[0]:
        upper, lower, branch, j = re.fullmatch(r"(\d)-(\d) ([SQO])\((\d+)\)", line.name).groups()
        j = int(j)
        high = j + {"S": 2, "Q": 0, "O": -2}[branch]
        expected = 1e-2 / (h2_level(int(upper), high) - h2_level(int(lower), j))
        assert np.isclose(line.wavelength, expected, rtol=2e-3 if j < 8 else 1e-2), (line, expected)


def test_carbon_monoxide_is_a_rotor():
    for line in lines_of(("CO",))[0]:
        if match := re.fullmatch(r"CO (\d)-\d", line.name):
            j = int(match[1])
            expected = 299792.458e-6 / (2 * 57.635968 * j - 4 * 1.835e-4 * j**3)
            assert np.isclose(line.wavelength, expected, rtol=3e-6)


@pytest.mark.parametrize(
    ("name", "symbol", "air"),
    [
        ("O", "[O III]", [4363.21, 4958.91, 5006.84]), ("N", "[N II]", [5754.59, 6548.05, 6583.45]),
        ("S", "[S II]", [4068.60, 4076.35, 6716.44, 6730.82]), ("Ne", "[Ne III]", [3868.76, 3967.47]),
        ("He", "He I", [3888.65, 4471.48, 5015.68, 5875.62, 6678.15, 7065.19]), ("O", "[O I]", [6300.30, 6363.78]),
        ("Metals", "Ca II", [8498.02, 8542.09, 8662.14]), ("Metals", "Na D", [5889.95, 5895.92]),
        ("Fe", "[Fe III]", [4658.05, 5270.40]), ("S", "[S III]", [6312.06, 9068.6, 9530.6]),
        ("O", "[O II]", [3726.03, 3728.82, 7319.99, 7330.73]), ("He", "He II", [1640.42, 4685.70, 5411.52, 10123.6]),
    ],
)  # fmt: skip
def test_optical_lines_are_where_tables_in_air_have_them(name, symbol, air):
    found = vacuum_to_air(np.array([w for w in waves(name, symbol) if w < 1.05]) * 1e-6) * 1e10
    np.testing.assert_allclose(found[: len(air)], air, atol=0.12)


def test_every_list_has_lines_and_the_nearest_is_found():
    for name in LISTS:
        assert lines_of((name,))[0]
    assert identify(0.6564610e-6 * 1.5, 0.5)[0].name == "Hα"
    assert identify(12.8136e-6)[0].title == "[Ne II] 12.81"
