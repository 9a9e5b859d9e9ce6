"""The kernels in numpy: the same numbers as `jviz.backend.render.numba_kernels`, bit for bit, only slower.

They draw until numba is imported, which takes longer than the window may take to show.
The order of the arithmetic is the other module's; change both together.
"""

import numpy as np

__all__ = [
    "blend",
    "colour_rows",
    "extremes",
    "flag_rows",
    "gather",
    "halve",
    "survey",
    "value_rows",
]

Array = np.ndarray
Edges = tuple[float, float, float, float]

ADD, SCREEN, MULTIPLY, LIGHTEN, DIFFERENCE = 1, 2, 3, 4, 5


def _sample_grid(
    shape: tuple[int, int], gx: Array, gy: Array, whole: Array, step: int, first: int = 0
) -> tuple[Array, Array, Array]:
    """Return sample coordinates of every viewport pixel, and which of them are drawn.

    Their shapes only broadcast to that of the viewport: for an upright image a row and a column do.
    """
    height, width = shape
    row, column = first + np.arange(height), np.arange(width)
    i, j = row // step, column // step
    down, right = ((row - i * step) / step)[:, None], (column - j * step) / step
    upright = whole.shape == (1, 1) and (gx[0] == gx[1]).all() and (gy[:, 0] == gy[:, 1]).all()
    if upright:
        x = gx[:1, :1] + (gx[:1, 1:] - gx[:1, :1]) * right
        return x, gy[:1, :1] + (gy[1:, :1] - gy[:1, :1]) * down, whole
    grids = []
    for grid in (gx, gy):
        # Down the lines of the mesh first, which are few, then across from line to line.
        line = grid[i] + (grid[i + 1] - grid[i]) * down
        grids.append(line[:, j] + np.diff(line)[:, j] * right)
    return (*grids, whole[i][:, j])


def _inside(sx: Array, sy: Array, drawn: Array, edges: Edges) -> Array:
    left, bottom, right, top = edges
    return drawn & ((sx >= left) & (sx < right)) & ((sy >= bottom) & (sy < top))


def _cut(position: Array, size: float) -> Array:
    # fmax and fmin turn NaN, which is drawn nowhere, into a number.
    return np.fmin(np.fmax(position, 0.0), size - 1.0)


def _nearest(data: Array, sx: Array, sy: Array) -> Array:
    rows, columns = data.shape
    i, j = _cut(sy, rows).astype(np.int32), _cut(sx, columns).astype(np.int32)
    if i.shape[1] == 1 and j.shape[0] == 1:
        return data[i[:, 0]][:, j[0]]  # whole rows, then whole columns: five times as fast
    return data[i, j]


def _smooth(data: Array, sx: Array, sy: Array) -> Array:
    rows, columns = data.shape
    x, y = np.broadcast_arrays(_cut(sx - 0.5, columns), _cut(sy - 0.5, rows))
    j, i = x.astype(np.int64), y.astype(np.int64)
    right, down = x - j, y - i
    total, weights = np.zeros(x.shape), np.zeros(x.shape)
    for up, below in ((1.0 - down, i), (down, np.minimum(i + 1, rows - 1))):
        for near, beside in ((1.0 - right, j), (right, np.minimum(j + 1, columns - 1))):
            value = data[below, beside].astype(np.float64)
            weight = np.where(value == value, up * near, 0.0)
            total += np.where(weight > 0.0, weight * value, 0.0)
            weights += weight
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(weights > 0.0, total / weights, np.nan).astype(np.float32)


def value_rows(
    data: Array, gx: Array, gy: Array, whole: Array, step: int, edges: Edges, smooth: bool, out: Array, first: int
) -> None:
    """Sample ``data`` at each viewport pixel into ``out`` (float32), viewport rows from ``first`` on; NaN outside."""
    sx, sy, drawn = _sample_grid(out.shape, gx, gy, whole, step, first)
    inside = _inside(sx, sy, drawn, edges)
    values = (_smooth if smooth else _nearest)(data, sx, sy)
    out[...] = np.where(inside, values, np.float32(np.nan))


