"""Commands on associations: made by rules, edited, checked, written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from jviz.actions.catalog_astrometry import _put
from jviz.association_data import Association, changed, member_rows
from jviz.backend.associations.checks import file_problems, missing_members, problems_of
from jviz.backend.associations.graph import graph_of
from jviz.backend.associations.levels import RESULTS, meaning_of
from jviz.backend.associations.model import Association as Content
from jviz.backend.associations.model import Member, write_association
from jviz.backend.associations.rules import LEVEL_OF
from jviz.backend.io.associations import association_product
from jviz.commands import command
from jviz.errors import CommandError
from jviz.jobs import Job
from jviz.outputs import output_path
from jviz.running import Apply
from jviz.session import Session

MENU = "Calibration/Associations"
Role = Literal["science", "background", "imprint", "psf", "target_acquisition", "selfcal", "sourcecat", "segmap",
               "direct_image", "pastasoss", "engineering"]  # fmt: skip


@command("association.make", title="Make Associations…", menu=MENU, job=True, group="make", icon="fa6s.diagram-project")
def make(
    session: Session, data: Any, rule: str | None = None, product: str | None = None, *, job: Job | None
) -> list[Association]:
    """Put exposures together that are calibrated together: associations of level 2 and level 3.

    Parameters
    ----------
    data : Data, name, path, or a list of them
        uncal, rate or cal exposures that lie in one folder, the folder, or a pool (``_pool.csv``).
    rule : str, optional
        By default the rules of jviz, at once and by header: program, target, instrument, filter or grating, and
        mode; rate files make level 2, cal files level 3, uncal files and pools both. ``"level2"`` and ``"level3"``
        ask for one of them. ``"jwst"`` runs all rules of the operations in a worker process, ``"Asn_Lv3Image"`` … one
        of them; ``"DMS_Level3_Base"`` and ``"DMSLevel2bBase"`` take the list of files as it is.
    product : str, optional
        Name of the product, where there is one.

    Returns
    -------
    list of Association
        In no file until they are written.
    """
    from jviz.associating import associated

    return associated(session, data, rule, product, job or session.calibrations.stand_in("Associations"))


@command("association.add", title="Add Members…", menu=MENU, job=True, group="edit", needs="association",
         icon="fa6s.plus")  # fmt: skip
def add(
    session: Session, data: Association, members: list[str], role: Role = "science", product: str | None = None
) -> Apply:
    """Add files to a product of an association.

    Parameters
    ----------
    members : list of str
        Names or paths of files; those of members say what role they have from now on.
    role : str
        What they are there for: science, background, imprint, psf, target_acquisition, selfcal, sourcecat, segmap,
        direct_image, pastasoss or engineering.
    product : str, optional
        Which one, where there are several.
    """
    names = [_member_name(data, name) for name in members]
    if not names:
        raise CommandError("There is nothing to add; name at least one file.")
    new = data.content.with_members([Member(name, role) for name in names], product)
    return _changed(session, data, new, f"Add {_few(names)}")


@command("association.remove", title="Remove Members…", menu=MENU, job=True, group="edit", needs="association",
         icon="fa6s.minus")  # fmt: skip
def remove(session: Session, data: Association, members: list[str], product: str | None = None) -> Apply:
    """Take files out of an association; the files themselves stay.

    Parameters
    ----------
    product : str, optional
        Take them out of this product only.
    """
    return _changed(session, data, data.content.without(members, product), f"Remove {_few(members)}")


@command("association.role", title="Set Role of Members…", menu=MENU, job=True, group="edit", needs="association")
def role(session: Session, data: Association, members: list[str], role: Role, product: str | None = None) -> Apply:
    """Say what members are there for: science, background, imprint …

    Parameters
    ----------
    product : str, optional
        In this product only.
    """
    return _changed(session, data, data.content.with_role(members, role, product), f"Set role to {role}")


@command("association.rename", title="Rename Product…", menu=MENU, job=True, group="edit", needs="association")
def rename(session: Session, data: Association, name: str, product: str | None = None) -> Apply:
    """Give a product of an association another name; its files begin with it.

    Parameters
    ----------
    name : str
        Without suffix and ending.
    product : str, optional
        Which one, where there are several.
    """
    if not name.strip() or "/" in name or "\\" in name:
        raise CommandError(f"{name!r} is no name for a product; give letters and digits without a folder.")
    old = data.content.product(product)
    if any(each.name == name for each in data.content.products if each is not old):
        raise CommandError(f"Another product is named {name} already; its files would be written over.")
    return _changed(session, data, data.content.with_product(old, replace(old, name=name)), f"Rename to {name}")


@command("association.type", title="Set Type…", menu=MENU, job=True, group="edit", needs="association")
def set_type(session: Session, data: Association, asn_type: str) -> Apply:
    """Set the type of an association, which says what pipeline works on it: image2, image3, spec2, spec3 …"""
    if asn_type not in RESULTS:
        raise CommandError(f"{asn_type!r} is no type of association; there are {', '.join(RESULTS)}.")
    return _changed(session, data, replace(data.content, asn_type=asn_type), f"Set type to {asn_type}")


@command("association.validate", title="Check Association…", menu=MENU, job=True, recorded=False, script=False,
         group="look", icon="fa6s.list-check")  # fmt: skip
def validate(session: Session, data: Association | Path) -> Any:
    """Check an association: broken text, missing members, wrong types and roles, names that collide.

    Parameters
    ----------
    data : Association or Path
        A file may be one that cannot even be opened.

    Returns
    -------
    QTable
        ``level`` (error: the pipeline cannot work on it; warning), ``about``, and ``problem``, one sentence each;
        no rows when all is well.
    """
    from astropy.table import QTable

    if isinstance(data, Association):
        found, name = problems_of(data.content, data.folder), data.name
    else:
        path = Path(data).expanduser().absolute()
        (_, found), name = file_problems(path), path.name
    rows = [(problem.level, problem.about, problem.text) for problem in found]
    table = QTable(rows=rows or None, names=("level", "about", "problem"), dtype=(str, str, str))
    table.meta |= {"association": name, "errors": sum(problem.level == "error" for problem in found)}
    return table


@command("association.members", title="List Members…", menu=MENU, job=True, recorded=False, script=False, group="look",
         needs="association", icon="fa6s.table-list")  # fmt: skip
def members(session: Session, data: Association) -> Any:
    """List the members of an association with what their names say.

    Returns
    -------
    QTable
        ``product``, ``member``, ``role``, ``suffix``, ``level`` (1b, 2a, 2b, 2c, 3), ``meaning``, and
        ``state``: there or missing.
    """
    from astropy.table import QTable

    data.look()
    names = ("product", "member", "role", "suffix", "level", "meaning", "state")
    return QTable(rows=member_rows(data) or None, names=names, dtype=(str,) * len(names))


@command("association.explain", title="Explain Product Name…", menu=MENU, recorded=False, script=False, group="look",
         icon="fa6s.circle-question")  # fmt: skip
def explain(session: Session, name: str) -> str:
    """Say what the suffix of a JWST product means, and of what level it is."""
    meaning = meaning_of(name)
    level = LEVEL_OF.get(meaning.suffix)
    return f"{meaning.text}; associations of level {level} take it" if level else meaning.text


@command("association.write", title="Write Association…", menu=MENU, job=True, group="write", needs="association",
         icon="fa6s.floppy-disk")  # fmt: skip
def write(session: Session, data: Association, path: Path) -> Apply:
    """Write an association into a JSON file; it is then the association of that file.

    Parameters
    ----------
    path : Path
        Ends with ``_asn.json``. Members are looked for beside it.
    """
    target = output_path(session, path)
    content = data.content
    write_association(target, content)
    missing, graph = missing_members(content, target.parent), graph_of(content, target.parent)

    def apply() -> Path:
        product = association_product(content, data.name, target.parent)
        product.path, product.reader = target, "association"
        new = Association(product, data.name)
        new.made_by, new._graph = data.made_by, graph
        _put(session, data, new)
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            session.notice("warning", f"{target.name} is written, but not beside its members: {', '.join(missing[:3])}"
                                      f"{more} are not in {target.parent}.")  # fmt: skip
        return target

    return Apply(apply, f"Write {target.name}", {"path": str(target)})


def _changed(session: Session, data: Association, content: Content, label: str) -> Apply:
    """Put other contents in the place of an association, in all views of it."""
    new = changed(data, content)

    def apply() -> None:
        _put(session, data, new)

    return Apply(apply, label)


def _member_name(data: Association, name: str) -> str:
    """Return a member's name for a file: beside the association it is that of the file alone."""
    path = Path(name).expanduser()
    if path.parent == Path("."):
        return name
    if data.folder is not None and path.absolute().parent != data.folder:
        raise CommandError(f"{path} is not in {data.folder}, where the other members lie; copy it there first.")
    return path.name


def _few(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
