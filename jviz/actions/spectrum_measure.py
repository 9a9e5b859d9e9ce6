"""Commands that measure ranges of spectra."""

from __future__ import annotations

from typing import Any, Literal

from jviz.commands import command
from jviz.data import Spectrum
from jviz.session import Session
from jviz.spectrum_statistics import as_shown, ranges_to_measure, table_of_ranges


@command("spectrum.statistics", title="Statistics of Ranges…", menu="Spectrum", needs="spectrum", group="measure",
         icon="fa6s.table")  # fmt: skip
def statistics(
    session: Session,
    region: Any = None,
    data: Spectrum | list[Spectrum] | None = None,
    *,
    continuum: Literal["sides", "ends", "zero"] = "sides",
    units: Literal["shown", "file"] = "shown",
    view: Any = None,
) -> Any:
    """Measure ranges of spectra, with errors, in the units that the viewer shows.

    Parameters
    ----------
    region : str, list of str or SpectralRanges, optional
        Spectral subsets, or a pair such as (4.9 * u.um, 5.1 * u.um); all spectral subsets by default, what is in
        sight when there are none.
    data : Spectrum, optional
        What is seen in the view by default.
    continuum : str
        Below the line: "sides" (a straight line through what is beside the range, half as wide on either side),
        "ends" (through its outermost samples) or "zero".
    units : str
        Those that the view shows (of its file where it shows magnitudes, or where data are named without a view),
        or those of the file.

    Returns
    -------
    QTable
        One row for each range and spectrum: channels, mean, median, rms, min, max, sum, integral, snr, continuum,
        line_flux, equivalent_width (positive for absorption), centroid, fwhm, each with its error and unit. Channels
        that are cut by an end count in part. Without errors of the file they come from the scatter (note).
    """
    found = ranges_to_measure(session, region, data, view)
    if units == "shown" and (data is None or view is not None):
        shown = session.find_view(view, "spectrum")
        found = [as_shown(one, shown) for one in found]
    return table_of_ranges(found, continuum)
