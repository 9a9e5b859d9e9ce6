"""Which arrays of a FITS file belong together: data with their errors, flags and weights."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from jviz.backend.io.fitsfile import Hdu
from jviz.backend.io.product import Meaning

__all__ = ["Companion", "Group", "constant_shape", "group_arrays"]

_ROLES: dict[Meaning, str] = {
    "error": "ERR ERRS ERROR ERRORS UNCERT UNCERTAINTY SIGMA STDDEV STDEV STD RMS NOISE",
    "variance": "VAR VARIANCE STAT VAR_POISSON VAR_RNOISE VAR_FLAT VAR_DARK",
    "inverse variance": "IVAR INVVAR INVERSE_VARIANCE",
    "flags": "DQ MASK MSK FLAG FLG FLAGS DQFLAGS DATA_QUALITY QUALITY QUAL BADPIX BPM CRMASK PIXELDQ GROUPDQ",
    "weight": "WHT WGT WEIGHT WEIGHTS ERRWEIGHT WMAP COVERAGE COV EXPOSURE EXP EXPMAP EXPTIME NCOV",
    "other": "CON CTX AREA WAVELENGTH WAVE SAMP TIME BARSHADOW FLATFIELD_POINT FLATFIELD_UNIFORM "
    "PATHLOSS_PS PATHLOSS_UN PATHLOSS_POINT PATHLOSS_UNIFORM CONTAM ORMASK BACKGROUND BKG PROFILE SEG FIELDMAP "
    "RESOLUTION REFOUT ZEROFRAME DISP WD SKY MODEL RWSS RELATIVE_ERROR INPUT_SIGMA AUX NORM COVAR COVAR2 "
    "FIBERID SPECRES SPECRESD XPOS YPOS",
}
_MEANINGS: dict[str, Meaning] = {name: role for role, names in _ROLES.items() for name in names.split()}
_PARTS = ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "VAR_DARK")
_STRONG = ("SCI", "DATA", "FLUX", "IMAGE", "SIGNAL", "INTENSITY", "CUBE")
_WITH_DOTS = re.compile(r"[\w-]+(\.[\w-]+)+")
_CHIP = re.compile(r"(CCD|IM|CHIP|DET|AMP|N|S|EXT|HDU|TILE)?\.?_?\d+[A-Z]?", re.IGNORECASE)


@dataclass
class Companion:
    """An array that says something about another one."""

    hdu: Hdu
    name: str
    meaning: Meaning


@dataclass
class Group:
    """An array to look at, with what belongs to it."""

    main: Hdu
    companions: list[Companion] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether it holds an array of that name already."""
        return name == self.main.name or any(companion.name == name for companion in self.companions)


def constant_shape(hdu: Hdu) -> tuple[int, ...] | None:
    """Return the shape of an array that is stored as one number (HST: NPIX1, NPIX2, PIXVALUE)."""
    header = hdu.header
    size = header.get("NPIX2"), header.get("NPIX1")
    value = header.get("PIXVALUE")
    if hdu.what != "empty" or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not all(isinstance(n, int) and 0 < n < 10**6 for n in size):
        return None
    return size  # type: ignore[return-value]


@dataclass(frozen=True)
class _Array:
    """An array with the set it belongs to and its role there: ``B_IVAR`` is B's IVAR."""

    hdu: Hdu
    shape: tuple[int, ...]
    version: int | None
    prefix: str
    role: str

    @property
    def is_companion(self) -> bool:
        return self.role in _MEANINGS

    def describes(self, data: _Array) -> bool:
        """Whether this may say something about those data."""
        if data is self or self.prefix != data.prefix:
            return False
        if self.role == "COVAR":  # diagonal and two rows beside it of each spectrum
            return self.shape[-2:-1] == (3,) and self.shape[:-2] + self.shape[-1:] == data.shape
        if self.role in ("COVAR2", "FIBERID"):
            return self.role == "COVAR2" or self.shape == data.shape[:1]
        return _fits(self.shape, data.shape)


