"""A short report on a product: how far it is calibrated, what its flags, its background and its pointing say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.calibration.environment import newer_software
from jviz.backend.dq import flag_bits
from jviz.backend.io.jwst import is_jwst, product_suffix
from jviz.backend.io.product import Product
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["VERDICTS", "Check", "checks_of", "worst"]

VERDICTS = ("good", "look", "bad", "unknown")
"""``look``: it may be as it should, but somebody should look."""

SATURATED = (0.01, 0.05)
"""Parts of the pixels above which saturation is worth a look, and bad."""

UNUSABLE = (0.05, 0.2)
"""Parts of the pixels that may not be used."""

RAYS = (1e-6, 6e-4)
"""Pixels flagged as jumps, as part of all in a second: below and above them the search for cosmic rays went wrong.

5 events in a square centimetre a second, on pixels of 18 micrometres, with 1 to 10 pixels flagged for each, are
1.6e-5 to 1.6e-4 a second (Robberto 2009, JWST-STScI-001928)."""

FEWEST_RAYS = 1.6e-5
"""The least of these: with one pixel for each event."""

NOISE = (0.8, 1.3)
"""Scatter of the background over the errors between which these hold."""

SAMPLE = 4_000_000
"""Pixels from which the background is worked out."""

NEEDED = {
    "rate": ("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP"),
    "cal": ("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP", "S_WCS", "S_FLAT", "S_PHOTOM"),
    "i2d": ("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP", "S_WCS", "S_FLAT", "S_PHOTOM",
            "S_RESAMP"),
    "s3d": ("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP", "S_WCS", "S_PHOTOM", "S_IFUCUB"),
    "x1d": ("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP", "S_WCS", "S_PHOTOM", "S_EXTR1D"),
}  # fmt: skip
"""Steps without which a product of a suffix is not what it is called."""

ASIDE = ("NON_SCIENCE", "REFERENCE_PIXEL")
"""Flags of pixels that count for nothing: off the slit or the field of view, and those of reference."""

SLITS = ("NRS_MSASPEC", "NRS_FIXEDSLIT", "NRS_BRIGHTOBJ")

LIKE = {"rateints": "rate", "calints": "cal", "crf": "cal", "crfints": "cal", "s2d": "i2d", "x1dints": "x1d"}
GUIDING = {"FINEGUIDE": "good", "TRACK": "look", "MOVING": "good", "COARSE": "bad", "NONE": "unknown"}


@dataclass(frozen=True)
class Check:
    """One line of a report.

    Attributes
    ----------
    name : str
    value, error : float
        NaN where there is no number, or where it is exact.
    unit : str
        Empty for pure numbers and parts of one.
    verdict : str
        One of `VERDICTS`.
    said : str
        What it means, for people.
    """

    name: str
    value: float
    error: float
    unit: str
    verdict: str
    said: str


def worst(checks: list[Check]) -> str:
    """Return the worst verdict of all."""
    order = ("bad", "look", "good", "unknown")
    return min((check.verdict for check in checks), key=order.index, default="unknown")


def checks_of(product: Product, stars: Any = None, progress: Progress = silent) -> list[Check]:
    """Look at a product.

    Parameters
    ----------
    stars : callable, optional
        ``stars(values, errors)`` returns a `Check` of its places on the sky.
    """
    header = product.header
    found = [*_completeness(product, header), *_software(header)]
    progress(1, 4, "flags")
    found += _flags(product, header, progress)
    progress(2, 4, "background")
    values, errors = _picture(product)
    if values is not None:
        found += _background(values, errors, _unit(product), resampled=_is_resampled(header))
    progress(3, 4, "places on the sky")
    if stars is not None and values is not None:
        found.append(stars(values, errors))
    return [*found, *_guiding(header)]


# --- the header ----------------------------------------------------------------------------------------


def _completeness(product: Product, header: Mapping[str, Any]) -> list[Check]:
    if not is_jwst(header):
        return []
    suffix = product_suffix(product.path, header) if product.path is not None else ""
    needed = NEEDED.get(LIKE.get(suffix, suffix), ())
    if not needed:
        said = "raw, so nothing is calibrated yet" if suffix == "uncal" else "its level is not known"
        return [Check("calibration", np.nan, np.nan, "", "good" if suffix == "uncal" else "unknown", said)]
    states = {key: str(header.get(key, "") or "").strip().upper() for key in needed}
    done = [key for key, state in states.items() if state == "COMPLETE"]
    left = [f"{key.removeprefix('S_').lower()} {state.lower() or 'is not mentioned'}" for key, state in states.items()
            if state != "COMPLETE"]  # fmt: skip
    part = len(done) / len(needed)
    verdict = "good" if part == 1 else "look" if part >= 0.75 else "bad"
    said = ", ".join(left) or f"all {len(needed)} steps of a {suffix} file"
    return [Check("calibration", part, np.nan, "", verdict, said)]


def _software(header: Mapping[str, Any]) -> list[Check]:
    made = str(header.get("CAL_VER", "") or "").strip()
    if not is_jwst(header) or not made:
        return []
    newer, context = newer_software(header), str(header.get("CRDS_CTX", "") or "").strip()
    said = f"made by jwst {made}" + (f" with {context}" if context else "")
    said += f"; {newer[1]} is installed" if newer else ""
    return [Check("software", np.nan, np.nan, "", "look" if newer else "good", said)]


def _guiding(header: Mapping[str, Any]) -> list[Check]:
    if not is_jwst(header):
        return []
    mode = str(header.get("PCS_MODE", "") or "").strip().upper()
    star = str(header.get("GDSTARID", "") or "").strip()
    pointing = str(header.get("ENGQLPTG", "") or "").strip().upper()
    magnitude, error = _number(header, "GS_MAG"), _number(header, "GS_UMAG")
    words = [f"guiding {mode.lower()}" if mode else "the header does not say how it was guided"]
    words += [f"on {star}"] if star and star.upper() != "N/A" else []
    verdict = GUIDING.get(mode, "unknown")
    if pointing.startswith("PLANNED"):
        words.append("pointing as planned, not as measured")
        verdict = "bad" if verdict == "bad" else "look"
    status = str(header.get("VISITSTA", "") or "").strip().upper()
    if status and status != "SUCCESSFUL":
        words.append(f"visit {status.lower()}")
        verdict = "bad"
    return [Check("guide star", magnitude, error, "mag" if np.isfinite(magnitude) else "", verdict, ", ".join(words))]


def _number(header: Mapping[str, Any], keyword: str) -> float:
    value = header.get(keyword)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


# --- flags ---------------------------------------------------------------------------------------------


def _flags(product: Product, header: Mapping[str, Any], progress: Progress) -> list[Check]:
    plane = product.plane("flags")
    if plane is None:
        return [Check("saturated", np.nan, np.nan, "", "unknown", "there are no flags")]
    bits = {}
    for name in ("SATURATED", "DO_NOT_USE", "JUMP_DET", *ASIDE):
        try:
            bits[name] = flag_bits(name, product.flags or "generic")
        except JvizError:
            continue  # a dialect without such a flag
    counts, total = _counted(plane, bits, progress)
    found = []
    if "SATURATED" in bits:
        part = counts["SATURATED"] / total
        found.append(Check("saturated", part, np.nan, "", _above(part, SATURATED), f"{counts['SATURATED']:,} pixels"))
    if "DO_NOT_USE" in bits:
        part = counts["DO_NOT_USE"] / total
        said = f"{counts['DO_NOT_USE']:,} pixels, without those of reference and those that no light of the sky reaches"
        # Pictures of slits are cut out as rectangles: what lies beside a tilted slit is flagged as well.
        slit = str(header.get("EXP_TYPE", "") or "").strip().upper() in SLITS
        verdict = "unknown" if slit else _above(part, UNUSABLE)
        said += "; those beside the slit are among them" if slit else ""
        found.append(Check("not to be used", part, np.nan, "", verdict, said))
    if "JUMP_DET" in bits:
        found += _rays(counts["JUMP_DET"], total, header)
    return found


def _counted(plane: Any, bits: Mapping[str, int], progress: Progress) -> tuple[dict[str, int], int]:
    """Count flagged pixels; of several groups or integrations, those flagged in any of them."""
    raw = plane.raw(progress)
    rows = raw.reshape(-1, *raw.shape[-2:]) if raw.ndim > 2 else raw[None]
    counts, total = dict.fromkeys(bits, 0), 0
    aside = sum(bits.get(name, 0) for name in ASIDE)
    step = max(1, SAMPLE // max(rows.shape[0] * rows.shape[-1], 1))
    for start in range(0, rows.shape[1], step):
        part = np.bitwise_or.reduce(plane.physical(rows[:, start : start + step]), axis=0)
        part = part[(part & aside) == 0]
        total += part.size
        for name, bit in bits.items():
            counts[name] += int(np.count_nonzero(part & bit))
    return counts, max(total, 1)


def _rays(count: int, total: int, header: Mapping[str, Any]) -> list[Check]:
    seconds = next((value for key in ("EFFEXPTM", "XPOSURE", "TMEASURE", "EXPTIME")
                    if np.isfinite(value := _number(header, key)) and value > 0), np.nan)  # fmt: skip
    done = str(header.get("S_JUMP", "") or "").strip().upper()
    if not np.isfinite(seconds) or done != "COMPLETE":
        said = "jumps were not looked for" if done != "COMPLETE" else "the exposure time is not known"
        return [Check("cosmic rays", np.nan, np.nan, "", "unknown", said)]
    rate = count / total / seconds
    verdict = "good" if RAYS[0] <= rate <= RAYS[1] else "look"
    said = f"{count:,} pixels flagged in {seconds:,.1f} s, as part of all in a second"
    if count == 0:
        expected = FEWEST_RAYS * total * seconds
        # None at all where so few come happens to more than one exposure in twenty, and proves nothing.
        verdict = "unknown" if expected < 3 else "look"
        said += f"; at least {expected:,.2g} come as a rule" + (", too few to tell" if expected < 3 else "")
    return [Check("cosmic rays", rate, np.sqrt(max(count, 1)) / total / seconds, "1 / s", verdict, said)]


def _above(part: float, limits: tuple[float, float]) -> str:
    return "good" if part <= limits[0] else "look" if part <= limits[1] else "bad"


# --- the picture ---------------------------------------------------------------------------------------


def _unit(product: Product) -> str:
    return next(iter(product.planes.values())).unit if product.planes else ""


def _picture(product: Product) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return values and errors of what is looked at; the last slice where there are several."""
    plane = next(iter(product.planes.values()), None)
    if plane is None or len(plane.shape) < 2 or min(plane.shape[-2:]) < 8:
        return None, None
    values = np.array(_last(plane), float)
    error = product.plane("error")
    errors = np.array(_last(error), float) if error is not None and error.shape[-2:] == plane.shape[-2:] else None
    flags = product.plane("flags")
    if flags is not None and flags.shape[-2:] == plane.shape[-2:]:
        try:
            values[(_last(flags) & flag_bits("DO_NOT_USE", product.flags or "generic")) > 0] = np.nan
        except JvizError:
            return values, errors  # flags of a dialect that has no such name
    return values, errors


