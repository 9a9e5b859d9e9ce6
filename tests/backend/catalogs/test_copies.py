"""A copy of a table made in steps is the copy that astropy makes."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time

from jviz.backend.catalogs import copies
from jviz.backend.catalogs.copies import copied

ROWS = 60_000


@pytest.fixture
def table():
    draw = np.random.default_rng(7)
    numbers = np.arange(ROWS)
    names = np.char.add("POLYGON 53.1 -27.8 ", numbers.astype(str))
    return Table({
        "name": Column(names, description="of the field", meta={"ucd": "meta.id"}),
        "region": MaskedColumn(names[::-1].copy(), mask=draw.uniform(size=ROWS) < 0.1, fill_value="none"),
        "code": Column(names.astype(bytes)),
        "flux": Column(draw.normal(size=ROWS), unit="Jy", format=".3f"),
        "pair": draw.normal(size=(ROWS, 2)),
        "start": Time(59800 + numbers / 1000, format="mjd"),
        "sky": SkyCoord(draw.uniform(0, 360, ROWS), draw.uniform(-80, 80, ROWS), unit="deg"),
    }, meta={"about": ["kept"]})  # fmt: skip


@pytest.mark.parametrize("kind", [None, QTable], ids=["the same kind", "QTable"])
def test_all_is_the_same_as_in_the_copy_of_astropy(table, kind):
    assert table["name"].nbytes > 2 * copies.STEP  # so that it takes several steps
    found, wanted = copied(table, kind), (kind or Table)(table, copy=True)
    assert type(found) is type(wanted)
    assert found.colnames == wanted.colnames
    assert found.meta == wanted.meta
    for name in wanted.colnames:
        assert type(found[name]) is type(wanted[name])
        assert np.all(found[name] == wanted[name]) or name == "region"
        assert found[name].info.description == wanted[name].info.description
        assert found[name].info.meta == wanted[name].info.meta
        assert found[name].info.format == wanted[name].info.format
        assert getattr(found[name], "unit", None) == getattr(wanted[name], "unit", None)
    np.testing.assert_array_equal(found["region"].mask, wanted["region"].mask)
    np.testing.assert_array_equal(found["region"].filled("x"), wanted["region"].filled("x"))
    assert found["region"].fill_value == wanted["region"].fill_value


def test_nothing_is_shared(table):
    found, before = copied(table), table.copy()
    for name in ("name", "region", "code", "flux", "pair"):
        found[name][:] = found[name][5]
    found["region"].mask[:] = True
    found["name"].meta["ucd"] = found["flux"].format = ""
    found.meta["about"].append("changed")
    for name in ("name", "code", "flux", "pair"):
        np.testing.assert_array_equal(table[name], before[name])
    np.testing.assert_array_equal(table["region"].mask, before["region"].mask)
    np.testing.assert_array_equal(table["region"].filled("x"), before["region"].filled("x"))
    assert (table.meta, table["name"].meta, table["flux"].format) == (before.meta, {"ucd": "meta.id"}, ".3f")


def test_groups_and_indices_come_along(table):
    table["half"] = np.arange(ROWS) % 2
    table.add_index("name")
    assert len(copied(table).indices) == 1
    assert len(copied(table.group_by("half")).groups) == 2
