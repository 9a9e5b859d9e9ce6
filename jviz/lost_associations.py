"""Associations of products that were made of several exposures, where the file itself is not at hand any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.backend.associations import rules
from jviz.backend.associations.model import Association, write_association
from jviz.backend.calibration.registry import Subject, header_of
from jviz.calibration_members import EXPOSURE, MEMBERS_IN, source_of
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["listed_exposures", "remade_association"]

ANY_LEVEL = ("cal", "calints", "rate", "rateints", "uncal")


def listed_exposures(path: Path) -> list[str]:
    """Return the names of the files that a product was combined of, as its table of their headers has them."""
    from astropy.io import fits

    try:
        return [str(name).strip() for name in fits.getdata(path, "HDRTAB")["FILENAME"]]
    except (OSError, KeyError, TypeError, ValueError):
        return []


def remade_association(session: Session, subject: Subject, roots: Sequence[str], lost: str) -> Path:
    """Make the association of a product again, of the exposures that it lists, and write it into a folder of jviz.

    Parameters
    ----------
    subject : Subject
        The product.
    roots : sequence of str
        Names of its exposures.
    lost : str
        What became of the one that it was made of, for messages.

    Raises
    ------
    JvizError
        When an exposure is not on this machine, or they make no single association.
    """
    exposures = []
    for root in roots:
        path = source_of(session, root, subject.path, ANY_LEVEL)
        if path is None:
            raise JvizError(f"{lost}, nor is its exposure {root}; fetch either")
        exposures.append(rules.exposure_of(path.name, header_of(path)))
    made = rules.made(exposures, 3)
    if len(made) != 1 or len(made[0].products) != 1:
        raise JvizError(f"{lost}, and its {len(roots)} exposures make several; make it in the panel Associations")
    content = _named(made[0], subject)
    return write_association(_folder() / f"{subject.root}_asn.json", content)


def _named(content: Association, subject: Subject) -> Association:
    """Return an association whose product has the name of one that was there, and that knows where its files lie."""
    [product] = content.products
    if "{" not in product.name and not EXPOSURE.match(subject.root):
        product = replace(product, name=subject.root)
    return replace(content, products=(product,), more={**content.more, MEMBERS_IN: str(subject.path.parent)})


def _folder() -> Path:
    from jviz.backend.cache import home

    folder = home("data") / "associations"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
