"""What is wrong with an association, one sentence for each thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.associations.levels import RESULTS, meaning_of
from jviz.backend.associations.model import ROLES, Association, parsed, read_content
from jviz.backend.io.fitsfile import FitsFile
from jviz.errors import JvizError

__all__ = ["Problem", "file_problems", "missing_members", "problems_of"]

INPUTS = {2: ("rate", "rateints"), 3: ("cal", "calints", "crf", "crfints", "x1d", "ami-oi")}
"""Suffixes that members of an association of a level have."""

TEXTS = ("asn_rule", "asn_id", "program", "target", "asn_pool")
CATALOGUES = ("sourcecat", "segmap", "direct_image", "engineering", "pastasoss")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    level : str
        "error": the pipeline cannot work on it; "warning": it does, but perhaps not as meant.
    about : str
        The member, product or keyword.
    text : str
    """

    level: str
    about: str
    text: str


def file_problems(path: Path) -> tuple[Association | None, list[Problem]]:
    """Read and check a file, broken ones too; the association is None where it cannot be taken apart."""
    try:
        content, notes = read_content(path)
        association = parsed(content, path.name)
    except JvizError as error:
        return None, [Problem("error", path.name, str(error))]
    found = [Problem("warning", path.name, note) for note in notes]
    return association, [*found, *problems_of(association, path.parent)]


def problems_of(association: Association, folder: Path | None, *, look_inside: bool = True) -> list[Problem]:
    """Check an association.

    Parameters
    ----------
    folder : Path, optional
        Where its members lie; None: their files are not looked for.
    look_inside : bool
        Read the headers of members too.
    """
    found = [*_keywords(association), *_products(association)]
    missing = missing_members(association, folder)
    for name in missing:
        found.append(Problem("error", name, f"{name} is not in {folder}. Bring it there, or take it out of the "
                                            "association."))  # fmt: skip
    if folder is not None and look_inside:
        there = [name for name in association.names if name not in missing]
        found += _headers(association, folder, there)
    return found


def missing_members(association: Association, folder: Path | None) -> list[str]:
    """Return the names of members that are not in a folder."""
    return [] if folder is None else [name for name in association.names if not (folder / name).is_file()]


def _keywords(association: Association) -> list[Problem]:
    found = []
    kind = association.asn_type
    if kind.lower() in ("", "none"):
        text = "The type names no pipeline; that which takes its members on is chosen. Set a type for another."
        found.append(Problem("warning", "asn_type", text))
    elif kind.lower() not in RESULTS:
        found.append(Problem("error", "asn_type", f"The type {kind!r} is of no pipeline; known ones are "
                                                  f"{', '.join(RESULTS)}."))  # fmt: skip
    for key in TEXTS:
        value = association.more.get(key, "")
        if value is not None and not isinstance(value, str):
            found.append(Problem("error", key, f"{key} is {value!r}, which must be a text in quotation marks."))
    return found


def _products(association: Association) -> list[Problem]:
    found = []
    if not association.products:
        found.append(Problem("error", "products", "There are no products, so nothing would be made."))
    for name, count in Counter(product.name for product in association.products).items():
        if count > 1:
            found.append(Problem("error", name, f"{count} products are named {name}; each would be written over the "
                                                "one before. Give them names of their own."))  # fmt: skip
    for product in association.products:
        found += _product(association, product)
    return found


def _product(association: Association, product: Any) -> list[Problem]:
    found = []
    if not product.name.strip():
        found.append(Problem("error", "name", "A product has no name, so its files would have none."))
    elif product.name.lower().endswith((".fits", ".json")):
        text = f"{product.name} is the name of a file; products are named without suffix, which the pipeline adds."
        found.append(Problem("warning", product.name, text))
    roles = Counter(member.exptype.lower() for member in product.members)
    if not roles["science"]:
        found.append(Problem("error", product.name, f"{product.name} has no member with the role science."))
    if association.level == 2 and roles["science"] > 1:
        found.append(Problem("error", product.name, f"{product.name} has {roles['science']} science members; level 2 "
                                                    "takes one exposure for each product."))  # fmt: skip
    for name, count in Counter(member.expname for member in product.members).items():
        if count > 1:
            found.append(Problem("warning", name, f"{name} is named {count} times in {product.name}."))
    for member in product.members:
        found += _member(association, member)
    return found


def _member(association: Association, member: Any) -> list[Problem]:
    found, role = [], member.exptype.lower()
    if role not in ROLES:
        said = f"has the role {member.exptype!r}, which no step knows" if role else "has no role (exptype)"
        found.append(Problem("error", member.expname, f"{member.expname} {said}; roles are {', '.join(ROLES)}."))
    elif member.exptype != role:
        found.append(Problem("warning", member.expname, f"{member.expname} has the role {member.exptype!r}; steps "
                                                        f"look for {role!r} in lower case."))  # fmt: skip
    if "/" in member.expname or "\\" in member.expname:
        found.append(Problem("warning", member.expname, f"{member.expname} names a folder; keep members beside the "
                                                        "association, or it breaks when it is moved."))  # fmt: skip
    suffix, wanted = meaning_of(member.expname).suffix, INPUTS.get(association.level or 0, ())
    if wanted and suffix and suffix not in wanted and role not in CATALOGUES and association.asn_type in RESULTS:
        text = f"{member.expname} is a {suffix} file; associations of level {association.level} are of "
        found.append(Problem("warning", member.expname, f"{text}{' or '.join(wanted[:2])} files."))
    return found


def _headers(association: Association, folder: Path, names: Collection[str]) -> list[Problem]:
    """Compare the headers of science members with each other."""
    found, seen = [], {}
    science = {member.expname for member in association.members if member.exptype.lower() == "science"}
    for name in names:
        if not name.lower().endswith(".fits") or name not in science:
            continue
        try:
            header = FitsFile.open(folder / name).hdus[0].header
        except (JvizError, OSError, ValueError, IndexError) as error:
            found.append(Problem("error", name, f"{name} cannot be read: {error}. Fetch it again."))
            continue
        seen[name] = {key: str(header.get(key, "") or "").strip() for key in ("INSTRUME", "FILTER", "PUPIL")}
    if association.level == 3 and seen:
        first, usual = next(iter(seen.items()))
        for name, values in seen.items():
            other = [key for key in values if values[key] != usual[key]]
            if other:
                said = ", ".join(f"{key} {values[key] or 'empty'} and not {usual[key] or 'empty'}" for key in other)
                found.append(Problem("warning", name, f"{name} differs from {first}: {said}."))
    return found
