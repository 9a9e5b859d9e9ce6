"""The GWCS that the JWST pipeline stores in the ASDF extension of its FITS files."""

from __future__ import annotations

import io
import re
import warnings
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jviz.backend.asdf_plugins import asdf_unchecked

__all__ = ["contradiction", "prepare_gwcs", "read_gwcs", "read_gwcs_file"]

_lists = ("slits", "exposures", "spec")
_slack = 1.5

_block = b"\xd3BLK"
"""What binary blocks of ASDF begin with (ASDF Standard, Block header)."""

_tag_of_gwcs = b"gwcs/wcs-"
"""In the text of every tree that holds a GWCS."""

_pipeline_tag = re.compile(rb"!<(tag:stsci\.edu:jwst_pipeline/[\w-]+-([\d.]+))>")


def read_gwcs(extension: Any, version: int = 1) -> tuple[Any, str]:
    """Read the GWCS of one exposure or slit.

    Parameters
    ----------
    extension : astropy HDU
        The extension named ASDF.
    version : int
        EXTVER of the array: its number in the list of slits.

    Returns
    -------
    tuple
        ``(wcs, problem)``: a ``gwcs.WCS`` or None, and why there is none (``""`` when the file
        simply has none).
    """
    content = extension.data.tobytes()
    text = content.partition(_block)[0]  # not more: a tree may hold arrays in which anything can stand
    if _tag_of_gwcs not in text:
        return None, ""
    tag = _unreadable_tag(text)
    if tag:
        return None, f"{tag} is not supported"

    stream = io.BytesIO(content)
    try:
        with asdf_unchecked() as asdf, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions of tags; what cannot be read raises
            # lazy: the tree also refers to the arrays of the FITS file, which asdf cannot find
            with asdf.open(stream, lazy_tree=True) as file:
                # a copy: tables within the transforms would be read when they are first used, from the closed file
                return deepcopy(_find(file.tree, version)), ""
    except Exception as error:  # any transform may raise anything; the FITS WCS stands in
        return None, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def prepare_gwcs() -> None:
    """Import what reads a GWCS, and read a small one: the first one takes a second, all others a thirtieth of that."""
    with asdf_unchecked() as asdf:
        import gwcs
        from astropy import coordinates, units
        from astropy.modeling import models

        detector = gwcs.coordinate_frames.Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))
        sky = gwcs.coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="world")
        turn = models.RotateNative2Celestial(5.0, -72.0, 180.0)
        transform = (models.Shift(1.0) & models.Shift(1.0)) | models.Pix2Sky_TAN() | turn
        stream = io.BytesIO()
        asdf.AsdfFile({"meta": {"wcs": gwcs.WCS([(detector, transform), (sky, None)])}}).write_to(stream)
        stream.seek(0)
        with asdf.open(stream, lazy_tree=True) as file:
            deepcopy(_find(file.tree, 1))


def _unreadable_tag(text: bytes) -> str:
    """Return a transform in the text of an ASDF file that nothing here can read, ``""`` when there is none.

    It is in the text; to learn it from asdf and gwcs takes seconds of imports. The transforms of the JWST pipeline
    are read by its stdatamodels, but not those from before version 1.
    """
    tags = [(tag.decode(), number) for tag, number in _pipeline_tag.findall(text)]
    known = bool(tags) and find_spec("stdatamodels") is not None
    return next((tag for tag, number in tags if not known or number.startswith(b"0.")), "")


def read_gwcs_file(path: Path, parent: tuple[Any, ...]) -> tuple[Any, str]:
    """Read the GWCS beside an array of an ASDF file.

    Parameters
    ----------
    parent : tuple
        Way from the root of the tree to the node that holds the array; the GWCS is that node's
        ``wcs`` or ``meta.wcs``.

    Returns
    -------
    tuple
        As `read_gwcs`.
    """
    try:
        with asdf_unchecked() as asdf, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with asdf.open(path, memmap=False, lazy_tree=True, ignore_unrecognized_tag=True) as file:
                node = file.tree
                for key in parent:
                    node = node[key]
                return deepcopy(_beside(node)), ""  # a copy, as above
    except Exception as error:  # any transform may raise anything
        return None, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _beside(node: Any) -> Any:
    import gwcs

    places = [node.get("wcs"), node.get("meta")]
    meta = places.pop()
    if hasattr(meta, "get"):
        places.append(meta.get("wcs"))
    found = next((place for place in places if isinstance(place, gwcs.WCS)), None)
    if found is not None:
        found.forward_transform  # noqa: B018  (a broken one raises here, where it is caught)
    return found


def _find(tree: Any, version: int) -> Any:
    import gwcs

    listed = [tree[name] for name in _lists if name in tree]
    for node in [tree, *(nodes[version - 1] for nodes in listed if 0 < version <= len(nodes))]:
        found = node["meta"].get("wcs") if "meta" in node else None
        if isinstance(found, gwcs.WCS):
            found.forward_transform  # noqa: B018  (a broken one raises here, where it is caught)
            return found
    return None


def contradiction(wcs: Any, shape: tuple[int, ...]) -> str:
    """Say how the bounding box of a GWCS contradicts an array, ``""`` when it does not.

    A cut-out that kept the WCS of the whole detector is told by it.

    Parameters
    ----------
    wcs : gwcs.WCS
    shape : tuple of int
        In numpy order.
    """
    lengths = shape[::-1][: wcs.pixel_n_dim]
    if len(lengths) < wcs.pixel_n_dim:
        return f"it has {wcs.pixel_n_dim} pixel axes and the array {len(shape)}"
    box = _box(wcs)
    for (low, high), length in zip(box, lengths, strict=False):
        if low < -0.5 - _slack or high > length - 0.5 + _slack:
            return f"it is made for pixels {low:g} to {high:g} where the array has {length}"
        if wcs.world_n_dim == wcs.pixel_n_dim == 2 and high - low + 1 < length / 2:
            return f"it is made for only {high - low + 1:g} of {length} pixels"
    return ""


def _box(wcs: Any) -> list[tuple[float, float]]:
    """Return the limits of each pixel axis, x first."""
    if wcs.bounding_box is None:
        return []
    box = wcs.bounding_box.bounding_box(order="F")
    pairs = [box] if wcs.pixel_n_dim == 1 else box
    return [(float(getattr(low, "value", low)), float(getattr(high, "value", high))) for low, high in pairs]
