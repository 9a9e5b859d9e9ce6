"""Asks the package of CRDS to edit and check rules and reference files; runs in a worker process only."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from jviz.backend.calibration.environment import NOT_INSTALLED
from jviz.errors import JvizError

__all__ = ["certify", "checksums", "insert_reference"]

COUNT = re.compile(r"\d+ (errors|warnings|infos)")
"""What CRDS says at the end of a log."""


def _required() -> None:
    try:
        import_module("crds")
    except ImportError as error:
        raise JvizError(NOT_INSTALLED) from error


def insert_reference(old: str, new: str, reference: str) -> None:
    """Write rules with one more reference file in them, where its own header says that it belongs."""
    _required()
    from crds.refactoring.refactor2 import rmap_insert_references

    with _crds_log() as log:
        try:
            done = rmap_insert_references(old, new, [reference])
        except (Exception, SystemExit) as error:
            said = next((text for level, text in reversed(log) if level == "ERROR"), "") or str(error)
            raise JvizError(f"{Path(reference).name} cannot join the rules {Path(old).name}: {said}. See what "
                            "crds.certify says of it.") from error  # fmt: skip
    if not done and not Path(new).is_file():
        raise JvizError(f"{Path(reference).name} changes nothing in the rules {Path(old).name}.")


def checksums(paths: list[str]) -> None:
    """Bring the checksums within rules files up to date."""
    _required()
    from crds.refactoring.checksum import update_checksum

    with _crds_log():
        for path in paths:
            update_checksum(path)


def certify(path: str, context: str) -> dict[str, Any]:
    """Check a reference file as CRDS does before it takes one in.

    Returns
    -------
    dict
        ``errors``, ``warnings`` and ``lines``, pairs of level and text.
    """
    _required()
    from crds.certify import CertifyScript

    words = ["crds.certify", path, *(["--comparison-context", context] if context else [])]
    with _crds_log() as log:
        try:
            CertifyScript(words)()
        except (Exception, SystemExit) as error:
            log.append(("ERROR", f"It cannot be checked: {error}"))
    lines = [[level, text] for level, text in log if text.strip("# ") and not COUNT.fullmatch(text)]
    return {"errors": sum(level == "ERROR" for level, _ in lines), "lines": lines,
            "warnings": sum(level == "WARNING" for level, _ in lines)}  # fmt: skip


@contextmanager
def _crds_log() -> Iterator[list[tuple[str, str]]]:
    """Collect what CRDS says, as pairs of level and text."""
    said: list[tuple[str, str]] = []

    class _Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append((record.levelname, record.getMessage().strip()))

    keeper, logger = _Keeper(), logging.getLogger("CRDS")
    logger.addHandler(keeper)
    try:
        yield said
    finally:
        logger.removeHandler(keeper)
