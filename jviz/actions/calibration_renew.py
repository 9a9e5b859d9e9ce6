"""The command that calibrates anew what is out of date."""

from __future__ import annotations

from typing import Any

from jviz.actions.calibration import MENU
from jviz.backend.progress import Progress
from jviz.calibration_members import root_of
from jviz.commands import command
from jviz.errors import CommandError
from jviz.jobs import Job
from jviz.references import rules_for
from jviz.renewing import Renewal, done_before, renewals
from jviz.results import counted
from jviz.session import Session

MOST_AT_ONCE = 50
"""Runs that are put into the queue by one call."""


@command("calibration.renew", title="Calibrate Anew What Is Outdated", menu=MENU, job=True, apart=True, recorded=False,
         script=False, group="run", icon="fa6s.arrows-rotate")  # fmt: skip
def renew(
    session: Session, context: str | None = None, *, only: list[str] | None = None, priority: int = 0,
    job: Job | None, progress: Progress,
) -> Any:  # fmt: skip
    """Queue a calibration for all products of the session and of the library that crds.reprocess lists.

    Each exposure is made again from the latest file that none of the changes touches (slopes for a new flat, raw data
    for a new dark or a newer pipeline), up to the level of its product, in a job and a run of its own. What was made
    of several exposures is made again by its association (ASNTABLE of its header; else one of the exposures that it
    lists), whose members are made anew before it in the same run. The products that were there stay. At most 50 runs
    are queued at a time.

    Parameters
    ----------
    context : str, optional
        ``"jwst_1413.pmap"``; by default that of ``CRDS_CONTEXT``, or the newest one in the cache.
    only : list of str, optional
        These products alone, as crds.reprocess names them.
    priority : int
        Of the runs; higher ones go before others that wait.

    Returns
    -------
    QTable
        ``product``, ``why`` (types of reference files, software), ``source``, ``pipelines``, and ``state``: queued, or
        why not.
    """
    from astropy.table import QTable

    catalogue = session.calibrations.catalogue(job or session.calibrations.stand_in("Steps"))
    found = renewals(session, catalogue, context, progress)
    if only is not None:
        unknown = [name for name in only if name not in [each.product for each in found]]
        if unknown:
            raise CommandError(f"{unknown[0]} is not out of date, so there is nothing to calibrate anew.")
        found = [each for each in found if each.product in only]
    asked = rules_for(None, context).context(context)
    runs = _runs(found)
    planned = {str(each.source): each.pipelines for each in found if each.source is not None} | runs
    before = {source: done.state for source, done in done_before(session, asked).items()
              if source in planned and done.covers(planned[source])}  # fmt: skip
    runs = {source: pipelines for source, pipelines in runs.items() if source not in before}
    queued = list(runs)[:MOST_AT_ONCE]
    for source in queued:
        _submit(session, source, runs[source], context, priority)
    states = dict.fromkeys(runs, "later: ask again when these are done") | dict.fromkeys(queued, "queued") | before
    rows = [(each.product, ", ".join(each.why), str(each.source or ""), ", ".join(each.pipelines),
             each.problem or states.get(str(each.source), "made in the run of another product"))
            for each in found]  # fmt: skip
    names = ("product", "why", "source", "pipelines", "state")
    table = QTable(rows=rows or None, names=names, dtype=(str,) * len(names))
    table.meta |= {"context": asked, "runs": len(queued)}
    session.notice("info", _said(queued, [each for each in found if each.problem], len(found)))
    return table


def _submit(
    session: Session, source: str, pipelines: tuple[str, ...], context: str | None, priority: int
) -> None:
    given: dict[str, Any] = {"inputs": [source], "pipeline": list(pipelines)}
    given |= {"context": context} if context else {}
    given |= {"priority": priority} if priority else {}
    session.dispatcher.ask(lambda: session.submit("calibration.run", **given))


def _runs(found: list[Renewal]) -> dict[str, tuple[str, ...]]:
    """Return the pipelines for each source; of products of one exposure, those that lead farthest, from the first.

    Associations come first: exposures that are made anew with one of them need no run of their own.
    """
    runs: dict[str, tuple[str, ...]] = {}
    with_others: dict[str, tuple[str, ...]] = {}
    for each in found:
        if each.members and each.source is not None:
            known = runs.get(str(each.source), ())
            runs[str(each.source)] = max(known, each.pipelines, key=len)
            with_others |= dict.fromkeys(each.members, runs[str(each.source)])
    by_root: dict[str, Renewal] = {}
    for each in found:
        if each.source is None or each.members:
            continue
        root = str(each.source).rpartition("_")[0]
        known_one = by_root.get(root)
        if known_one is None or _reach(each) > _reach(known_one):
            by_root[root] = each
    for each in by_root.values():
        covered = with_others.get(root_of(each.source.name), ()) if each.source is not None else ()
        if not set(each.pipelines) <= set(covered):
            runs[str(each.source)] = each.pipelines
    return runs


def _reach(each: Renewal) -> tuple[int, bool]:
    """Return how many pipelines lead to a product, and whether they begin with raw data."""
    return len(each.pipelines), each.source is not None and each.source.name.endswith("_uncal.fits")


def _said(queued: list[str], problems: list[Renewal], outdated: int) -> str:
    if not outdated:
        return "Everything is up to date, so nothing is calibrated anew."
    associations = sum(source.lower().endswith(".json") for source in queued)
    words = [counted(len(queued) - associations, "exposure")] if len(queued) > associations else []
    words += [f"{counted(associations, 'association')} with {'its' if associations == 1 else 'their'} members"
              ] if associations else []  # fmt: skip
    text = f"{' and '.join(words)} will be calibrated anew; Jobs shows how far they are." if words else ""
    if problems:
        text += f" {counted(len(problems), 'product')} cannot be: {problems[0].problem}."
    return text.strip() or "What is out of date is in the queue, or was made anew before."