def _last(plane: Any) -> np.ndarray:
    return plane.read((-1,) * (len(plane.shape) - 2) + (...,))


def _is_resampled(header: Mapping[str, Any]) -> bool:
    return any(str(header.get(key, "") or "").strip().upper() == "COMPLETE" for key in ("S_RESAMP", "S_IFUCUB"))


def _background(values: np.ndarray, errors: np.ndarray | None, unit: str, *,
                resampled: bool = False) -> list[Check]:  # fmt: skip
    step = max(1, int(np.ceil(np.sqrt(values.size / SAMPLE))))
    part = values[::step, ::step]
    level, scatter, used = _clipped(part[np.isfinite(part)])
    if used.size < 100:
        return [Check("background", np.nan, np.nan, unit, "unknown", "there are too few pixels")]
    # 1.2533: error of a median over that of a mean, for a Gaussian
    error = 1.2533 * scatter / np.sqrt(used.size)
    negative = level < -5 * error and level < -0.05 * scatter
    said = f"scatter {scatter:.4g}" + ("; below zero" if negative else "")
    found = [Check("background", level, error, unit, "look" if negative else "good", said)]
    if errors is not None:
        found += _noise(part, errors[::step, ::step], level, scatter, resampled)
    return found


def _noise(part: np.ndarray, errors: np.ndarray, level: float, scatter: float, resampled: bool) -> list[Check]:
    blank = np.isfinite(part) & (np.abs(part - level) < 3 * scatter) & np.isfinite(errors) & (errors > 0)
    if np.count_nonzero(blank) < 100:
        return []
    pulls = (part[blank] - level) / errors[blank]
    # of values within 3 sigma the standard deviation is 0.9866 sigma
    ratio = float(np.std(pulls)) / 0.9866
    # Pixels of a resampled image share what was counted: they scatter less than their errors say.
    verdict = "good" if (resampled or NOISE[0] <= ratio) and ratio <= NOISE[1] else "look"
    said = "scatter of the background over the errors; resampled images have less, as their pixels are correlated"
    return [Check("noise over errors", ratio, ratio / np.sqrt(2 * pulls.size), "", verdict, said)]


def _clipped(values: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Return median and scatter of the values that are no sources, and these values."""
    kept = values
    for _ in range(12):
        if kept.size < 10:
            break
        middle = float(np.median(kept))
        scatter = 1.4826 * float(np.median(np.abs(kept - middle)))
        inside = np.abs(values - middle) <= 3 * scatter
        if scatter == 0 or np.count_nonzero(inside) == kept.size:
            break
        kept = values[inside]
    if not kept.size:
        return np.nan, np.nan, kept
    middle = float(np.median(kept))
    return middle, 1.4826 * float(np.median(np.abs(kept - middle))), kept
