"""The command that reports on the quality of products in the library."""

from __future__ import annotations

from typing import Any

from jviz.actions.library import MENU
from jviz.actions.library_files import paths_of_files
from jviz.commands import command
from jviz.jobs import Job
from jviz.session import Session


@command("library.quality", title="Show Quality of Files…", menu=MENU, job=True, recorded=False, script=False,
         group="search", icon="fa6s.clipboard-check")  # fmt: skip
def quality(session: Session, files: Any, *, job: Job | None) -> Any:
    """Report on products of the library: calibration, flags, background, cosmic rays, guide star.

    The window makes the reports of JWST products by itself, soon after they came in (the setting
    ``library.check_quality``); those that there are not yet are made now, and kept.

    Parameters
    ----------
    files : QTable, str, Path or list
        Rows of a search, or paths.

    Returns
    -------
    QTable
        As of calibration.quality: for each ``product`` and ``check`` ``value``, ``value_err``, ``unit``, ``verdict``
        and ``meaning``; ``meta["verdicts"]`` has the worst of each product.
    """
    from jviz.library_quality import library_reports
    from jviz.quality import quality_table

    found = library_reports(session, paths_of_files(files), job or session.calibrations.stand_in("Quality"))
    return quality_table({path.name: checks for path, checks in found.items()})
