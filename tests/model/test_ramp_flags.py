"""Flags of ramps (PIXELDQ, GROUPDQ) and of masks whose bits nobody names."""

import numpy as np
import pytest
from astropy.io import fits
from regions import PixCoord, RectanglePixelRegion

from jviz.flags import flag_counts, flags_plane, flags_raster, known_flags, matching, slice_of


@pytest.fixture
def ramp(session, tmp_path):
    """A ramp of 2 integrations and 3 groups: a dead pixel throughout, a jump in one group of one integration."""
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "RampModel"})
    pixel, group = np.zeros((40, 50), np.uint32), np.zeros((2, 3, 40, 50), np.uint8)
    pixel[7, 9] = 1 | 1 << 10
    group[1, 2, 20, 30] = 4
    group[0, 1, 5:8, 3] = 2
    units = [primary, fits.ImageHDU(np.ones((2, 3, 40, 50), "f4"), name="SCI"),
             fits.ImageHDU(pixel, name="PIXELDQ"), fits.ImageHDU(group, name="GROUPDQ")]  # fmt: skip
    path = tmp_path / "made_ramp.fits"
    fits.HDUList(units).writeto(path)
    return session.open(path, show=False)[0]


def names_set(data, layer):
    counts = flag_counts(layer)
    return {flag.name: int(counts[flag.bit]) for flag in known_flags(data) if counts[flag.bit]}


def test_flags_of_a_ramp_are_those_of_the_pixel_and_of_the_group_that_is_shown(session, ramp):
    view = session.view("image", data=ramp)
    layer = view.layers[0]
    assert flags_plane(layer).name == "PIXELDQ and GROUPDQ"
    throughout = {"DO_NOT_USE": 1, "DEAD": 1}
    for index, more in (((0, 0), {}), ((1, 2), {"JUMP_DET": 1}), ((0, 1), {"SATURATED": 3})):
        layer.index = index
        assert slice_of(layer, flags_plane(layer)) == index
        assert names_set(ramp, layer) == throughout | more
        drawn = flags_raster(layer)
        assert drawn.value(9, 7) == 1 | 1 << 10
        assert drawn.value(30, 20) == (4 if index == (1, 2) else 0)
    assert list(ramp.planes) == ["SCI", "PIXELDQ", "GROUPDQ", "DIFFERENCE"]


def test_statistics_of_a_group_leave_its_own_jumps_out(session, ramp):
    region = RectanglePixelRegion(PixCoord(30, 20), 3, 3)
    for index, n in (((1, 2), 8), ((0, 0), 9)):
        table = session.run("region.statistics", data=ramp, region=region, index=index, exclude_flags="JUMP_DET")
        assert table["n_pixels"][0] == n


def test_pixel_flags_alone_are_those_of_every_group(session, ramp):
    view = session.view("image", data=ramp)
    layer = view.layers[0]
    layer.plane = "PIXELDQ"
    assert slice_of(layer, flags_plane(layer)) == ()
    assert names_set(ramp, layer) == {"DO_NOT_USE": 1, "DEAD": 1}


def test_group_flags_are_of_the_group_that_is_shown(session, ramp):
    view = session.view("image", data=ramp)
    layer = view.layers[0]
    layer.plane = "GROUPDQ"
    found = {}
    for index in np.ndindex(2, 3):
        layer.index = index
        found[index] = names_set(ramp, layer)
    assert found.pop((1, 2)) == {"JUMP_DET": 1}
    assert found.pop((0, 1)) == {"SATURATED": 3}
    assert not any(found.values())


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4"])
def test_bits_without_names_are_counted_found_and_made_subsets(session, tmp_path, kind):
    mask = np.zeros((30, 40), kind)
    top = 8 * np.dtype(kind).itemsize - (2 if kind[0] == "i" else 1)
    mask[3, 4], mask[10:12, 5] = 1 << top, 5
    units = [fits.PrimaryHDU(), fits.ImageHDU(np.ones(mask.shape, "f4"), name="SCI"), fits.ImageHDU(mask, name="MASK")]
    fits.HDUList(units).writeto(tmp_path / "masked.fits")
    [data] = session.open(tmp_path / "masked.fits", show=False)
    view = session.view("image", data=data)
    assert names_set(data, view.layers[0]) == {"bit 0": 2, "bit 2": 2, f"bit {top}": 1}
    subset = session.run("dq.subset", flags="bit 2", view=view)
    assert np.array_equal(subset.region, mask == 5)
    session.run("dq.exclude", flags=[f"bit {top}"], view=view)
    assert view.exclude_flags == (f"bit {top}",)


@pytest.mark.parametrize("match", ["any", "all", "exact", "none"])
def test_ways_of_matching_bit_by_bit(match):
    values, bits = np.arange(-8, 64), 0b1010
    own = [{bit for bit in range(32) if value >> bit & 1} for value in values.tolist()]
    wanted = {1, 3}
    law = {"any": lambda s: bool(s & wanted), "all": lambda s: s >= wanted, "exact": lambda s: s == wanted,
           "none": lambda s: not s & wanted}[match]  # fmt: skip
    assert matching(values, bits, match).tolist() == [law(one) for one in own]
