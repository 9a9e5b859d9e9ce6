"""What the names of JWST products say: suffix and level, explained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LEVELS", "RESULTS", "SUFFIXES", "Meaning", "meaning_of"]

LEVELS = {
    "1b": "raw, with its headers (stage 0; level 1 at MAST)",
    "2a": "slopes of the ramps (stage 1)",
    "2b": "calibrated single exposures (stage 2)",
    "2c": "exposures with the outliers of their association flagged",
    "3": "combined from several exposures (stage 3; level 3 at MAST)",
}
"""Levels of products (jwst documentation, stages of data products)."""

SUFFIXES = {
    "uncal": ("1b", "raw ramps, as they were read from the detector"),
    "ramp": ("2a", "ramps after all corrections before the fit"),
    "rate": ("2a", "slope of the ramp of each pixel, over all integrations"),
    "rateints": ("2a", "slopes of each integration"),
    "dark": ("2a", "a dark exposure, corrected"),
    "trapsfilled": ("2a", "the traps that are filled at the end, for the persistence of the next exposure"),
    "cal": ("2b", "a calibrated exposure, in units of surface brightness or flux"),
    "calints": ("2b", "calibrated integrations"),
    "bsub": ("2b", "an exposure with its background subtracted"),
    "bsubints": ("2b", "integrations with their background subtracted"),
    "mbsub": ("2b", "an exposure with the master background subtracted"),
    "wht": ("2b", "weights"),
    "crf": ("2c", "a calibrated exposure with outliers flagged"),
    "crfints": ("2c", "calibrated integrations with outliers flagged"),
    "i2d": ("3", "a resampled image"),
    "s2d": ("3", "a rectified two-dimensional spectrum"),
    "s3d": ("3", "a spectral cube"),
    "x1d": ("3", "an extracted spectrum"),
    "x1dints": ("3", "extracted spectra of each integration"),
    "c1d": ("3", "extracted spectra, combined"),
    "cat": ("3", "a catalogue of sources"),
    "segm": ("3", "a segmentation map: which source each pixel belongs to"),
    "phot": ("3", "aperture photometry of a time series"),
    "whtlt": ("3", "a white-light curve"),
    "psfalign": ("3", "PSF references, aligned with the target"),
    "psfstack": ("3", "PSF references, stacked"),
    "psfsub": ("3", "integrations with the PSF subtracted"),
    "ami-oi": ("2b", "interferometric observables of an exposure"),
    "amimulti-oi": ("2b", "interferometric observables of each integration"),
    "aminorm-oi": ("3", "interferometric observables, divided by those of a reference"),
    "wfscmb": ("3", "a pair of wavefront-sensing exposures, combined"),
    "asn": ("", "an association: which exposures are made into which products"),
    "pool": ("", "the exposures from which associations are made"),
    "msa": ("", "which shutters of the NIRSpec microshutter array were open"),
}
"""Level and meaning by suffix; of those of level 3 an exposure's own product has level 2b."""

RESULTS = {
    "image2": ("cal", "i2d"), "wfs-image2": ("cal",), "tso-image2": ("calints",), "spec2": ("cal", "s2d", "x1d"),
    "nrslamp-spec2": ("cal",), "tso-spec2": ("calints", "x1dints"), "image3": ("i2d", "cat", "segm"),
    "spec3": ("s2d", "x1d", "c1d"), "tso3": ("x1dints", "phot", "whtlt"), "coron3": ("psfsub", "i2d"),
    "ami3": ("ami-oi", "aminorm-oi"), "wfs-image3": ("wfscmb",),
}  # fmt: skip
"""Suffixes of the products that the pipeline of each type of association writes."""

CUBES = re.compile(r"mrs|ifu", re.IGNORECASE)
_EXPOSURE = re.compile(r"jw\d{11}_")


@dataclass(frozen=True)
class Meaning:
    """What the name of a product says.

    Attributes
    ----------
    suffix, level : str
        Empty when they are not known.
    text : str
        One line for people.
    """

    suffix: str
    level: str
    text: str

    @property
    def short(self) -> str:
        """``"cal, level 2b"``."""
        return f"{self.suffix}, level {self.level}" if self.level else self.suffix


def meaning_of(name: str) -> Meaning:
    """Explain the name of a product by its last part.

    Examples
    --------
    >>> meaning_of("jw01234001001_02101_00001_nrca1_cal.fits").level
    '2b'
    """
    stem = Path(name).name.partition(".")[0]
    suffix = stem.rpartition("_")[2].lower()
    suffix = suffix.partition("-")[0] if suffix.startswith("wfscmb-") else suffix
    if suffix not in SUFFIXES:
        return Meaning("", "", "no suffix that is known")
    level, what = SUFFIXES[suffix]
    if level == "3" and _EXPOSURE.match(stem):
        level, what = "2b", f"{what}, of one exposure"
    said = f"level {level}: {LEVELS[level]}" if level else ""
    return Meaning(suffix, level, f"{suffix}: {what}" + (f" ({said})" if said else ""))
