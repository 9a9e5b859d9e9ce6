"""Proper motions against astropy's."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Distance, SkyCoord
from astropy.table import MaskedColumn, Table
from astropy.time import Time

from jviz.backend.catalogs.motion import at_epoch

SAMPLE = {"ra": [10.0, 359.9999999, 200.0], "dec": [-30.0, 89.9, 0.0],
          "pm": [(-120.0, 4000.0), (900.0, -50.0), (5.0, 7.0)]}  # fmt: skip


def catalogue(**more):
    pm = np.array(SAMPLE["pm"])
    return Table({"RA_ICRS": SAMPLE["ra"] * u.deg, "DE_ICRS": SAMPLE["dec"] * u.deg, "pmRA": pm[:, 0] * u.mas / u.yr,
                  "pmDE": pm[:, 1] * u.mas / u.yr, **more})  # fmt: skip


@pytest.mark.parametrize("epoch", [1991.25, 2023.4])
def test_positions_agree_with_astropy(epoch):
    table, moved = at_epoch(catalogue(), epoch)
    assert moved == 3
    far = SkyCoord(SAMPLE["ra"] * u.deg, SAMPLE["dec"] * u.deg, distance=Distance(np.full(3, 100.0), unit="pc"),
                   pm_ra_cosdec=[p[0] for p in SAMPLE["pm"]] * u.mas / u.yr,
                   pm_dec=[p[1] for p in SAMPLE["pm"]] * u.mas / u.yr, radial_velocity=np.zeros(3) * u.km / u.s,
                   obstime=Time(2016.0, format="jyear"))  # fmt: skip
    expected = far.apply_space_motion(new_obstime=Time(epoch, format="jyear"))
    found = SkyCoord(table["RA_ICRS"], table["DE_ICRS"])
    assert np.max(found.separation(expected).mas) < 0.01
    np.testing.assert_array_equal(table["RA_ICRS_at_source"], SAMPLE["ra"])


def test_rows_with_an_epoch_of_their_own_start_there_and_those_without_motion_stay():
    table = catalogue(ref_epoch=[2020.0, 2016.0, 2016.0] * u.yr)
    table["pmDE"] = MaskedColumn([4000.0, -50.0, 7.0], unit="mas/yr", mask=[False, False, True])
    moved, count = at_epoch(table, 2021.0)
    assert count == 2
    north = (moved["DE_ICRS"][0] - table["DE_ICRS"][0]) * 3600e3
    assert north == pytest.approx(4000.0, abs=0.01)  # one year, not five
    assert moved["DE_ICRS"][2] == 0.0


def test_a_table_without_motions_is_left_as_it_is():
    table = Table({"ra": [1.0], "dec": [2.0]})
    assert at_epoch(table, 2020.0) == (table, 0)
