"""Objects as JSON and arrays, and back: only known types, so that what is received never runs.

A type that JSON lacks becomes ``{"!": tag, …}``; arrays go into a list beside the JSON.
"""

from __future__ import annotations

import inspect
import io
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jviz.backend.asdf_plugins import asdf_library
from jviz.conversion.family import family
from jviz.errors import JvizError

__all__ = ["decode", "encode"]

Arrays = list[np.ndarray]
OPERATORS = {"and_": operator.and_, "or_": operator.or_, "xor": operator.xor}


def encode(thing: Any, arrays: Arrays) -> Any:
    """Return ``thing`` as JSON values; arrays are appended to ``arrays``.

    Raises
    ------
    JvizError
        When it holds something of an unknown type.
    """
    if isinstance(thing, np.generic):
        thing = thing.item()
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, bytes):
        return {"!": "bytes", "hex": thing.hex()}
    if isinstance(thing, list):
        return [encode(item, arrays) for item in thing]
    if isinstance(thing, tuple):
        return {"!": "tuple", "items": [encode(item, arrays) for item in thing]}
    if isinstance(thing, Mapping):
        return {"!": "dict", "items": [[encode(k, arrays), encode(v, arrays)] for k, v in thing.items()]}
    for tag, applies, to_json, _ in CODECS:
        if applies(thing):
            return {"!": tag, **to_json(thing, arrays)}
    raise JvizError(
        f"A {type(thing).__name__} cannot be kept in a script or a session file. Give it as an array, a table, "
        "an NDData, a Spectrum or regions."
    )


def decode(value: Any, arrays: Arrays) -> Any:
    """Return what `encode` was given.

    Raises
    ------
    JvizError
        When the text is not of jviz's making.
    """
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    tag = value.get("!")
    if tag == "bytes":
        return bytes.fromhex(value["hex"])
    if tag == "tuple":
        return tuple(decode(item, arrays) for item in value["items"])
    if tag == "dict":
        return {decode(k, arrays): decode(v, arrays) for k, v in value["items"]}
    for known, _, _, from_json in CODECS:
        if tag == known:
            return from_json(value, arrays)
    raise JvizError(f"A kept object of the unknown kind {tag!r} cannot be read; a newer jviz may know it.")


def _is(*labels: str) -> Callable[[Any], bool]:
    return lambda thing: bool(family(type(thing)) & set(labels))


def _named(package: str, *names: str) -> Callable[[Any], bool]:
    return lambda thing: any(b.__module__.startswith(package) and b.__name__ in names for b in type(thing).__mro__)


# --- arrays and quantities --------------------------------------------------------------------------


def _array_to(thing: np.ndarray, arrays: Arrays) -> dict[str, Any]:
    if thing.dtype.hasobject:
        raise JvizError("An array of Python objects cannot be kept; convert it to numbers or texts first.")
    arrays.append(np.asarray(thing))
    return {"index": len(arrays) - 1}


def _array_from(value: dict[str, Any], arrays: Arrays) -> np.ndarray:
    return arrays[value["index"]]


def _masked_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {"data": encode(np.asarray(thing.data), arrays), "mask": encode(np.ma.getmaskarray(thing), arrays)}


def _masked_from(value: dict[str, Any], arrays: Arrays) -> Any:
    return np.ma.MaskedArray(decode(value["data"], arrays), decode(value["mask"], arrays))


def _quantity_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    mask = np.asarray(thing.mask) if hasattr(thing, "unmasked") else None
    plain = thing.unmasked if mask is not None else thing
    name = next(b.__name__ for b in type(thing).__mro__ if b.__name__ in ("Angle", "Longitude", "Latitude", "Quantity"))
    number = plain.value.item() if plain.isscalar else np.asarray(plain.value)
    value = {"class": name, "value": encode(number, arrays), "unit": plain.unit.to_string()}
    return value if mask is None else {**value, "mask": encode(mask, arrays)}


