"""Parquet tables: units, masks, places and times are written and read back; those of others keep their sense."""

from __future__ import annotations

import datetime
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable
from astropy.time import Time

from jviz.backend.io.registry import open_products
from jviz.backend.io.table_writer import write_table
from jviz.errors import CommandError, ReadError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def read(path):
    [product] = open_products(path)
    assert product.kind == "catalog"
    return product.load_object()


def test_what_jviz_writes_reads_back(tmp_path):
    table = QTable({"id": np.arange(3), "flux": [1, np.nan, 3] * u.Jy, "name": ["a", "é", ""]})
    table["number"] = MaskedColumn([1, 2, 3], mask=[True, False, False])
    table["cells"] = np.arange(6.0).reshape(3, 2) * u.mm
    table["place"] = SkyCoord([1, 2, 3], [4, 5, 6], unit="deg")
    table["time"] = Time([2450000.0, 2450001.5, 2450002.0], format="jd")
    table["flux"].info.description = "of the whole"
    table.meta["origin"] = "here"
    write_table(table, tmp_path / "t.parquet")
    back = read(tmp_path / "t.parquet")
    assert back.colnames == table.colnames
    np.testing.assert_array_equal(back["flux"].to_value("Jy"), [1, np.nan, 3])
    assert back["flux"].info.description == "of the whole"
    assert list(back["name"]) == ["a", "é", ""]
    assert list(back["number"].mask) == [True, False, False]
    np.testing.assert_array_equal(back["cells"].to_value("mm"), [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_allclose(back["place"].dec.deg, [4, 5, 6])
    np.testing.assert_array_equal(back["time"].jd, table["time"].jd)
    assert back.meta["origin"] == "here"


def test_tables_of_other_programs(tmp_path):
    day = datetime.datetime(2024, 1, 1, 12)
    fields = [
        pa.field("flux", pa.float32(), metadata={"unit": "mJy", "description": "in the aperture"}),
        pa.field("whole", pa.int64()),
        pa.field("star", pa.bool_()),
        pa.field("name", pa.string()),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
        pa.field("at", pa.timestamp("ms")),
        pa.field("pair", pa.list_(pa.float64())),
        pa.field("ragged", pa.list_(pa.int32())),
        pa.field("price", pa.decimal128(5, 2)),
        pa.field("nested", pa.struct([("a", pa.int16())])),
        pa.field("nothing", pa.null()),
    ]
    rows = [
        {"flux": 1.5, "whole": 2**60, "star": True, "name": "x", "kind": "gal", "at": day, "pair": [1, 2],
         "ragged": [1], "price": 1, "nested": {"a": 7}},
        {"pair": [3, 4], "ragged": [1, 2]},
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert table["flux"].unit == u.mJy
    assert table["flux"].info.description == "in the aperture"
    assert np.isnan(table["flux"][1])
    # 2**60 + 0 survives only as an integer: what is missing is masked and the column not made of floats.
    assert table["whole"][0] == 2**60
    for name in ("whole", "star", "name", "kind", "nested.a", "nothing"):
        assert table[name].mask[1], name
    assert table["kind"][0] == "gal"
    assert table["at"][0].isot == "2024-01-01T12:00:00.000"
    assert table["at"].mask[1]
    assert table["pair"].shape == (2, 2)
    assert [len(cell) for cell in table["ragged"]] == [1, 2]
    assert table["price"][0] == 1.0
    assert table["nested.a"][0] == 7


def test_an_empty_table_is_one(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.float64()), "s": pa.array([], pa.string())}), tmp_path / "t.parquet")
    assert len(read(tmp_path / "t.parquet")) == 0


def test_without_pyarrow_it_is_named(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    write_table(QTable({"a": [1]}), path)
    before = path.read_bytes()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReadError, match=r"t\.parquet .* pip install pyarrow"):
        open_products(path)
    with pytest.raises(CommandError, match="pip install pyarrow"):
        write_table(QTable({"a": [2]}), path)
    assert path.read_bytes() == before


def test_what_parquet_cannot_hold_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"more than one axis in v\. Choose ECSV"):
        write_table(QTable({"v": np.ones((3, 2, 2))}), tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []
