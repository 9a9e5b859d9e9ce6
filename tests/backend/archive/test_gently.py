"""JSON read and written in small steps is the same JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.archive.answers import keep, kept, packed_table, unpacked_table
from jviz.backend.archive.apart import as_json, from_json
from jviz.backend.archive.gently import PIECE, loads, packed, unpacked
from jviz.backend.archive.table_files import read_table, write_table
from jviz.backend.library.catalogue import Library

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("data"), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_any_json_is_read_as_it_is(value, indent):
    text = json.dumps(value, indent=indent)
    assert loads(text) == value


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=6), VALUES, st.sampled_from([None, 2]))
def test_replies_of_many_rows_are_read_as_they_are(rows, other, indent):
    for reply in ({"status": "COMPLETE", "data": rows, "other": other}, {"other": other, "data": rows}):
        assert loads(json.dumps(reply, indent=indent)) == reply


@pytest.mark.parametrize(
    "text",
    ['{"data": [{"a": 1}, ', '{"data": [{"a": 1}', '{"data": [', "<html>", "", '{"data": [1 2', '{"data": [1]'],
)
def test_what_is_none_is_refused(text):
    with pytest.raises(json.JSONDecodeError):
        loads(text)


def test_words_within_texts_are_no_rows():
    reply = {"msg": 'say "data": [1, 2] and \\"data\\": [3]', "data": [{"a": '"data": ['}], "n": 2}
    assert loads(json.dumps(reply)) == reply


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=20))
def test_lines_come_back(lines):
    assert list(unpacked(packed(lines))) == lines


def test_long_lines_come_back():
    lines = ["x" * (3 * PIECE), "", "é" * PIECE, "end"]
    assert list(unpacked(packed(lines))) == lines


def drawn(rows):
    draw = np.random.default_rng(rows)
    table = Table({"name": [f"é {n}" for n in range(rows)] or np.array([], "U1"), "ra": draw.uniform(0, 360, rows),
                   "level": draw.integers(-1, 4, rows), "moving": draw.random(rows) > 0.5})  # fmt: skip
    table["ra"].unit, table["ra"].description = "deg", "Right ascension"
    table["flux"] = MaskedColumn(draw.normal(size=rows), mask=draw.random(rows) > 0.5)
    if rows:
        table["flux"][0] = np.nan
    return table


def check_same(found, table):
    assert found.colnames == table.colnames
    for name in table.colnames:
        was, column = table[name], found[name]
        assert (column.dtype, column.unit, column.description) == (was.dtype, was.unit, was.description)
        assert np.array_equal(np.ma.getmaskarray(column), np.ma.getmaskarray(was))
        there = ~np.ma.getmaskarray(was)
        same = {"equal_nan": True} if was.dtype.kind == "f" else {}
        assert np.array_equal(np.asarray(column)[there], np.asarray(was)[there], **same)


@pytest.mark.parametrize("rows", [0, 1, 999, 1000, 2500])
def test_answers_are_kept_as_they_were(tmp_path, rows):
    table, library = drawn(rows), Library(tmp_path / "library.sqlite")
    keep(library, {"q": rows}, packed_table(table), 7)
    found = kept(library, {"q": rows})
    library.close()
    assert found.total == 7
    check_same(unpacked_table(found.content), table)


@pytest.mark.parametrize("rows", [0, 1, 2500])
def test_tables_in_files_are_as_they_were(tmp_path, rows):
    table = drawn(rows)
    table["pair"] = np.arange(2.0 * rows).reshape(rows, 2)
    table["ra"].format = "%.6f"
    write_table(table, tmp_path / "rows")
    found = read_table(tmp_path / "rows")
    check_same(found, table)
    assert found["ra"].format == "%.6f"


def test_what_is_no_plain_value_becomes_a_text(tmp_path):
    write_table(Table({"who": np.array([None, 3, "x"], object)}), tmp_path / "rows")
    assert read_table(tmp_path / "rows")["who"].tolist() == ["None", "3", "x"]


QUESTIONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    | st.lists(inner, max_size=4).map(tuple),
    max_leaves=20,
)  # fmt: skip


@given(QUESTIONS)
def test_questions_reach_another_process_as_they_are(value):
    found = from_json(json.loads(json.dumps(as_json(value))))
    assert found == value
    assert type(found) is type(value)


def test_numbers_of_numpy_reach_another_process():
    assert from_json(as_json({"exposure_time": (np.float64(1.5), np.int32(2))})) == {"exposure_time": (1.5, 2)}
