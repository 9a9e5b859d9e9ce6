"""Flux calibration against astropy's own conversions; aperture corrections from tables."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from jviz import CommandError
from jviz.backend.photometry.corrections import corrections_at, radius_of_energy, read_corrections, rows_for
from jviz.backend.photometry.fluxes import calibration, magnitudes


@pytest.mark.parametrize(("unit", "header", "wanted", "per_area"), [
    ("MJy/sr", {}, 1e6, True),
    ("mJy", {}, 1e-3, False),
    ("nJy / pix", {}, 1e-9, False),
    ("erg/s/cm2/Hz", {}, 1e23, False),
    ("nanomaggy", {}, 3631e-9, False),
])  # fmt: skip
def test_units_become_jansky(unit, header, wanted, per_area):
    found = calibration(unit, header)
    assert found.factor == pytest.approx(wanted, rel=1e-12)
    assert found.per_area is per_area


@pytest.mark.parametrize("unit", ["ELECTRONS/S", "counts/s", "electron / s", ""])
def test_hubble_rates_become_jansky_as_astropy_converts_them(unit):
    header = {"PHOTFLAM": 1.9275602e-20, "PHOTPLAM": 15369.176}
    flux = 1.9275602e-20 * u.erg / u.s / u.cm**2 / u.AA
    wanted = flux.to_value(u.Jy, u.spectral_density(15369.176 * u.AA))
    assert calibration(unit, header).factor == pytest.approx(wanted, rel=1e-9)
    exposed = calibration("ELECTRONS", header | {"EXPTIME": 60.0})
    assert exposed.factor == pytest.approx(wanted / 60, rel=1e-9)


def test_a_beam_and_a_zero_point():
    beam = calibration("Jy/beam", {"BMAJ": 1 / 3600, "BMIN": 0.5 / 3600})
    area = (1 * 0.5 * u.arcsec**2 * np.pi / (4 * np.log(2))).to_value(u.sr)
    assert beam.factor * area == pytest.approx(1)
    assert beam.per_area
    assert calibration("adu", {}, zero_point=25).factor == pytest.approx(
        u.Magnitude(25, u.ABmag).to_value(u.Jy), rel=1e-4
    )


@pytest.mark.parametrize(("unit", "header", "word"), [
    ("adu", {}, "zero_point"), ("", {}, "no unit"), ("Jy/beam", {}, "BMAJ"),
    ("ELECTRONS", {"PHOTFLAM": 1e-20, "PHOTPLAM": 5000.0}, "EXPTIME"), ("erg/s/cm2/AA", {}, "PHOTPLAM"),
])  # fmt: skip
def test_what_cannot_be_had_is_said(unit, header, word):
    found = calibration(unit, header)
    assert not found.known
    assert word in found.how


def test_magnitudes_and_their_errors():
    magnitude, error = magnitudes(np.array([3631.0, 3.631e-6, -1.0]), np.array([363.1, 0.0, 1.0]))
    assert magnitude[:2] == pytest.approx([0, 22.5])
    assert error[0] == pytest.approx(2.5 * np.log10(1.1))
    assert np.isnan(magnitude[2])
    assert np.isnan(error[2])


@pytest.fixture
def table():
    radius = [2.0, 4.0, 8.0]
    return Table({
        "filter": ["F200W"] * 3 + ["F444W"] * 3, "pupil": ["CLEAR"] * 6, "eefraction": [0.5, 0.7, 0.9] * 2,
        "radius": radius * 2, "apcorr": [2.0, 1.5, 1.1, 3.0, 2.0, 1.2],
    })  # fmt: skip


@pytest.mark.parametrize("name", ["apcorr.fits", "apcorr.ecsv", "apcorr.csv"])
def test_corrections_of_the_filter_are_interpolated(table, tmp_path, name):
    table.write(tmp_path / name)
    rows = rows_for(read_corrections(tmp_path / name), {"FILTER": "F444W", "PUPIL": "CLEAR"})
    assert corrections_at(rows, np.array([4.0, 6.0])) == pytest.approx([2.0, 1.6])
    assert radius_of_energy(rows, 0.7) == pytest.approx(4)


def test_corrections_that_are_not_there(table, tmp_path):
    table.write(tmp_path / "t.ecsv")
    found = read_corrections(tmp_path / "t.ecsv")
    with pytest.raises(CommandError, match="F090W"):
        rows_for(found, {"FILTER": "F090W"})
    rows = rows_for(found, {"FILTER": "F200W"})
    with pytest.raises(CommandError, match=r"from 2 to 8 pixels; 9 is not"):
        corrections_at(rows, np.array([9.0]))
    Table({"a": [1]}).write(tmp_path / "bad.csv")
    with pytest.raises(CommandError, match="radius and apcorr"):
        read_corrections(tmp_path / "bad.csv")
