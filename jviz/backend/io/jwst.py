"""What a space telescope's file is, by its name and header: JWST, HST and Roman products."""

from __future__ import annotations

import re
from pathlib import Path

from jviz.backend.io.cards import Keywords
from jviz.backend.io.keck_flags import keck_dialect

__all__ = ["dialect_of", "is_jwst", "jwst_product", "mission_words", "product_suffix"]

JWST_SUFFIXES = (
    "uncal ramp rate rateints cal calints crf crfints i2d s2d s3d x1d x1dints c1d psfsub psfalign "
    "psfstack segm msa cat bsub bsubints mbsub dark trapsfilled whtlt phot o1d amilg aminorm amimulti"
)
HST_SUFFIXES = (
    "raw flt flc crj crc drz drc ima sfl sx1 sx2 x1d x2d x1dsum corrtag rawtag fltsum lampflash "
    "c0f c0m c1m d0m cal mos asn jit spt trl"
)
INTEGRATIONS = ("rateints", "calints", "crfints", "bsubints", "psfsub", "psfstack", "psfalign", "phot")
_BY_MODEL = {
    "Level1bModel": "uncal",
    "RampModel": "ramp",
    "IFUCubeModel": "s3d",
    "MultiSpecModel": "x1d",
    "MRSMultiSpecModel": "x1d",
    "SpecModel": "x1d",
    "TSOMultiSpecModel": "x1dints",
    "WFSSMultiSpecModel": "x1d",
    "CombinedSpecModel": "c1d",
    "MultiCombinedSpecModel": "c1d",
    "SegmentationMapModel": "segm",
}
_SLIT_MODELS = ("MultiSlitModel", "SlitModel", "MultiExposureModel", "MultiSpecModel")
_INSTRUMENTS = {"NIRCAM": "NIRCam", "NIRSPEC": "NIRSpec"}
_HST_DIALECTS = {
    "ACS": "hst-acs",
    "STIS": "hst-stis",
    "COS": "hst-cos",
    "WFPC2": "hst-wfpc2",
    "NICMOS": "hst-nicmos",
}


def _telescope(header: Keywords) -> str:
    return str(header.get("TELESCOP", "")).strip().upper()


def is_jwst(header: Keywords) -> bool:
    """Whether the primary header says JWST."""
    return _telescope(header) == "JWST"


def product_suffix(path: Path, header: Keywords) -> str:
    """Return ``"i2d"``, ``"rateints"``, ``"flt"`` …, or ``""``.

    The file's own name comes first: derived files often keep the FILENAME of what they were
    made from. Then FILENAME, then DATAMODL.
    """
    known = {"JWST": JWST_SUFFIXES, "HST": HST_SUFFIXES}.get(_telescope(header), "").split()
    for name in (path.name, str(header.get("FILENAME", ""))):
        for word in reversed(re.split(r"[_.\-]", name.lower())):
            if word in known:
                return word
    return _BY_MODEL.get(str(header.get("DATAMODL", "")), "") if is_jwst(header) else ""


def jwst_product(suffix: str, header: Keywords, shape: tuple[int, ...]) -> str:
    """Decide the kind of a JWST array.

    Parameters
    ----------
    suffix : str
        From `product_suffix`.
    header : mapping
        Primary header.
    shape : tuple of int
        As in the file, in numpy order; when it contradicts the header, it decides.

    Returns
    -------
    str
        ``"ramp"``, ``"spectrum2d"``, or ``""`` when the array alone decides.
    """
    model = str(header.get("DATAMODL", ""))
    if len(shape) >= 4:
        return "ramp"
    if len(shape) == 3 and model != "IFUCubeModel" and suffix != "s3d":
        return "ramp" if suffix in (*INTEGRATIONS, "uncal", "ramp") or model == "CubeModel" else ""
    if len(shape) == 2 and (suffix == "s2d" or model in _SLIT_MODELS):
        return "spectrum2d"
    return ""


def dialect_of(header: Keywords) -> str:
    """Return which dialect the DQ bits speak, a key of `jviz.backend.dq.DIALECTS`, or ``""``."""
    telescope = _telescope(header)
    instrument = str(header.get("INSTRUME", "")).strip().upper()
    if telescope == "HST" and instrument == "WFC3":
        return "hst-wfc3-ir" if str(header.get("DETECTOR", "")).strip() == "IR" else "hst-wfc3-uvis"
    if telescope == "HST":
        return _HST_DIALECTS.get(instrument, "")
    if instrument == "MANGA" and header.get("DAPFRMT", header.get("DAPTYPE")) is None:  # the DAP has other bits
        return "manga"
    return {"JWST": "jwst", "ROMAN": "roman", "SIMULATED": "jwst"}.get(telescope, "") or keck_dialect(header)


def mission_words(header: Keywords, suffix: str) -> str:
    """Return ``"JWST NIRCam cal"``, or telescope and instrument as the header has them."""
    telescope = str(header.get("TELESCOP", "")).strip()
    instrument = str(header.get("INSTRUME", "")).strip()
    if is_jwst(header):
        instrument = _INSTRUMENTS.get(instrument.upper(), instrument)
    words = [word for word in (telescope, instrument, suffix) if word]
    return " ".join(dict.fromkeys(words))[:60]
