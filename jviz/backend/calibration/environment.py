"""Where the pipelines find their reference files: the variables of CRDS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jviz.backend.calibration.own_rules import is_own, own_folder
from jviz.backend.calibration.rules import Rules
from jviz.backend.calibration.runs import read_record

__all__ = ["NOT_INSTALLED", "OWN_CACHE", "check_rules", "crds_environment", "jwst_version", "newer_software",
           "own_cache"]  # fmt: skip

NOT_INSTALLED = (
    "The JWST pipelines are not installed, so nothing can be calibrated. Install them with: "
    "pip install 'jviz[calibration]'."
)

FOLDERS = {"CRDS_MAPPATH": "mappings", "CRDS_REFPATH": "references", "CRDS_CFGPATH": "config"}
"""Variables that lead to parts of a cache elsewhere, and these parts."""

NO_SERVER = "https://jwst-serverless-mode.stsci.edu"
"""CRDS asks no server whose name holds the word serverless."""

SERVER = "https://jwst-crds.stsci.edu"

OWN_CACHE = Path("crds")
"""Folder beside simulated exposures with the reference files that they come with."""

COMPLETE = Path("config", "jwst", "SIMULATED")
"""File in such a cache: nothing is missing in it, and it is for these exposures alone."""


def own_cache(path: Path) -> Path | None:
    """Return the CRDS cache that a simulated exposure comes with, or that made a product of one; None for others."""
    beside = path.parent / OWN_CACHE
    if (beside / COMPLETE).is_file():
        return beside
    used = read_record(path.parent).get("environment", {}).get("CRDS_PATH", "")
    return Path(used) if used and (Path(used) / COMPLETE).is_file() else None


def crds_environment(*, offline: bool, context: str | None = None, cache: Path | None = None,
                     environment: Mapping[str, str] | None = None) -> dict[str, str]:  # fmt: skip
    """Return the variables of CRDS for a worker; what the user has set stays as it is.

    Parameters
    ----------
    offline : bool
        Whether no server may be asked.
    context : str, optional
        ``"jwst_1413.pmap"``, instead of the newest one.
    cache : Path, optional
        Of simulated exposures, instead of the user's; no server is asked then.
    environment : mapping, optional
        Variables of this process by default.
    """
    given = os.environ if environment is None else environment
    found = {name: value for name, value in given.items() if name.startswith("CRDS_")}
    if cache is not None:
        found = {"CRDS_PATH": str(cache), "CRDS_CONTEXT": Rules(cache).contexts()[-1]}
    found.setdefault("CRDS_OBSERVATORY", "jwst")
    found.setdefault("CRDS_PATH", str(Path.home() / "crds_cache"))
    server = found.get("CRDS_SERVER_URL", "")
    if (offline or cache is not None) and "localhost" not in server and "127.0.0.1" not in server:
        found["CRDS_SERVER_URL"] = server = NO_SERVER
    found.setdefault("CRDS_SERVER_URL", SERVER)
    if "serverless" in found["CRDS_SERVER_URL"]:
        found.setdefault("CRDS_MODE", "local")
        found.setdefault("CRDS_READONLY_CACHE", "1")
        found.setdefault("CRDS_CLIENT_RETRY_COUNT", "1")
    if is_own(context):
        # A server knows nothing of own rules; what they name is in their folder.
        found |= {"CRDS_PATH": str(own_folder()), "CRDS_SERVER_URL": NO_SERVER, "CRDS_MODE": "local",
                  "CRDS_READONLY_CACHE": "1", "CRDS_CLIENT_RETRY_COUNT": "1"}  # fmt: skip
        found |= {name: str(own_folder() / part) for name, part in FOLDERS.items()}
    if context:
        found["CRDS_CONTEXT"] = context
    # Each worker has one processor: that several exposures go side by side is worth more.
    return {**found, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}


def check_rules(environment: Mapping[str, str]) -> None:
    """Refuse what CRDS cannot do: rules that are not on this machine and that no server is asked for.

    Raises
    ------
    JvizError
        Names the folder and the contexts that are there.
    """
    if "serverless" not in environment["CRDS_SERVER_URL"]:
        return
    folder = Path(environment["CRDS_PATH"])
    Rules(folder, whole=folder == own_folder()).context(environment.get("CRDS_CONTEXT"))


@cache
def jwst_version() -> str | None:
    """Return the version of the pipelines on this machine, without importing them; None without them."""
    try:
        return version("jwst")
    except PackageNotFoundError:
        return None


def newer_software(header: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the version of the pipeline that made a product, and the installed one, when that is newer."""
    made = str(header.get("CAL_VER", "") or "").strip()
    here = jwst_version()
    return (made, here) if made and here and _numbers(made) < _numbers(here) else None


def _numbers(text: str) -> tuple[int, ...]:
    found = []
    for part in text.split("+")[0].split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)
