"""What a file was made of and what was made of it, as a graph: exposures, products, associations, reference files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Library

__all__ = ["Edge", "Graph", "Node", "made_of", "provenance_of"]

MOST_BESIDE = 24
"""Files of one kind that are drawn for a product; of more, how many others there are."""

DEEPEST = 6
"""Steps up and down that are followed."""

MADE_FROM = {
    "rate": ("uncal",), "rateints": ("uncal",), "cal": ("rate",), "calints": ("rateints",), "bsub": ("cal",),
    "crf": ("cal",), "crfints": ("calints",), "s2d": ("cal",), "s3d": ("cal",), "x1d": ("s2d", "s3d", "cal"),
    "x1dints": ("calints",), "c1d": ("x1d",), "i2d": ("cal",), "cat": ("i2d",), "segm": ("i2d",),
    "flt": ("raw",), "flc": ("flt",), "drz": ("flt",), "drc": ("flc",),
}  # fmt: skip
"""By the last word of the name of a product, those of what it is made of when it has the same name but for that."""

COMPLETE = "COMPLETE"

STEPS = {
    "S_GRPSCL": "group_scale", "S_DQINIT": "dq_init", "S_MIREMI": "emicorr", "S_SATURA": "saturation", "S_IPC": "ipc",
    "S_FRSTFR": "firstframe", "S_LASTFR": "lastframe", "S_RESET": "reset", "S_SUPERB": "superbias",
    "S_REFPIX": "refpix", "S_LINEAR": "linearity", "S_RSCD": "rscd", "S_DARK": "dark_current",
    "S_PERSIS": "persistence", "S_CHGMIG": "charge_migration", "S_JUMP": "jump", "S_PCTFRM": "picture_frame",
    "S_CLNFNS": "clean_flicker_noise", "S_RAMP": "ramp_fit", "S_GANSCL": "gain_scale", "S_WCS": "assign_wcs",
    "S_BPXSLF": "badpix_selfcal", "S_MSAFLG": "msa_flagging", "S_IMPRNT": "imprint", "S_BKDSUB": "bkg_subtract",
    "S_EXTR2D": "extract_2d", "S_SRCTYP": "srctype", "S_MSBSUB": "master_background", "S_WAVCOR": "wavecorr",
    "S_STRAY": "straylight", "S_FLAT": "flat_field", "S_FRINGE": "fringe", "S_PTHLOS": "pathloss",
    "S_BARSHA": "barshadow", "S_CONTAM": "wfss_contam", "S_PHOTOM": "photom", "S_RESFRI": "residual_fringe",
    "S_PXREPL": "pixel_replace", "S_MTWCS": "assign_mtwcs", "S_TWKREG": "tweakreg", "S_SKYMAT": "skymatch",
    "S_OUTLIR": "outlier_detection", "S_PSFSTK": "stack_refs", "S_PSFALI": "align_refs", "S_KLIP": "klip",
    "S_RESAMP": "resample", "S_IFUCUB": "cube_build", "S_SPLEAK": "spectral_leak", "S_EXTR1D": "extract_1d",
    "S_COMB1D": "combine_1d", "S_TSPHOT": "tso_photometry", "S_WHTLIT": "white_light", "S_SRCCAT": "source_catalog",
    "S_AMIANA": "ami_analyze", "S_AMINOR": "ami_normalize", "S_WFSCOM": "wfs_combine",
}  # fmt: skip
"""Steps of the JWST pipelines by the keyword that says whether a product went through them, as they follow."""


@dataclass(frozen=True)
class Node:
    """A file of the graph.

    Attributes
    ----------
    name : str
        Of the file; of "… more" the number of them.
    role : {"product", "exposure", "association", "reference", "more"}
    path : str
        Where it is, "" when the library does not know it.
    state : str
        "present", "missing" or "dropped"; "unknown" when the library does not know it.
    about : str
        Software and context, the keyword of a reference file, the rule of an association.
    rank : int
        Column, 0 the leftmost; what is made of something is right of it.
    row : float
        Place in the column, in rows from the top.
    """

    name: str
    role: str
    path: str = ""
    state: str = "unknown"
    about: str = ""
    rank: int = 0
    row: float = 0.0


@dataclass(frozen=True)
class Edge:
    """That a node was made of another one.

    Attributes
    ----------
    first, second : int
        Numbers of the node that it was made of, and of the one that was made.
    role : {"member", "association", "reference", "name"}
        How that is known: "name" where only the names say so.
    steps : tuple of str
        What was done to the first to make the second, as far as the headers say.
    """

    first: int
    second: int
    role: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Nodes and edges; ``focus`` is the number of the file that was asked for."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    focus: int

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return max(node.rank for node in self.nodes) + 1

    @property
    def rows(self) -> float:
        """How many rows the longest column has."""
        return max(node.row for node in self.nodes) + 1

    def before(self, number: int) -> list[int]:
        """Return all nodes that a node was made of, directly or not."""
        found: list[int] = []
        waiting = [number]
        while waiting:
            last = waiting.pop()
            new = [edge.first for edge in self.edges if edge.second == last and edge.first not in found]
            found += new
            waiting += new
        return found

    def neighbours(self, number: int) -> set[int]:
        """Return a node and those that it is joined with."""
        return {number} | {e.second for e in self.edges if e.first == number} | {
            e.first for e in self.edges if e.second == number}  # fmt: skip


def provenance_of(library: Library, path: Path, *, references: bool = True) -> Graph:
    """Return the graph of a file: up to what it was made of in the end, and down to all that was made of it.

    Parameters
    ----------
    references : bool
        Draw the reference files of the file itself, too.

    Raises
    ------
    JvizError
        When the library does not know the file.
    """
    rows = library.ask(f"{FILE} WHERE path = ? AND state <> 'forgotten'", (str(path),))
    if not rows:
        raise JvizError(f"{path.name} is not in the library; add it first.")
    builder = _Builder(library, references)
    focus = builder.node_of(rows[0])
    builder.follow_up(focus, DEEPEST)
    builder.follow_down(focus, DEEPEST)
    return _placed(builder.nodes, list(builder.edges.values()), focus)


def made_of(library: Library, paths: Iterable[Path]) -> list[Path]:
    """Return files, and after them all that they were made of and that is on the disk, each once."""
    found = dict.fromkeys(paths)
    for path in list(found):
        if library.sum_of(path) is not None:
            graph = provenance_of(library, path)
            nodes = (graph.nodes[number] for number in graph.before(graph.focus))
            found |= dict.fromkeys(Path(node.path) for node in nodes if node.state == "present")
    return list(found)


FILE = "SELECT id, path, name, state, suffix, obs_id, cal_ver, crds_ctx, obs_title, calib_level FROM file"


@dataclass
class _Builder:
    library: Library
    references: bool
    nodes: list[Node] = field(default_factory=list)
    edges: dict[tuple[int, int], Edge] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _rows: dict[int, Any] = field(default_factory=dict)
    _done: dict[int, dict[str, str]] = field(default_factory=dict)
    _followed: set[tuple[str, int]] = field(default_factory=set)

    # --- nodes ------------------------------------------------------------------------------------

    def node_of(self, row: Any, reference: str = "") -> int:
        """Return the number of the node of a file of the library; ``reference`` is the keyword of one of CRDS."""
        if row["name"] not in self._numbers:
            is_asn = row["name"].endswith("_asn.json")
            role = "association" if is_asn else "exposure" if (row["calib_level"] or 2) < 2 else "product"
            about = row["obs_title"] if is_asn else " · ".join(filter(None, (row["cal_ver"], row["crds_ctx"])))
            node = Node(row["name"], role, row["path"], row["state"], about or "")
            number = self._add(replace(node, role="reference", about=reference) if reference else node)
            if not reference:
                self._rows[number] = row
        return self._numbers[row["name"]]

    def _add(self, node: Node) -> int:
        self._numbers[node.name] = len(self.nodes)
        self.nodes.append(node)
        return self._numbers[node.name]

    def _named(self, name: str, role: str, beside: Any, about: str = "") -> int:
        """Return the number of the node of a name, known to the library or not."""
        if name in self._numbers:
            return self._numbers[name]
        row = self._file(name, beside)
        if row is None:
            return self._add(Node(name, role, about=about))
        return self.node_of(row, about if role == "reference" else "")

    def _file(self, name: str, beside: Any) -> Any:
        """Return the file of a name: that in the same folder as another one, else any that is there."""
        there = "name = ? AND state <> 'forgotten' ORDER BY state = 'present' DESC"
        rows = self.library.ask(f"{FILE} WHERE {there}", (name,))
        folder = Path(beside["path"]).parent
        return next((row for row in rows if Path(row["path"]).parent == folder), rows[0] if rows else None)

    def _join(self, first: int, second: int, role: str) -> None:
        known = self.edges.get((first, second))
        if first != second and (second, first) not in self.edges and (known is None or known.role == "name"):
            self.edges[first, second] = Edge(first, second, role, self._steps(first, second))

    # --- up and down ------------------------------------------------------------------------------

    def follow_up(self, number: int, depth: int) -> None:
        """Add what a node was made of."""
        if number not in self._rows or depth == 0 or ("up", number) in self._followed:
            return
        self._followed.add(("up", number))
        row = self._rows[number]
        parts = self._parts(row["id"])
        for name, role, step in parts:
            if role == "reference" and number == 0 and self.references:
                self._join(self._named(name, "reference", row, step), number, "reference")
        # The table of headers within a product names what it was made of; its association what that was made of.
        members = [name for name, role, _ in parts if role == "member"]
        members = members or self._take_association(parts, row, number)
        self._take_members(list(dict.fromkeys(members)), row, number, depth)
        if not members:
            self._take_by_name(row, number, depth)

    def _parts(self, id: int) -> list[tuple[str, str, str]]:
        rows = self.library.ask("SELECT name, role, step FROM edge WHERE child = ? ORDER BY role, name", (id,))
        return [(row["name"], row["role"], row["step"]) for row in rows]

    def _take_association(self, parts: list[tuple[str, str, str]], row: Any, number: int) -> list[str]:
        """Add the association that a product names, when that is for it; return the members that it gives."""
        for name, role, _ in parts:
            if role == "association":
                known = self._file(name, row)
                if known is None or self._is_output(known, row):
                    self._join(self._named(name, "association", row), number, "association")
                    inside = self._parts(known["id"]) if known is not None else []
                    return [part for part, kind, _ in inside if kind == "member"]
        return []

    def _is_output(self, association: Any, row: Any) -> bool:
        """Whether a product is one of those that an association is for: exposures that are made on the way are not."""
        outputs = [name for name, role, _ in self._parts(association["id"]) if role == "output"]
        return not outputs or row["obs_id"] in outputs

    def _take_members(self, names: list[str], row: Any, number: int, depth: int) -> None:
        for name in names[:MOST_BESIDE]:
            member = self._named(name, "product", row)
            self._join(member, number, "member")
            self.follow_up(member, depth - 1)
        self._more(len(names) - MOST_BESIDE, number, up=True)
        known = next((name for name, role, _ in self._parts(row["id"]) if role == "association"), "")
        found = self._file(known, row) if known and names else None
        if found is not None and self._is_output(found, row):
            self._join(self.node_of(found), number, "association")

    def _take_by_name(self, row: Any, number: int, depth: int) -> None:
        """Join exposures with what they were made of, which they do not say, by their names."""
        parent = self._parent_by_name(row)
        if parent is not None:
            self._join(self.node_of(parent), number, "name")
            self.follow_up(self.node_of(parent), depth - 1)

    def _parent_by_name(self, row: Any) -> Any:
        for suffix in MADE_FROM.get(row["suffix"] or "", ()):
            for stem in _stems(row["obs_id"] or ""):
                parent = self._file(f"{stem}_{suffix}.fits", row)
                if parent is not None:
                    return parent
        return None

    def follow_down(self, number: int, depth: int) -> None:
        """Add what was made of a node."""
        if number not in self._rows or depth == 0 or ("down", number) in self._followed:
            return
        self._followed.add(("down", number))
        row = self._rows[number]
        children = [*self._users(row), *((child, "name") for child in self._children_by_name(row))]
        for child, how in children[:MOST_BESIDE]:
            self._join(number, self.node_of(child), how)
            self.follow_down(self.node_of(child), depth - 1)
        self._more(len(children) - MOST_BESIDE, number, up=False)

    def _users(self, row: Any) -> list[tuple[Any, str]]:
        """Return what names a file among what it was made of; of an association the products that it is for."""
        users = self.library.ask(
            f"{FILE} WHERE state <> 'forgotten' AND id IN (SELECT child FROM edge WHERE name = ? AND role <> 'output') "
            "ORDER BY name", (row["name"],),
        )  # fmt: skip
        if not row["name"].endswith("_asn.json"):
            return [(user, "member") for user in users]
        return [(user, "association") for user in users if self._is_output(row, user)]

    def _children_by_name(self, row: Any) -> list[Any]:
        wanted = [suffix for suffix, parts in MADE_FROM.items() if row["suffix"] in parts]
        stem = row["obs_id"] or ""
        if not wanted or not stem:
            return []
        marks = ", ".join("?" * len(wanted))
        rows = self.library.ask(
            f"{FILE} WHERE obs_id >= ? AND obs_id < ? AND suffix IN ({marks}) AND state <> 'forgotten' ORDER BY name",
            (stem, f"{stem}`", *wanted),
        )
        return [child for child in rows if self._is_made_by_name(child, row)]

    def _is_made_by_name(self, child: Any, row: Any) -> bool:
        """Whether a file that does not say what it was made of was made of another one, by their names."""
        if any(role == "member" for _, role, _ in self._parts(child["id"])):
            return False
        parent = self._parent_by_name(child)
        return parent is not None and parent["path"] == row["path"]

    def _more(self, count: int, number: int, *, up: bool) -> None:
        if count > 0:
            words = f"{count:,} more {'member' if up else 'product'}{'' if count == 1 else 's'} of "
            words += self.nodes[number].name
            more = self._add(Node(words, "more"))
            self._join(more, number, "member") if up else self._join(number, more, "member")

    # --- steps ------------------------------------------------------------------------------------

    def _steps(self, first: int, second: int) -> tuple[str, ...]:
        """Return the steps that one file has gone through and the other has not."""
        if first not in self._rows or second not in self._rows or "association" in (
            self.nodes[first].role, self.nodes[second].role,
        ):  # fmt: skip
            return ()
        before, after = self._steps_of(first), self._steps_of(second)
        return tuple(name for keyword, name in after.items() if keyword not in before)

    def _steps_of(self, number: int) -> dict[str, str]:
        """Return the steps that a file has gone through, by keyword."""
        if number not in self._done:
            cards = self.library.header_of(Path(self.nodes[number].path))
            done = {keyword: comment for keyword, value, comment in cards
                    if keyword.startswith("S_") and value == COMPLETE}  # fmt: skip
            places = {keyword: place for place, keyword in enumerate(STEPS)}
            self._done[number] = {keyword: STEPS.get(keyword) or (done[keyword] or keyword).lower()
                                  for keyword in sorted(done, key=lambda k: places.get(k, len(places)))}  # fmt: skip
        return self._done[number]


def _stems(stem: str) -> list[str]:
    """Return the names that a file may have been made of: its own, and without the number of an association."""
    short = re.sub(r"_[aco]\d{3,4}\Z", "", stem)
    return [stem] if short == stem else [stem, short]


# --- where nodes stand --------------------------------------------------------------------------------


def _placed(nodes: list[Node], edges: list[Edge], focus: int) -> Graph:
    """Give each node its column and its row."""
    ranks = _ranks(len(nodes), edges)
    for edge in edges:
        # What nothing was made of stands beside what it went into, and not at the far left.
        if not any(other.second == edge.first for other in edges):
            ranks[edge.first] = min(ranks[other.second] for other in edges if other.first == edge.first) - 1
    least = min(ranks)
    rows = _rows(nodes, edges, ranks)
    placed = tuple(replace(node, rank=ranks[n] - least, row=rows[n]) for n, node in enumerate(nodes))
    return Graph(placed, tuple(edges), focus)


def _ranks(count: int, edges: list[Edge]) -> list[int]:
    ranks = [0] * count
    for _ in range(count):
        changed = False
        for edge in edges:
            if ranks[edge.second] <= ranks[edge.first]:
                ranks[edge.second] = ranks[edge.first] + 1
                changed = True
        if not changed:
            break
    return ranks


ORDER = ("exposure", "product", "more", "association", "reference")
GAP = 0.5
"""Rows between the files and their reference files."""



def _rows(nodes: list[Node], edges: list[Edge], ranks: list[int]) -> list[float]:
    """Order the nodes of each column by where those stand that they are joined with; reference files are below all."""
    rows = [0.0] * len(nodes)
    main = [n for n, node in enumerate(nodes) if node.role != "reference"]
    columns = {rank: [n for n in main if ranks[n] == rank] for rank in sorted({ranks[n] for n in main})}
    longest = max(map(len, columns.values()))
    for backward in (True, False, True):
        for rank in sorted(columns, reverse=backward):
            near = {number: _near(number, rows, edges, backward=backward) for number in columns[rank]}
            ordered = sorted(near, key=lambda n, near=near: (ORDER.index(nodes[n].role), near[n], nodes[n].name))
            for place, number in enumerate(ordered):
                rows[number] = place + (longest - len(ordered)) / 2
    references = sorted((n for n in range(len(nodes)) if n not in main), key=lambda n: nodes[n].name)
    for place, number in enumerate(references):
        rows[number] = longest + GAP + place
    return rows


def _near(number: int, rows: list[float], edges: list[Edge], *, backward: bool) -> float:
    """Return the middle of what a node is joined with on one side."""
    if backward:
        found = [rows[edge.second] for edge in edges if edge.first == number]
    else:
        found = [rows[edge.first] for edge in edges if edge.second == number]
    return sum(found) / len(found) if found else 0.0
