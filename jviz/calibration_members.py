"""Associations whose members are calibrated anew, from slopes or raw data, before the product is made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.backend.associations.model import Association, Member, parsed, read_content, write_association
from jviz.backend.calibration import registry
from jviz.backend.calibration.products import THIRD_LEVEL
from jviz.backend.calibration.requirements import RAW
from jviz.backend.calibration.runs import read_record
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["EXPOSURE", "MEMBERS_IN", "MadeAnew", "association_at", "file_named", "is_made_anew", "root_of",
           "source_of"]  # fmt: skip

EXPOSURE = re.compile(r"jw\d{11}_\d{5}_\d{5}(-seg\d{3})?_[a-z0-9]+", re.IGNORECASE)
"""Name of an exposure, with which those of its products begin."""

MEMBERS_IN = "members_in"
"""Value of an association that jviz made where its members are not: their folder."""

OF_INTEGRATIONS = ("calints", "crfints", "rateints", "x1dints")


def root_of(name: str) -> str:
    """Return the name of the exposure that a member is made of."""
    found = EXPOSURE.match(name)
    return found[0] if found else name.rpartition("_")[0]


def association_at(path: Path) -> Association:
    """Return what an association file says.

    Raises
    ------
    JvizError
        When it cannot be read.
    """
    return parsed(read_content(path)[0], path.name)


def is_made_anew(paths: Sequence[Path], names: Sequence[str]) -> bool:
    """Return whether pipelines begin below the level of associations, so that their members are made anew."""
    if len(names) < 2 or names[0] in THIRD_LEVEL or names[-1] not in THIRD_LEVEL:
        return False
    return all(path.suffix.lower() == ".json" and association_at(path).level == 3 for path in paths)


def file_named(session: Session, name: str, near: Path) -> Path | None:
    """Return a file by its name: beside another one, where the run that made that took it, or in the library."""
    inputs = [Path(each["path"]) for each in read_record(near.parent).get("inputs", ())]
    rows = session.archives.library.ask("SELECT path FROM file WHERE state = 'present' AND name = ?", (name,))
    known = [near.parent / name, *(path for path in inputs if path.name == name), *(Path(row["path"]) for row in rows)]
    return next((path for path in known if path.is_file()), None)


def source_of(session: Session, root: str, near: Path, suffixes: Iterable[str]) -> Path | None:
    """Return the file of an exposure with the first of some suffixes of which there is one; see `file_named`."""
    found = (file_named(session, f"{root}_{suffix}.fits", near) for suffix in suffixes)
    return next((path for path in found if path is not None), None)


class MadeAnew:
    """Associations, the files that their members are made of, and then the same of the new members.

    Parameters
    ----------
    session : Session
    paths : sequence of Path
        Associations of level 3.
    pipeline : str
        The first one, which says what the members are made of.

    Raises
    ------
    JvizError
        Names the first member whose source is not on this machine.
    """

    def __init__(self, session: Session, paths: Sequence[Path], pipeline: str) -> None:
        self._associations = {path: association_at(path) for path in paths}
        self.sources: list[Path] = []
        for path, content in self._associations.items():
            near = Path(content.more.get(MEMBERS_IN, path.parent)) / path.name
            for member in content.members:
                source = self._source(session, near, member, pipeline)
                if source is not None and source not in self.sources:
                    self.sources.append(source)

    @staticmethod
    def _source(session: Session, path: Path, member: Member, pipeline: str) -> Path | None:
        slopes = ("rateints", "rate") if _suffix(member) in OF_INTEGRATIONS else ("rate", "rateints")
        suffixes = ("uncal",) if pipeline in RAW else slopes
        root = root_of(member.expname)
        source = source_of(session, root, path, suffixes)
        if source is None and member.exptype.lower() in ("science", "psf"):
            raise JvizError(f"{root}_{suffixes[0]}.fits, of which the member {member.expname} of {path.name} is made, "
                            "is neither beside it nor in the library. Fetch it first.")  # fmt: skip
        return source

    def gathered(self, part: Path) -> list[registry.Subject]:
        """Write the associations, with the members that were made, into the folder of a run."""
        found = []
        for path, content in self._associations.items():
            products = tuple(replace(product, members=tuple(self._members(product.members, path.parent, part)))
                             for product in content.products)  # fmt: skip
            copy = write_association(part / path.name, replace(content, products=products))
            found.append(registry.subject_of(copy))
        return found

    @staticmethod
    def _members(members: Iterable[Member], folder: Path, part: Path) -> Iterator[Member]:
        for member in members:
            names = [member.expname, *(f"{root_of(member.expname)}_{suffix}.fits" for suffix in _likely(member))]
            made = next((name for name in names if (part / name).is_file()), None)
            if made is None and (folder / member.expname).is_file():
                made = member.expname  # nothing that these pipelines make: a catalogue, a background taken elsewhere
                registry.linked(folder / made, part / made)
            if made is None:
                raise JvizError(f"The pipelines made nothing that could be the member {member.expname}; read the log.")
            yield replace(member, expname=made)


def _suffix(member: Member) -> str:
    return Path(member.expname).stem.rpartition("_")[2]


def _likely(member: Member) -> tuple[str, ...]:
    """Return the suffixes that a new member may have in place of its own."""
    if _suffix(member).startswith("x1d"):
        return ("x1d", "x1dints")
    return ("calints", "cal") if _suffix(member) in OF_INTEGRATIONS else ("cal", "calints")
