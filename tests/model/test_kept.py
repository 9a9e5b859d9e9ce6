"""What is kept comes back equal, by its content, and nothing that is read runs."""

import json
import re

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.nddata import CCDData, InverseVariance, NDData, StdDevUncertainty
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from jviz import JvizError
from jviz.conversion import codec
from jviz.kept import folder, freeze, path_of, take_in, thaw
from tests.model.test_convert import wcs_of


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_dims=4)))
@settings(max_examples=50)
def test_arrays_come_back_bit_for_bit(array):
    back = thaw(freeze(array))
    assert (back.shape, back.dtype) == (array.shape, array.dtype)
    assert back.tobytes() == array.tobytes()


def test_equal_objects_are_stored_once():
    keys = {freeze(np.arange(10)) for _ in range(3)}
    assert len(keys) == 1
    assert [p.name for p in folder().iterdir()] == list(keys)


def test_quantities_masks_and_tables_come_back():
    length = thaw(freeze(3.25 * u.arcsec))
    assert length == 3.25 * u.arcsec
    assert isinstance(thaw(freeze(Angle(30 * u.deg))), Angle)
    masked = thaw(freeze(np.ma.masked_less([1.0, 2.0, 3.0], 2)))
    assert masked.mask.tolist() == [True, False, False]
    table = QTable({"x": [0.1, 1 / 3] * u.Jy, "n": [1, 2], "place": SkyCoord([1, 2] * u.deg, [3, 4] * u.deg)})
    back = thaw(freeze(table))
    assert isinstance(back, QTable)
    assert (back["x"] == table["x"]).all()
    assert back["place"][1].separation(table["place"][1]) < 1e-9 * u.arcsec
    assert type(thaw(freeze(Table({"a": [1]})))) is Table


def long_table(rows=3_000):
    rng = np.random.default_rng(5)
    table = QTable({
        "flux": rng.normal(size=rows) * u.Jy, "n": np.arange(rows, dtype=">i4"), "name": [f"s{n}" for n in range(rows)],
        "mag": MaskedColumn(rng.normal(size=rows), mask=rng.random(rows) < 0.1, description="bright", format="%.3f"),
        "good": np.arange(rows) % 2 == 0, "value": np.arange(rows) * u.m,
    }, meta={"asked": {"radius": [1, 2]}})  # fmt: skip
    table["flux"].info.description = "how bright"
    return table


@pytest.mark.parametrize("kind", [QTable, Table])
def test_long_tables_come_back_as_short_ones_do(kind, monkeypatch):
    table = kind(long_table())
    back = thaw(freeze(table))
    monkeypatch.setattr(codec, "LONG", 10**9)
    as_text = thaw(freeze(table))
    assert type(back) is type(as_text) is kind
    assert (back.colnames, back.meta) == (as_text.colnames, as_text.meta)
    for name in back.colnames:
        one, other = back[name], as_text[name]
        assert type(one) is type(other)
        assert (one.unit, one.dtype) == (other.unit, other.dtype)
        assert (one.info.description, one.info.format) == (other.info.description, other.info.format)
        np.testing.assert_array_equal(getattr(one, "mask", False), getattr(other, "mask", False))
        np.testing.assert_array_equal(one, other)


def test_a_long_table_is_stored_when_a_script_is_asked_for(session):
    table = long_table()
    session.add(table, name="stars")
    assert not folder().exists() or not list(folder().iterdir())
    table["flux"][0] = -99 * u.Jy  # the user's own goes on
    [key] = re.findall(r"thaw\('([^']*)'\)", session.script())
    back = thaw(key)
    assert len(back) == len(table)
    assert back["flux"][0] == long_table()["flux"][0]


def test_nddata_come_back_whole():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(5, 6)).astype(np.float32)
    ccd = CCDData(
        values,
        unit="Jy",
        uncertainty=InverseVariance(values**2),
        mask=values > 0,
        wcs=wcs_of(),
        meta={"OBJECT": "M 31"},
    )
    back = thaw(freeze(ccd))
    assert isinstance(back, CCDData)
    assert isinstance(back.uncertainty, InverseVariance)
    np.testing.assert_array_equal(back.data, values)
    np.testing.assert_array_equal(back.mask, values > 0)
    assert back.meta["OBJECT"] == "M 31"
    there = back.wcs.pixel_to_world_values(3.3, 1.7)
    np.testing.assert_array_equal(there, wcs_of().pixel_to_world_values(3.3, 1.7))
    assert thaw(freeze(NDData(values))).unit is None


