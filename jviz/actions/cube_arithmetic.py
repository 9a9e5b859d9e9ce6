"""The command that works out expressions of cubes, with images and spectra spread over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jviz.actions.arithmetic import check_grids
from jviz.actions.cube_operations import MENU
from jviz.backend.expressions import Operand, evaluate, names_in, parsed
from jviz.backend.progress import Progress
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.resampling import axis_in_unit, brought_onto, variance_of
from jviz.commands import command
from jviz.cube_making import VALUES, NewCube
from jviz.cube_measuring import CubeMeasure
from jviz.data import Cube, Data, Image, Spectrum
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.pictures import picture_of
from jviz.session import Session
from jviz.terms import term_of, unit_of

Part = Callable[[slice], Operand]


@command("cube.arithmetic", title="Cube Arithmetic…", menu=MENU, job=True, needs="cube", group="many",
         icon="fa6s.calculator")  # fmt: skip
def arithmetic(
    session: Session,
    expression: str,
    a: Cube | None = None,
    b: Data | None = None,
    *,
    c: Data | None = None,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
    **names: Any,
) -> Cube:
    """Work out an expression of cubes, voxel by voxel, with units and errors.

    Parameters
    ----------
    expression : str
        ``"a - 2*b"``, ``"where(a > 3*a.err, a, 0)"``; see image.arithmetic.
    a, b, c : Data, optional
        What the names stand for; names of data in the session can be used as they are. An image counts for every
        channel, a spectrum for every spaxel (brought onto the channels where it has others).
    exclude_flags : list of str, str or int
        Values with these data quality flags count as missing; DO_NOT_USE by default.

    Raises
    ------
    CommandError
        When names are unknown, or shapes, channels, grids or units do not fit.
    """
    tree = parsed(expression)
    given = {key: value for key, value in {"a": a, "b": b, "c": c, **names}.items() if value is not None}
    terms = {text: _term(session, text, given) for text in names_in(tree)}
    data = [value[0] for value in terms.values() if isinstance(value, tuple)]
    cubes = list(dict.fromkeys(one for one in data if isinstance(one, Cube)))
    if not cubes:
        raise CommandError(f"{expression!r} has no cube in it; name at least one.")
    first = CubeMeasure(session, cubes[0], exclude_flags)
    check_grids([*cubes, *(one for one in dict.fromkeys(data) if isinstance(one, Image))])
    for other in cubes[1:]:
        _check_channels(cubes[0], other)
    parts = {text: _part(session, value, first.axis, exclude_flags) for text, value in terms.items()}
    return _worked_out(tree, parts, first, name.strip() or expression.strip()[:40], expression, progress)


def _worked_out(
    tree: Any, parts: dict[str, Part], first: CubeMeasure, name: str, what: str, progress: Progress
) -> Cube:
    n, ny, nx = first.source.shape
    step, new, unit = max(1, VALUES // (ny * nx)), None, None
    for start in range(0, n, step):
        progress(start, n, "channels")
        where = slice(start, min(start + step, n))
        result = evaluate(tree, {text: part(where) for text, part in parts.items()})
        if new is None:
            new, unit = NewCube(first, error=result.variance is not None), result.unit
        shape = (where.stop - where.start, ny, nx)
        spread = None if result.variance is None else np.broadcast_to(result.variance, shape)
        new.put(where, np.broadcast_to(np.asarray(result.values, float), shape), spread)
    assert new is not None
    return new.made(name, what, unit="" if unit is None else unit.to_string())


def _term(session: Session, text: str, given: dict[str, Any]) -> Any:
    """Return ``(data, part)``, or a number."""
    found = term_of(session, text, given)
    if not isinstance(found, tuple):
        return found
    data, part = found
    if not isinstance(data, Cube | Image | Spectrum):
        raise CommandError(f"{data.name} is of kind {data.kind}; expressions are of cubes, images and spectra.")
    if part not in ("", "err"):
        raise CommandError(f"{data.name} has no part {part!r}; in expressions of cubes there is .err.")
    return data, part


def _check_channels(first: Cube, other: Cube) -> None:
    if len(other.axis) == len(first.axis):
        values = axis_in_unit(other.axis, first.axis)
        if (np.abs(values - first.axis.values) <= 0.1 * first.axis.widths).all():
            return
    raise CommandError(
        f"{other.name} has other channels than {first.name}; bring it there first: "
        f"session.run('cube.regrid', data={other.name!r}, reference={first.name!r})."
    )


def _part(session: Session, term: Any, axis: SpectralAxis, exclude_flags: Any) -> Part:
    """Return what gives the operand of some channels."""
    if not isinstance(term, tuple):
        return lambda where: Operand(term)
    data, part = term
    unit = unit_of(data.unit)
    if isinstance(data, Cube):
        measure = CubeMeasure(session, data, exclude_flags)
        variance = measure.variance

        def read(where: slice) -> tuple[np.ndarray, np.ndarray | None]:
            box = (where, slice(None), slice(None))
            noise = None if variance is None else variance(*box)
            return measure.source.read(*box, dtype=np.dtype(np.float64)), noise

    elif isinstance(data, Image):
        picture = picture_of(data)
        flat = picture.values.astype(np.float64)[None]
        spread = None if picture.error is None else np.square(picture.error.astype(np.float64))[None]

        def read(where: slice) -> tuple[np.ndarray, np.ndarray | None]:
            return flat, spread

    else:
        line, noise = _spectrum(data, axis)

        def read(where: slice) -> tuple[np.ndarray, np.ndarray | None]:
            return line[where, None, None], None if noise is None else noise[where, None, None]

    def operand(where: slice) -> Operand:
        values, variance = read(where)
        if part != "err":
            return Operand(values, variance, None, unit)
        if variance is None:
            raise CommandError(f"{data.name} has no errors; leave .err out.")
        return Operand(np.sqrt(variance), None, None, unit)

    return operand


def _spectrum(data: Spectrum, axis: SpectralAxis) -> tuple[np.ndarray, np.ndarray | None]:
    if len(data.samples) != 1:
        raise CommandError(f"{data.name} holds {len(data.samples)} spectra; an expression takes data with one.")
    one = brought_onto(data.samples[0], axis)
    return np.where(one.good, one.flux, np.nan), variance_of(one)
