"""Reference files that are fetched for products, and own ones that join rules of the user."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration import own_rules
from jviz.backend.calibration.environment import NOT_INSTALLED, crds_environment, jwst_version
from jviz.backend.calibration.rules import Rules
from jviz.backend.files import nearest_folder
from jviz.backend.io.jwst import is_jwst
from jviz.backend.progress import Progress
from jviz.errors import CommandError, JvizError
from jviz.jobs import Job
from jviz.worker import Pool, run_in_worker

if TYPE_CHECKING:
    from jviz.backend.calibration.crds_server import Synced
    from jviz.session import Session

__all__ = ["certified", "staged", "synced"]

WORKER = "jviz.backend.calibration.crds_worker"


def synced(
    session: Session,
    headers: Mapping[str, Mapping[str, Any]],
    context: str | None,
    kinds: Iterable[str] | None,
    check: bool,
    job: Job | None,
    progress: Progress,
) -> tuple[str, list[Synced]]:
    """Bring rules and reference files into the cache.

    Parameters
    ----------
    headers : mapping
        Of the products, by their names; without any, the rules alone are brought.

    Raises
    ------
    JvizError
        When the server cannot be asked, or the cache cannot be written to.
    """
    from jviz.backend.archive.fetch import Stop
    from jviz.backend.calibration.crds_server import Server, sync_mappings, sync_references

    for name, header in headers.items():
        if not is_jwst(header):
            raise CommandError(f"{name} is no JWST product, so CRDS has no reference files for it.")
    environment = crds_environment(offline=session.settings["network.offline"])
    rules, stop = Rules(Path(environment["CRDS_PATH"]).expanduser()), Stop()
    with ExitStack() as at_end:
        server = at_end.enter_context(closing(Server(environment["CRDS_SERVER_URL"])))
        _check_writable(rules)
        if job is not None:
            at_end.callback(job.when_cancelled(stop.set))
        asked = server.context(context)
        found = sync_mappings(server, rules, asked, check=check, stop=stop, progress=progress)
        seen: dict[str, Synced] = {each.name: each for each in found}
        for header in headers.values():
            choices = rules.choices(header, asked, kinds)
            chosen = {kind: choice.file for kind, choice in choices.items() if choice.file not in seen}
            for each in sync_references(server, rules, chosen, str(header.get("INSTRUME", "")), check=check, stop=stop,
                                        progress=progress):  # fmt: skip
                seen[each.name] = each
    return asked, list(seen.values())


def _check_writable(rules: Rules) -> None:
    if os.environ.get("CRDS_READONLY_CACHE", "0").strip() not in ("", "0", "False", "false"):
        raise JvizError(f"The CRDS cache {rules.folder} is declared as read only (CRDS_READONLY_CACHE). Unset that "
                        "variable, or set CRDS_PATH to a folder of your own.")  # fmt: skip
    if not os.access(nearest_folder(rules.folder), os.W_OK):
        raise JvizError(f"The CRDS cache {rules.folder} cannot be written to. Set CRDS_PATH to a folder of your own.")


# --- own reference files -------------------------------------------------------------------------------


def certified(session: Session, path: Path, context: str | None, job: Job) -> dict[str, Any]:
    """Return what CRDS says of a reference file: errors, warnings, lines."""
    if not path.is_file():
        raise CommandError(f"{path} is not there.")
    rules = own_rules.rules_of(context)
    return _asked(session, job, rules, "certify", path=str(path), context=_known_context(rules, context))


def staged(session: Session, path: Path, context: str | None, job: Job) -> tuple[own_rules.Staged, dict[str, Any]]:
    """Make a context with an own reference file, ready to be put in place, and return what CRDS says of the file."""
    reference = own_rules.reference_of_file(path)
    rules = own_rules.rules_of(context)
    base = rules.context(context)

    def edit(old: Path, new: Path, file: Path) -> None:
        _asked(session, job, rules, "insert_reference", old=str(old), new=str(new), reference=str(file))

    made = own_rules.stage(reference, rules, base, edit)
    try:
        texts = [str(source) for source, target in made.moves if target.suffix in (".rmap", ".imap", ".pmap")]
        _asked(session, job, rules, "checksums", paths=texts)
        return made, certified(session, path, context, job)
    except BaseException:
        made.discard()
        raise


def _known_context(rules: Rules, context: str | None) -> str:
    try:
        return rules.context(context)
    except JvizError:
        return ""


def _asked(session: Session, job: Job, rules: Rules, function: str, **arguments: Any) -> Any:
    """Ask the package of CRDS, in a process that ends afterwards: it keeps rules in memory by their names."""
    if jwst_version() is None:
        raise JvizError(NOT_INSTALLED)
    environment = {**crds_environment(offline=True, environment={}), "CRDS_PATH": str(rules.folder)}
    pool = Pool("", environment)
    try:
        return run_in_worker(job, f"{WORKER}:{function}", workers=pool, **arguments)
    finally:
        pool.close()
