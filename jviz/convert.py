"""The door for objects: what `Session.add` takes and what `Data.get` gives.

Nothing of astropy is imported before it is needed: types are told by the modules they come from.
"""

from __future__ import annotations

from typing import Any

from jviz.conversion.family import family
from jviz.data import Data, from_product
from jviz.errors import CommandError

__all__ = ["convert", "data_from"]

TAKEN = (
    "ndarray, masked array, Quantity, NDData, CCDData, specutils Spectrum, SpectrumList, SpectralRegion, "
    "Table, QTable, Region, Regions"
)
GIVEN = (
    "numpy.ndarray, MaskedArray, Quantity, NDData, CCDData, Table, QTable, specutils Spectrum, SpectrumList, "
    "SpectralRegion, Regions"
)


def data_from(thing: Any, name: str | None = None) -> Data:
    """Wrap an object as data of a session.

    Parameters
    ----------
    thing : ndarray, Quantity, NDData, CCDData, Spectrum, SpectrumList, Table, Regions, SpectralRegion …
        Arrays of native byte order are not copied: do not change them afterwards.
        One axis makes a spectrum, two an image, three a cube, four a ramp.
    name : str, optional
        The kind by default, ``"image"``.

    Returns
    -------
    Data

    Raises
    ------
    CommandError
        When it is of no kind that jviz knows, or has no values that can be shown.
    """
    if isinstance(thing, Data):
        return thing
    from jviz.conversion import taken

    families = family(type(thing))
    for label, take in taken.TAKERS:
        if label in families:
            return from_product(take(thing, name or ""))
    if families & {"text", "path"}:
        raise CommandError(f"{str(thing)!r} is a text; to open a file of that name use session.open({str(thing)!r}).")
    raise CommandError(f"A {type(thing).__name__} cannot be added; jviz takes {TAKEN}.")


def convert(data: Data, cls: type) -> Any:
    """Return data as an object of numpy or of the astropy family.

    Parameters
    ----------
    data : Data
    cls : type
        ndarray (the file's shape, physical values), Quantity, NDData, CCDData, Table, QTable, Spectrum,
        SpectrumList, Regions or SpectralRegion.

    Returns
    -------
    object
        The caller's own: changing it changes nothing in the session.

    Raises
    ------
    CommandError
        When these data cannot be given as that.
    """
    from jviz.conversion import given

    families = family(cls) if isinstance(cls, type) else frozenset()
    for label, give in given.GIVERS:
        if label in families:
            return give(data, cls)
    raise CommandError(f"{data.name} cannot be given as {getattr(cls, '__name__', cls)}; choose one of {GIVEN}.")
