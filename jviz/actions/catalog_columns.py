"""Commands that add columns to catalogues, and edit them."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.catalogs.expressions import error_column, renamed
from jviz.catalogs import catalog_of, evaluated
from jviz.commands import command
from jviz.data import Catalog
from jviz.errors import CommandError
from jviz.running import Apply
from jviz.session import Session


@command("catalog.add_column", title="New Column…", menu="Catalogue", needs="catalog", group="columns",
         icon="fa6s.table-columns", job=True)  # fmt: skip
def add_column(session: Session, data: Catalog, name: str, expression: str, *, unit: str = "") -> Apply:
    """Add a column that is worked out from others, with its error where theirs are known.

    Parameters
    ----------
    name : str
        Of the new column; one that is there is replaced.
    expression : str
        ``F115W - F200W``, ``-2.5 * log10(flux / zero)``; names that are no words stand in backquotes.
    unit : str
        To convert to; by default what follows from the expression.
    """
    name = name.strip()
    if not name:
        raise CommandError("A new column needs a name.")
    made, table = evaluated(data, expression), data.table
    table[name] = _column(made.values, made.unit, unit)
    if made.error is not None:
        table[f"{name}_err"] = _column(made.error, made.unit, unit)
    new = _remade(data, table)
    return Apply(lambda: _exchange(session, data, new))


@command("catalog.edit_column", title="Edit Column…", menu="Catalogue", needs="catalog", group="columns", job=True)
def edit_column(
    session: Session, data: Catalog, column: str, *, rename: str = "", unit: str | None = None, remove: bool = False
) -> Apply:
    """Rename a column, say what its unit is (values stay as they are), or leave it out.

    Parameters
    ----------
    rename : str
        Its column of errors, and what plots, conditions and marks make of it, get the new name, too.
    unit : str, optional
        The unit that the numbers have; ``"none"`` for none, and left empty in the form it stays as it is.
        Errors that had the same unit get it, too.
    """
    table = data.table
    if column not in table.colnames:
        raise CommandError(f"{data.name} has no column {column!r}; it has {', '.join(table.colnames[:20])}.")
    if remove:
        if len(table.colnames) == 1:
            raise CommandError(f"{column} is the only column of {data.name}; remove the catalogue instead.")
        table.remove_column(column)
        less = _remade(data, table)
        return Apply(lambda: _exchange(session, data, less))
    if unit is not None:
        alike = [column, *_errors_alike(table, column)]
        for one in alike:
            table[one] = _with_unit(table[one], unit, one)
    names = _new_names(table.colnames, column, rename.strip()) if rename.strip() else {}
    for old, new in names.items():
        table.rename_column(old, new)
    made = _remade(data, table)

    def exchange() -> Catalog:
        _exchange(session, data, made)
        for old, new in names.items():
            _follow(session, made, data.columns, old, new)
        return made

    return Apply(exchange)


def _errors_alike(table: Any, column: str) -> list[str]:
    """Return the column of errors of another one where both have the same unit."""
    errors = error_column(table.colnames, column)
    units = [str(getattr(table[name], "unit", None) or "") for name in (column, errors) if name]
    return [errors] if errors and units[0] == units[1] else []


def _with_unit(column: Any, unit: str, name: str) -> Any:
    """Return a column whose numbers stay and have a unit; what is missing stays missing."""
    from astropy.table import Column, MaskedColumn
    from astropy.utils.masked import Masked

    from jviz.backend.units import parse_unit

    unit = "" if unit.strip().lower() == "none" else unit.strip()
    known = parse_unit(unit) if unit else None
    if unit and known is None:
        raise CommandError(f"{unit!r} is no unit; write one as uJy, mag or MJy/sr.")
    values = getattr(column, "value", column)
    if getattr(values, "dtype", np.dtype(object)).kind not in "iufc":
        raise CommandError(f"{name} has no numbers; only these have a unit.")
    plain, mask = np.asarray(getattr(values, "unmasked", values)), np.asarray(getattr(values, "mask", False))
    if known is None:
        made = MaskedColumn(plain, mask=mask) if mask.any() else Column(plain)
    elif hasattr(known, "function_unit"):  # of logarithms there are no masked quantities
        made = np.where(mask, np.nan, plain) * known
    else:
        made = (Masked(plain, mask=mask) if mask.any() else plain) * known
    made.info.description = column.info.description
    return made


def _new_names(names: list[str], old: str, new: str) -> dict[str, str]:
    """Return the new names of a column and of that of its errors.

    Raises
    ------
    CommandError
        When another column has the name.
    """
    if new in names and new != old:
        raise CommandError(f"There is a column {new!r} already.")
    made = {} if new == old else {old: new}
    errors = error_column(names, old)
    beside = errors.replace(old, new) if old in errors else f"{new}_err"
    return made | ({errors: beside} if made and errors and beside not in names else {})


def _follow(session: Session, data: Catalog, columns: Any, old: str, new: str) -> None:
    """Give expressions of views the new name of a column, unless another catalogue in the view has the old one."""
    for view in session.views.values():
        mine = [layer for layer in view.layers if layer.data is data]
        others = [layer.data for layer in view.layers if isinstance(layer.data, Catalog) and layer.data is not data]
        for state in (*([view] if mine and not any(old in o.columns for o in others) else []), *mine):
            for name in ("x", "y", "filter", "size_by", "color_by", "condition"):
                text = getattr(state, name, "")
                if isinstance(text, str) and text:
                    setattr(state, name, renamed(columns, text, old, new))
            for name in ("sort_by", "label"):
                if getattr(state, name, "") == old:
                    setattr(state, name, new)
            if old in getattr(state, "hidden", ()):
                state.hidden = tuple(new if one == old else one for one in state.hidden)


def _column(values: np.ndarray, unit: str, wanted: str) -> Any:
    from jviz.backend.units import parse_unit

    known = parse_unit(unit) if unit else None
    if not wanted:
        return values if known is None else values * known
    target = parse_unit(wanted)
    if target is None:
        raise CommandError(f"{wanted!r} is no unit; write one as uJy, mag or MJy/sr.")
    # mag is what mag(AB) and mag(ST) are calculated in
    if known is None or known == getattr(target, "function_unit", None):
        return values * target
    if not known.is_equivalent(target):
        raise CommandError(f"{unit} cannot be converted to {wanted}.")
    return (values * known).to(target)


def _remade(old: Catalog, table: Any) -> Catalog:
    """Make a catalogue with other columns, ready to be shown."""
    new = catalog_of(table, old.name)
    new.made_by = old.made_by
    new.prepare()
    return new


def _exchange(session: Session, old: Catalog, new: Catalog) -> Catalog:
    """Put a catalogue with other columns in the place of one, in all views and subsets.

    Raises
    ------
    CommandError
        When the old one is gone meanwhile.
    """
    if old not in session.data:
        raise CommandError(f"{old.name} was closed or changed meanwhile; nothing was done.")
    session.set_data(tuple(new if data is old else data for data in session.data))
    for view in session.views.values():
        for layer in view.layers:
            if layer.data is old:
                layer.data = new
    session.set_subsets({n: s.but(data=new) if s.data is old else s for n, s in session.subsets.items()})
    return new
