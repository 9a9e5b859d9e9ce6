"""The kernels compiled by numba, all without the GIL. Imported by `kernels.warm_up` only.

The order of the arithmetic is that of `jviz.backend.render.numpy_kernels`; change both together.
No ``fastmath``: NaN must stay NaN, and the twins must agree to the last bit.
"""

import numpy as np
from numba import njit

__all__ = [
    "blend",
    "colour_rows",
    "extremes",
    "flag_rows",
    "gather",
    "halve",
    "lupton",
    "survey",
    "value_rows",
]

Array = np.ndarray
Edges = tuple[float, float, float, float]

ADD, SCREEN, MULTIPLY, LIGHTEN, DIFFERENCE = 1, 2, 3, 4, 5

compiled = njit(cache=True, nogil=True, error_model="numpy")
inlined = njit(cache=True, nogil=True, error_model="numpy", inline="always")


@inlined
def _node_row(grid: Array, i: int, j: int, down: float) -> tuple[float, float]:
    left = grid[i, j] + (grid[i + 1, j] - grid[i, j]) * down
    rest = grid[i, j + 1] + (grid[i + 1, j + 1] - grid[i, j + 1]) * down
    return left, rest - left


@compiled
def _coordinates(row: int, gx: Array, gy: Array, whole: Array, step: int, ramp: Array, xs: Array, ys: Array) -> None:
    """Fill the sample coordinates of one viewport row; -1e9 where the mesh has no cell."""
    width = xs.shape[0]
    i = row // step
    down = (row - i * step) / step
    for j in range((width + step - 1) // step):
        start = j * step
        count = min(step, width - start)
        part_x, part_y = xs[start : start + count], ys[start : start + count]
        if whole[i, j]:
            x, dx = _node_row(gx, i, j, down)
            y, dy = _node_row(gy, i, j, down)
            for k in range(count):
                part_x[k] = x + dx * ramp[k]
            for k in range(count):
                part_y[k] = y + dy * ramp[k]
        else:
            part_x[:] = -1e9
            part_y[:] = -1e9


@compiled
def _locate(xs: Array, ys: Array, edges: Edges, shape: tuple[int, int], places: Array, inside: Array) -> None:
    """Fill where in the flat data each pixel's sample is, and whether it is drawn at all."""
    left, bottom, right, top = edges
    last_row, last_column, columns = shape[0] - 1.0, shape[1] - 1.0, np.int32(shape[1])
    for k in range(xs.shape[0]):
        x, y = xs[k], ys[k]
        inside[k] = (x >= left) & (x < right) & (y >= bottom) & (y < top)
        i = np.int32(min(max(y, 0.0), last_row))
        j = np.int32(min(max(x, 0.0), last_column))
        places[k] = i * columns + j


@compiled
def _pick(flat: Array, places: Array, values: Array) -> None:
    # Unsigned, or numba looks at each index whether it counts from the end.
    for k in range(places.shape[0]):
        values[k] = flat[np.uint32(places[k])]


@inlined
def _weighed(value: float, weight: float, total: float, weights: float) -> tuple[float, float]:
    use = (value == value) & (weight > 0.0)
    return total + (weight * np.float64(value) if use else 0.0), weights + (weight if use else 0.0)


@compiled
def _smooth(data: Array, sx: float, sy: float) -> np.float32:
    rows, columns = data.shape
    x = min(max(sx - 0.5, 0.0), columns - 1.0)
    y = min(max(sy - 0.5, 0.0), rows - 1.0)
    j, i = np.uint32(np.int32(x)), np.uint32(np.int32(y))
    right, down = x - np.float64(j), y - np.float64(i)
    beside, below = min(j + np.uint32(1), np.uint32(columns - 1)), min(i + np.uint32(1), np.uint32(rows - 1))
    total, weights = 0.0, 0.0
    total, weights = _weighed(data[i, j], (1.0 - down) * (1.0 - right), total, weights)
    total, weights = _weighed(data[i, beside], (1.0 - down) * right, total, weights)
    total, weights = _weighed(data[below, j], down * (1.0 - right), total, weights)
    total, weights = _weighed(data[below, beside], down * right, total, weights)
    return np.float32(total / weights) if weights > 0.0 else np.float32(np.nan)


@compiled
def _row_values(
    data: Array,
    flat: Array,
    xs: Array,
    ys: Array,
    edges: Edges,
    smooth: bool,
    places: Array,
    inside: Array,
    values: Array,
) -> None:
    _locate(xs, ys, edges, data.shape, places, inside)
    if not smooth:
        _pick(flat, places, values)
        return
    for k in range(xs.shape[0]):
        values[k] = _smooth(data, xs[k], ys[k])


@compiled
def value_rows(
    data: Array, gx: Array, gy: Array, whole: Array, step: int, edges: Edges, smooth: bool, out: Array, first: int
) -> None:
    width, flat, ramp = out.shape[1], data.reshape(-1), np.arange(step) / step
    xs, ys, values = np.empty(width), np.empty(width), np.empty(width, np.float32)
    places, inside = np.empty(width, np.int32), np.empty(width, np.bool_)
    for row in range(out.shape[0]):
        _coordinates(first + row, gx, gy, whole, step, ramp, xs, ys)
        _row_values(data, flat, xs, ys, edges, smooth, places, inside, values)
        line = out[row]
        for k in range(width):
            line[k] = values[k] if inside[k] else np.float32(np.nan)


@compiled
def _entries(values: Array, inside: Array, low: float, factor: float, last: int, entries: Array) -> None:
    """Fill the number of each pixel's colour; last + 1 is that of NaN, last + 2 of outside."""
    missing, outside, top = np.int32(last + 1), np.int32(last + 2), np.float64(last)
    for k in range(values.shape[0]):
        value = values[k]
        position = (np.float64(value) - low) * factor
        position = max(min(position, top), 0.0)
        entry = np.int32(position + 0.5) if value == value else missing
        entries[k] = entry if inside[k] else outside


@compiled
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
    width, flat, ramp = out.shape[1], data.reshape(-1), np.arange(step) / step
    xs, ys, values = np.empty(width), np.empty(width), np.empty(width, np.float32)
    places, inside = np.empty(width, np.int32), np.empty(width, np.bool_)
    colours = np.append(table, np.array([blank, 0], np.uint32))
    for row in range(out.shape[0]):
        _coordinates(first + row, gx, gy, whole, step, ramp, xs, ys)
        _row_values(data, flat, xs, ys, edges, smooth, places, inside, values)
        _entries(values, inside, low, factor, table.shape[0] - 1, places)
        line = out[row]
        if clear:
            _pick(colours, places, line)
        else:
            for k in range(width):
                if inside[k]:
                    line[k] = colours[np.uint32(places[k])]


@inlined
def _flag_colour(flags: np.uint32, colours: Array) -> np.uint32:
    for bit in range(32):
        if colours[bit] and (flags >> np.uint32(bit)) & np.uint32(1):
            return colours[bit]
    return np.uint32(0)


@compiled
def flag_rows(
    data: Array, gx: Array, gy: Array, whole: Array, step: int, edges: Edges, colours: Array, clear: bool, out: Array
) -> None:
    width, flat, ramp = out.shape[1], data.reshape(-1), np.arange(step) / step
    xs, ys = np.empty(width), np.empty(width)
    places, inside = np.empty(width, np.int32), np.empty(width, np.bool_)
    for row in range(out.shape[0]):
        _coordinates(row, gx, gy, whole, step, ramp, xs, ys)
        _locate(xs, ys, edges, data.shape, places, inside)
        for k in range(width):
            if inside[k]:
                flags = flat[np.uint32(places[k])]
                out[row, k] = _flag_colour(flags, colours) if flags else np.uint32(0)
            elif clear:
                out[row, k] = 0


@compiled
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
    width, flat, ramp = out.shape[1], data.reshape(-1), np.arange(step) / step
    xs, ys = np.empty(width), np.empty(width)
    places, inside = np.empty(width, np.int32), np.empty(width, np.bool_)
    every = np.uint32(0)
    for bit in bits:
        every |= bit
    for row in range(out.shape[0]):
        _coordinates(first + row, gx, gy, whole, step, ramp, xs, ys)
        _locate(xs, ys, edges, data.shape, places, inside)
        line = out[row]
        for k in range(width):
            if inside[k]:
                flags = flat[np.uint32(places[k])] & every
                if flags:
                    line[k] = _veiled(flags, bits, tints, line[k])


@inlined
def _veiled(flags: np.uint32, bits: Array, tints: Array, below: np.uint32) -> np.uint32:
    n = 0
    while not flags & bits[n]:
        n += 1
    tint, result = tints[n], np.uint32(0)
    rest = np.uint32(255) - (tint >> np.uint32(24))
    for shift in (0, 8, 16, 24):
        mixed = _channel(tint, shift) + _divided(_channel(below, shift) * rest)
        result |= np.uint32(mixed << np.uint32(shift))
    return result


@inlined
def _divided(x: np.uint32) -> np.uint32:
    x = x + np.uint32(128)
    return np.uint32((x + (x >> np.uint32(8))) >> np.uint32(8))


@inlined
def _channel(colour: np.uint32, shift: int) -> np.uint32:
    return np.uint32((colour >> np.uint32(shift)) & np.uint32(255))


@inlined
def _mixed(above: np.uint32, below: np.uint32, share: np.uint32, mode: int) -> np.uint32:
    if mode == ADD:
        return above + below
    if mode == SCREEN:
        return above + below - _divided(above * below)
    if mode == MULTIPLY:
        return _divided(below * (above + np.uint32(255) - share))
    if mode == LIGHTEN:
        return max(above, below)
    if mode == DIFFERENCE:
        return max(above, below) - min(above, below)
    return above + _divided(below * (np.uint32(255) - share))


PAIR, HALVES = np.uint32(0x00FF00FF), np.uint32(0x00800080)
"""Two channels of a pixel in the halves of a word, and one half in each of them."""


@inlined
def _weakened(pair: np.uint32, opacity: np.uint32) -> np.uint32:
    return np.uint32(((pair * opacity + HALVES) >> np.uint32(8)) & PAIR)


@inlined
def _dimmed(pair: np.uint32, share: np.uint32) -> np.uint32:
    x = np.uint32(pair * share + HALVES)
    return np.uint32(((x + ((x >> np.uint32(8)) & PAIR)) >> np.uint32(8)) & PAIR)


@inlined
def _capped(pair: np.uint32) -> np.uint32:
    over = np.uint32((pair >> np.uint32(8)) & np.uint32(0x00010001))
    return np.uint32((pair | (over * np.uint32(255))) & PAIR)


@compiled
def _blend_pairs(out: Array, layer: Array, opacity: np.uint32, cover: bool) -> None:
    """Cover or add: two channels at once, four times as fast as one after the other."""
    for k in range(out.shape[0]):
        top, under = layer[k], out[k]
        even = _weakened(np.uint32(top & PAIR), opacity)
        odd = _weakened(np.uint32((top >> np.uint32(8)) & PAIR), opacity)
        rest = np.uint32(255) - np.uint32(odd >> np.uint32(16)) if cover else np.uint32(255)
        even += _dimmed(np.uint32(under & PAIR), rest)
        odd += _dimmed(np.uint32((under >> np.uint32(8)) & PAIR), rest)
        out[k] = _capped(even) | (_capped(odd) << np.uint32(8))


@compiled
def blend(out: Array, layer: Array, opacity: np.uint32, mode: int) -> None:
    if mode <= ADD:
        _blend_pairs(out.reshape(-1), layer.reshape(-1), opacity, mode == 0)
        return
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            top, under = layer[row, column], out[row, column]
            share = np.uint32((_channel(top, 24) * opacity + np.uint32(128)) >> np.uint32(8))
            result = np.uint32(0)
            for channel in range(4):
                shift = np.uint32(8 * channel)
                above = np.uint32((_channel(top, shift) * opacity + np.uint32(128)) >> np.uint32(8))
                below = _channel(under, shift)
                opaque = mode == DIFFERENCE and channel == 3
                mixed = max(share, below) if opaque else _mixed(above, below, share, mode)
                result |= np.uint32(min(mixed, np.uint32(255))) << shift
            out[row, column] = result


STEPS, STEEP = 4096, 64.0
"""Entries of the table of asinh(y) / y over y / (1 + y), and the y beyond which it is too coarse."""


@compiled
def _ratios() -> Array:
    table = np.empty(STEPS + 2)
    table[0] = 1.0
    for n in range(1, STEPS + 2):
        t = min(n / STEPS, 0.999)
        y = t / (1.0 - t)
        table[n] = np.arcsinh(y) / y
    return table


@inlined
def _ratio(y: float, table: Array) -> float:
    if y > STEEP:
        return np.arcsinh(y) / y
    place = y / (1.0 + y) * STEPS
    k = np.int64(place)
    return table[k] + (table[k + 1] - table[k]) * (place - k)


@compiled
def lupton(
    values: Array, hues: Array, low: Array, factor: Array, soften: float, slope: float, out: Array, first: int
) -> None:
    count, (rows, columns) = values.shape[0], out.shape
    table, black = _ratios(), np.uint32(0xFF000000)
    for i in range(rows):
        for j in range(columns):
            red, green, blue, some = 0.0, 0.0, 0.0, False
            for n in range(count):
                value = values[n, first + i, j]
                if value == value:
                    some = True
                    x = (np.float64(value) - low[n]) * factor[n]
                    red += hues[n, 0] * x
                    green += hues[n, 1] * x
                    blue += hues[n, 2] * x
            total = (red + green + blue) / 3.0
            scale = _ratio(total * soften, table) * soften * slope * 255.0 if total > 0.0 else 0.0
            most = max(red, green, blue) * scale
            if most > 255.0:
                scale *= 255.0 / most
            if some:
                r = np.uint32(max(red * scale, 0.0) + 0.5)
                g = np.uint32(max(green * scale, 0.0) + 0.5)
                b = np.uint32(max(blue * scale, 0.0) + 0.5)
                out[i, j] = black | (r << np.uint32(16)) | (g << np.uint32(8)) | b


@compiled
def _finite_pairs(top: Array, low: Array, second: bool, sums: Array, counts: Array) -> None:
    """Add up the finite values of two rows; the second may not be there."""
    zero = np.float64(0.0)
    # x − x is 0 for finite x only. Column by column and without branches: the compiler takes several at a time.
    if second:
        for j in range(top.shape[0]):
            a, b = top[j], low[j]
            has_a, has_b = a - a == 0, b - b == 0
            sums[j] = (np.float64(a) if has_a else zero) + (np.float64(b) if has_b else zero)
            counts[j] = np.int32(has_a) + np.int32(has_b)
    else:
        for j in range(top.shape[0]):
            a = top[j]
            has_a = a - a == 0
            sums[j] = np.float64(a) if has_a else zero
            counts[j] = np.int32(has_a)


@compiled
def gather(values: Array, sums: Array, counts: Array) -> None:
    rows, columns = values.shape
    # One column more than there are values where their number is odd: it stays 0.
    pairs, numbers = np.zeros(2 * sums.shape[1]), np.zeros(2 * sums.shape[1], np.int32)
    for i in range(sums.shape[0]):
        second = 2 * i + 1 < rows
        _finite_pairs(values[2 * i], values[min(2 * i + 1, rows - 1)], second, pairs[:columns], numbers[:columns])
        line, count = sums[i], counts[i]
        for j in range(line.shape[0]):
            line[j] = pairs[2 * j] + pairs[2 * j + 1]
            count[j] = numbers[2 * j] + numbers[2 * j + 1]


@compiled
def halve(sums: Array, counts: Array, half_sums: Array, half_counts: Array) -> None:
    rows, columns = sums.shape
    for i in range(half_sums.shape[0]):
        second = 2 * i + 1 < rows
        for j in range(half_sums.shape[1]):
            beside = 2 * j + 1 < columns
            total, other = sums[2 * i, 2 * j], 0.0
            number = counts[2 * i, 2 * j]
            if second:
                total += sums[2 * i + 1, 2 * j]
                number += counts[2 * i + 1, 2 * j]
            if beside:
                other = sums[2 * i, 2 * j + 1]
                number += counts[2 * i, 2 * j + 1]
                if second:
                    other += sums[2 * i + 1, 2 * j + 1]
                    number += counts[2 * i + 1, 2 * j + 1]
            half_sums[i, j] = total + other
            half_counts[i, j] = number


@compiled
def survey(
    values: Array, start: np.float32, scale: np.float32, bins: Array, low: Array, high: Array
) -> tuple[int, int]:
    rows, columns = values.shape
    places = np.empty(columns, np.int32)
    missing, above = np.int32(bins.shape[0] - 1), np.int32(bins.shape[0] - 2)
    one, top, zero = np.float32(1.0), np.float32(above), np.float32(0.0)
    lows, highs = 0, 0
    for i in range(rows):
        row = values[i]
        # Apart from the counting and without branches: the compiler takes eight at a time.
        for j in range(columns):
            value = row[j]
            place = (value - start) * scale + one
            place = place if place < top else top
            place = place if place > zero else zero
            places[j] = np.int32(place) if value - value == zero else missing
        for j in range(columns):
            number = places[j]
            bins[np.uint32(number)] += np.uint32(1)
            if number == 0:
                low[lows] = row[j]
                lows += 1
            elif number == above:
                high[highs] = row[j]
                highs += 1
    return lows, highs


@compiled
def extremes(values: Array) -> tuple[float, float]:
    least, greatest = np.float32(np.inf), np.float32(-np.inf)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            value = values[i, j]
            if value - value == 0:
                least = min(least, value)
                greatest = max(greatest, value)
    return np.float64(least), np.float64(greatest)
