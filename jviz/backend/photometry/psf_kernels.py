"""Fitting thousands of stars by a tabulated PSF at once; compiled by numba, without the GIL.

A PSF is a table of coefficients of a bicubic B-spline on a grid finer than the pixels by a whole number. All pixels
round a star then lie at the same place between samples: four weights along each axis serve for all of them.
"""

import numpy as np
from numba import njit

from jviz.backend.render.kernels import choose_cache

__all__ = ["assess", "gather", "subtract", "sweep"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})

X, Y, FLUX, LEVEL = range(4)
"""Columns of the parameters of stars."""
STEP = 0.7
"""Farthest that a star moves along an axis in one step, in pixels: PSFs are not linear beyond."""
FAINT = 1.5
"""S/N below which the place of a star is left as it is: it would follow the noise."""
SLACK = 0.05
"""Part of the PSF by which a pixel may differ from it before it is taken for a neighbour or a cosmic ray."""
DOUBT = 0.01
"""Part of the PSF by which stars differ from it beyond their noise."""

TABLE = "float64[:, :, ::1], int64, float64, float64, int64[:, ::1], float64[:, ::1]"


@compiled
def _weights(t: float, w: np.ndarray, d: np.ndarray) -> None:
    """Fill the weights of a cubic B-spline and their derivatives at t of 0 to 1."""
    r = 1.0 - t
    w[0], w[3] = r * r * r / 6.0, t * t * t / 6.0
    w[1] = (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0
    w[2] = 1.0 - w[0] - w[1] - w[3]
    d[0], d[3] = -0.5 * r * r, 0.5 * t * t
    d[1] = 1.5 * t * t - 2.0 * t
    d[2] = -d[0] - d[1] - d[3]


@compiled
def _table(
    coefs: np.ndarray, near: np.ndarray, share: np.ndarray, scratch: np.ndarray, ox: float, oy: float, around: int
) -> np.ndarray:
    """Return the table at a star, right within so many samples: one of the grid, or four of them weighed."""
    if share[0] == 1.0:
        return coefs[near[0]]
    low, high = max(int(oy) - around, 0), min(int(oy) + around + 1, scratch.shape[0])
    left, right = max(int(ox) - around, 0), min(int(ox) + around + 1, scratch.shape[1])
    a, b, c, d = coefs[near[0]], coefs[near[1]], coefs[near[2]], coefs[near[3]]
    for i in range(low, high):
        for j in range(left, right):
            scratch[i, j] = share[0] * a[i, j] + share[1] * b[i, j] + share[2] * c[i, j] + share[3] * d[i, j]
    return scratch


@compiled
def _box(x: float, y: float, half: int, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the first and last row and column, exclusive, of a box round a place, cut at the edges."""
    i, j = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
    return max(i - half, 0), min(i + half + 1, shape[0]), max(j - half, 0), min(j + half + 1, shape[1])


@compiled
def _start(first: int, place: float, fine: int, origin: float, w: np.ndarray, d: np.ndarray) -> int:
    u = (first - place) * fine + origin
    k = int(np.floor(u))
    _weights(u - k, w, d)
    return k - 1


@compiled
def _stamp(
    table: np.ndarray, fine: int, ox: float, oy: float, x: float, y: float, box: tuple[int, int, int, int],
    p: np.ndarray, px: np.ndarray, py: np.ndarray,
) -> None:  # fmt: skip
    """Fill the PSF of a star at (x, y) in a box, and its derivatives by x and y."""
    my, mx = table.shape
    wx, dx, wy, dy = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    u0 = _start(box[2], x, fine, ox, wx, dx)
    v0 = _start(box[0], y, fine, oy, wy, dy)
    for i in range(box[1] - box[0]):
        v = v0 + i * fine
        for j in range(box[3] - box[2]):
            u = u0 + j * fine
            value, by_x, by_y = 0.0, 0.0, 0.0
            if v >= 0 and v + 3 < my and u >= 0 and u + 3 < mx:
                for k in range(4):
                    row = table[v + k]
                    a = wx[0] * row[u] + wx[1] * row[u + 1] + wx[2] * row[u + 2] + wx[3] * row[u + 3]
                    b = dx[0] * row[u] + dx[1] * row[u + 1] + dx[2] * row[u + 2] + dx[3] * row[u + 3]
                    value += wy[k] * a
                    by_x += wy[k] * b
                    by_y += dy[k] * a
            p[i, j], px[i, j], py[i, j] = value, -fine * by_x, -fine * by_y


@compiled
def _take(
    residual: np.ndarray, table: np.ndarray, fine: int, ox: float, oy: float, x: float, y: float, flux: float, half: int
) -> None:
    """Subtract a star from an image."""
    my, mx = table.shape
    box = _box(x, y, half, residual.shape)
    wx, wy, unused = np.empty(4), np.empty(4), np.empty(4)
    u0 = _start(box[2], x, fine, ox, wx, unused)
    v0 = _start(box[0], y, fine, oy, wy, unused)
    first = max(0, -(u0 // fine)) if u0 < 0 else 0
    last = min(box[3] - box[2], (mx - 4 - u0) // fine + 1)
    for i in range(box[1] - box[0]):
        v = v0 + i * fine
        if v < 0 or v + 3 >= my:
            continue
        r0, r1, r2, r3 = table[v], table[v + 1], table[v + 2], table[v + 3]
        target = residual[box[0] + i]
        for j in range(first, last):
            u = u0 + j * fine
            value = 0.0
            for k in range(4):
                value += wx[k] * (wy[0] * r0[u + k] + wy[1] * r1[u + k] + wy[2] * r2[u + k] + wy[3] * r3[u + k])
            target[box[2] + j] -= np.float32(flux * value)


@njit(f"void(float32[:, ::1], {TABLE}, float64[:, ::1], int64[::1], float64)", cache=True, nogil=True,
      error_model="numpy")  # fmt: skip
def subtract(
    residual: np.ndarray, coefs: np.ndarray, fine: int, ox: float, oy: float, near: np.ndarray, share: np.ndarray,
    stars: np.ndarray, reach: np.ndarray, sign: float,
) -> None:  # fmt: skip
    """Subtract stars from an image, or add them with a sign of −1.

    Parameters
    ----------
    residual : ndarray of float32, shape (ny, nx)
        Changed in place.
    coefs : ndarray, shape (n_psfs, my, mx)
        Coefficients of B-splines.
    fine : int
        Samples of the tables for one pixel.
    ox, oy : float
        Sample at which the star is.
    near, share : ndarray, shape (n, 4)
        Which tables make the PSF of each star, and their weights.
    stars : ndarray, shape (n, 3)
        x, y, flux.
    reach : ndarray of int, shape (n,)
        Half the side of the box in which it is subtracted, in pixels.
    """
    scratch = np.empty(coefs.shape[1:])
    for k in range(len(stars)):
        if np.isfinite(stars[k, FLUX]) and stars[k, FLUX] != 0.0:
            table = _table(coefs, near[k], share[k], scratch, ox, oy, (reach[k] + 2) * fine + 4)
            _take(residual, table, fine, ox, oy, stars[k, X], stars[k, Y], sign * stars[k, FLUX], reach[k])


@compiled
def _normal(
    weight: np.ndarray, residual: np.ndarray, boxes: np.ndarray, d: np.ndarray, n: int, count: int,
    normal: np.ndarray, right: np.ndarray,
) -> None:  # fmt: skip
    """Fill the normal equations of the stars of a group; pixels count where the boxes of two stars overlap."""
    for a in range(n):
        for c in range(count):
            right[a * count + c] = 0.0
        for b in range(a, n):
            i0, i1 = max(boxes[a, 0], boxes[b, 0]), min(boxes[a, 1], boxes[b, 1])
            j0, j1 = max(boxes[a, 2], boxes[b, 2]), min(boxes[a, 3], boxes[b, 3])
            block = np.zeros((3, 3))
            for i in range(i0, i1):
                ia, ib = i - boxes[a, 0], i - boxes[b, 0]
                for j in range(j0, j1):
                    w = np.float64(weight[i, j])
                    if w == 0.0:
                        continue
                    ja, jb = j - boxes[a, 2], j - boxes[b, 2]
                    for c in range(count):
                        value = w * d[a, c, ia, ja]
                        if a == b:
                            right[a * count + c] += value * residual[i, j]
                        for e in range(count):
                            block[c, e] += value * d[b, e, ib, jb]
            for c in range(count):
                for e in range(count):
                    normal[a * count + c, b * count + e] = block[c, e]
                    normal[b * count + e, a * count + c] = block[c, e]


@compiled
def _cholesky(m: np.ndarray, n: int) -> bool:
    """Factorise the first n rows and columns in place; False when they are not positive."""
    for j in range(n):
        s = m[j, j]
        for k in range(j):
            s -= m[j, k] * m[j, k]
        if not s > 1e-12 * m[j, j]:
            return False
        root = np.sqrt(s)
        m[j, j] = root
        for i in range(j + 1, n):
            t = m[i, j]
            for k in range(j):
                t -= m[i, k] * m[j, k]
            m[i, j] = t / root
    return True


@compiled
def _solve(m: np.ndarray, v: np.ndarray, n: int) -> None:
    for i in range(n):
        s = v[i]
        for k in range(i):
            s -= m[i, k] * v[k]
        v[i] = s / m[i, i]
    for i in range(n - 1, -1, -1):
        s = v[i]
        for k in range(i + 1, n):
            s -= m[k, i] * v[k]
        v[i] = s / m[i, i]


@compiled
def _derivatives(
    coefs: np.ndarray, fine: int, ox: float, oy: float, near: np.ndarray, share: np.ndarray, stars: np.ndarray,
    members: np.ndarray, half: int, count: int, shape: tuple[int, int], scratch: np.ndarray,
    boxes: np.ndarray, d: np.ndarray, p: np.ndarray, px: np.ndarray, py: np.ndarray,
) -> None:  # fmt: skip
    """Fill the boxes of the stars of a group and the derivatives by flux, x and y in them."""
    for a in range(len(members)):
        k = members[a]
        box = _box(stars[k, X], stars[k, Y], half, shape)
        boxes[a, 0], boxes[a, 1], boxes[a, 2], boxes[a, 3] = box
        table = _table(coefs, near[k], share[k], scratch, ox, oy, (half + 2) * fine + 4)
        _stamp(table, fine, ox, oy, stars[k, X], stars[k, Y], box, p, px, py)
        flux = stars[k, FLUX]
        for i in range(box[1] - box[0]):
            for j in range(box[3] - box[2]):
                d[a, 0, i, j] = p[i, j]
                if count == 3:
                    d[a, 1, i, j] = flux * px[i, j]
                    d[a, 2, i, j] = flux * py[i, j]


@compiled
def _hold(normal: np.ndarray, right: np.ndarray, size: int, row: int) -> None:
    """Take an unknown out of the equations: one of no weight, or a place that the noise would move."""
    for c in range(size):
        normal[row, c] = 0.0
        normal[c, row] = 0.0
    normal[row, row], right[row] = 1.0, 0.0


@compiled
def _hold_weak(
    normal: np.ndarray, right: np.ndarray, stars: np.ndarray, members: np.ndarray, count: int, held: np.ndarray
) -> None:
    """Hold stars without a pixel and the places of faint ones, and note which unknowns these are."""
    size = len(members) * count
    held[:size] = False
    for a in range(len(members)):
        row = a * count
        if not normal[row, row] > 0.0:
            for c in range(count):
                _hold(normal, right, size, row + c)
                held[row + c] = True
        elif count == 3:
            flux = stars[members[a], FLUX]
            weak = not flux * np.sqrt(normal[row, row]) > FAINT
            for c in (1, 2):
                if weak or not normal[row + c, row + c] > 0.0:
                    _hold(normal, right, size, row + c)
                    held[row + c] = True


@compiled
def _moved(stars: np.ndarray, start: np.ndarray, k: int, step: np.ndarray, row: int, count: int, limit: float) -> None:
    """Take one step with a star, not too far, and not farther than the limit from where it began."""
    stars[k, FLUX] += step[row]
    if count < 3:
        return
    for c in range(2):
        move = min(max(step[row + 1 + c], -STEP), STEP)
        stars[k, c] = min(max(stars[k, c] + move, start[k, c] - limit), start[k, c] + limit)


@compiled
def _room(first: np.ndarray, half: int) -> tuple:
    """Return what the equations of the largest group need: boxes, derivatives, a stamp, matrix and right side."""
    side = 2 * half + 1
    most = 0
    for g in range(len(first) - 1):
        most = max(most, first[g + 1] - first[g])
    stamp = np.empty((3, side, side))
    return (np.zeros((most, 4), np.int64), np.zeros((most, 3, side, side)), stamp[0], stamp[1], stamp[2],
            np.zeros((3 * most, 3 * most)), np.zeros(3 * most), np.zeros(3 * most, np.bool_))  # fmt: skip


@njit(f"void(float32[:, ::1], float32[:, ::1], {TABLE}, float64[:, ::1], float64[:, ::1], int64[::1], int64[::1],"
      " int64[::1], boolean[::1], int64, int64, float64, float64[::1])",
      cache=True, nogil=True, error_model="numpy")  # fmt: skip
def sweep(
    residual: np.ndarray, weight: np.ndarray, coefs: np.ndarray, fine: int, ox: float, oy: float, near: np.ndarray,
    share: np.ndarray, stars: np.ndarray, start: np.ndarray, reach: np.ndarray, first: np.ndarray, order: np.ndarray,
    active: np.ndarray, half: int, count: int, limit: float, change: np.ndarray,
) -> None:  # fmt: skip
    """Take one step of Gauss and Newton for each group of stars, all other stars being subtracted.

    Parameters
    ----------
    residual : ndarray of float32, shape (ny, nx)
        The image less all stars as they are now; kept so.
    weight : ndarray of float32, shape (ny, nx)
        Inverse variances; 0: not used.
    coefs, fine, ox, oy, near, share, stars, reach
        As `subtract` takes them; the stars are changed.
    start : ndarray, shape (n, 3)
        Where they were at first.
    first, order : ndarray of int
        Group g has the stars ``order[first[g]:first[g + 1]]``.
    active : ndarray of bool
        Groups to be visited.
    half : int
        Half the side of the box that is fitted, in pixels.
    count : int
        1: only fluxes; 3: places too.
    limit : float
        Farthest from the start along an axis, in pixels.
    change : ndarray
        Greatest step of each group over its error, filled.
    """
    scratch = np.empty(coefs.shape[1:])
    boxes, d, p, px, py, normal, right, held = _room(first, half)
    for g in range(len(first) - 1):
        if not active[g]:
            continue
        members = order[first[g] : first[g + 1]]
        n = len(members)
        _derivatives(coefs, fine, ox, oy, near, share, stars, members, half, count, residual.shape, scratch,
                     boxes, d, p, px, py)  # fmt: skip
        _normal(weight, residual, boxes, d, n, count, normal, right)
        _hold_weak(normal, right, stars, members, count, held)
        size = n * count
        for r in range(size):
            normal[r, r] *= 1.0 + 1e-9
        diagonal = np.empty(size)
        for r in range(size):
            diagonal[r] = normal[r, r]
        if not _cholesky(normal, size):
            for r in range(size):  # stars on top of each other: each by itself
                right[r] /= 2.0 * diagonal[r]
        else:
            _solve(normal, right, size)
        largest = 0.0
        for r in range(size):
            largest = max(largest, abs(right[r]) * np.sqrt(diagonal[r]))
        change[g] = largest
        if not largest > 1e-4:
            continue
        for a in range(n):
            k = members[a]
            table = _table(coefs, near[k], share[k], scratch, ox, oy, (reach[k] + 2) * fine + 4)
            _take(residual, table, fine, ox, oy, stars[k, X], stars[k, Y], -stars[k, FLUX], reach[k])
            _moved(stars, start, k, right, a * count, count, limit)
            _take(residual, table, fine, ox, oy, stars[k, X], stars[k, Y], stars[k, FLUX], reach[k])


@compiled
def _errors(normal: np.ndarray, n: int, count: int, members: np.ndarray, held: np.ndarray, out: np.ndarray) -> None:
    """Fill the errors of flux, x and y: the roots of the diagonal of the inverse."""
    size = n * count
    if not _cholesky(normal, size):
        return
    column = np.empty(size)
    for r in range(size):
        column[:] = 0.0
        column[r] = 1.0
        _solve(normal, column, size)
        if not held[r]:
            out[members[r // count], r % count] = np.sqrt(column[r])


@njit(f"void(float32[:, ::1], float32[:, ::1], {TABLE}, float64[:, ::1], int64[::1], int64[::1], int64, int64,"
      " float64[:, ::1])", cache=True, nogil=True, error_model="numpy")  # fmt: skip
def assess(
    residual: np.ndarray, weight: np.ndarray, coefs: np.ndarray, fine: int, ox: float, oy: float, near: np.ndarray,
    share: np.ndarray, stars: np.ndarray, first: np.ndarray, order: np.ndarray, half: int, count: int, out: np.ndarray,
) -> None:  # fmt: skip
    """Fill errors and goodness of the fit of each star.

    Parameters
    ----------
    out : ndarray, shape (n, 8)
        Filled: errors of flux, x, y (NaN before); Σ w r²; pixels used; Σ|r|; r of the middle pixel; pixels in the
        box (all 0 before).
    """
    scratch = np.empty(coefs.shape[1:])
    boxes, d, p, px, py, normal, right, held = _room(first, half)
    for g in range(len(first) - 1):
        members = order[first[g] : first[g + 1]]
        n = len(members)
        _derivatives(coefs, fine, ox, oy, near, share, stars, members, half, count, residual.shape, scratch,
                     boxes, d, p, px, py)  # fmt: skip
        _normal(weight, residual, boxes, d, n, count, normal, right)
        _hold_weak(normal, right, stars, members, count, held)
        _errors(normal, n, count, members, held, out)
        for a in range(n):
            row = out[members[a]]
            middle = int(np.floor(stars[members[a], Y] + 0.5)), int(np.floor(stars[members[a], X] + 0.5))
            for i in range(boxes[a, 0], boxes[a, 1]):
                for j in range(boxes[a, 2], boxes[a, 3]):
                    row[7] += 1.0
                    if weight[i, j] > 0.0:
                        r = np.float64(residual[i, j])
                        row[3] += weight[i, j] * r * r
                        row[4] += 1.0
                        row[5] += abs(r)
                        if i == middle[0] and j == middle[1]:
                            row[6] = r


@compiled
def _add(
    bands: np.ndarray, right: np.ndarray, wx: np.ndarray, wy: np.ndarray, corner: int, mx: int, g: float, value: float
) -> None:
    for a in range(4):
        for b in range(4):
            one = g * wy[a] * wx[b]
            right[corner + a * mx + b] += one * value
            for c in range(4):
                for d in range(4):
                    bands[(c - a + 3) * 7 + d - b + 3, corner + c * mx + d] += one * wy[c] * wx[d]


@njit("void(float32[:, ::1], float32[:, ::1], float64[:, ::1], int64, float64, float64, float64[:, ::1], int64,"
      " float64, float64[:, ::1], float64[::1])", cache=True, nogil=True, error_model="numpy")  # fmt: skip
def gather(
    image: np.ndarray, weight: np.ndarray, coefs: np.ndarray, fine: int, ox: float, oy: float, stars: np.ndarray,
    half: int, clip: float, bands: np.ndarray, right: np.ndarray,
) -> None:  # fmt: skip
    """Add stars to the normal equations of the coefficients of their PSF.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Less all stars.
    weight
        As `sweep` has it.
    coefs : ndarray, shape (my, mx)
        Of the PSF that was subtracted. Pixels farther off than ``clip`` errors and 5 % of it are left out.
    stars : ndarray, shape (n, 4)
        x, y, flux, and what is left of the background.
    half : int
        Half the side of the boxes in pixels.
    bands : ndarray, shape (49, my × mx)
        Filled: element (i, j) of the matrix is ``bands[k, j]``, k for the steps of −3 to 3 along y and x from i to j.
    right : ndarray, shape (my × mx,)
        Filled; the unknowns are the coefficients, not their changes.
    """
    my, mx = coefs.shape
    wx, wy, unused = np.empty(4), np.empty(4), np.empty(4)
    for k in range(len(stars)):
        x, y, flux = stars[k, X], stars[k, Y], stars[k, FLUX]
        box = _box(x, y, half, image.shape)
        u0 = _start(box[2], x, fine, ox, wx, unused)
        v0 = _start(box[0], y, fine, oy, wy, unused)
        for i in range(box[0], box[1]):
            v = v0 + (i - box[0]) * fine
            for j in range(box[2], box[3]):
                u = u0 + (j - box[2]) * fine
                if v < 0 or v + 3 >= my or u < 0 or u + 3 >= mx or weight[i, j] == 0.0:
                    continue
                known = 0.0
                for a in range(4):
                    for b in range(4):
                        known += wy[a] * wx[b] * coefs[v + a, u + b]
                r, error = (image[i, j] - stars[k, LEVEL]) / flux, 1.0 / (flux * np.sqrt(np.float64(weight[i, j])))
                if abs(r) > clip * error + SLACK * abs(known):
                    continue
                # The brightest star alone would not say what lies between its samples: all bright ones count alike
                g = 1.0 / (error * error + (DOUBT * known) ** 2)
                _add(bands, right, wx, wy, v * mx + u, mx, g, known + r)
