"""numpy's own files: .npy, memory mapped, and the members of .npz."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from jviz.backend.io.product import Identity, Kind, Plane, Product
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["kind_of_shape", "read_npy", "read_npz"]

_KINDS: dict[int, Kind] = {1: "spectrum", 2: "image", 3: "cube"}


def kind_of_shape(shape: tuple[int, ...]) -> Kind:
    """Say what an array is that comes without a word about itself."""
    return _KINDS.get(len(shape), "other")


@reader("npy", title="NumPy array", suffixes=(".npy",), sniff=lambda path, start: start.startswith(b"\x93NUMPY"))
def read_npy(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open an array of numpy as a memory map.

    Raises
    ------
    ReadError
        When it is truncated or holds Python objects.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise _unreadable(path.name, error) from error
    if array.dtype.names:
        return [_table_product(path, path.stem, lambda: np.load(path, allow_pickle=False))]
    return [_array_product(path, path.stem, array.shape, array.dtype, lambda progress: array, immediate=True)]


@reader("npz", title="NumPy arrays", suffixes=(".npz",))
def read_npz(path: Path, *, progress: Progress = silent, member: str | None = None) -> list[Product]:
    """Open the arrays of an archive of numpy, each as a product of its own.

    Parameters
    ----------
    member : str, optional
        The name of the only array to open.

    Raises
    ------
    ReadError
        When it is no such archive or holds nothing that can be shown.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: _header(archive, name) for name in archive.namelist() if name.endswith(".npy")}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise _unreadable(path.name, error) from error
    products = [_member(path, name, *header) for name, header in members.items() if header[1].kind != "O"]
    if not products:
        raise ReadError(f"{path.name} holds no arrays of numbers. Save them by numpy.savez.")
    if member is not None:
        return [_chosen(path, products, member)]
    left_out = [name.removesuffix(".npy") for name, (_, dtype) in members.items() if dtype.kind == "O"]
    if left_out:
        products[0].warnings.append(f"{path.name}: Python objects are not opened ({', '.join(left_out)}).")
    if len(products) == 1:
        products[0].name = path.stem
    return products


def _chosen(path: Path, products: list[Product], member: str) -> Product:
    found = next((product for product in products if product.options["member"] == member), None)
    if found is None:
        names = ", ".join(product.options["member"] for product in products)
        raise ReadError(f"{path.name} has no array {member!r}. Choose one of: {names}.")
    return found


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Read shape and type of a member without its numbers."""
    with archive.open(name) as stream:
        return _npy_header(stream)


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def _member(path: Path, member: str, shape: tuple[int, ...], dtype: np.dtype) -> Product:
    key = member.removesuffix(".npy")
    load = partial(_load_member, path, key)
    if dtype.names:
        product = _table_product(path, f"{path.stem}[{key}]", lambda: load(silent))
    else:
        product = _array_product(path, f"{path.stem}[{key}]", shape, dtype, load, part=key)
    product.options = {"member": key}
    return product


def _load_member(path: Path, key: str, progress: Progress) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as members:
            return members[key]
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError) as error:
        raise _unreadable(path.name, error) from error


def _array_product(
    path: Path,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    load: Any,
    *,
    part: str = "",
    immediate: bool = False,
) -> Product:
    product = Product(kind_of_shape(shape), name, f"NumPy array, {dtype.name}", path=path)
    if dtype.kind not in "iufb" or not shape:
        product.kind = "other"
        return product
    if dtype.kind == "b":
        plain, dtype = load, np.dtype("u1")
        load = lambda progress: plain(progress).view("u1")  # noqa: E731
    identity = Identity.of(path.absolute(), part)
    product.planes = {"DATA": Plane("DATA", shape, dtype, load, identity=identity, immediate=immediate)}
    return product


def _table_product(path: Path, name: str, load: Any) -> Product:
    def load_table() -> Any:
        from astropy.table import QTable

        return QTable(load())

    return Product("catalog", name, "NumPy table", path=path, load_object=load_table)


def _unreadable(name: str, error: Exception) -> ReadError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if "allow_pickle" in reason:
        reason = "it holds Python objects, which could run any program"
    return ReadError(f"{name} cannot be read: {reason}. Save plain numbers by numpy.save, or fetch it again.")
