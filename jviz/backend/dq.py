"""What the bits of data quality arrays mean, for each telescope and instrument that defines them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral

from jviz.errors import CommandError

__all__ = ["DIALECTS", "Flags", "describe_flags", "flag_bits", "flag_names"]

Flags = dict[int, tuple[str, str]]
"""Bit number → (name, description)."""


def _table(text: str) -> Flags:
    """Read lines of ``bit NAME description``."""
    rows = (line.split(maxsplit=2) for line in text.strip().splitlines())
    return {int(bit): (name, description) for bit, name, description in rows}


# jwst-pipeline.readthedocs.io, "Data Quality Flags"; stdatamodels.jwst.datamodels.dqflags.pixel
_JWST = """
0 DO_NOT_USE Bad pixel, not to be used
1 SATURATED Saturated during the exposure
2 JUMP_DET Jump detected during the exposure
3 DROPOUT Data lost in transmission
4 OUTLIER Found by outlier detection
5 PERSISTENCE High persistence
6 AD_FLOOR Below the floor of the A/D converter
7 CHARGELOSS Charge migration
8 RESERVED Not used (UNRELIABLE_ERROR in files of earlier pipelines)
9 NON_SCIENCE Not on the science part of the detector
10 DEAD Dead pixel
11 HOT Hot pixel
12 WARM Warm pixel
13 LOW_QE Low quantum efficiency
14 RC RC pixel
15 TELEGRAPH Telegraph pixel
16 NONLINEAR Highly non-linear
17 BAD_REF_PIXEL Reference pixel that cannot be used
18 NO_FLAT_FIELD Flat field cannot be measured
19 NO_GAIN_VALUE Gain cannot be measured
20 NO_LIN_CORR No linearity correction
21 NO_SAT_CHECK No saturation check
22 UNRELIABLE_BIAS Large variance of the bias
23 UNRELIABLE_DARK Large variance of the dark current
24 UNRELIABLE_SLOPE Large variance of the slope (noisy pixel)
25 UNRELIABLE_FLAT Large variance of the flat field
26 OPEN Open pixel: its counts go to its neighbours
27 ADJ_OPEN Beside an open pixel
28 FLUX_ESTIMATED Flux was estimated (UNRELIABLE_RESET in files of earlier pipelines)
29 MSA_FAILED_OPEN Light from a shutter that failed open
30 OTHER_BAD_PIXEL Bad in another way
31 REFERENCE_PIXEL Reference pixel
"""

# roman_datamodels.dqflags.pixel, where it differs from JWST's
_ROMAN_CHANGES = """
4 GW_AFFECTED_DATA Affected by the read window of the guide star
7 OUTLIER Found by outlier detection
8 UNRELIABLE_ERROR Uncertainty larger than the quoted error
26 RESERVED_5 Reserved
27 RESERVED_6 Reserved
28 UNRELIABLE_RESET Sensitive to the reset anomaly
29 RESERVED_7 Reserved
"""

# ACS Data Handbook, table 3.4
_ACS = """
0 LOST Reed-Solomon decoding error: lost in compression or transmission
1 FILLED Replaced by a fill value
2 BADPIX Bad detector pixel, or beyond the aperture
3 MASKED Masked by an aperture feature
4 HOT Hot pixel
5 UNSTABLE Unstable pixel; before 2017 the CTE tail of a hot pixel
6 WARM Warm pixel
7 BADCOL Structure of the bias, mostly bad columns
8 SATURATED Full-well or A/D saturation
9 BADREF Bad in a reference file (flat field)
10 SINK Sink pixel or charge trap
11 ATODSAT A/D saturation
12 CRDRIZ Cosmic ray found by AstroDrizzle
13 CRREJ Cosmic ray found when exposures were combined
14 USER Set by hand
"""

# WFC3 Data Handbook, table 3.3
_WFC3_UVIS = """
0 LOST Reed-Solomon decoding error
1 FILLED Replaced by a fill value
2 BADPIX Bad detector pixel, or beyond the aperture
3 MASKED Masked by an aperture feature
4 HOT Hot pixel
5 UNSTABLE Unstable pixel; before 2017 a CTE tail
6 WARM Warm pixel
7 BADBIAS Bad pixel in the bias
8 SATURATED Full-well saturation
9 BADFLAT Bad in a reference file (flat field)
10 TRAP Charge trap or sink pixel
11 ATODSAT A/D saturation
12 CRDRIZ Cosmic ray found by AstroDrizzle
13 CRREJ Cosmic ray found when exposures were combined
14 CROSSTALK Ghost or crosstalk
"""

_WFC3_IR = """
0 LOST Reed-Solomon decoding error
1 FILLED Replaced by a fill value
2 BADPIX Bad detector pixel
3 BADZERO Deviant zeroth read
4 HOT Hot pixel
5 UNSTABLE Unstable pixel
6 WARM Warm pixel
7 BADREFPIX Bad reference pixel
8 SATURATED Full-well or A/D saturation
9 BADFLAT Bad in a reference file (flat field, blobs)
10 SPIKE Spike found while the ramp was fitted
11 ZEROSIG Signal in the zeroth read was corrected
12 CRDRIZ Cosmic ray found by AstroDrizzle
13 CRHIT Cosmic ray found up the ramp
14 HIGH_CURVATURE More cosmic rays than can be corrected
"""

# STIS Data Handbook, table 2.9
_STIS = """
0 LOST Reed-Solomon decoding error
1 FILLED Replaced by a fill value
2 BADPIX Bad detector pixel, or beyond the aperture
3 MASKED Masked by an occulting bar
4 HOT Dark current above 5 sigma of the median (hot pixel)
5 LARGEBLEM Large blemish, deeper than 40 %
6 VIGNETTED Vignetted
7 OVERSCAN In the overscan
8 SATURATED Saturated, or count rate at 90 % of the allowed
9 BADREF Bad in a reference file
10 SMALLBLEM Small blemish, 40 to 70 % of its surroundings
11 BADBACKGROUND More than 30 % of the background pixels were rejected
12 DISCARDED Rejected from the extraction
13 CRREJ Cosmic ray found when exposures were combined
14 NOT_CTI_CORR Not corrected for charge transfer inefficiency
"""

# COS Data Handbook, table 2.19
_COS = """
0 LOST Reed-Solomon decoding error
1 HOTSPOT Hot spot
2 SHADOW Shadow of a grid wire (FUV) or vignetted (NUV)
3 POORCALIB Poorly calibrated, edges included
4 DEADSPOT Response is low by more than 80 %
5 BACKGROUND Feature of the background
6 BURST Count rate of a burst
7 OUTSIDE Out of bounds
8 FILLED Fill data
9 PHA Pulse height too low or too high
10 LOWRESPONSE Response is low by more than 50 %
11 BADTIME In a bad time interval
12 LOWPHA Low pulse heights
13 GAINSAG Hole by gain sag
"""

# www.stsci.edu/hst/wfpc2/analysis/WFPC2_flags.html (WFPC2 Data Handbook, table 3.4)
_WFPC2 = """
0 LOST Reed-Solomon decoding error
1 BADREF Bad in a calibration file
2 DEFECT Permanent defect of the camera
3 ATODSAT A/D saturation
4 MISSING Lost in readout or transmission
5 BAD Bad in another way
7 TRAP Permanent charge trap
8 ABOVETRAP Above a charge trap, questionable
9 WARM Warm pixel, not repaired
10 REPAIRED Warm pixel, repaired
11 CHIPMASKED The whole chip is masked
12 CRDRIZ Cosmic ray found by drizzling
"""

# NICMOS Data Handbook, table 2.2; from bit 12 on calnica, calnic.h
_NICMOS = """
0 LOST Reed-Solomon decoding error
1 LINEARITY Linearity correction poor or uncertain
2 DARK Dark correction poor or uncertain
3 FLAT Flat field correction poor or uncertain
4 GROT Affected by grot
5 DEFECT Hot or cold pixel
6 SATURATED Saturated
7 MISSING Lost in telemetry
8 BADPIX Found bad in calibration
9 CRHIT Cosmic ray
10 SOURCE Contains a source
11 ZEROSIG Signal in the zeroth read was corrected
12 USER1 Set by hand
13 USER2 Set by hand
14 HIGH_CURVATURE More cosmic rays than can be corrected
15 RESERVED Not used
"""

# MaNGA's data reduction pipeline, MANGA_DRP3PIXMASK (Law et al. 2016, AJ 152, 83; sdss.org, "Bitmasks"); there the last
# is called DONOTUSE.
_MANGA = """
0 NOCOV No coverage in the cube
1 LOWCOV Low coverage depth in the cube
2 DEADFIBER A major contributing fibre is dead
3 FORESTAR Foreground star
10 DO_NOT_USE Not to be used for science
"""

# Keck OSIRIS, "Dataformat, Noise and QBITS": bits 0 and 3 are raised there for what is good; here for what is not
# (`jviz.backend.io.keck_flags`)
_OSIRIS = """
0 DO_NOT_USE Not valid
1 INTERPOLATED Interpolated
2 POORLY_INTERPOLATED Not well interpolated
3 OUTSIDE Not part of a spectrum
"""

# KCWI's data reduction pipeline: bit 0 is that of MASK, the others are those of FLAGS (CorrectDefects,
# RemoveCosmicRays, FlagSaturation, CorrectDar)
_KCWI = """
0 DO_NOT_USE Masked, or padding
1 BADPIX Bad pixel, replaced
2 CRHIT Cosmic ray, replaced
3 SATURATED Saturated
7 PADDING Added by the correction of atmospheric refraction, without data
"""

DIALECTS: dict[str, Flags] = {
    "jwst": _table(_JWST),
    "roman": {bit: flag for bit, flag in (_table(_JWST) | _table(_ROMAN_CHANGES)).items() if bit != 14},
    "hst-acs": _table(_ACS),
    "hst-wfc3-uvis": _table(_WFC3_UVIS),
    "hst-wfc3-ir": _table(_WFC3_IR),
    "hst-stis": _table(_STIS),
    "hst-cos": _table(_COS),
    "hst-wfpc2": _table(_WFPC2),
    "hst-nicmos": _table(_NICMOS),
    "manga": _table(_MANGA),
    "keck-osiris": _table(_OSIRIS),
    "keck-kcwi": _table(_KCWI),
    "generic": {},
}
"""The meanings by telescope and instrument; ``"generic"`` knows none and counts the bits."""


def flag_names(value: int, dialect: str = "generic") -> list[str]:
    """Name the bits that are set.

    Parameters
    ----------
    value : int
        A data quality value; a negative one is read as 32 bits.
    dialect : str
        A key of `DIALECTS`; an unknown one counts as ``"generic"``.

    Returns
    -------
    list of str
        In the order of the bits; ``"bit 13"`` for those without a name.
    """
    names = DIALECTS.get(dialect, {})
    return [names[bit][0] if bit in names else f"bit {bit}" for bit in _bits(value)]


def describe_flags(value: int, dialect: str = "generic") -> list[str]:
    """Describe the bits that are set, one line each: ``"DEAD (bit 10): Dead pixel"``."""
    names = DIALECTS.get(dialect, {})
    lines = []
    for bit in _bits(value):
        name, description = names.get(bit, ("", "not defined"))
        lines.append(f"{name} (bit {bit}): {description}" if name else f"bit {bit}: {description}")
    return lines


def _bits(value: int) -> list[int]:
    value = int(value)
    if value < 0:
        value &= 0xFFFFFFFF
    return [bit for bit in range(value.bit_length()) if value >> bit & 1]


def flag_bits(flags: str | int | Iterable[str | int] | None, dialect: str = "generic") -> int:
    """Return the value with the bits of flags set.

    Parameters
    ----------
    flags : str, int, list of them, or None
        Names as in `DIALECTS` ("SATURATED", also several with commas), numbers of bits as texts
        ("bit 13", "13"), or values whose bits are all meant (4 is bit 2).

    Raises
    ------
    CommandError
        For a name that the dialect does not know.
    """
    if flags is None:
        return 0
    if isinstance(flags, str):
        flags = [part for part in (p.strip() for p in flags.split(",")) if part and part.lower() != "none"]
    if isinstance(flags, Integral):
        return int(flags)
    names = {name.upper(): bit for bit, (name, _) in DIALECTS.get(dialect, {}).items()}
    value = 0
    for flag in flags:
        value |= int(flag) if isinstance(flag, Integral) else 1 << _bit(flag, names, dialect)
    return value


def _bit(flag: str, names: dict[str, int], dialect: str) -> int:
    number = flag.lower().removeprefix("bit").strip()
    if number.isdigit() and int(number) < 64:
        return int(number)
    if flag.strip().upper() in names:
        return names[flag.strip().upper()]
    near = get_close_matches(flag.upper(), names, 3) or list(names)[:6]
    hint = f"did you mean {' or '.join(near)}?" if near else "name bits as 'bit 3'."
    raise CommandError(f"There is no flag {flag!r} among those of {dialect}; {hint}")
