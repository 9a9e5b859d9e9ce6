"""Members and products of an association as a graph in three columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jviz.backend.associations.levels import RESULTS, meaning_of
from jviz.backend.associations.model import AsnProduct, Association

__all__ = ["Edge", "Graph", "Node", "graph_of"]

GAP = 0.5
"""Rows between the members of one product and those of the next."""

CUBES = re.compile(r"_mirif|ifu", re.IGNORECASE)
MADE = "made"
"""Role of what a pipeline makes."""


@dataclass(frozen=True)
class Node:
    """A file, or a product by its name.

    Attributes
    ----------
    column : int
        0 members, 1 products, 2 files of products.
    row : float
    role : str
        exptype of a member: science where it is that of any product.
    present : bool or None
        Whether the file is there; None: nobody looked, or it is no file.
    short : str
        Its suffix and level.
    about : str
        These explained.
    """

    name: str
    column: int
    row: float
    role: str
    present: bool | None
    short: str
    about: str


@dataclass(frozen=True)
class Edge:
    """A line from one node to another, by their numbers."""

    first: int
    second: int
    role: str


@dataclass(frozen=True)
class Graph:
    """Nodes and edges, and how many rows they take."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    rows: float

    def neighbours(self, number: int) -> set[int]:
        """Return the nodes that a node is connected with, through products too, itself among them."""
        forward, backward = {number}, {number}
        for found, (start, end) in ((forward, ("first", "second")), (backward, ("second", "first"))):
            more = True
            while more:
                new = {getattr(e, end) for e in self.edges if getattr(e, start) in found} - found
                found |= new
                more = bool(new)
        return forward | backward


def graph_of(association: Association, folder: Path | None) -> Graph:
    """Lay out an association: each product with its members on the left and its files on the right.

    Parameters
    ----------
    folder : Path, optional
        Where files are looked for; None: nowhere.
    """
    there = _there(folder)
    science = {member.expname for member in association.members if member.exptype.lower() == "science"}
    nodes: list[Node] = []
    edges: list[Edge] = []
    numbers: dict[str, int] = {}
    top = 0.0
    for product in association.products:
        fresh = list({m.expname: m for m in product.members if m.expname not in numbers}.values())
        results = _results(association, product, there)
        height = float(max(len(fresh), len(results), 1))
        for number, member in enumerate(fresh):
            numbers[member.expname] = len(nodes)
            row = top + (height - len(fresh)) / 2 + number
            role = "science" if member.expname in science else member.exptype.lower()
            nodes.append(_file(member.expname, 0, row, role, there, folder))
        middle = len(nodes)
        kind = association.asn_type if results else "product"
        about = f"A product that calwebb_{kind} makes" if results else "A product; the type names no pipeline"
        nodes.append(Node(product.name, 1, top + (height - 1) / 2, "product", None, kind, about))
        edges += [Edge(numbers[m.expname], middle, m.exptype.lower()) for m in product.members]
        for number, name in enumerate(results):
            edges.append(Edge(middle, len(nodes), MADE))
            row = top + (height - len(results)) / 2 + number
            nodes.append(_file(name, 2, row, MADE, there, folder))
        top += height + GAP
    return Graph(tuple(nodes), tuple(edges), max(top - GAP, 0.0))


def _there(folder: Path | None) -> frozenset[str] | None:
    """Return the names of all files of a folder, with one look."""
    if folder is None:
        return None
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def _file(name: str, column: int, row: float, role: str, there: frozenset[str] | None, folder: Path | None) -> Node:
    meaning = meaning_of(name)
    return Node(name, column, row, role, _is_there(name, there, folder), meaning.short, meaning.text)


def _is_there(name: str, there: Iterable[str] | None, folder: Path | None) -> bool | None:
    if there is None or folder is None:
        return None
    return name in there or ("/" in name and (folder / name).is_file())


def _results(association: Association, product: AsnProduct, there: frozenset[str] | None) -> list[str]:
    """Return the names of the files that the pipeline makes."""
    suffixes = list(RESULTS.get(association.asn_type.lower(), ()))
    if "s2d" in suffixes:
        is_cube = any(CUBES.search(member.expname) for member in product.members)
        is_cube = is_cube or f"{product.name}_s3d.fits" in (there or ())
        suffixes = ["s3d" if suffix == "s2d" and is_cube else suffix for suffix in suffixes]
    if "{suffix}" in product.name:
        return [product.name.replace("{suffix}", suffix) + ".fits" for suffix in suffixes]
    return [f"{product.name}_{suffix}.{'ecsv' if suffix in ('cat', 'phot', 'whtlt') else 'fits'}"
            for suffix in suffixes]  # fmt: skip
