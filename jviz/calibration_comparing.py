"""Before and after a calibration: two data of a session compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.calibration.comparing import Comparison, compared
from jviz.backend.dq import DIALECTS
from jviz.backend.io.jwst import dialect_of
from jviz.backend.progress import Progress, silent
from jviz.backend.spectra.resampling import with_variance
from jviz.data import Data, Spectrum, WithPicture
from jviz.errors import CommandError
from jviz.flags import known_flags
from jviz.spectral import made_spectrum, samples_of

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["check_pair", "comparison_of", "comparison_table", "spectrum_of_changes"]

MOST = 200_000_000
"""Pixels that are compared at most."""


def check_pair(before: Data, after: Data) -> None:
    """Refuse what are no two pictures, and no two spectra.

    Raises
    ------
    CommandError
        Names what it is instead.
    """
    for data in (before, after):
        if not isinstance(data, WithPicture | Spectrum):
            raise CommandError(f"{data.name} is of kind {data.kind}; before and after are images, cubes, ramps or "
                               "spectra.")  # fmt: skip
    if isinstance(before, Spectrum) != isinstance(after, Spectrum):
        raise CommandError(f"{before.name} is of kind {before.kind} and {after.name} of kind {after.kind}; compare "
                           "products of the same level.")  # fmt: skip
    if before is after:
        raise CommandError(f"{before.name} is compared with itself; choose what came before, and what came after.")


def comparison_of(before: Data, after: Data, progress: Progress = silent) -> Comparison:
    """Compare the pixels, flags and headers of two data.

    Raises
    ------
    CommandError
        When they cannot be compared pixel by pixel.
    """
    check_pair(before, after)
    if isinstance(before, Spectrum) and isinstance(after, Spectrum):
        return _of_spectra(before, after)
    if before.shape != after.shape:
        shapes = " and ".join(" × ".join(map(str, data.shape)) for data in (before, after))
        raise CommandError(
            f"{before.name} and {after.name} have different shapes ({shapes}), so no pixel of one is a pixel of the "
            "other. Compare products of the same level."
        )
    if np.prod(before.shape) > MOST:
        raise CommandError(f"{before.name} has more than {MOST:,} values; compare a part of it.")
    progress(0, 3, f"Reading {before.name}")
    arrays = [before.plane().read()]
    progress(1, 3, f"Reading {after.name}")
    arrays.append(after.plane().read())
    progress(2, 3, "Comparing")
    planes = [data.product.plane("flags") for data in (before, after)]
    flags = tuple(plane.read() if plane is not None else None for plane in planes)
    names = {flag.bit: flag.name for flag in known_flags(after)}
    return compared(*arrays, flags=flags, names=names, headers=(before.header, after.header))


def _of_spectra(before: Spectrum, after: Spectrum) -> Comparison:
    """Compare two spectra sample by sample; the samples have to be at the same wavelengths."""
    several = _on_one_axis(before, after)
    fluxes = [np.concatenate([one.flux for one in samples]) for samples in several]
    flags = [[one.flags for one in samples if one.flags is not None] for samples in several]
    whole = tuple(np.concatenate(each) if each else None for each in flags)
    known = DIALECTS.get(dialect_of(after.header), {})
    names = {bit: name for bit, (name, _) in known.items()}
    return compared(*fluxes, flags=whole, names=names, headers=(before.header, after.header))


def _on_one_axis(before: Spectrum, after: Spectrum) -> list[Any]:
    """Return the samples of both; raise when they are not at the same wavelengths."""
    several = [samples_of(data) for data in (before, after)]
    axes = [np.concatenate([one.axis.values for one in samples]) for samples in several]
    lengths = [[len(one) for one in samples] for samples in several]
    if lengths[0] != lengths[1] or not np.allclose(*axes, rtol=1e-6):
        raise CommandError(
            f"{before.name} and {after.name} have samples at different wavelengths. Resample one to those of the other "
            "(spectrum.resample) to compare them."
        )
    return several


def spectrum_of_changes(before: Spectrum, after: Spectrum, way: str) -> Spectrum:
    """Return after − before ("difference") or after ∕ before ("ratio"), sample by sample.

    It has no errors: both spectra are of the same photons, so that those of the two are not independent.

    Raises
    ------
    CommandError
        When the samples are at different wavelengths, or in different units.
    """
    made = []
    for old, new in zip(*_on_one_axis(before, after), strict=True):
        if old.unit != new.unit:
            raise CommandError(f"{before.name} is in {old.unit or 'no unit'} and {after.name} in "
                               f"{new.unit or 'no unit'}; compare products of the same level.")  # fmt: skip
        with np.errstate(divide="ignore", invalid="ignore"):
            values = new.flux - old.flux if way == "difference" else new.flux / old.flux
        values = np.where(old.good & new.good & np.isfinite(values), values, np.nan)
        unit = new.unit if way == "difference" else ""
        made.append(with_variance(new, values, None, unit=unit, mask=~np.isfinite(values), flags=None))
    sign = "−" if way == "difference" else "∕"
    name = f"{after.name} {sign} {before.name}"
    return made_spectrum(made[0] if len(made) == 1 else made, name, name)


def comparison_table(comparison: Comparison, before: Data, after: Data) -> QTable:
    """Return a comparison as a table: ``kind`` (number, flag, keyword), ``name``, ``before``, ``after``, ``change``."""
    from astropy.table import QTable

    rows = [("number", name, *map(_text, values)) for name, values in comparison.numbers.items()]
    rows += [
        ("flag", flag.name, str(flag.before), str(flag.after), f"+{flag.added} −{flag.removed}")
        for flag in comparison.flags
    ]
    rows += [("keyword", name, _text(old), _text(new), "") for name, old, new in comparison.keywords]
    names = ("kind", "name", "before", "after", "change")
    table = QTable({name: [row[number] for row in rows] for number, name in enumerate(names)})
    table.meta.update(before=before.name, after=after.name)
    return table


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
