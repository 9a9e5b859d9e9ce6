"""ASDF files: JWST and Roman products, plain arrays, tables, stand-alone GWCS."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.io.arrays import kind_of_shape
from jviz.backend.io.asdf_blocks import Block, blocks_of
from jviz.backend.io.asdf_tables import is_spectrum, table_of_asdf, table_places
from jviz.backend.io.colours import colour_planes, once
from jviz.backend.io.joint_flags import joint_flags
from jviz.backend.io.product import Identity, Meaning, Plane, Product, Unit, WcsResult
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_asdf"]

_MEANINGS: dict[str, Meaning] = {
    "err": "error", "error": "error", "dq": "flags", "pixeldq": "flags", "groupdq": "flags", "mask": "flags",
    "variance": "variance", "var": "variance", "ivar": "inverse variance", "weight": "weight", "wht": "weight",
}  # fmt: skip
_OBJECTS = ("/wcs-", "/table-", "transform/", "/ndarray-", "/quantity-", "/time-")
_HIDDEN = ("asdf_library", "history", "_fits_hash")
_shown_items = 300
_shown_characters = 200


@dataclass(frozen=True)
class _Array:
    """An array as the tree describes it.

    Parameters
    ----------
    keys : tuple
        Way to it from the root of the tree.
    node : mapping
        The description, ``{"source": 0, "datatype": "float32", …}``.
    """

    keys: tuple[Any, ...]
    node: Mapping[str, Any]
    unit: str = ""

    @property
    def name(self) -> str:
        return str(self.keys[-1])

    @property
    def place(self) -> str:
        return ".".join(map(str, self.keys))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.node["shape"])

    @property
    def dtype(self) -> np.dtype:
        order = ">" if self.node.get("byteorder", "big") == "big" else "<"
        return np.dtype(str(self.node["datatype"])).newbyteorder(order)

    @property
    def is_numeric(self) -> bool:
        try:
            return self.dtype.kind in "iuf" and bool(self.shape) and 0 not in self.shape
        except (TypeError, ValueError, KeyError):
            return False


@reader("asdf", title="ASDF", suffixes=(".asdf",), sniff=lambda path, start: start.startswith(b"#ASDF"))
def read_asdf(path: Path, *, progress: Progress = silent, array: str | None = None) -> list[Product]:
    """Open the arrays and tables of an ASDF file, those that belong together as one product.

    Parameters
    ----------
    array : str, optional
        The place in the tree of the only array or table to open, ``"roman.data"``.

    Returns
    -------
    list of Product
        A single one of kind "other" when there is no array to show.

    Raises
    ------
    ReadError
        When the file is damaged, or there is no such array.
    """
    tree = _tree(path)
    file = _File(path, tree, blocks_of(path))
    tables = [keys for keys in table_places(tree) if array in (None, ".".join(keys))]
    groups = file.groups()
    if array is not None:
        groups = [] if tables else [group for group in groups if group[0].place == array] or file.alone(array)
    products = [file.product(group) for group in groups] + [table_of_asdf(path, keys) for keys in tables]
    products = products or [file.without_arrays()]
    if len(products) > 1:
        for product in products:
            product.name = f"{path.stem}[{product.options['array']}]"
    return products


def _tree(path: Path) -> Mapping[str, Any]:
    """Read the tree as written, so that tags of packages that are not installed do no harm."""
    asdf = asdf_library()
    import yaml

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = asdf.util.load_yaml(path, tagged=True)
    except (ValueError, OSError, EOFError, yaml.YAMLError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ReadError(
            f"{path.name} cannot be read as ASDF: {reason}. It may be truncated: fetch it again."
        ) from error
    return tree if isinstance(tree, Mapping) else {}


class _File:
    """An open tree with what its products share."""

    def __init__(self, path: Path, tree: Mapping[str, Any], blocks: list[Block]) -> None:
        self.path = path
        self.tree = tree
        self.blocks = blocks
        cards = tuple(_cards(tree))
        self.units = (Unit(0, "tree", 1, "tree", (), "", "", cards),)

    def groups(self) -> list[list[_Array]]:
        """Put each main array together with its companions, which lie beside it in the tree."""
        arrays = [array for array in _arrays(self.tree) if array.is_numeric]
        by_parent: dict[tuple[Any, ...], list[_Array]] = {}
        for array in arrays:
            by_parent.setdefault(array.keys[:-1], []).append(array)
        return [group for siblings in by_parent.values() for group in _grouped(siblings)]

    def alone(self, place: str) -> list[list[_Array]]:
        """Return an array that is named as such, companion or not."""
        found = [[array] for array in _arrays(self.tree) if array.place == place and array.is_numeric]
        if not found:
            names = ", ".join(array.place for array in _arrays(self.tree) if array.is_numeric) or "none"
            raise ReadError(f"{self.path.name} has no array {place!r} to show. It has: {names}.")
        return found

    def product(self, group: list[_Array]) -> Product:
        """Make a product of a main array and its companions."""
        main = group[0]
        product = Product(
            self._kind(main), self.path.stem, self._label(main), path=self.path, reader="asdf", units=self.units
        )
        product.options = {"array": main.place}
        product.tree = partial(_shown, self.tree)
        if _is_picture(main):
            product.planes = self._picture_planes(main)
            return product
        names = _plane_names(group)
        product.planes = {
            name: self._plane(array, name, "data" if array is main else _meaning(array.name))
            for name, array in names.items()
        }
        product.joint = joint_flags(product.planes.values())
        product.flags = self._dialect() if product.plane("flags") else ""
        product.load_wcs = partial(_load_wcs, self.path, main.keys[:-1], main.shape)
        return product

    def without_arrays(self) -> Product:
        """Show the tree of a file that has no arrays, such as one with a GWCS alone."""
        places = [".".join(keys) for keys in _gwcs_places(self.tree)]
        label = f"GWCS ({', '.join(places)})" if places else "ASDF tree without arrays"
        product = Product("other", self.path.stem, label, path=self.path, reader="asdf", units=self.units)
        product.tree = partial(_shown, self.tree)
        if places:
            product.load_wcs = partial(_load_wcs, self.path, _gwcs_places(self.tree)[0][:-1], ())
        return product

    def _kind(self, main: _Array) -> Any:
        if _is_picture(main):
            return "image"
        is_ramp = len(main.shape) == 4 or (len(main.shape) == 3 and self._telescope() in ("JWST", "ROMAN"))
        return "ramp" if is_ramp else kind_of_shape(main.shape)

    def _meta(self) -> Mapping[str, Any]:
        root = self.tree.get("roman", self.tree)
        meta = root.get("meta") if isinstance(root, Mapping) else None
        return meta if isinstance(meta, Mapping) else {}

    def _telescope(self) -> str:
        return "ROMAN" if "roman" in self.tree else str(self._meta().get("telescope", "")).upper()

    def _dialect(self) -> str:
        return {"JWST": "jwst", "ROMAN": "roman"}.get(self._telescope(), "generic")

    def _label(self, main: _Array) -> str:
        instrument = self._meta().get("instrument")
        name = str(instrument.get("name", "")) if isinstance(instrument, Mapping) else ""
        words = [{"ROMAN": "Roman"}.get(self._telescope(), self._telescope()), name, "ASDF"]
        return " ".join(word for word in (*words, "picture" if _is_picture(main) else "") if word)

    def _plane(self, array: _Array, name: str, meaning: Meaning) -> Plane:
        return Plane(
            name,
            array.shape,
            array.dtype.newbyteorder("="),
            partial(self._load, array),
            meaning,
            array.unit or self._unit(array.name),
            identity=Identity.of(self.path.absolute(), array.place),
            immediate=self._block(array) is not None,
        )

    def _unit(self, name: str) -> str:
        return str(self._meta().get({"data": "bunit_data", "err": "bunit_err"}.get(name, ""), ""))

    def _picture_planes(self, main: _Array) -> dict[str, Plane]:
        decode = once(lambda: self._load(main, silent)[::-1])
        channels = "RGBA"[: main.shape[-1]]
        identity = Identity.of(self.path.absolute(), main.place)
        return colour_planes(decode, main.shape[:2], channels, main.dtype.newbyteorder("="), identity)

    def _block(self, array: _Array) -> Block | None:
        """Return the block that can be mapped as this array."""
        source = array.node.get("source")
        if not isinstance(source, int) or "strides" in array.node or "mask" in array.node:
            return None
        if not -len(self.blocks) <= source < len(self.blocks):
            raise ReadError(f"{self.path.name} is truncated: the array {array.place} is missing. Fetch it again.")
        block = self.blocks[source]
        if not block.complete:
            raise ReadError(f"{self.path.name} is truncated within the array {array.place}. Fetch it again.")
        return block if block.plain else None

    def _load(self, array: _Array, progress: Progress) -> np.ndarray:
        block = self._block(array)
        if block is not None:
            offset = block.offset + int(array.node.get("offset", 0))
            return np.memmap(self.path, array.dtype, "r", offset, array.shape)
        return _by_asdf(self.path, array.keys)


def _by_asdf(path: Path, keys: tuple[Any, ...]) -> np.ndarray:
    """Let asdf unpack an array that is compressed, strided, inline or in another file."""
    asdf = asdf_library()

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with asdf.open(path, memmap=False, lazy_tree=True, ignore_unrecognized_tag=True) as file:
                node: Any = file.tree
                for key in keys:
                    node = node[key]
                return np.array(getattr(node, "value", node))
    except (ValueError, OSError, RuntimeError, KeyError, EOFError, ImportError) as error:
        raise ReadError(
            f"The array {'.'.join(map(str, keys))} of {path.name} cannot be unpacked: {error}. Fetch it again."
        ) from error


def _tag(node: Any) -> str:
    return str(getattr(node, "_tag", ""))


def _arrays(node: Any, keys: tuple[Any, ...] = ()) -> Iterator[_Array]:
    """Walk the tree; transforms, tables and other objects with arrays of their own are passed by."""
    if "/ndarray-" in _tag(node):
        if isinstance(node, Mapping) and "shape" in node and "datatype" in node:
            yield _Array(keys, node)
    elif "/quantity-" in _tag(node):
        value = node.get("value")
        if "/ndarray-" in _tag(value) and isinstance(value, Mapping):
            yield _Array(keys, value, str(node.get("unit", "")))
    elif isinstance(node, Mapping):
        if _is_object(node):
            return
        for key, value in node.items():
            if key not in _HIDDEN:
                yield from _arrays(value, (*keys, key))
    elif isinstance(node, list):
        for index, value in enumerate(node[:_shown_items]):
            yield from _arrays(value, (*keys, index))


def _is_object(node: Any) -> bool:
    """Whether a node describes an object of a library, whose inner values mean nothing alone."""
    return is_spectrum(node) or any(part in _tag(node) for part in _OBJECTS)


def _gwcs_places(node: Any, keys: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if "gwcs/wcs-" in _tag(node):
        return [keys]
    if not isinstance(node, Mapping):
        return []
    return [place for key, value in node.items() for place in _gwcs_places(value, (*keys, str(key)))]


def _meaning(name: str) -> Meaning:
    return "variance" if name.startswith("var_") else _MEANINGS.get(name, "other")


def _grouped(siblings: list[_Array]) -> list[list[_Array]]:
    main = next((array for array in siblings if array.name == "data"), None)
    if main is None:
        return [[array] for array in siblings]
    joined = [array for array in siblings if array is not main and array.shape[-2:] == main.shape[-2:]]
    return [[main, *joined]] + [[array] for array in siblings if array is not main and array not in joined]


def _plane_names(group: list[_Array]) -> dict[str, _Array]:
    return {array.name.upper(): array for array in group}


def _is_picture(array: _Array) -> bool:
    return len(array.shape) == 3 and array.shape[-1] in (3, 4) and min(array.shape[:2]) > 4


def _load_wcs(path: Path, parent: tuple[Any, ...], shape: tuple[int, ...]) -> WcsResult:
    """Load the GWCS that lies beside an array, or in the meta data beside it."""
    from jviz.backend.embedded_gwcs import read_gwcs_file
    from jviz.backend.wcs import agreeing

    wcs, problem = read_gwcs_file(path, parent)
    if problem:
        return WcsResult(None, (f"The GWCS of {path.name} cannot be read ({problem}). Positions are given in pixels.",))
    if wcs is None:
        return WcsResult(
            None, (f"{path.name} has no WCS beside this array. Positions are given in pixels.",), absent=True
        )
    return agreeing(wcs, WcsResult(), shape, path.name) if shape else WcsResult(wcs)


def _cards(node: Any, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """List the plain values of the tree as cards."""
    if not isinstance(node, Mapping) or _is_object(node):
        return
    for key, value in node.items():
        if key in _HIDDEN:
            continue
        name = f"{prefix}{key}"
        if isinstance(value, (str, int, float, bool)):
            yield name, value if not isinstance(value, str) else str(value)[:_shown_characters], ""
        else:
            yield from _cards(value, f"{name}.")


def _shown(node: Any) -> Any:
    """Turn the tree into dicts, lists and short strings."""
    if "/ndarray-" in _tag(node):
        return _array_words(node)
    if isinstance(node, Mapping):
        return {str(key): _shown(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        shown = [_shown(value) for value in node[:_shown_items]]
        return shown + ([f"… {len(node) - _shown_items} more"] if len(node) > _shown_items else [])
    return node if isinstance(node, (int, float, bool)) or node is None else str(node)[:_shown_characters]


def _array_words(node: Any) -> str:
    if not isinstance(node, Mapping):
        return f"array {str(list(node))[:_shown_characters]}"
    lengths = " × ".join(map(str, node.get("shape", ())))
    return f"{node.get('datatype', 'array')} {lengths}".strip()[:_shown_characters]
