"""Rows of tables that other programs have too: what is selected in one is selected in all, without going round."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from jviz.catalogs import selection_name
from jviz.data import Catalog, Data
from jviz.errors import JvizError

__all__ = ["Shared", "SharedRows"]

MOST = 200_000
"""Rows of which a selection is told; each is a text of its own in the protocol."""


@dataclass(eq=False)
class Shared:
    """A catalogue that other programs have too.

    Attributes
    ----------
    data : Catalog
    url : str
        Where it lies, as messages say.
    sent : dict
        What it is called in messages, with the ids of the programs that got it by that name. A program that gets a
        table anew has to hear of another one: TOPCAT refuses names that it has.
    subset : object
        The selection of which the others know, or which they asked for.
    """

    data: Data
    url: str
    sent: dict[str, set[str]]
    subset: Any = None

    def name_for(self, partners: Iterable[str]) -> str:
        """Return what the catalogue is called when it is sent to programs, a name that none of them has."""
        new = set(partners)
        name = next((one for one, had in self.sent.items() if not had & new), "") or f"jviz-{uuid.uuid4()}"
        self.sent.setdefault(name, set()).update(new)
        return name


class SharedRows:
    """Tells other programs which rows are selected here, and selects those that are selected there.

    A selection that came from outside is remembered as known, so that it is not told again; and one that is here
    already changes nothing.
    """

    def __init__(self, session: Any, link: Any) -> None:
        self._session, self._link = session, link
        self._shared: list[Shared] = []
        session.subsets_changed.connect(self._look)

    def share(self, data: Data, url: str, sent: Mapping[str, set[str]] = MappingProxyType({})) -> Shared:
        """Take note that others have a catalogue by a name (see `Shared.sent`), or are to get it."""
        known = self.of(data)
        if known is None:
            known = Shared(data, url, dict(sent), self._subset(data))
            self._shared.append(known)
        return known

    def of(self, data: Data) -> Shared | None:
        """Return how a catalogue is known to others, None when it is not."""
        self._shared = [one for one in self._shared if one.data in self._session.data or one.data is data]
        return next((one for one in self._shared if one.data is data), None)

    def _named(self, id: str, url: str) -> Shared | None:
        here = [one for one in self._shared if one.data in self._session.data]
        by_id = next((one for one in reversed(here) if id and id in one.sent), None)
        return by_id or next((one for one in reversed(here) if url and one.url == url), None)

    def _subset(self, data: Data) -> Any:
        found = self._session.subsets.get(selection_name(data))
        return found if found is not None and found.data is data else None

    # --- from here ------------------------------------------------------------------------------

    def _look(self) -> None:
        if not self._shared or not self._link.connected or not self._session.settings["samp.link_rows"]:
            return
        for one in self._shared:
            subset = self._subset(one.data)
            if subset is one.subset or one.data not in self._session.data:
                continue
            before, one.subset = _rows(one.subset), subset
            rows = _rows(subset)
            if not np.array_equal(before, rows) and len(rows) <= MOST:
                self.tell(one, rows)

    def tell(self, one: Shared, rows: np.ndarray, to: str = "", *, mtype: str = "") -> None:
        """Tell one program (by its id) or all which rows are meant; a single one is pointed at by default."""
        mtype = mtype or ("table.highlight.row" if len(rows) == 1 else "table.select.rowList")

        def params(name: str) -> dict[str, Any]:
            table: dict[str, Any] = {"table-id": name, "url": one.url}
            if mtype == "table.highlight.row":
                return {**table, "row": str(rows[0])}
            return {**table, "row-list": [str(row) for row in rows.tolist()]}

        for name in one.sent:
            self._link.connection.post(mtype, partial(params, name), to)

    # --- from others ----------------------------------------------------------------------------

    def take(self, meaning: Any, rows: np.ndarray, sender: str) -> str:
        """Select rows (each once) that others select, in the session's own thread; return why not, "" for done."""
        one = self._named(meaning.table, meaning.url)
        if one is None:
            return "jviz does not have this table"
        if not self._session.settings["samp.link_rows"]:
            return "jviz does not follow the rows of others (samp.link_rows)"
        count = len(one.data) if isinstance(one.data, Catalog) else 0
        if len(rows) and rows[-1] >= count:
            reason = f"{one.data.name} has rows 0 to {count - 1} and no row {rows[-1]}"
            self._session.notice("warning", f"{sender} selects rows that are not there: {reason}.")
            return reason
        if np.array_equal(rows, _rows(self._subset(one.data))):
            return ""
        return self._select(one, rows)

    def _select(self, one: Shared, rows: np.ndarray) -> str:
        # Known beforehand: choosing the rows below calls `_look`.
        mask = np.zeros(len(one.data), bool)  # type: ignore[arg-type]
        mask[rows] = True
        one.subset = _Told(mask)
        try:
            if len(rows):
                self._session.run("catalog.select", data=one.data, rows=rows)
            else:
                self._session.run("catalog.deselect", data=one.data)
        except JvizError as error:
            self._session.notice("error", str(error))
            return str(error)
        return ""


@dataclass(frozen=True, eq=False)
class _Told:
    """Stands for a selection that others made."""

    region: np.ndarray


def _rows(subset: Any) -> np.ndarray:
    """Return the numbers of the rows of a selection."""
    return np.flatnonzero(subset.region) if subset is not None else np.empty(0, np.intp)