class _Data:
    """The arrays that others may say something about, at hand by EXTVER: some files have thousands."""

    def __init__(self, arrays: Iterable[_Array]) -> None:
        self.by_version: dict[int | None, list[_Array]] = defaultdict(list)
        for array in arrays:
            self.add(array)

    def add(self, array: _Array) -> None:
        self.by_version[array.version].append(array)

    def described_by(self, array: _Array) -> list[_Array]:
        """Return what an array may belong to; without an EXTVER it may belong to any."""
        if array.version is None:
            candidates = [data for some in self.by_version.values() for data in some]
        else:
            candidates = self.by_version[array.version] + self.by_version[None]
        fitting = [data for data in candidates if array.describes(data)]
        return sorted(fitting, key=lambda data: data.hdu.index)


def group_arrays(hdus: Iterable[Hdu]) -> list[Group]:
    """Put every array to the data that it describes.

    Companions go by name (``ERR``, ``B_IVAR`` to ``B_FLUX``), the same EXTVER and a compatible
    shape, to the nearest data before them, else after them. What finds no data stands alone.
    Arrays of unknown names go to a ``SCI`` or ``DATA`` of the same shape.
    """
    # TOPCAT writes what a VOTable says of the table that follows as bytes of the primary unit
    shown = [h for h in hdus if h.complete and not h.header.get("VOTMETA")]
    arrays = _arrays([h for h in shown if h.is_array or constant_shape(h)])
    data = _Data(array for array in arrays if array.hdu.is_array and not array.is_companion)
    alone = [array for array in arrays if _stands_alone(array, data)]
    groups = {array.hdu.index: Group(array.hdu) for array in alone}
    data = _Data(alone)
    for array in arrays:
        if array.hdu.index not in groups:
            _attach(array, data, groups)
    for group in groups.values():
        _demote_parts(group)
    return sorted(groups.values(), key=lambda group: group.main.index)


def _arrays(hdus: list[Hdu]) -> list[_Array]:
    # with a plain SCI or DATA in the file, DIRTY_DATA is a further array and not a set of its own
    in_sets = not any(hdu.name.upper() in _STRONG for hdu in hdus)
    return [_Array(h, constant_shape(h) or h.shape, h.extver, *_split(h.name.upper(), in_sets)) for h in hdus]


def _split(name: str, in_sets: bool) -> tuple[str, str]:
    if in_sets and _WITH_DOTS.fullmatch(name):
        name = name.replace(".", "_")  # KMOS: IFU.1.DATA, IFU.1.NOISE; Euclid: 3-4.E.SCI, 3-4.E.RMS
    prefix, underscore, role = name.rpartition("_")
    is_whole = name in _MEANINGS or name in _STRONG or not in_sets
    if underscore and not is_whole and (role in _MEANINGS or role in _STRONG):
        return prefix, role
    return "", name


def _stands_alone(array: _Array, data: _Data) -> bool:
    if not array.hdu.is_array:
        return False
    if array.is_companion:
        return not data.described_by(array)
    if array.role in _STRONG or array.hdu.index == 0 or not array.role or _CHIP.fullmatch(array.role):
        return True
    return not any(other.role in ("SCI", "DATA") for other in data.described_by(array))


def _fits(shape: tuple[int, ...], data: tuple[int, ...]) -> bool:
    """Whether an array has the data's shape in its last axes, or lies along their slowest axis."""
    shape, data = (tuple(n for n in axes if n != 1) for axes in (shape, data))
    if len(shape) == 1 and len(data) == 3 and shape == data[:1]:
        return True
    shorter = min(len(shape), len(data))
    return shape[-shorter:] == data[-shorter:] if shorter else shape == data


def _attach(array: _Array, data: _Data, groups: dict[int, Group]) -> None:
    hdu = array.hdu
    owners = [groups[owner.hdu.index] for owner in data.described_by(array)]
    fitting = [group for group in owners if not group.has(hdu.name)]
    if not fitting:
        if hdu.is_array:
            groups[hdu.index] = Group(hdu)
        return
    before = [group for group in fitting if group.main.index < hdu.index]
    owner = before[-1] if before else fitting[0]
    owner.companions.append(Companion(hdu, hdu.name, _MEANINGS.get(array.role, "other")))


def _demote_parts(group: Group) -> None:
    """Keep one noise term from being taken for the whole where nothing gives the whole."""
    wholes = [c for c in group.companions if c.name.upper() not in _PARTS]
    if any(c.meaning in ("error", "variance", "inverse variance") for c in wholes):
        return
    for companion in group.companions:
        if companion.name.upper() in _PARTS:
            companion.meaning = "other"
