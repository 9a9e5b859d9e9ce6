"""Commands on tables and other results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Catalog, Data
from jviz.errors import CommandError
from jviz.results import as_table
from jviz.running import Apply
from jviz.session import Session


@command("table.export", title="Export Table…", menu="File", job=True, icon="fa6s.file-export", group="save")
def export(
    session: Session,
    path: Path,
    data: Catalog | None = None,
    *,
    result: int | None = None,
    table: Any = None,
    progress: Progress,
) -> Apply:
    """Write a table to a file: ECSV, CSV, tab-separated text, FITS, VOTable or Parquet, as the end of its name says.

    Parameters
    ----------
    path : Path
        Ends with .ecsv, .csv, .tsv, .fits, .vot or .parquet.
    data : Catalog, optional
        A catalogue of the session; without it the last result is written.
    result : int, optional
        Number of a result in the Results panel.
    table : Table, optional
        For scripts: the table itself.

    Raises
    ------
    CommandError
        When there is no such table, or the format cannot hold it.
    """
    from jviz.backend.io.table_writer import write_table

    if table is None:
        table = _chosen(session, data, result)
    written = write_table(as_table(table), Path(path))
    # A script has the rows themselves: numbers of results differ where steps were taken back.
    recorded = {"path": written.absolute(), "result": None, "table": table if data is None else None}
    return Apply(lambda: written, f"Export {written.name}", recorded)


def _chosen(session: Session, data: Data | None, result: int | None) -> Any:
    if data is not None:
        return data.get(_qtable())
    if result is None and not len(session.results):
        raise CommandError("There is no result to write yet; measure something first, or name a catalogue.")
    return session.results[-1 if result is None else result].value


def _qtable() -> type:
    from astropy.table import QTable

    return QTable
