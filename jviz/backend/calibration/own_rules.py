"""Contexts of the user: copies of rules with own reference files in them, in a folder of jviz; no cache is touched.

The folder is a CRDS cache of its own: the rules of the context that was copied, its reference files as links, and the
own files. ``CRDS_PATH`` leads there for whoever asks for one of its contexts.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.cache import home
from jviz.backend.calibration.mappings import Selector, read_mapping
from jviz.backend.calibration.rules import Rules
from jviz.backend.files import writing
from jviz.errors import JvizError

__all__ = [
    "Reference", "Staged", "is_own", "link_from", "own_contexts", "own_folder", "reference_of_file", "rules_of",
    "stage",
]  # fmt: skip

FIRST = 90001
"""Number of the first own context: far above those of the observatory (``jwst_1413.pmap``)."""

_OWN = re.compile(r"_(9\d{4,})\.pmap$")


@dataclass(frozen=True)
class Reference:
    """A reference file: what it is of.

    Attributes
    ----------
    kind : str
        Its type, lower case.
    instrument : str
        Lower case.
    """

    path: Path
    kind: str
    instrument: str


@dataclass(frozen=True)
class Staged:
    """A context that is made, but not yet in its place.

    Attributes
    ----------
    context, rmap : str
        Names of the new context and of the edited rules.
    moves : tuple of (Path, Path)
        Files that wait, and where they belong.
    """

    context: str
    rmap: str
    moves: tuple[tuple[Path, Path], ...]

    def do(self) -> None:
        """Put all files in their places, the context last."""
        for source, target in self.moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
        self._waiting.rmdir()

    def undo(self) -> None:
        """Take them away again, the context first."""
        for source, target in reversed(self.moves):
            source.parent.mkdir(parents=True, exist_ok=True)
            os.replace(target, source)

    def discard(self) -> None:
        """Remove the files that wait."""
        shutil.rmtree(self._waiting, ignore_errors=True)

    @property
    def _waiting(self) -> Path:
        return self.moves[0][0].parent


def own_folder() -> Path:
    """Return the folder of own contexts; it need not exist."""
    return home("data") / "crds"


def own_contexts() -> list[str]:
    """Return the names of own contexts, oldest first."""
    return [name for name in _own().contexts() if _OWN.search(name)]


def rules_of(context: str | None) -> Rules:
    """Return the rules in which a context is found: those of the user, or those of the cache."""
    return _own() if is_own(context) else Rules()


def _own() -> Rules:
    return Rules(own_folder(), whole=True)


def is_own(context: str | None) -> bool:
    """Whether a name is that of an own context that is there."""
    return bool(context and _OWN.search(context) and (own_folder() / "mappings" / "jwst" / context).is_file())


def reference_of_file(path: Path) -> Reference:
    """Read what a reference file says of itself.

    Raises
    ------
    JvizError
        When it cannot be read, or does not say of what type and instrument it is.
    """
    if not path.is_file():
        raise JvizError(f"{path} is not there.")
    kind, instrument, telescope = _asdf_facts(path) if path.suffix.lower() == ".asdf" else _fits_facts(path)
    if telescope.upper() != "JWST" or not kind or not instrument:
        missing = "TELESCOP (JWST)" if telescope.upper() != "JWST" else "REFTYPE" if not kind else "INSTRUME"
        raise JvizError(f"{path.name} does not say {missing}, so no rules can hold it. Write it with the data models "
                        "of JWST, or set that keyword in a copy.")  # fmt: skip
    return Reference(path, kind.lower(), instrument.lower())


def _fits_facts(path: Path) -> tuple[str, str, str]:
    from jviz.backend.calibration.registry import header_of

    header = header_of(path)
    return tuple(str(header.get(key, "") or "").strip() for key in ("REFTYPE", "INSTRUME", "TELESCOP"))  # type: ignore[return-value]


def _asdf_facts(path: Path) -> tuple[str, str, str]:
    from jviz.backend.asdf_plugins import asdf_library

    try:
        with asdf_library().open(path, lazy_load=True, memmap=False) as file:
            meta = file.tree.get("meta", {})
            instrument = meta.get("instrument", {})
            return str(meta.get("reftype", "")), str(instrument.get("name", "")), str(meta.get("telescope", ""))
    except (OSError, ValueError, AttributeError) as error:
        raise JvizError(f"{path.name} cannot be read as ASDF: {error}.") from error


# --- a new context -------------------------------------------------------------------------------------


def stage(reference: Reference, base: Rules, context: str, edit: Any) -> Staged:
    """Make a context with an own reference file, as a copy of another; nothing is in its place yet.

    Parameters
    ----------
    base : Rules
        Where ``context`` is.
    edit : callable
        ``edit(old_rmap, new_rmap, reference)`` writes the rules with the file in them.

    Raises
    ------
    JvizError
        When the context has no rules for that type and instrument.
    """
    rmap = base.types(context, reference.instrument).get(reference.kind, "")
    if not rmap.endswith(".rmap"):
        raise JvizError(f"The context {context} has no rules for {reference.kind} files of "
                        f"{reference.instrument.upper()}, so a file cannot join them.")  # fmt: skip
    folder = own_folder()
    file, place = reference.path.name, folder / "references" / "jwst" / reference.instrument
    if (place / file).exists():
        raise JvizError(f"A reference file named {file} is in the rules already; give yours another name.")
    _copy_base(base, context, folder)
    imap = _named(read_mapping(base.mappings / context).selector, reference.instrument)
    number, waiting = _next(folder)
    names = {rmap: f"jwst_{reference.instrument}_{reference.kind}_{number}.rmap",
             imap: f"jwst_{reference.instrument}_{number}.imap", context: f"jwst_{number}.pmap"}  # fmt: skip
    moves = [(waiting / file, place / file)]
    moves += [(waiting / name, folder / "mappings" / "jwst" / name) for name in names.values()]
    made = Staged(names[context], names[rmap], tuple(moves))
    try:
        _linked(reference.path, waiting / file, copy=True)
        edit(base.mappings / rmap, waiting / names[rmap], reference.path)
        _renamed(waiting / names[rmap], waiting / names[rmap], rmap, {rmap: names[rmap]})
        _renamed(base.mappings / imap, waiting / names[imap], imap, names)
        _renamed(base.mappings / context, waiting / names[context], context, names)
    except BaseException:
        made.discard()
        raise
    return made


def _next(folder: Path) -> tuple[int, Path]:
    """Return the number of the next own context and a new folder for its files, by which the number is taken."""
    found = (_OWN.search(path.name) for path in folder.glob("mappings/jwst/jwst_9*.pmap"))
    number = max((int(each.group(1)) for each in found if each), default=FIRST - 1) + 1
    while True:
        waiting = folder / ".waiting" / str(number)
        try:
            waiting.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return number, waiting


def _named(choices: dict[Any, str], instrument: str) -> str:
    return next(value for key, value in choices.items() if str(key).lower() == instrument)


def _copy_base(base: Rules, context: str, folder: Path) -> None:
    """Have the rules of a context, and the reference files that are here, in the own folder too."""
    if base.folder == folder:
        return
    mappings = folder / "mappings" / "jwst"
    mappings.mkdir(parents=True, exist_ok=True)
    for name in _all_mappings(base, context):
        if not (mappings / name).exists() and (base.mappings / name).is_file():
            with writing(mappings / name) as temporary:
                shutil.copyfile(base.mappings / name, temporary)
    link_from(base, folder)
    for path in (base.folder / "config" / "jwst").glob("*"):
        target = folder / "config" / "jwst" / path.name
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    (folder / "config" / "jwst").mkdir(parents=True, exist_ok=True)
    with writing(folder / "config" / "jwst" / "ref_cache_subdir_mode") as temporary:
        temporary.write_text("instrument", encoding="utf-8")


def link_from(base: Rules, folder: Path) -> None:
    """Have the reference files of a cache in the own folder too, as links."""
    there = sorted(base.references.rglob("*")) if base.references.is_dir() else []
    for path in there:
        target = folder / "references" / "jwst" / _instrument_of(path, base.references) / path.name
        if path.is_file() and not path.name.startswith(".") and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _linked(path, target)


def _all_mappings(base: Rules, context: str) -> list[str]:
    names = [context]
    for imap in read_mapping(base.mappings / context).selector.values():
        if str(imap).endswith(".imap") and (base.mappings / imap).is_file():
            inside = read_mapping(base.mappings / imap).selector.values()
            names += [imap, *(name for name in inside if str(name).endswith(".rmap"))]
    return names


def _instrument_of(path: Path, references: Path) -> str:
    if path.parent != references:
        return path.parent.name
    return [*path.name.split("_"), "", ""][1]


def _linked(source: Path, target: Path, *, copy: bool = False) -> None:
    """Make a link to a file, or a copy where there are none."""
    if not copy:
        try:
            target.symlink_to(source.absolute())
            return
        except OSError:
            pass  # a file system without links: a copy does as well
    with writing(target) as temporary:
        shutil.copyfile(source, temporary)


def _renamed(source: Path, target: Path, old: str, names: dict[str, str]) -> None:
    """Write a mapping with other names in it; its own goes into the header, as what it is derived from."""
    text = source.read_text("utf-8")
    for before, after in names.items():
        text = text.replace(f"'{before}'", f"'{after}'")
    text = re.sub(r"('derived_from'\s*:\s*)'[^']*'", lambda found: f"{found.group(1)}{old!r}", text, count=1)
    with writing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if not isinstance(read_mapping(target).selector, dict | Selector):
        raise JvizError(f"The rules {target.name} cannot be read any more; nothing was changed.")
