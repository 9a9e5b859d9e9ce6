"""Long names are shortened where they are alike."""

import pytest

from jviz.short_names import told_apart

EXPOSURES = [f"jw09999001001_02101_0000{n}_nrcb1_uncal" for n in (1, 2)]
MOSAIC = "jw09999-o001_t001_nircam_clear-f200w-sub160_i2d"


def test_exposures_are_told_apart_by_what_follows_the_beginning_that_they_share():
    assert told_apart([*EXPOSURES, MOSAIC, "m51"]) == {
        EXPOSURES[0]: "…00001_nrcb1_uncal", EXPOSURES[1]: "…00002_nrcb1_uncal", MOSAIC: MOSAIC, "m51": "m51",
    }  # fmt: skip


def test_what_is_left_can_be_read():
    names = [f"a_long_name_of_something_{n}" for n in (1, 2)]
    assert told_apart(names)[names[0]] == "…something_1"


@pytest.mark.parametrize(
    "names",
    [
        ["ngc0628_miri_lvl3_f770w_i2d_anchor", "ngc1566_miri_lvl3_f770w_i2d_anchor"],  # they differ at the beginning
        ["simulated_galaxy_s3d", "simulated_galaxy_s2d"],  # short
        ["fields_of_m51_A_nircam_i2d", "fields_of_m51_B_nircam_i2d", "fields_of_m83_A_nircam_i2d",
         "fields_of_m83_B_nircam_i2d"],  # the rest alone would be the same
        ["jw09999001001_02101_00001_nrcb1_uncal"], [],
    ],
)  # fmt: skip
def test_names_stay_whole_where_nothing_is_gained(names):
    assert told_apart(names)[names[-1]] == names[-1] if names else told_apart(names) == {}
    assert len(set(told_apart(names).values())) == len(names)
