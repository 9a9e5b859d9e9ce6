"""Quality of the JWST products in the library: a short report on each, kept with its bytes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration.quality import Check, checks_of, worst
from jviz.backend.io.registry import open_products
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Library

__all__ = ["keep_report", "kept_reports", "report", "unchecked", "unreadable"]

PRODUCTS = ("file.state = 'present' AND file.sha256 IS NOT NULL AND file.obs_collection LIKE 'jwst' "
            "AND (file.name LIKE '%.fits' OR file.name LIKE '%.fits.gz') "
            "AND NOT (file.exp_type IS NULL AND file.name LIKE 'jwst%')")  # fmt: skip
"""Files that a report is made of: reference files, which are named ``jwst_…``, are no exposures."""


def unchecked(library: Library, most: int) -> list[tuple[str, Path]]:
    """Return SHA-256 and path of products that there is no report of yet, those that came last first."""
    rows = library.ask(
        f"SELECT sha256, min(path) AS path, max(added) AS added FROM file WHERE {PRODUCTS} "
        "AND NOT EXISTS (SELECT 1 FROM quality WHERE quality.sha256 = file.sha256) "
        "GROUP BY sha256 ORDER BY added DESC LIMIT ?",
        (most,),
    )
    return [(row["sha256"], Path(row["path"])) for row in rows]


def keep_report(library: Library, sha256: str, checks: Sequence[Check]) -> None:
    """Write a report down; a former one of the same bytes is replaced."""
    text = json.dumps([asdict(check) for check in checks])
    with library.writing() as database:
        database.execute("INSERT OR REPLACE INTO quality(sha256, verdict, checks, made) VALUES (?, ?, ?, ?)",
                         (sha256, worst(list(checks)), text, time.time()))  # fmt: skip


def kept_reports(library: Library, sums: Iterable[str]) -> dict[str, list[Check]]:
    """Return the reports on files of these SHA-256, as far as there are any."""
    rows = library.ask("SELECT sha256, checks FROM quality WHERE sha256 IN (SELECT value FROM json_each(?))",
                       (json.dumps(list(sums)),))  # fmt: skip
    return {row["sha256"]: [Check(**check) for check in json.loads(row["checks"])] for row in rows}


def unreadable(said: str) -> list[Check]:
    """Return the report on a file that cannot be looked at."""
    return [Check("file", float("nan"), float("nan"), "", "unknown", said)]


# --- in the process that looks at files ---------------------------------------------------------------


def report(path: str) -> list[dict[str, Any]]:
    """Look at a product, and return its `Check` values."""
    try:
        products = open_products(Path(path))
        checks = checks_of(products[0]) if products else unreadable("it holds nothing that jviz reads")
    except (JvizError, OSError, ValueError, MemoryError) as error:
        checks = unreadable(str(error) or type(error).__name__)
    return [asdict(check) for check in checks]
