"""Associations as data of a session, and the states of the viewers that show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from echo import CallbackProperty

from jviz.backend.associations.graph import Graph, graph_of
from jviz.backend.associations.model import Association as Content
from jviz.backend.io.associations import association_of_table, association_product
from jviz.backend.progress import Progress, silent
from jviz.picture_data import Data
from jviz.views import State, View, declare_view

__all__ = ["Association", "AssociationLayer", "AssociationView", "association_data", "changed", "member_rows"]


class Association(Data):
    """Which exposures are made into which products; its members are files beside it."""

    kind = "association"
    _found: tuple[Content, Path | None] | None = None
    _graph: Graph | None = None
    _rows: list[tuple[Any, ...]] | None = None

    def _read(self) -> tuple[Content, Path | None]:
        with self._lock:
            if self._found is None:
                self._found = association_of_table(self.product.load_object())  # type: ignore[misc]
            return self._found

    @property
    def content(self) -> Content:
        """The `jviz.backend.associations.model.Association`."""
        return self._read()[0]

    @property
    def folder(self) -> Path | None:
        """Where its members lie: beside its file, or where they were when it was made."""
        return self.path.parent if self.path is not None else self._read()[1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of members."""
        return (len(self.content.members),)

    @property
    def graph(self) -> Graph:
        """Its `jviz.backend.associations.graph.Graph`, with the files that were there at the last `look`."""
        return self._graph or graph_of(self.content, None)

    def look(self) -> bool:
        """See which of its files are there; returns whether that changed. Touches the disk."""
        graph = graph_of(self.content, self.folder)
        before, self._graph, self._rows = self._graph, graph, None
        self._rows = member_rows(self)
        return before != graph

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """What `member_rows` gives, kept since the last `look`."""
        return self._rows if self._rows is not None else member_rows(self)

    def prepare(self, progress: Progress = silent) -> None:
        """Read it, and see which files are there."""
        self.look()


def changed(data: Association, content: Content) -> Association:
    """Return other contents under the name of an association; it is in no file until it is written."""
    new = Association(association_product(content, data.name, data.folder), data.name)
    new.made_by = data.made_by
    new.prepare()
    return new


class AssociationLayer(State):
    """An association in a viewer.

    Attributes
    ----------
    data : Association
    """

    data = CallbackProperty(None)


class AssociationView(View):
    """The state of a viewer of associations.

    Attributes
    ----------
    selected : str
        Name of the file or product that is chosen; not recorded.
    """

    kind = "association"
    accepts = ("association",)
    layer_type = AssociationLayer
    derived = frozenset({"selected"})

    selected = CallbackProperty("")


declare_view(AssociationView)


def association_data(content: Content, name: str, folder: Path | None) -> Association:
    """Return an association that was made, with its files looked for."""
    data = Association(association_product(content, name, folder), name)
    data.prepare()
    return data


def member_rows(data: Association) -> list[tuple[Any, ...]]:
    """Return product, member, role, suffix, level, meaning and state of each member."""
    from jviz.backend.associations.levels import meaning_of

    present = {node.name: node.present for node in data.graph.nodes}
    states = {None: "unknown", True: "there", False: "missing"}
    rows = []
    for product in data.content.products:
        for member in product.members:
            meaning = meaning_of(member.expname)
            rows.append((product.name, member.expname, member.exptype, meaning.suffix, meaning.level, meaning.text,
                         states[present.get(member.expname)]))  # fmt: skip
    return rows