def _quantity_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from astropy import coordinates, units
    from astropy.utils.masked import Masked

    kind = getattr(coordinates, value["class"]) if value["class"] != "Quantity" else units.Quantity
    result = kind(decode(value["value"], arrays), value["unit"])
    return Masked(result, mask=decode(value["mask"], arrays)) if "mask" in value else result


# --- positions and regions --------------------------------------------------------------------------


def _skycoord_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    coord = SkyCoord(thing)
    extra = {n: getattr(coord.frame, n) for n in coord.frame.frame_attributes}
    spherical = coord.frame.spherical
    lon, lat = (v.item() if v.ndim == 0 else v for v in (spherical.lon.deg, spherical.lat.deg))
    times = {n: [v.jd1, v.jd2, v.scale] for n, v in extra.items() if isinstance(v, Time) and v.isscalar}
    return {"frame": coord.frame.name, "lon": encode(lon, arrays), "lat": encode(lat, arrays), "times": times}


def _skycoord_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    times = {n: Time(jd1, jd2, format="jd", scale=scale) for n, (jd1, jd2, scale) in value["times"].items()}
    return SkyCoord(
        decode(value["lon"], arrays), decode(value["lat"], arrays), unit="deg", frame=value["frame"], **times
    )


def _pixcoord_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {"x": encode(thing.x, arrays), "y": encode(thing.y, arrays)}


def _pixcoord_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from regions import PixCoord

    return PixCoord(decode(value["x"], arrays), decode(value["y"], arrays))


def region_parameters(region: Any) -> dict[str, Any]:
    """Return what makes a region again, by the names of its constructor (without meta and visual)."""
    names = [n for n in inspect.signature(type(region)).parameters if n not in ("meta", "visual", "origin")]
    return {n: getattr(region, n) for n in names}


def _region_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    values = region_parameters(thing)
    if "operator" in values:
        values["operator"] = values["operator"].__name__
    words = {n: {k: v for k, v in getattr(thing, n).items() if _is_plain(v)} for n in ("meta", "visual")}
    return {"class": type(thing).__name__, "values": encode(values, arrays), "words": encode(words, arrays)}


def _region_from(value: dict[str, Any], arrays: Arrays) -> Any:
    import regions

    kind = getattr(regions, value["class"], None)
    if not (isinstance(kind, type) and issubclass(kind, regions.Region)):
        raise JvizError(f"A kept region of the unknown class {value['class']!r} cannot be read.")
    values = decode(value["values"], arrays)
    if "operator" in values:
        values["operator"] = OPERATORS[values["operator"]]
    words = decode(value["words"], arrays)
    return kind(**values, meta=regions.RegionMeta(words["meta"]), visual=regions.RegionVisual(words["visual"]))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | tuple | np.generic)


def _regions_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {"items": [encode(region, arrays) for region in thing]}


def _regions_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from regions import Regions

    return Regions([decode(item, arrays) for item in value["items"]])


def _spectral_region_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {"ranges": [[encode(low, arrays), encode(high, arrays)] for low, high in thing.subregions]}


def _spectral_region_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from specutils import SpectralRegion

    return SpectralRegion([tuple(decode(pair, arrays)) for pair in value["ranges"]])


def _spectral_ranges_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {"ranges": [list(pair) for pair in thing.ranges], "unit": thing.unit, "medium": thing.medium}


def _spectral_ranges_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from jviz.backend.spectra.ranges import SpectralRanges

    return SpectralRanges(tuple((low, high) for low, high in value["ranges"]), value["unit"], value.get("medium", ""))


# --- data sets --------------------------------------------------------------------------------------


LONG = 2_000
"""Rows above which the values of a table are kept as arrays: as text 50,000 of 30 columns take 16 s."""


def _table_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    from astropy.table import Table

    text = io.StringIO()
    # As columns with a unit: astropy cannot write quantities that are called "value", which these read back as.
    table = Table(thing, copy=False)
    is_long = len(table) > LONG and all(_is_plain_column(table[name]) for name in table.colnames)
    (table[:0] if is_long else table).write(text, format="ascii.ecsv")
    said = {"class": "QTable" if "QTable" in _mro(thing) else "Table", "ecsv": text.getvalue()}
    return {**said, "columns": [_column_to(table[name], arrays) for name in table.colnames]} if is_long else said