def colour_rows(
    data: Array,
    gx: Array,
    gy: Array,
    whole: Array,
    step: int,
    edges: Edges,
    table: Array,
    low: float,
    factor: float,
    blank: np.uint32,
    smooth: bool,
    clear: bool,
    out: Array,
    first: int,
) -> None:
    """Colour ``data`` at each viewport pixel into ``out`` (uint32 ARGB), viewport rows from ``first`` on."""
    sx, sy, drawn = _sample_grid(out.shape, gx, gy, whole, step, first)
    inside = _inside(sx, sy, drawn, edges)
    values = (_smooth if smooth else _nearest)(data, sx, sy)
    last = len(table) - 1
    position = values.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        position -= low
        position *= factor
    missing = np.isnan(values)
    np.clip(position, 0.0, float(last), out=position)
    position[missing] = 0.0
    position += 0.5
    colours = table.take(position.astype(np.int32))
    colours[missing] = blank
    if clear:
        out[...] = 0
    np.copyto(out, colours, where=inside)


def flag_rows(
    data: Array, gx: Array, gy: Array, whole: Array, step: int, edges: Edges, colours: Array, clear: bool, out: Array
) -> None:
    """Colour the flags of ``data`` (uint32): the lowest set bit that has a colour wins."""
    sx, sy, drawn = _sample_grid(out.shape, gx, gy, whole, step)
    inside = _inside(sx, sy, drawn, edges)
    flags = _nearest(data, sx, sy)
    result = np.zeros(out.shape, dtype=np.uint32)
    for bit in range(31, -1, -1):
        if colours[bit]:
            result[(flags >> np.uint32(bit)) & np.uint32(1) == 1] = colours[bit]
    out[...] = np.where(inside, result, np.uint32(0) if clear else out)


def veil_rows(
    data: Array,
    gx: Array,
    gy: Array,
    whole: Array,
    step: int,
    edges: Edges,
    bits: Array,
    tints: Array,
    out: Array,
    first: int,
) -> None:
    """Lay the tint of the first of ``bits`` that is set over ``out``; tints are premultiplied ARGB."""
    sx, sy, drawn = _sample_grid(out.shape, gx, gy, whole, step, first)
    inside = np.broadcast_to(_inside(sx, sy, drawn, edges), out.shape)
    flags = np.broadcast_to(_nearest(data, sx, sy), out.shape)
    open_ = inside.copy()
    for bit, tint in zip(bits, tints, strict=True):
        hit = open_ & (flags & bit != 0)
        open_ &= ~hit
        result, below, rest = np.zeros(int(hit.sum()), np.uint32), out[hit], np.uint32(255) - (tint >> np.uint32(24))
        for shift in (np.uint32(0), np.uint32(8), np.uint32(16), np.uint32(24)):
            full = np.uint32(255)
            result |= (((tint >> shift) & full) + _divided(((below >> shift) & full) * rest)) << shift
        out[hit] = result


def _divided(x: Array) -> Array:
    """Divide 0 … 255² by 255, rounded (exact for all of them)."""
    x = x + np.uint32(128)
    return (x + (x >> np.uint32(8))) >> np.uint32(8)


def blend(out: Array, layer: Array, opacity: np.uint32, mode: int) -> None:
    """Lay ``layer`` over ``out``, both uint32 premultiplied ARGB; opacity is 0 … 256."""
    full = np.uint32(255)
    share = ((layer >> np.uint32(24)) * opacity + np.uint32(128)) >> np.uint32(8)
    result = np.zeros_like(out)
    for shift in (np.uint32(0), np.uint32(8), np.uint32(16), np.uint32(24)):
        above = (((layer >> shift) & full) * opacity + np.uint32(128)) >> np.uint32(8)
        below = (out >> shift) & full
        if mode == ADD:
            mixed = above + below
        elif mode == SCREEN:
            mixed = above + below - _divided(above * below)
        elif mode == MULTIPLY:
            mixed = _divided(below * (above + full - share))
        elif mode == LIGHTEN:
            mixed = np.maximum(above, below)
        elif mode == DIFFERENCE and shift == 24:
            mixed = np.maximum(share, below)
        elif mode == DIFFERENCE:
            mixed = np.maximum(above, below) - np.minimum(above, below)
        else:
            mixed = above + _divided(below * (full - share))
        result |= np.minimum(mixed, full) << shift
    out[...] = result


