"""Results of commands: what is kept, how it is said, and tables written to files."""

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table

import jviz
from jviz import commands
from jviz.commands import command
from jviz.errors import CommandError, JvizError
from jviz.results import as_table, entries, said


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def give():
    """Declare a command ``test.give`` that gives back a value, and ``test.give_later`` as a job."""
    commands.all_commands()

    @command("test.give", title="Give…")
    def give(value: object) -> object:
        """Give a value."""
        return value

    @command("test.give_later", title="Give Later…", job=True)
    def later(value: object) -> object:
        """Give a value, as a job."""
        return value

    yield
    for id in ("test.give", "test.give_later"):
        commands._commands.pop(id)


@pytest.fixture
def table():
    return QTable(
        {
            "id": [3, 1, 2],
            "flux": [1.5, np.nan, 2.5] * u.Jy,
            "name": ["c", "a", "b"],
            "place": SkyCoord([1, 2, 3] * u.deg, [4, 5, 6] * u.deg),
            "seen": MaskedColumn([1, 2, 3], mask=[False, True, False]),
        }
    )


@pytest.mark.parametrize("id", ["test.give", "test.give_later"])
@pytest.mark.parametrize("value", [3.5, 2 * u.Jy, "text", {"a": 1}, QTable({"a": [1, 2]}), np.float32(1)])
def test_values_are_returned_and_kept_with_their_line(session, give, id, value):
    heard = []
    session.results_changed.connect(lambda: heard.append(1))
    assert session.run(id, value=value) is value
    [result] = session.results
    assert result.value is value
    assert result.title.startswith("Give")
    assert f"session.run('{id}'" in result.line
    assert heard == [1]


@pytest.mark.parametrize("value", [None, True, "", {}, []])
def test_what_is_nothing_to_show_is_not_kept(session, give, value):
    session.run("test.give", value=value)
    assert not len(session.results)


def test_data_and_views_are_no_results(session):
    session.add(np.zeros((4, 5)), name="a")
    session.view("image", data="a")
    assert not len(session.results)


def test_the_oldest_go_when_there_are_too_many(session, give):
    for value in range(205):
        session.run("test.give", value=value)
    assert len(session.results) == 200
    assert session.results[-1].value == 204
    with pytest.raises(CommandError, match="no result 3"):
        session.results[3]


def test_large_tables_push_old_ones_out_but_never_themselves(session, give):
    for _ in range(3):
        session.run("test.give", value=np.zeros(20 << 20))
    assert [r.number for r in session.results] == [3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (2.5 * u.mJy, "2.5 mJy"),
        ({"flux": 12.3456 * u.Jy, "flux_err": 51.2 * u.mJy, "n": 7}, "flux 12.346 ± 0.051 Jy, n 7"),
        ({"z": 2.0, "z_err": 0.0996}, "z 2.00 ± 0.10"),
        ({"f": 1.2345e-17, "f_err": 2.5e-19}, "f (1.234 ± 0.025) × 10⁻¹⁷"),
        ({"f": 1234567.0, "f_err": 150.0}, "f 1234570 ± 150"),
        ({"f": 1.0, "f_err": math.nan}, "f 1 ± nan"),
        (QTable({"a": [1, 2, 3]}), "3 rows, 1 column"),
        ("two\nlines", "two lines"),
    ],
)
def test_values_are_said_with_the_digits_that_count(value, text):
    assert said(value) == text


def test_uncertainties_that_hang_on_a_quantity_are_told():
    value = 5.0 * u.Jy
    value.uncertainty = 30 * u.mJy
    assert said(value) == "5.000 ± 0.030 Jy"
    assert as_table(value)["value_err"].to_value(u.Jy) == pytest.approx([0.03])


def test_a_dict_becomes_a_row_with_units():
    table = as_table({"flux": 2 * u.Jy, "flux_err": 1 * u.Jy, "name": "x"})
    assert table["flux"].unit == u.Jy
    assert table.colnames == ["flux", "flux_err", "name"]
    assert entries({"flux": 2 * u.Jy, "flux_err": 1 * u.Jy}) == [("flux", "2.0 ± 1.0 Jy")]


def test_a_text_is_no_table():
    with pytest.raises(CommandError, match="no table"):
        as_table("words")


@pytest.mark.parametrize("suffix", ["ecsv", "fits", "vot", "csv", "tsv"])
def test_tables_are_written_in_every_format_and_open_again(session, table, tmp_path, suffix):
    path = tmp_path / f"stars.{suffix}"
    assert session.run("table.export", path=path, table=table) == path
    [data] = session.open(path)
    back = data.get(Table)
    np.testing.assert_array_equal(back["id"], [3, 1, 2])
    assert np.allclose(back["flux"], [1.5, np.nan, 2.5], equal_nan=True) or back["flux"].mask[1]
    if suffix in ("ecsv", "fits", "vot"):
        assert back["flux"].unit == u.Jy
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_last_result_is_exported_and_the_script_writes_the_same_rows(session, give, table, tmp_path):
    path = tmp_path / "out.ecsv"
    session.run("test.give", value=table)
    session.run("table.export", path=path)
    text = path.read_text()
    path.unlink()
    exec(compile(session.script(), "script", "exec"), {})
    assert path.read_text() == text


def test_a_bad_name_or_folder_changes_no_file(session, give, table, tmp_path):
    with pytest.raises(CommandError, match="no result to write"):
        session.run("table.export", path=tmp_path / "a.csv")
    session.run("test.give", value=table)
    with pytest.raises(CommandError, match=r"end it with \.ecsv"):
        session.run("table.export", path=tmp_path / "a.doc")
    with pytest.raises(JvizError, match="another folder"):
        session.run("table.export", path=tmp_path / "no" / "a.csv")
    assert not list(tmp_path.iterdir())


def test_a_table_that_a_format_cannot_hold_leaves_the_old_file(session, tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(b"old")
    odd = Table({"a": np.array([object(), object()])})
    with pytest.raises(CommandError, match="Choose ECSV"):
        session.run("table.export", path=path, table=odd)
    assert path.read_bytes() == b"old"