def _is_plain_column(column: Any) -> bool:
    from astropy.table import Column

    return isinstance(column, Column) and column.ndim == 1 and column.dtype.kind in "biufU"


def _column_to(column: Any, arrays: Arrays) -> dict[str, Any]:
    values = np.asarray(np.ma.getdata(column))
    mask = np.ma.getmaskarray(column) if hasattr(column, "mask") else np.zeros(0, bool)
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return {"values": encode(native, arrays), "mask": encode(mask, arrays) if mask.any() else None}


def _table_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from astropy.table import Column, MaskedColumn, QTable, Table

    kind = {"QTable": QTable, "Table": Table}[value["class"]]
    if "columns" not in value:
        return kind.read(value["ecsv"], format="ascii.ecsv")
    head = Table.read(value["ecsv"], format="ascii.ecsv")
    columns = []
    for name, said in zip(head.colnames, value["columns"], strict=True):
        about = {key: getattr(head[name], key) for key in ("name", "unit", "format", "description", "meta")}
        values, mask = decode(said["values"], arrays), decode(said["mask"], arrays)
        columns.append(Column(values, **about) if mask is None else MaskedColumn(values, mask=mask, **about))
    return kind(columns, meta=head.meta, copy=False)


def _nddata_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {
        "class": "CCDData" if "CCDData" in _mro(thing) else "NDData",
        "data": encode(np.asarray(thing.data), arrays),
        "unit": thing.unit.to_string() if thing.unit is not None else None,
        "wcs": encode(thing.wcs, arrays),
        **_uncertain(thing, arrays),
    }


def _nddata_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from astropy.nddata import CCDData, NDData

    kind = {"CCDData": CCDData, "NDData": NDData}[value["class"]]
    result = kind(decode(value["data"], arrays), unit=value["unit"], **_certain(value, arrays))
    wcs = decode(value["wcs"], arrays)
    if wcs is not None:
        NDData.wcs.fset(result, wcs)
    return result


def _spectrum_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    from astropy.units import Quantity

    return {
        "flux": encode(Quantity(thing.flux), arrays),
        "axis": encode(Quantity(thing.spectral_axis), arrays),
        "axis_index": thing.spectral_axis_index,
        **_uncertain(thing, arrays),
    }


def _spectrum_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from specutils import Spectrum

    return Spectrum(
        decode(value["flux"], arrays),
        decode(value["axis"], arrays),
        spectral_axis_index=value["axis_index"],
        **_certain(value, arrays),
    )


def _spectra_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return {"items": [encode(spectrum, arrays) for spectrum in thing]}


def _spectra_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from specutils import SpectrumList

    return SpectrumList([decode(item, arrays) for item in value["items"]])


def _uncertain(thing: Any, arrays: Arrays) -> dict[str, Any]:
    uncertainty, mask = thing.uncertainty, thing.mask
    about = None
    if uncertainty is not None and uncertainty.array is not None:
        unit = uncertainty.unit.to_string() if uncertainty.unit is not None else None
        about = [uncertainty.uncertainty_type, encode(np.asarray(uncertainty.array), arrays), unit]
    meta = {str(k): v for k, v in dict(thing.meta).items() if isinstance(v, bool | int | float | str)}
    return {
        "uncertainty": about,
        "mask": encode(np.asarray(mask) if mask is not None else None, arrays),
        "meta": encode(meta, arrays),
    }


