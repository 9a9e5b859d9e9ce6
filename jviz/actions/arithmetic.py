"""The command that works out expressions of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.expressions import Operand, evaluate, names_in, parsed
from jviz.backend.images.picture import Picture
from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Data, Image
from jviz.errors import CommandError
from jviz.pictures import data_from, plane_wcs, read_rows, standard_deviation
from jviz.session import Session
from jviz.terms import term_of, unit_of

_pixels = 1 << 20
"""Worked out at a time."""


@command(
    "image.arithmetic",
    title="Image Arithmetic…",
    menu="Image/Operations",
    job=True,
    needs="image",
    group="arithmetic",
    icon="fa6s.calculator",
)
def arithmetic(
    session: Session,
    expression: str,
    a: Image | None = None,
    b: Image | None = None,
    *,
    c: Image | None = None,
    d: Image | None = None,
    name: str = "",
    progress: Progress,
    **names: Any,
) -> Image:
    """Work out an expression of images, pixel by pixel, with units, errors and flags.

    Parameters
    ----------
    expression : str
        ``"a - 2*b"``, ``"where(a > 3*a.err, a, 0)"``. It has numbers, names, + - * / **, comparisons, & | ~ and
        sqrt, log, log10, exp, sin, cos, tan, abs, isfinite, where, min, max, clip, value (without its unit).
        ``a.err``, ``a.dq`` and ``a.wht`` are planes.
    a, b, c, d : Data, optional
        What the names stand for; names of data in the session can be used as they are.
    name : str, optional
        Of the result.

    Raises
    ------
    CommandError
        When names are unknown, or shapes, grids or units do not fit.
    """
    tree = parsed(expression)
    given = {"a": a, "b": b, "c": c, "d": d, **names}
    terms = {text: _term(session, text, {n: v for n, v in given.items() if v is not None}) for text in names_in(tree)}
    images = list(dict.fromkeys(term[0] for term in terms.values() if isinstance(term, tuple)))
    if not images:
        raise CommandError(f"{expression!r} has no image in it; name at least one.")
    check_grids(images)
    picture = _in_rows(tree, terms, images, progress)
    said = ", ".join(f"{t} = {d.name}" for t, v in terms.items() if isinstance(v, tuple) for d in [v[0]] if t != d.name)
    return data_from(
        picture, name or expression.strip()[:40], images[0], expression + (f" with {said}" if said else "")
    )


def _term(session: Session, text: str, given: dict[str, Any]) -> Any:
    """Return ``(data, plane, plane of errors, plane of flags)``, or a number."""
    found = term_of(session, text, given)
    if not isinstance(found, tuple):
        return found
    data, part = found
    if not isinstance(data, Image):
        raise CommandError(f"{data.name} is of kind {data.kind}; expressions are of images.")
    if part:
        return data, _part(data, part), None, None
    error = next((p for m in ("error", "variance", "inverse variance") if (p := data.product.plane(m))), None)
    flags = data.product.plane("flags")
    fits = [None if p is None or p.shape != data.shape else p for p in (error, flags)]
    return data, data.plane(), *fits


def _part(data: Data, part: str) -> Plane:
    meaning = {"err": "error", "dq": "flags", "wht": "weight", "sci": "data"}.get(part.lower())
    by_name = {n.lower().replace(",", "_").replace(" ", "_"): p for n, p in data.planes.items()}
    plane = by_name.get(part.lower()) or (data.product.plane(meaning) if meaning else None)  # type: ignore[arg-type]
    if plane is None or plane.shape != data.shape:
        names = ", ".join(n.lower() for n, p in data.planes.items() if p.shape == data.shape)
        raise CommandError(f"{data.name} has no plane {part!r} of its shape; it has {names}.")
    return plane


def check_grids(images: list[Image]) -> None:
    """Raise when images do not lie on the same pixels, with the line that brings them there."""
    first = images[0]
    for other in images[1:]:
        if other.shape[-2:] != first.shape[-2:]:
            sizes = [f"{d.name} has {d.shape[-1]} × {d.shape[-2]} pixels" for d in (first, other)]
            raise CommandError(
                f"{' and '.join(sizes)}; bring one onto the grid of the other first: {_brought(other, first)}."
            )
        if (apart := _apart(first, other)) > 0.1:
            raise CommandError(
                f"{other.name} lies up to {apart:.3g} pixels off the grid of {first.name}; bring it there first: "
                f"{_brought(other, first)}."
            )


def _brought(other: Image, first: Image) -> str:
    """Return the line that brings data onto the grid of others."""
    if len(other.shape) == 3:
        return f"session.run('cube.regrid', data={other.name!r}, reference={first.name!r}, axes='spatial')"
    return f"session.run('image.reproject', data={other.name!r}, reference={first.name!r})"


def _apart(first: Image, other: Image) -> float:
    """Return the largest distance in pixels between places of the same pixels on the sky."""
    if first.sky is None or other.sky is None:
        return 0.0
    ny, nx = first.shape[-2:]
    x, y = (g.ravel() for g in np.meshgrid(np.linspace(0, nx - 1, 5), np.linspace(0, ny - 1, 5)))
    u, v = first.sky.sky_to_pixel(*other.sky.pixel_to_sky(x, y))
    distance = np.hypot(u - x, v - y)
    return float(np.nanmax(distance)) if np.isfinite(distance).any() else np.inf


def _in_rows(tree: Any, terms: dict[str, Any], images: list[Image], progress: Progress) -> Picture:
    ny, nx = images[0].shape[-2:]
    step = max(1, _pixels // nx)
    found = {t: v[1] for t, v in terms.items() if isinstance(v, tuple)}
    units = {t: unit_of(plane.unit) for t, plane in found.items() if plane.meaning != "flags"}
    wide = any(plane.dtype.itemsize > 4 for plane in found.values())
    values = error = dq = unit = None
    for start in range(0, ny, step):
        progress(start, ny, "rows")
        rows = slice(start, min(start + step, ny))
        result = evaluate(tree, {t: _operand(v, rows, units.get(t)) for t, v in terms.items()})
        if values is None:
            values = np.empty((ny, nx), np.float64 if wide else np.float32)
            error = None if result.variance is None else np.empty_like(values)
            dq = None if result.dq is None else np.zeros((ny, nx), np.asarray(result.dq).dtype)
            unit = result.unit
        values[rows] = result.values
        if error is not None:
            error[rows] = np.sqrt(result.variance)
        if dq is not None:
            dq[rows] = result.dq
    assert values is not None
    return Picture(values, error, dq, "" if unit is None else unit.to_string(), plane_wcs(images[0]))


def _operand(term: Any, rows: slice, unit: Any) -> Operand:
    if not isinstance(term, tuple):
        return Operand(term)
    data, plane, error, flags = term
    values = read_rows(data, plane, rows).astype(np.float64)
    variance = None
    if error is not None:
        variance = np.square(standard_deviation(error.meaning, read_rows(data, error, rows)).astype(np.float64))
    return Operand(values, variance, None if flags is None else read_rows(data, flags, rows), unit)
