"""Types told by the modules they come from, so that nothing is imported to ask."""

from __future__ import annotations

__all__ = ["family"]

_KNOWN = {
    "numpy": {"ndarray": "array", "MaskedArray": "masked array"},
    "builtins": {"str": "text", "bytes": "text"},
    "pathlib": {"Path": "path", "PurePath": "path"},
    "astropy": {n: n for n in ("Quantity", "NDData", "CCDData", "Table", "MaskedNDArray")},
    "specutils": {n: n for n in ("Spectrum", "Spectrum1D", "SpectrumList", "SpectralRegion")},
    "regions": {n: n for n in ("Region", "Regions")},
    "jviz": {"SpectralRanges": "SpectralRanges"},
}


def family(cls: type) -> frozenset[str]:
    """Return the labels of a type: of itself and of what it derives from."""
    labels = (_KNOWN.get(base.__module__.partition(".")[0], {}).get(base.__name__) for base in cls.__mro__)
    return frozenset(label for label in labels if label)
