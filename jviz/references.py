"""Reference files of products of a session or of the library: the best ones, those that were used, what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration.environment import own_cache
from jviz.backend.calibration.own_rules import is_own, rules_of
from jviz.backend.calibration.rules import NOT_APPLICABLE, Rules, rows_of
from jviz.backend.calibration.status import reference_of
from jviz.backend.io.jwst import is_jwst
from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["CACHED", "MISSING", "UNUSED", "Changed", "Row", "changes", "products_of", "references_of", "rules_for",
           "stale"]  # fmt: skip

CACHED, MISSING, UNUSED, UNKNOWN = "cached", "missing", "not applicable", "no rule"
PARAMETERS = "pars-"
"""Beginning of the types that hold parameters of steps."""


@dataclass(frozen=True)
class Row:
    """One type of reference files of a product.

    Attributes
    ----------
    kind : str
        ``"dark"``, ``"flat"`` …
    best : str
        File that the rules choose, "N/A", or "".
    state : str
        Whether it is on this machine: cached, missing, not applicable, no rule.
    used : str
        File that the header names, "" for none.
    path : Path or None
        Of the best file, when it is cached.
    note : str
    """

    kind: str
    best: str
    state: str
    used: str
    path: Path | None = None
    note: str = ""

    @property
    def differs(self) -> bool:
        """Whether another file was used than the best one."""
        return bool(self.used) and self.used not in (self.best, NOT_APPLICABLE) and bool(self.best)


def rules_for(path: Path | None, context: str | None = None) -> Rules:
    """Return the rules that hold for a file: those of the user's cache, or of the one a simulated exposure has.

    A context of the user's own (`jviz.backend.calibration.own_rules`) is in a folder of its own.
    """
    if is_own(context):
        return rules_of(context)
    return Rules(own_cache(path) if path is not None else None)


def references_of(
    header: Mapping[str, Any],
    name: str,
    context: str | None,
    *,
    kinds: Iterable[str] | None = None,
    everything: bool = False,
    rules: Rules | None = None,
) -> tuple[str, list[Row]]:
    """Return the context that was asked, and what it says of the types that matter to a product.

    Parameters
    ----------
    header : mapping
        FITS keywords.
    name : str
        Of the product, for messages.
    context : str, optional
        By default ``CRDS_CONTEXT`` or the newest one in the cache.
    kinds : iterable of str, optional
        Only these types.
    everything : bool
        Also types that do not apply.

    Raises
    ------
    JvizError
        When it is no JWST product, or the rules are not on this machine.
    """
    if not is_jwst(header):
        raise CommandError(f"{name} is no JWST product, so CRDS has no reference files for it.")
    rules = rules or rules_for(None, context)
    context = rules.context(context)
    rows = []
    for kind, choice in sorted(rules.choices(header, context, kinds).items()):
        used = reference_of(header, kind)
        if not everything and choice.file in ("", NOT_APPLICABLE) and used in ("", NOT_APPLICABLE):
            continue
        path = rules.reference(choice.file, str(header.get("INSTRUME", "")))
        state = UNUSED if choice.file == NOT_APPLICABLE else CACHED if path else MISSING if choice.file else UNKNOWN
        rows.append(Row(kind, choice.file, state, used, path, choice.reason))
    return context, rows


# --- two contexts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changed:
    """A rule that differs between two contexts: ``before`` or ``after`` is empty where there was none."""

    instrument: str
    kind: str
    rule: str
    before: str
    after: str

    @property
    def change(self) -> str:
        """added, removed or replaced."""
        return "added" if not self.before else "replaced" if self.after else "removed"


def changes(first: str, second: str, rules: Rules | None = None) -> list[Changed]:
    """Return the rules in which two contexts differ, by instrument, type and rule."""
    both = [(rules or rules_for(None, name), name) for name in (first, second)]
    before, after = (rows_of(each, each.context(name)) for each, name in both)
    different = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    return [Changed(key[0], key[1], ", ".join(key[2:]), before.get(key, ""), after.get(key, "")) for key in different]


# --- what is out of date ------------------------------------------------------------------------------


def products_of(session: Session, progress: Progress = silent) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name (a path where there is one) and header of each JWST product of the session and of the library.

    Simulated ones have reference files of their own, which are never renewed, and are left out.
    """
    seen = set()
    for data in session.data:
        path = str(data.path or "")
        if is_jwst(data.header) and data.header.get("TARGNAME") != "SIMULATED" and path not in seen:
            seen.add(path)
            yield path or data.name, data.header
    library = session.archives.library
    rows = library.ask("SELECT path FROM file WHERE state = 'present' AND obs_collection = 'JWST' AND crds_ctx != ''")
    for number, row in enumerate(rows):
        progress(number, len(rows), "reading headers of the library")
        if row["path"] not in seen:
            cards = library.header_of(Path(row["path"]))
            yield row["path"], {keyword: value for keyword, value, _ in reversed(cards)}


def stale(header: Mapping[str, Any], context: str, rules: Rules) -> list[Row]:
    """Return the types of which a product used another file than the rules choose now."""
    kinds = rules.types(context, str(header.get("INSTRUME", "")))
    used = {kind: file for kind in kinds if (file := reference_of(header, kind)) not in ("", NOT_APPLICABLE)}
    best = rules.choices(header, context, used)
    rows = [Row(kind, choice.file, "", used[kind]) for kind, choice in best.items()]
    return [row for row in rows if row.differs and row.best != NOT_APPLICABLE and not row.kind.startswith(PARAMETERS)]