def test_spectra_come_back():
    from specutils import SpectralRegion, Spectrum, SpectrumList

    axis = np.geomspace(1, 2, 30) * u.um
    spectrum = Spectrum(np.arange(30.0) * u.mJy, axis, uncertainty=StdDevUncertainty(np.ones(30)))
    back = thaw(freeze(spectrum))
    assert (back.flux == spectrum.flux).all()
    assert (back.spectral_axis == spectrum.spectral_axis).all()
    assert (back.uncertainty.array == 1).all()
    assert len(thaw(freeze(SpectrumList([spectrum, spectrum])))) == 2
    region = thaw(freeze(SpectralRegion([(1 * u.um, 2 * u.um), (3 * u.um, 4 * u.um)])))
    assert region.subregions[1][1] == 4 * u.um


def test_regions_come_back_to_the_last_digit():
    from regions import (
        CircleAnnulusPixelRegion,
        CircleSkyRegion,
        EllipsePixelRegion,
        PixCoord,
        PolygonPixelRegion,
        PolygonSkyRegion,
        RectangleSkyRegion,
        RegionMeta,
        Regions,
    )

    third = 1 / 3
    shapes = Regions([
        EllipsePixelRegion(PixCoord(third, 2), 3, 4.5, 12.3 * u.deg, meta=RegionMeta({"text": "core"})),
        CircleAnnulusPixelRegion(PixCoord(1, 2), 3, 4),
        PolygonPixelRegion(PixCoord([0, 1, third], [0, 2, 5])),
        CircleSkyRegion(SkyCoord(10 * u.deg, third * u.deg, frame="galactic"), 5 * u.arcsec),
        RectangleSkyRegion(SkyCoord(10 * u.deg, 20 * u.deg, frame="fk5", equinox="J1980"), 5 * u.arcsec, 1 * u.arcmin),
        PolygonSkyRegion(SkyCoord([1, 2, 3] * u.deg, [4, 5, 4] * u.deg)),
    ])  # fmt: skip
    back = thaw(freeze(shapes))
    for one, two in zip(shapes, back, strict=True):
        assert one == two
    assert back[0].meta["text"] == "core"
    both = shapes[0] & shapes[1]
    again = thaw(freeze(both))
    assert PixCoord(1.0, 2.0) in shapes[0]
    for place in (PixCoord(1, 2), PixCoord(1, 5.5), PixCoord(1.0, 3.2)):
        assert again.contains(place) == both.contains(place)


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(JvizError, match="cannot be kept"):
        freeze(object())
    with pytest.raises(JvizError, match="objects"):
        freeze(np.array([object()]))


@pytest.mark.parametrize("key", ["../../etc/passwd", "abc.npy", "0" * 64 + ".pkl", "", None, "0" * 64 + ".npy\n"])
def test_names_that_are_no_keys_lead_nowhere(key):
    with pytest.raises(JvizError, match="no key"):
        thaw(key)


def test_missing_and_changed_files_are_told():
    with pytest.raises(JvizError, match="not on this machine"):
        thaw("0" * 64 + ".npy")
    key = freeze(np.arange(5))
    path_of(key).write_bytes(b"something else")
    with pytest.raises(JvizError, match="changed on disk"):
        thaw(key)


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "evil.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    import hashlib

    key = hashlib.sha256(path.read_bytes()).hexdigest() + ".npy"
    with path.open("rb") as file:
        take_in(key, file)
    with pytest.raises(JvizError, match="cannot be read"):
        thaw(key)


def test_unknown_kinds_and_classes_are_refused():
    for content in ({"!": "os.system", "x": 1}, {"!": "region", "class": "os", "values": {}, "items": []}):
        from jviz.conversion.codec import decode

        with pytest.raises(JvizError):
            decode(json.loads(json.dumps(content)), [])


def test_bytes_that_a_key_does_not_name_are_not_taken_in(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"123")
    with path.open("rb") as file, pytest.raises(JvizError, match="damaged"):
        take_in("0" * 64 + ".npy", file)
    assert not list(folder().iterdir())
