"""Commands about the cluster that calibrations run on."""

from __future__ import annotations

from typing import Any, Literal

from jviz.commands import command
from jviz.errors import CommandError
from jviz.jobs import Job
from jviz.session import Session

MENU = "Calibration/Cluster"


@command("cluster.workers", title="Workers of the Cluster", menu=MENU, job=True, apart=True, recorded=False,
         script=False, icon="fa6s.server")  # fmt: skip
def workers(session: Session, *, job: Job | None) -> Any:
    """List the workers of the cluster that pipelines run on (*Preferences ▸ Calibration ▸ Cluster*).

    A cluster that jviz makes is started by this.

    Returns
    -------
    QTable
        ``address``, ``host``, ``threads``, ``memory`` (limit of each, GB; NaN without one), and the versions of
        ``jviz`` and ``jwst`` there (empty when it is not installed).

    Raises
    ------
    CommandError
        When no cluster is chosen.
    """
    import astropy.units as u
    import numpy as np
    from astropy.table import QTable

    cluster = session.calibrations.cluster
    if not cluster.is_chosen:
        raise CommandError("Pipelines run on this computer. Name a cluster in Preferences ▸ Calibration ▸ Cluster.")
    rows = cluster.members(job or session.calibrations.stand_in("Cluster"))
    table = QTable({name: [row[name] for row in rows] for name in ("address", "host", "threads", "jviz", "jwst")},
                   names=("address", "host", "threads", "jviz", "jwst"))  # fmt: skip
    memory = np.array([row["memory"] or np.nan for row in rows], float)
    table.add_column(memory * 1e-9 * u.Gbyte, name="memory", index=3)
    return table


@command("cluster.script", title="Script for the Queue…", menu=MENU, job=True, recorded=False, script=False,
         icon="fa6s.file-lines")  # fmt: skip
def script(session: Session, system: Literal["slurm", "htcondor"] = "slurm", *, job: Job | None) -> str:
    """Show what a queue would get for each worker of a cluster, with the options in the preferences.

    Parameters
    ----------
    system : {"slurm", "htcondor"}

    Returns
    -------
    str
        The text of the job; nothing is started.
    """
    return session.calibrations.cluster.script(job or session.calibrations.stand_in("Cluster"), system)
