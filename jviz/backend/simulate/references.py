"""Reference files that all detectors need, and how reference files are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.detectors import DEAD, DO_NOT_USE, HOT, MIRI, REFERENCE_PIXEL, Detector
from jviz.backend.simulate.headers import DAY, hdu, reference_header, table
from jviz.backend.simulate.plans import Plan

__all__ = ["Writer", "write_fits"]

FLAGS = {"DO_NOT_USE": DO_NOT_USE, "DEAD": DEAD, "HOT": HOT, "REFERENCE_PIXEL": REFERENCE_PIXEL}
HISTORY = "SIMULATED by jviz; nothing in this file was observed."
WELL_SHARE = 0.94
"""Of the most that pixels hold: from there on they count as saturated."""

PLACES = {"INSTRUME": "name", "DETECTOR": "detector", "MODULE": "module", "CHANNEL": "channel", "BAND": "band"}
"""Keywords of an instrument, and where ASDF files have them."""


class Writer:
    """Makes the reference files of one detector.

    Flags that are all 0 are left out where the pipelines take an array of the shape of the first one for them.

    Parameters
    ----------
    plan : Plan
    instrument : mapping
        Keywords that say which instrument and detector it is.
    readout : str
        READPATT of the exposures.
    axes : (int, int)
        FASTAXIS and SLOWAXIS.
    """

    def __init__(self, plan: Plan, instrument: Mapping[str, str], readout: str, axes: tuple[int, int]) -> None:
        self._plan, self._instrument, self._readout = plan, dict(instrument), readout
        self._keys = {"META.INSTRUMENT.DETECTOR": self._instrument["DETECTOR"]}
        rows, columns = plan.shape
        self.subarray = {"SUBARRAY": plan.subarray, "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": columns,
                         "SUBSIZE2": rows, "FASTAXIS": axes[0], "SLOWAXIS": axes[1]}  # fmt: skip

    def fits(self, kind: str, model: str, hdus: list[Any], more: Mapping[str, Any] | None = None) -> Reference:
        """Return a FITS file with more keywords than those of the instrument."""

        def write(path: Path) -> None:
            header = reference_header(kind, model, self._plan.seed, **self._instrument, **(more or {}))
            write_fits(path, header, hdus)

        return Reference(kind, write, self._keys)

    def asdf(self, kind: str, model: str, tree: Any, *, meta: Mapping[str, Any] | None = None,
             instrument: Mapping[str, str] | None = None, inline: bool = True) -> Reference:  # fmt: skip
        """Return an ASDF file.

        Parameters
        ----------
        tree : callable
            Makes what it holds, when it is written.
        inline : bool
            Whether arrays are written as text, as the pipelines want small ones; else they are compressed.
        """

        def write(path: Path) -> None:
            about = _meta(kind, model) | dict(meta or {}) | {"filename": path.name}
            names = {PLACES[key]: value for key, value in self._instrument.items()}
            about["instrument"] = names | dict(instrument or {})
            _write_asdf(path, about, tree(), inline)

        return Reference(kind, write, self._keys, ".asdf")

    def text(self, kind: str, write: Callable[[Path], None], suffix: str) -> Reference:
        """Return a file that is written in another way."""
        return Reference(kind, write, self._keys, suffix)

    def detector(self, detector: Detector) -> list[Reference]:
        """Return what the first pipeline needs: mask, gain, noise, saturation, bias, linearity and dark."""
        cut, none = self.subarray, hdu("DQ", np.zeros(detector.shape, np.uint32))
        noise = (detector.read_noise * np.sqrt(2)).astype(np.float32)  # of the difference of two reads
        full = detector.bias + np.float32(WELL_SHARE) * detector.well
        dark = {"READPATT": self._readout, "NFRAMES": 1, "GROUPGAP": 0, "NGROUPS": self._plan.groups}
        found = [
            self.fits("mask", "MaskModel", [hdu("DQ", detector.mask), _flag_names()], cut),
            self.fits("gain", "GainModel", [hdu("SCI", detector.gain)], cut),
            self.fits("readnoise", "ReadnoiseModel", [hdu("SCI", noise)], cut | {"READPATT": "ANY"}),
            self.fits("saturation", "SaturationModel", [hdu("SCI", full), none], cut),
            self.fits("linearity", "LinearityModel", [hdu("COEFFS", _linearity(detector)), none], cut),
            self.fits("dark", detector.family.dark_model, self._dark(detector, none), cut | dark),
        ]
        if detector.family.has_superbias:
            bias = [hdu("SCI", detector.bias), hdu("ERR", np.full(detector.shape, 0.1, np.float32))]
            found.append(self.fits("superbias", "SuperBiasModel", bias, cut | {"READPATT": "ANY"}))
        return found

    def _dark(self, detector: Detector, none: Any) -> list[Any]:
        seconds = self._plan.seconds * np.arange(1, self._plan.groups + 1, dtype=np.float32)
        counts = (detector.dark * seconds[:, None, None]).astype(np.float32)
        # MIRI has one ramp for each integration, the last for all that follow.
        return [hdu("SCI", counts[None])] if detector.family is MIRI else [hdu("SCI", counts), none]


def _linearity(detector: Detector) -> np.ndarray:
    """Return the coefficients (power, rows, columns) of the polynomial that makes reads linear.

    Where nothing takes the bias off before, it is one of the raw read r: with m = r - b, ``m + c m²`` is
    ``(c b² - b) + (1 - 2 b c) r + c r²``. Reference pixels are left as they are.
    """
    curve = np.where(detector.is_reference, 0, detector.curvature.astype(float))
    bias = np.where(detector.is_reference | detector.family.has_superbias, 0, detector.bias.astype(float))
    return np.stack([curve * bias**2 - bias, 1 - 2 * bias * curve, curve]).astype(np.float32)


def write_fits(path: Path, header: Any, hdus: list[Any]) -> None:
    """Write extensions behind a primary header that gets the file's name."""
    from astropy.io import fits

    header["FILENAME"] = path.name
    fits.HDUList([fits.PrimaryHDU(header=header), *hdus]).writeto(path)


def _write_asdf(path: Path, meta: Mapping[str, Any], tree: Mapping[str, Any], inline: bool) -> None:
    from jviz.backend.asdf_plugins import asdf_library

    entry = {"description": HISTORY, "time": datetime.fromisoformat(f"{DAY}T00:00:00")}
    file = asdf_library().AsdfFile({"meta": dict(meta), "history": {"entries": [entry]}, **tree})
    file.write_to(path, **({"all_array_storage": "inline"} if inline else {"all_array_compression": "zlib"}))
    file.close()


def _meta(kind: str, model: str) -> dict[str, Any]:
    return {
        "author": "jviz", "date": f"{DAY}T00:00:00.000", "description": "SIMULATED, matches simulated exposures",
        "model_type": model, "pedigree": "DUMMY", "reftype": kind, "telescope": "JWST",
        "useafter": "2000-01-01T00:00:00",
    }  # fmt: skip


def _flag_names() -> Any:
    return table("DQ_DEF", BIT=np.array([int(np.log2(v)) for v in FLAGS.values()], np.int32),
                 VALUE=np.array(list(FLAGS.values()), np.uint32), NAME=list(FLAGS),
                 DESCRIPTION=["" for _ in FLAGS])  # fmt: skip