def _certain(value: dict[str, Any], arrays: Arrays) -> dict[str, Any]:
    from astropy import nddata

    kinds = {
        "std": nddata.StdDevUncertainty,
        "var": nddata.VarianceUncertainty,
        "ivar": nddata.InverseVariance,
    }
    uncertainty = value["uncertainty"]
    if uncertainty is not None:
        kind, array, unit = uncertainty
        uncertainty = kinds.get(kind, nddata.UnknownUncertainty)(decode(array, arrays), unit=unit)
    return {
        "uncertainty": uncertainty,
        "mask": decode(value["mask"], arrays),
        "meta": decode(value["meta"], arrays),
    }


def _mro(thing: Any) -> set[str]:
    return {base.__name__ for base in type(thing).__mro__}


EXACT = ("crpix", "crval", "cdelt", "pc")
"""What FITS keywords would round to 12 digits."""


def _wcs_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    buffer = io.BytesIO()
    thing.to_fits(relax=True, key=" ").writeto(buffer)
    core = thing.wcs
    exact = {"crpix": core.crpix, "crval": core.crval, "cdelt": core.get_cdelt(), "pc": core.get_pc()}
    return {
        "fits": encode(np.frombuffer(buffer.getvalue(), np.uint8), arrays),
        "shape": list(thing.pixel_shape) if thing.pixel_shape else None,
        **{name: exact[name].tolist() for name in EXACT},
    }


def _wcs_from(value: dict[str, Any], arrays: Arrays) -> Any:
    from astropy.io import fits
    from astropy.wcs import WCS

    with fits.open(io.BytesIO(decode(value["fits"], arrays).tobytes())) as units:
        header = units[0].header
        del header["NAXIS*"]  # of the empty array that carries the keywords
        wcs = WCS(header, units)
    for name in EXACT:
        setattr(wcs.wcs, name, np.asarray(value[name]))
    wcs.wcs.set()
    wcs.pixel_shape = value["shape"]
    return wcs


def _gwcs_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    asdf = asdf_library()

    buffer = io.BytesIO()
    asdf.AsdfFile({"wcs": thing}).write_to(buffer)
    return {"asdf": encode(np.frombuffer(buffer.getvalue(), np.uint8), arrays)}


def _gwcs_from(value: dict[str, Any], arrays: Arrays) -> Any:
    asdf = asdf_library()

    with asdf.open(io.BytesIO(decode(value["asdf"], arrays).tobytes()), lazy_load=False, memmap=False) as file:
        return file["wcs"]


def _wrapped_to(thing: Any, arrays: Arrays) -> dict[str, Any]:
    return encode(thing.low_level_wcs, arrays)


CODECS: tuple[tuple[str, Callable[[Any], bool], Callable, Callable], ...] = (
    ("spectra", _is("SpectrumList"), _spectra_to, _spectra_from),
    ("spectrum", _is("Spectrum", "Spectrum1D"), _spectrum_to, _spectrum_from),
    ("spectral region", _is("SpectralRegion"), _spectral_region_to, _spectral_region_from),
    ("spectral ranges", _is("SpectralRanges"), _spectral_ranges_to, _spectral_ranges_from),
    ("nddata", _is("NDData"), _nddata_to, _nddata_from),
    ("table", _is("Table"), _table_to, _table_from),
    ("regions", _is("Regions"), _regions_to, _regions_from),
    ("region", _is("Region"), _region_to, _region_from),
    ("position", _named("regions", "PixCoord"), _pixcoord_to, _pixcoord_from),
    ("sky", _named("astropy", "SkyCoord", "BaseCoordinateFrame"), _skycoord_to, _skycoord_from),
    ("wcs", _named("astropy.wcs", "WCS"), _wcs_to, _wcs_from),
    ("gwcs", _named("gwcs", "WCS"), _gwcs_to, _gwcs_from),
    ("wrapped wcs", _named("astropy.wcs", "HighLevelWCSWrapper"), _wrapped_to, lambda value, arrays: None),
    ("quantity", _is("Quantity"), _quantity_to, _quantity_from),
    ("masked array", _is("masked array"), _masked_to, _masked_from),
    ("array", _is("array"), _array_to, _array_from),
)
"""Tag, whether it applies to an object, how it is encoded, how decoded; the most special first."""
