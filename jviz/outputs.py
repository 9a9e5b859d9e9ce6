"""Names of files that are to be written: absolute, of a kind that can be made, and of no file that is open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.errors import CommandError

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["maker_of", "output_path"]


def output_path(session: Session, path: str | Path) -> Path:
    """Return the absolute path of a file to be written.

    Raises
    ------
    CommandError
        When data of the session come from that file, which would change under them.
    """
    path = Path(path).expanduser().absolute()
    for data in session.data:
        if data.path is not None and data.path.exists() and path.exists() and path.samefile(data.path):
            raise CommandError(f"{path.name} is open in this session as {data.name}; choose another name.")
    return path


def maker_of[T](path: Path, makers: Mapping[str, T], what: str) -> T:
    """Return what makes files of a suffix.

    Parameters
    ----------
    makers : mapping
        By suffix, ``".png"``.
    what : str
        What is written, in the plural: ``"figures"``.

    Raises
    ------
    CommandError
        Names the suffixes that there are.
    """
    if path.suffix.lower() not in makers:
        raise CommandError(
            f"{path.name} cannot be written: {what} are {_listed(list(makers))} files. Choose a name that ends so."
        )
    return makers[path.suffix.lower()]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
