"""Commands on reference files: the best ones of a product, how contexts differ, what should be calibrated anew."""

from __future__ import annotations

from typing import Any

from jviz.backend.calibration.environment import newer_software
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Data
from jviz.errors import JvizError
from jviz.references import changes, products_of, references_of, rules_for, stale
from jviz.session import Session

MENU = "Calibration/Reference Files"


@command("crds.references", title="Reference Files…", menu=MENU, job=True, recorded=False, script=False, needs="data",
         group="look", icon="fa6s.book")  # fmt: skip
def references(session: Session, data: Data, context: str | None = None, *, everything: bool = False) -> Any:
    """List the best reference files of a JWST product, and those that it used.

    The rules are those of the CRDS cache (``CRDS_PATH``), or of the one that comes with simulated exposures; no server
    is asked.

    Parameters
    ----------
    context : str, optional
        ``"jwst_1413.pmap"``; by default that of ``CRDS_CONTEXT``, or the newest one in the cache.
    everything : bool
        Also types that do not apply to the product.

    Returns
    -------
    QTable
        ``type``; ``best``, the file that the rules choose; ``state``: cached, missing, not applicable, or no rule;
        ``used``, the file that the header names; ``differs``. ``meta`` says which context was asked.
    """
    from astropy.table import QTable

    rules = rules_for(data.path, context)
    asked, rows = references_of(data.header, data.name, context, everything=everything, rules=rules)
    table = QTable({
        "type": [row.kind for row in rows],
        "best": [row.best for row in rows],
        "state": [row.state for row in rows],
        "used": [row.used for row in rows],
        "differs": [row.differs for row in rows],
    }, dtype=(str, str, str, str, bool))  # fmt: skip
    table.meta |= {"data": data.name, "context": asked, "context_used": str(data.header.get("CRDS_CTX", "")),
                   "cache": str(rules.folder)}  # fmt: skip
    return table


@command("crds.compare", title="Compare Contexts…", menu=MENU, job=True, recorded=False, script=False, group="look",
         icon="fa6s.code-compare")  # fmt: skip
def compare(session: Session, context_a: str, context_b: str) -> Any:
    """List the rules for reference files in which two contexts of the CRDS cache differ.

    Returns
    -------
    QTable
        ``change``: added, removed or replaced; ``instrument``, ``type``, ``rule``: the values and the date that
        choose the file; ``before`` and ``after``.
    """
    from astropy.table import QTable

    rows = changes(context_a, context_b)
    names = ("change", "instrument", "kind", "rule", "before", "after")
    table = QTable({name: [getattr(row, name) for row in rows] for name in names}, dtype=(str,) * len(names))
    table.rename_column("kind", "type")
    return table


@command("crds.reprocess", title="What to Calibrate Anew", menu=MENU, job=True, recorded=False, script=False,
         group="look", icon="fa6s.list-check")  # fmt: skip
def reprocess(session: Session, context: str | None = None, *, progress: Progress) -> Any:
    """List the JWST products of the session and of the library that newer reference files or software would change.

    Parameters
    ----------
    context : str, optional
        ``"jwst_1413.pmap"``; by default that of ``CRDS_CONTEXT``, or the newest one in the cache.

    Returns
    -------
    QTable
        One row for each product that used other reference files than the rules choose now, or was made by an older
        version of the pipeline than the installed one: ``product``, ``context`` that it used, ``types`` that differ,
        ``before`` and ``after`` (files, in the same order), ``cal_ver`` when the installed one is newer. ``meta`` has
        the number of products that were looked at, and those that could not be judged.
    """
    from astropy.table import QTable

    rules = rules_for(None, context)
    asked = rules.context(context)
    rows, unclear, seen = [], {}, 0
    for product, header in products_of(session, progress):
        seen += 1
        try:
            changed = stale(header, asked, rules)
        except JvizError as error:
            unclear[product] = str(error)
            continue
        software = newer_software(header)
        if changed or software:
            rows.append((product, str(header.get("CRDS_CTX", "")), ", ".join(row.kind for row in changed),
                         ", ".join(row.used for row in changed), ", ".join(row.best for row in changed),
                         software[0] if software else ""))  # fmt: skip
    names = ("product", "context", "types", "before", "after", "cal_ver")
    table = QTable(rows=rows or None, names=names, dtype=(str,) * len(names))
    table.meta |= {"context": asked, "products": seen, "unclear": unclear}
    return table