def lupton(
    values: Array, hues: Array, low: Array, factor: Array, soften: float, slope: float, out: Array, first: int
) -> None:
    """Bring layers of values (n, rows, columns), from a row on, into one picture by the asinh of their mean."""
    values = values[:, first : first + len(out)]
    some = ~np.isnan(values).all(axis=0)
    x = np.where(np.isnan(values), 0.0, (values - low[:, None, None]) * factor[:, None, None])
    rgb = np.einsum("nc,nij->cij", hues, x)
    total = (rgb[0] + rgb[1] + rgb[2]) / 3.0
    safe = np.where(total > 0, total, 1.0)
    scale = np.where(total > 0, np.arcsinh(safe * soften) * slope / safe, 0.0)
    most = rgb.max(axis=0) * scale
    scale = np.where(most > 1.0, scale / np.where(most > 1.0, most, 1.0), scale)
    levels = (np.maximum(rgb * scale, 0.0) * 255.0 + 0.5).astype(np.uint32)
    pixels = np.uint32(0xFF000000) | levels[0] << np.uint32(16) | levels[1] << np.uint32(8) | levels[2]
    np.copyto(out, pixels, where=some)


def gather(values: Array, sums: Array, counts: Array) -> None:
    """Add up 2 × 2 finite values: ``sums`` float64 and ``counts`` int32 of half the shape."""
    finite = np.isfinite(values)
    if finite.all() and not (values.shape[0] % 2 or values.shape[1] % 2):
        counts[...] = 4
        _add_up(values, sums)
    else:
        halve(np.where(finite, values, np.float32(0.0)), finite, sums, counts)


def halve(sums: Array, counts: Array, half_sums: Array, half_counts: Array) -> None:
    """Add up 2 × 2 neighbours; the last row or column may stand alone."""
    for whole, half in ((sums, half_sums), (counts, half_counts)):
        rows, columns = whole.shape
        is_even = rows % 2 == columns % 2 == 0
        _add_up(whole if is_even else np.pad(whole, ((0, rows % 2), (0, columns % 2))), half)


def _add_up(whole: Array, half: Array) -> None:
    pairs = np.add(whole[0::2], whole[1::2], dtype=half.dtype)
    np.add(pairs[:, 0::2], pairs[:, 1::2], out=half)


def survey(
    values: Array, start: np.float32, scale: np.float32, bins: Array, low: Array, high: Array
) -> tuple[int, int]:
    """Count values in bins, and put those that lie outside into two arrays.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, columns)
    start, scale : float32
        Lower edge of the first bin, bins per data unit.
    bins : ndarray of uint32, shape (n + 3,)
        Those below, n bins, those above, those that are not finite.
    low, high : ndarray of float32
        Filled with the values below and above.

    Returns
    -------
    lows, highs : int
        How many were put into ``low`` and ``high``.
    """
    above, finite = len(bins) - 2, np.isfinite(values)
    with np.errstate(all="ignore"):
        places = np.clip((values - start) * scale + np.float32(1.0), np.float32(0.0), np.float32(above))
    places = np.where(finite, places, np.float32(above + 1)).astype(np.int64)
    bins += np.bincount(places.ravel(), minlength=len(bins)).astype(bins.dtype)
    below, beyond = values[places == 0], values[places == above]
    low[: below.size], high[: beyond.size] = below, beyond
    return below.size, beyond.size


def extremes(values: Array) -> tuple[float, float]:
    """Return the least and the greatest finite value (inf and -inf when there is none)."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.inf, -np.inf
    return float(finite.min()), float(finite.max())
