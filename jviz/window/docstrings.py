"""What a numpydoc docstring says on each parameter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

__all__ = ["parameter_docs"]


def parameter_docs(function: Callable[..., Any]) -> dict[str, str]:
    """Return the text of every parameter in the section ``Parameters``, one line each.

    Parameters
    ----------
    function : callable
        Documented in numpydoc style; ``"x, y : float"`` counts for both.
    """
    text = inspect.getdoc(function) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", text, re.S | re.M)
    docs: dict[str, list[str]] = {}
    names: list[str] = []
    for line in section.group(1).splitlines() if section else ():
        if line and not line[0].isspace():
            names = [name.strip() for name in line.partition(":")[0].split(",")]
            kind = line.partition(":")[2].strip()
            docs.update({name: [f"({kind})"] if kind else [] for name in names})
        elif line.strip():
            for name in names:
                docs[name].append(line.strip())
    return {name: _plain(" ".join(lines)) for name, lines in docs.items()}


def _plain(text: str) -> str:
    return text.replace("``", "").replace("`", "")
