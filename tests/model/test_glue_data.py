"""glue sees the data of a session: the same numbers, read part by part, in step."""

import gc
import weakref

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable

import jviz
from tests.model.test_convert import wcs_of

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / "field.fits"
    values = np.random.default_rng(1).normal(10, 2, (40, 50)).astype(np.float32)
    header = wcs_of(50, 40).to_header()
    header["BUNIT"] = "MJy/sr"
    units = [fits.PrimaryHDU(), fits.ImageHDU(values, header, "SCI"), fits.ImageHDU(values / 10, name="ERR")]
    fits.HDUList(units).writeto(path)
    return path


def component(data, name):
    return next(c for c in data.components if c.label == name)


def test_glue_has_the_numbers_units_and_coordinates(session, image_file):
    [image] = session.open(image_file)
    data = image.glue
    assert data is image.glue
    assert data.label == "field"
    assert data.shape == (40, 50)
    sci = component(data, "SCI")
    assert data.get_component(sci).units == "MJy/sr"
    with fits.open(image_file) as units:
        np.testing.assert_array_equal(data[sci], units["SCI"].data)
        np.testing.assert_array_equal(data.get_data(sci, (slice(3, 9), 7)), units["SCI"].data[3:9, 7])
        np.testing.assert_array_equal(data[component(data, "ERR")], units["ERR"].data)
        assert data.compute_statistic("mean", sci) == pytest.approx(units["SCI"].data.mean(dtype=float))
    ra = data.get_data(data.world_component_ids[1], (slice(2, 3), slice(4, 5)))
    assert ra.item() == pytest.approx(wcs_of(50, 40).pixel_to_world_values(4, 2)[0])
    assert data.meta["EXTNAME"] == "SCI"


def test_only_the_part_that_is_asked_for_is_read(session):
    array = np.arange(60.0).reshape(3, 4, 5)
    data = session.add(array, name="cube").glue
    part = data.get_data(component(data, "DATA"), (1, slice(None), slice(2)))
    np.testing.assert_array_equal(part, array[1, :, :2])
    assert np.shares_memory(part, array)


def test_the_collection_keeps_in_step(session, image_file):
    collection = session.glue
    assert len(collection) == 0
    session.open(image_file)
    session.add(np.ones((3, 3)), name="made")
    assert [d.label for d in collection] == ["field", "made"]
    session.run("data.rename", data="made", name="other")
    assert [d.label for d in collection] == ["field", "other"]
    session.run("data.remove", data="field")
    assert [d.label for d in collection] == ["other"]
    while session.undo():
        pass
    assert len(collection) == 0
    session.redo()
    assert [d.label for d in collection] == ["field"]
    assert session.glue is collection


def test_tables_become_columns_of_numbers_and_texts(session):
    table = QTable(
        {
            "flux": [1.0, 2.5] * u.Jy,
            "label": ["a", "b"],
            "n": np.array([1, 2], ">i4"),
            "place": SkyCoord([10, 20] * u.deg, [-5, 5] * u.deg),
            "vector": np.ones((2, 3)),
        }
    )
    data = session.add(table, name="stars").glue
    assert [c.label for c in data.main_components] == ["flux", "label", "n", "place.lon", "place.lat"]
    assert data.get_component(component(data, "flux")).units == "Jy"
    np.testing.assert_array_equal(data[component(data, "place.lat")], [-5, 5])
    assert list(data[component(data, "label")]) == ["a", "b"]


def test_subsets_select_the_same_pixels_and_masks_are_not_kept(session, image_file):
    [image] = session.open(image_file)
    data = session.glue[0]
    sci = component(data, "SCI")
    values = image.get(np.ndarray)
    state = (sci > 10) & (sci < 12)
    mask = data.get_mask(state)
    np.testing.assert_array_equal(mask, (values > 10) & (values < 12))
    kept = weakref.ref(mask)
    del mask
    gc.collect()
    assert kept() is None
    group = session.glue.new_subset_group("bright", sci > 12)
    np.testing.assert_array_equal(group.subsets[0].to_mask(), values > 12)


def test_a_session_and_its_glue_go_together():
    session = jviz.Session(settings={})
    data = session.add(np.ones((3, 3)), name="made")
    assert len(session.glue) == 1
    gone = [weakref.ref(session), weakref.ref(data), weakref.ref(data.glue)]
    session.close()
    del data, session
    gc.collect()
    gc.collect()  # what only the session kept goes after it
    assert [ref() for ref in gone] == [None, None, None]


@pytest.mark.parametrize(
    "name",
    [
        "jw01288016001_34101_00002_mirimage_i2d.fits",
        "muse_udf_subcube.fits",
        "jw01019_gs_acq1_uncal.fits",
        "ngc1097_jwst_F405N_cat.fits",
        "jw02565007001_03101_00002_nrs2_x1d.fits",
    ],
)
def test_real_files_have_the_same_numbers_in_glue(session, shared_data, name):
    [*opened] = session.open(shared_data / name)
    data = opened[0].glue
    first = data.main_components[0]
    values = opened[0].get(np.ndarray)
    values = values[values.dtype.names[0]] if values.dtype.names else values
    np.testing.assert_array_equal(data[first], values)
