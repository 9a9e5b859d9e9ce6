"""The command that reports how good products are."""

from __future__ import annotations

from typing import Any

from jviz.actions.calibration import MENU
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Catalog, Data
from jviz.errors import CommandError
from jviz.quality import quality_checks, quality_table
from jviz.session import Session


@command("calibration.quality", title="Quality Report…", menu=MENU, job=True, group="look", icon="fa6s.clipboard-check")
def quality(session: Session, data: Any, reference: Catalog | None = None, *, progress: Progress) -> Any:
    """Report on products: calibration, flags, background, cosmic rays, places on the sky, guide star.

    Parameters
    ----------
    data : Data, name, or a list of them
    reference : Catalog, optional
        With right ascension and declination, such as Gaia: places of stars are compared with it.

    Returns
    -------
    QTable
        For each ``product`` and ``check``: ``value``, ``value_err``, ``unit``, ``verdict`` (good, look, bad, unknown)
        and ``meaning``. ``value_err`` is NaN for what is counted. ``meta["verdicts"]`` has the worst of each product.
    """
    several = data if isinstance(data, list | tuple) else [data]
    if not several:
        raise CommandError("There is nothing to report on; name at least one product.")
    checks = {}
    for each in several:
        found: Data = session.find_data(each)
        checks[found.name] = quality_checks(found, reference, progress)
    return quality_table(checks)
