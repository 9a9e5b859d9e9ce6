"""Bits and names, against values published by the missions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.dq import DIALECTS, describe_flags, flag_bits, flag_names
from jviz.errors import CommandError

# from the tables of the JWST pipeline documentation and the HST data handbooks, as values, not bits
PUBLISHED = {
    "jwst": {
        1: "DO_NOT_USE", 2: "SATURATED", 4: "JUMP_DET", 8: "DROPOUT", 16: "OUTLIER", 128: "CHARGELOSS",
        512: "NON_SCIENCE", 1024: "DEAD", 2048: "HOT", 4096: "WARM", 32768: "TELEGRAPH", 262144: "NO_FLAT_FIELD",
        1048576: "NO_LIN_CORR", 67108864: "OPEN", 134217728: "ADJ_OPEN", 268435456: "FLUX_ESTIMATED",
        536870912: "MSA_FAILED_OPEN", 1073741824: "OTHER_BAD_PIXEL", 2147483648: "REFERENCE_PIXEL",
    },
    "roman": {16: "GW_AFFECTED_DATA", 128: "OUTLIER", 2147483648: "REFERENCE_PIXEL", 16384: "bit 14"},
    "hst-acs": {16: "HOT", 256: "SATURATED", 2048: "ATODSAT", 8192: "CRREJ"},
    "hst-wfc3-uvis": {64: "WARM", 256: "SATURATED", 4096: "CRDRIZ"},
    "hst-wfc3-ir": {8: "BADZERO", 32: "UNSTABLE", 8192: "CRHIT"},
    "hst-stis": {128: "OVERSCAN", 1024: "SMALLBLEM", 8192: "CRREJ"},
    "hst-cos": {4: "SHADOW", 64: "BURST", 8192: "GAINSAG"},
    "hst-wfpc2": {8: "ATODSAT", 64: "bit 6", 1024: "REPAIRED"},
    "hst-nicmos": {16: "GROT", 64: "SATURATED", 512: "CRHIT"},
}  # fmt: skip


@pytest.mark.parametrize("dialect", PUBLISHED)
def test_published_values(dialect):
    for value, name in PUBLISHED[dialect].items():
        assert flag_names(value, dialect) == [name]


def test_jwst_names_all_of_its_bits():
    names = flag_names(0xFFFFFFFF, "jwst")
    assert len(names) == len(set(names)) == 32
    assert not any(name.startswith("bit") for name in names)


def test_names_within_a_dialect_are_unique_and_described():
    for dialect, flags in DIALECTS.items():
        assert len({name for name, _ in flags.values()}) == len(flags), dialect
        assert all(description and 0 <= bit < 32 for bit, (_, description) in flags.items())


def test_an_example_of_the_documentation():
    assert flag_names(1049603, "jwst") == ["DO_NOT_USE", "SATURATED", "DEAD", "NO_LIN_CORR"]


@given(st.integers(0, 2**64 - 1), st.sampled_from(sorted(DIALECTS)))
def test_each_bit_gives_one_name(value, dialect):
    assert len(flag_names(value, dialect)) == len(describe_flags(value, dialect)) == value.bit_count()


@pytest.mark.parametrize("dialect", ["generic", "", "unheard of"])
def test_without_a_dialect_bits_are_counted(dialect):
    assert flag_names(0b1000000000010, dialect) == ["bit 1", "bit 12"]


def test_numpy_values_and_signed_words():
    assert flag_names(np.uint32(2147483648), "jwst") == ["REFERENCE_PIXEL"]
    assert flag_names(np.int32(-2147483648), "jwst") == ["REFERENCE_PIXEL"]
    assert flag_names(0, "jwst") == []


def test_flags_are_given_by_name_by_bit_or_by_value():
    assert flag_bits("SATURATED, jump_det", "jwst") == 6
    assert flag_bits(["bit 3", 16, np.int64(1)], "jwst") == 25
    assert flag_bits(None) == flag_bits("none") == flag_bits([]) == 0
    with pytest.raises(CommandError, match="did you mean SATURATED"):
        flag_bits("SATURATE", "jwst")
    with pytest.raises(CommandError, match="name bits as 'bit 3'"):
        flag_bits("HOT")
