"""Tables as text of many hands: what was written comes back, whatever sets the columns apart."""

import numpy as np
import pytest

from jviz.backend.io.registry import open_products

RA, MAG = [150.25, 150.5, 151.125], [20.5, 21.75, 22.25]
TOPCAT = """Description: one of TOPCAT

+-------+---------+-------+-------+
| name  | ra      | mag   | good  |
+-------+---------+-------+-------+
| a | b | 150.25  | 20.5  | true  |
| src 2 | 150.5   |       | false |
| c     | 151.125 | 22.25 |       |
+-------+---------+-------+-------+
"""


def rows(separator, head="", comment=""):
    lines = [separator.join(f"{value}" for value in row) for row in zip(RA, MAG, strict=True)]
    return "\n".join([*([comment] if comment else []), *([head] if head else []), *lines]) + "\n"


@pytest.fixture
def read(tmp_path):
    def opened(name, text):
        (tmp_path / name).write_text(text)
        [product] = open_products(tmp_path / name)
        return product.load_object()

    return opened


def numbers(column):
    return np.ma.filled(np.ma.asarray(getattr(column, "value", column)).astype(float), np.nan)


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("a.csv", rows(","), ["col1", "col2"]),
        ("a.csv", rows(";"), ["col1", "col2"]),
        ("a.txt", rows("\t"), ["col1", "col2"]),
        ("a.csv", rows(",", "ra,mag", "# by hand, and so on\n# 2026"), ["ra", "mag"]),
        ("a.csv", rows(",", comment="# by hand\n# ra, mag"), ["ra", "mag"]),
        ("a.csv", rows(",", "ra,mag\n# deg, mag"), ["ra", "mag"]),
        ("a.txt", rows(";", "ra;mag"), ["ra", "mag"]),
        ("a.csv", rows(";", "ra;mag").replace(".", ","), ["ra", "mag"]),
        ("a.txt", rows("|", "ra|mag"), ["ra", "mag"]),
        ("a.csv", rows(",", "mag,mag"), ["mag", "mag_1"]),
        ("a.csv", rows(",", "ra,mag").replace("\n", ",\n"), ["ra", "mag"]),
        ("a.tst", rows("\t", "ra\tmag\n--\t---") + "[EOD]\n", ["ra", "mag"]),
        ("a.dat", rows("  "), ["col1", "col2"]),
    ],
)
def test_columns_are_found(read, name, text, columns):
    table = read(name, text)
    assert table.colnames == columns
    assert np.array_equal([numbers(table[name]) for name in columns], [RA, MAG])


@pytest.mark.parametrize("head", ["ra (deg),mag [uJy]", "ra,mag\ndeg,uJy", "ra,mag\n[deg],[uJy]"])
def test_units_are_taken_from_names_or_from_below_them(read, head):
    table = read("a.csv", rows(",", head))
    assert [str(table[name].unit) for name in ("ra", "mag")] == ["deg", "uJy"]


def test_a_magnitude_of_a_system_is_no_unit(read):
    assert read("a.csv", rows(",", "ra,mag(AB)")).colnames == ["ra", "mag(AB)"]


def test_topcat_draws_bars(read):
    table = read("a.txt", TOPCAT)
    assert list(table["name"]) == ["a | b", "src 2", "c"]
    assert np.array_equal(numbers(table["mag"]), [20.5, np.nan, 22.25], equal_nan=True)
    assert table["good"].dtype.kind == "b"
    assert list(table["good"].mask) == [False, False, True]


def test_ipac(read):
    head = "\\origin = 'here'\n|  name|    ra|\n|  char|double|\n|      |   deg|\n|      |  null|\n"
    table = read("a.ipac", head + "  src 1 150.25\n  src 2   null\n")
    assert str(table["ra"].unit) == "deg"
    assert np.array_equal(numbers(table["ra"]), [150.25, np.nan], equal_nan=True)


