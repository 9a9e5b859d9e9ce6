"""Associations made of what a user names: data, files or a pool, by the rules of jviz or of jwst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.association_data import Association, association_data
from jviz.backend.associations import rules
from jviz.backend.associations.model import Association as Content
from jviz.backend.associations.model import parsed
from jviz.backend.calibration.registry import header_of
from jviz.backend.io.jwst import is_jwst
from jviz.data import Data, loaded_object
from jviz.errors import CommandError, JvizError
from jviz.jobs import Job

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["associated", "exposure_paths"]

LEVELS = {"level2": 2, "level3": 3}
LISTS = ("DMS_Level3_Base", "DMSLevel2bBase")
"""Rules of jwst that take a list of files as it is."""


def associated(session: Session, data: Any, rule: str | None, product: str | None, job: Job) -> list[Association]:
    """Make associations.

    Parameters
    ----------
    data : Data, name, path, or a list of them
        Exposures, or one pool.
    rule : str, optional
        See the command ``association.make``.
    product : str, optional
        Name of the product, where one is made.

    Raises
    ------
    JvizError
        Says what none can be made of, and why.
    """
    pool, pool_path = _pool(session, data)
    paths = [] if pool is not None else exposure_paths(session, data)
    folder = pool_path.parent if pool_path is not None else paths[0].parent if paths else None
    if rule is None or rule in LEVELS:
        made = _by_own_rules(session, paths, pool, pool_path, LEVELS.get(rule or ""), job)
        named = [(_name(content), content) for content in made]
    else:
        named = _by_jwst(session, paths, pool_path, rule, job)
    if product is not None:
        named = _renamed(named, product)
    return [association_data(content, name, folder) for name, content in named]


def exposure_paths(session: Session, data: Any) -> list[Path]:
    """Return the files of exposures, which lie in one folder.

    Raises
    ------
    CommandError
        When there are none, or they lie in several folders.
    """
    from jviz.calibrating import paths_of

    several = data if isinstance(data, list | tuple) else [data]
    found: list[Path] = []
    for each in several:
        path = Path(str(each)).expanduser() if isinstance(each, str | Path) and each not in session else None
        found += sorted(path.glob("*.fits")) if path is not None and path.is_dir() else paths_of(session, each)
    folders = sorted({path.parent for path in found})
    if len(folders) > 1:
        raise CommandError(f"The exposures lie in several folders ({folders[0]}, {folders[1]}); members lie beside "
                           "their association, so bring them into one.")  # fmt: skip
    if not found:
        raise CommandError("There are no exposures to associate; give data, files, a folder, or a pool.")
    return found


def _pool(session: Session, data: Any) -> tuple[Any, Path | None]:
    """Return the table of a pool and its path, when that is what is given."""
    one = data[0] if isinstance(data, list | tuple) and len(data) == 1 else data
    one = session[one] if isinstance(one, str) and one in session else one
    if isinstance(one, Data):
        is_pool = one.kind == "catalog" and "asn_candidate" in {name.lower() for name in one.table.colnames}
        return (one.table, one.path) if is_pool else (None, None)
    if not isinstance(one, str | Path) or Path(str(one)).suffix.lower() != ".csv":
        return None, None
    from jviz.backend.io.registry import open_products
    from jviz.data import from_product

    path = Path(str(one)).expanduser().absolute()
    return loaded_object(from_product(open_products(path)[0])), path


def _by_own_rules(
    session: Session, paths: Sequence[Path], pool: Any, pool_path: Path | None, level: int | None, job: Job
) -> list[Content]:
    if pool is not None:
        exposures = rules.pool_exposures(pool)
        name = pool_path.name if pool_path is not None else "none"
        return _told(session, exposures, rules.made(exposures, level, name))
    exposures = []
    for number, path in enumerate(paths):
        job.report(number, len(paths), f"Reading {path.name}")
        header = header_of(path)
        if not is_jwst(header):
            raise CommandError(f"{path.name} is no JWST product, so no association can be made of it.")
        exposures.append(rules.exposure_of(path.name, header))
    return _told(session, exposures, rules.made(exposures, level))


def _told(session: Session, exposures: Sequence[rules.Exposure], made: list[Content]) -> list[Content]:
    """Say which exposures were left out."""
    if text := rules.left_out(exposures, made):
        session.notice("status", text)
    return made


def _by_jwst(
    session: Session, paths: Sequence[Path], pool_path: Path | None, rule: str, job: Job
) -> list[tuple[str, Content]]:
    job.report(0, 0, "jwst makes associations")
    service = session.calibrations
    if rule in LISTS:
        return [_listed(session, paths, rule, job)]
    answer = service.call(job, "generate_associations", files=[str(path) for path in paths], rule=rule,
                          pool=str(pool_path) if pool_path is not None else "")  # fmt: skip
    if not answer:
        raise JvizError(f"The rules of jwst ({rule}) make no association of these exposures.")
    return [(each["name"], parsed(each["content"], each["name"])) for each in answer]


def _listed(session: Session, paths: Sequence[Path], rule: str, job: Job) -> tuple[str, Content]:
    """Return the association of a list of files, as ``asn_from_list`` makes it."""
    import json
    import tempfile

    if not paths:
        raise CommandError(f"{rule} makes an association of a list of files, not of a pool.")
    with tempfile.TemporaryDirectory(prefix="jviz-association-") as folder:
        target = Path(folder) / "made_asn.json"
        session.calibrations.call(job, "make_association", files=[path.name for path in paths], path=str(target),
                                  product=paths[0].stem.rpartition("_")[0], rule=rule)  # fmt: skip
        content = parsed(json.loads(target.read_text("utf-8")), target.name)
    return _name(content), content


def _name(content: Content) -> str:
    """Return a name for an association: as the archive names them, without a time."""
    more = content.more
    kind = content.asn_type if content.asn_type.lower() not in ("", "none") else "asn"
    if content.level == 3 and len(content.products) == 1 and "{" not in content.products[0].name:
        return f"{content.products[0].name}_{kind}_asn"
    return f"jw{more.get('program', '')}-{more.get('asn_id', 'a3001')}_{kind}_asn"


def _renamed(named: list[tuple[str, Content]], product: str) -> list[tuple[str, Content]]:
    from dataclasses import replace

    if len(named) != 1 or len(named[0][1].products) != 1:
        count = sum(len(content.products) for _, content in named)
        raise CommandError(f"One name was given for {count} products; leave it out, and rename them afterwards.")
    content = named[0][1]
    content = replace(content, products=(replace(content.products[0], name=product),))
    return [(_name(content), content)]
