"""Commands that bring reference files here, and own ones into rules of the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jviz.actions.crds import MENU
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Data
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.jobs import Job
from jviz.reference_sync import certified, staged, synced
from jviz.session import Session


@command("crds.sync", title="Fetch Missing Files…", menu=MENU, job=True, apart=True, recorded=False, group="files",
         icon="fa6s.cloud-arrow-down")  # fmt: skip
def sync(
    session: Session,
    data: Any = None,
    context: str | None = None,
    *,
    types: list[str] | None = None,
    check: bool = False,
    job: Job | None,
    progress: Progress,
) -> Any:
    """Fetch rules and reference files that are missing in the CRDS cache.

    The server is that of ``CRDS_SERVER_URL``, the cache that of ``CRDS_PATH``. A transfer that was cut goes on where it
    was; each file is checked by size and SHA-1 before it gets its name.

    Parameters
    ----------
    data : Data, name, path, or a list of them, optional
        JWST products; without any, the rules of the context alone are fetched.
    context : str, optional
        ``"jwst_1413.pmap"``; by default that of ``CRDS_CONTEXT``, or the one that the server has for the installed
        pipelines.
    types : list of str, optional
        Only these types, ``["dark", "flat"]``.
    check : bool
        Compare the checksums of files that are there, too, and fetch anew those that are broken.

    Returns
    -------
    QTable
        ``file``, ``type`` (or rules), ``state`` (fetched, there, repaired), ``size``; ``meta`` has the context.
    """
    import numpy as np
    from astropy import units as u
    from astropy.table import QTable

    asked, found = synced(session, _headers(session, data), context, types, check, job, progress)
    table = QTable({
        "file": [each.name for each in found], "type": [each.kind for each in found],
        "state": [each.state for each in found], "size": np.array([each.size for each in found], float) * u.byte,
    })  # fmt: skip
    table.meta |= {"context": asked, "fetched": sum(each.state != "there" for each in found)}
    return table


@command("crds.certify", title="Certify Reference File…", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="files", icon="fa6s.certificate")  # fmt: skip
def certify(session: Session, path: Path, context: str | None = None, *, job: Job | None) -> Any:
    """Check a reference file as CRDS does before it takes one in.

    Parameters
    ----------
    path : Path
        A FITS or ASDF file.
    context : str, optional
        Whose rules it is compared with.

    Returns
    -------
    QTable
        ``level`` (ERROR, WARNING, INFO) and ``message``; ``meta`` has the numbers of errors and warnings.
    """
    job = job or session.calibrations.stand_in("Certify")
    return _report(certified(session, Path(path).expanduser().absolute(), context, job))


@command("crds.add_reference", title="Add Own Reference File…", menu=MENU, job=True, apart=True, group="files",
         icon="fa6s.file-circle-plus")  # fmt: skip
def add_reference(session: Session, path: Path, context: str | None = None, *, job: Job | None) -> Edit:
    """Let a reference file of yours join rules that are yours: a copy of a context, in a folder of jviz.

    The file's own keywords (type, instrument, detector …, USEAFTER) say which exposures it is for. The cache stays as
    it is. Calibrate with ``context="jwst_90001.pmap"``, or whatever the new context is called.

    Parameters
    ----------
    path : Path
        A FITS or ASDF file as the data models of JWST write it; it is copied.
    context : str, optional
        The context that is copied, one of yours included; by default that of ``CRDS_CONTEXT``, or the newest one in
        the cache.

    Returns
    -------
    QTable
        What CRDS says of the file, as of crds.certify; ``meta["context"]`` is the new context.
    """
    job = job or session.calibrations.stand_in("Add reference")
    file = Path(path).expanduser().absolute()
    made, said = staged(session, file, context, job)
    report = _report(said)
    report.meta |= {"context": made.context, "rules": made.rmap}
    more = f"; CRDS has {report.meta['errors']} errors to tell of it" if report.meta["errors"] else ""
    session.notice("info", f"{file.name} is in the rules of {made.context}{more}.")
    return Edit(f"Add {file.name} to {made.context}", made.do, made.undo, report)


def _headers(session: Session, data: Any) -> dict[str, Any]:
    """Return the headers of data, names and paths, by their names."""
    from jviz.backend.calibration.registry import header_of

    several = data if isinstance(data, list | tuple) else [] if data is None else [data]
    headers = {}
    for each in several:
        each = session[each] if isinstance(each, str) and each in session else each
        if isinstance(each, Data):
            headers[each.name] = each.header
        else:
            path = Path(str(each)).expanduser().absolute()
            if not path.is_file():
                raise CommandError(f"{path} is not there.")
            headers[path.name] = header_of(path)
    return headers


def _report(found: dict[str, Any]) -> Any:
    from astropy.table import QTable

    rows = [(level, text) for level, text in found["lines"]]
    table = QTable(rows=rows or None, names=("level", "message"), dtype=(str, str))
    table.meta |= {"errors": found["errors"], "warnings": found["warnings"]}
    return table