@pytest.mark.parametrize("word", ["", "--", "null", "N/A", "INDEF", "NaN", "****"])
def test_words_for_what_is_missing(read, word):
    table = read("a.csv", f"name,mag\nnull and void,20.5\nb,{word}\nc,22.25\n")
    assert np.array_equal(numbers(table["mag"]), [20.5, np.nan, 22.25], equal_nan=True)
    assert list(table["name"]) == ["null and void", "b", "c"]


def test_words_and_long_identifiers_stay(read):
    table = read("a.csv", "id,name\n9223372036854775812,7\n9223372036854775813,true\n9223372036854775814,x\n")
    assert list(table["id"]) == [f"92233720368547758{n}" for n in (12, 13, 14)]
    assert list(table["name"]) == ["7", "true", "x"]


def test_a_row_with_too_many_values_is_told(read):
    from jviz.errors import ReadError

    with pytest.raises(ReadError, match=r"a\.csv cannot be read"):
        read("a.csv", rows(",", "ra,mag") * 4 + "1,2,3\n")


def test_a_long_text_is_read_piece_by_piece_as_in_one(read, monkeypatch):
    from jviz.backend.io import text_tables

    monkeypatch.setattr(text_tables, "_LONG", 1_000)
    monkeypatch.setattr(text_tables, "_PIECE", 1_000)
    monkeypatch.setattr(text_tables, "_AT_ONCE", 100)
    n = np.arange(2_000)
    number = np.where(n % 7 == 0, "", np.where(n < 1_500, n, n + 0.5).astype(str))
    late = np.where(n < 1_800, n.astype(str), "none so far")
    empty = np.where(n < 900, "", n.astype(str))
    good = np.where(n % 5 == 0, "null", np.where(n % 2, "true", "false"))
    lines = [",".join(row) for row in zip(n.astype(str), number, late, empty, good, strict=True)]
    for columns in ((0, 1, 3, 4), (0, 1, 2, 3, 4)):  # the third is one of numbers at first: all is read in one
        names = np.array(["n", "number", "late", "empty", "good"])[list(columns)]
        rows = [",".join(np.array(line.split(","))[list(columns)]) for line in lines]
        table = read("a.csv", "\n".join([",".join(names), *rows]) + "\n")
        assert np.array_equal(table["n"], n)
        assert np.array_equal(numbers(table["number"]), np.where(n % 7 == 0, np.nan, np.where(n < 1_500, n, n + 0.5)),
                              equal_nan=True)  # fmt: skip
        assert np.array_equal(numbers(table["empty"]), np.where(n < 900, np.nan, n), equal_nan=True)
        assert table["good"].dtype.kind == "b"
        assert np.array_equal(table["good"].mask, n % 5 == 0)
        assert np.array_equal(np.asarray(table["good"])[n % 5 != 0], (n % 2 == 1)[n % 5 != 0])
        if "late" in names:
            assert np.array_equal(table["late"], late)


@pytest.mark.parametrize("separator", [",", ";", "\t", "  "])
def test_names_of_digits_keep_their_zeros_and_hours_and_numbers_stay_numbers(read, separator):
    lines = ("id hour n flux", "007 05 3 1.5", "012 11 400 2.0", "100 00 5 0.5")
    table = read("a.txt", "\n".join(separator.join(line.split()) for line in lines) + "\n")
    assert list(table["id"]) == ["007", "012", "100"]
    assert list(table["hour"]) == [5, 11, 0]
    assert list(table["n"]) == [3, 400, 5]
    assert table["flux"].dtype.kind == "f"


def test_zeros_of_names_are_kept_wherever_in_a_long_table_they_are(read, monkeypatch):
    from jviz.backend.io import text_tables

    monkeypatch.setattr(text_tables, "_LONG", 1_000)
    monkeypatch.setattr(text_tables, "_PIECE", 300)
    names = [str(n) for n in range(1_000, 1_300)] + [f"{n:04d}" for n in range(40)]
    table = read("a.csv", "\n".join(["id,n", *(f"{name},{at}" for at, name in enumerate(names))]) + "\n")
    assert list(table["id"]) == names
    assert np.array_equal(table["n"], np.arange(len(names)))
