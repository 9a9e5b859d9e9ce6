"""The light of a PSF far from its star: rings round all stars at once, the background with them, and what lies beyond.

Where the noise hides the rings they are expected to fall as a power of the distance (the third for the diffraction of
a mirror, whatever its shape) or as the smooth profile that fits the middle; what the stars say decides between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jviz.backend.photometry.psf_wings import Wings
from jviz.backend.photometry.psfs import PsfModel

__all__ = ["Far", "Surroundings", "far_light"]

FIRST, SURE = 1.5, 4.0
"""Widths from the star where rings begin, and up to which nothing is expected of them."""

RATIO = 1.2
"""Of the radii of a ring."""

UNLIKE = 0.25
"""Part by which the light of a ring differs from a smooth law."""

POWERS = np.arange(2.5, 6.01, 0.25)
USUAL, SPREAD = 3.0, 0.6
"""The power of distance with which the light of a mirror falls off, and by how much those seen differ from it; beyond
the last ring it is no less."""

MOST_LIGHT = 0.1
"""Light beyond 4 widths that is expected at most, as JWST has it."""

STEEP = 4.0
"""The least power of a smooth profile that is a law of its own: those that fit the rings of Airy are less steep."""

SMOOTH = 0.3
"""Part by which wings differ from the smooth profile that fits the middle."""

FREE = 10.0
MOST_STARS, MOST_REACH = 100, 96.0
MISFIT = 0.02
"""Part of the light of a star by which its pixels differ from the PSF."""

CLIP, SPIKES = 5.0, 30.0
"""Errors beyond which a pixel is a neighbour's, unless it is a spike: that many times the mean of its ring."""


@dataclass(frozen=True)
class Surroundings:
    """An image less all stars.

    Attributes
    ----------
    residual, weight : ndarray, shape (ny, nx)
        Also less the light of the stars as far as their PSF reaches; inverse variances.
    model : ndarray
        The light of the stars.
    mesh : int
        Pixels over which the background may change; 0: it does not.
    """

    residual: np.ndarray
    weight: np.ndarray
    model: np.ndarray
    mesh: int


@dataclass(frozen=True)
class Far:
    """Light in rings about a star of flux 1.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        Of the rings, in pixels.
    light : ndarray, shape (n,)
        Of a pixel in each, over the flux.
    more : ndarray, shape (n,)
        What is more in each than in the PSF with which they were measured.
    power : float
        With which it falls off beyond.
    total, error : float
        All light, and its error.
    """

    edges: np.ndarray
    light: np.ndarray
    more: np.ndarray
    power: float
    total: float
    error: float

    @property
    def middles(self) -> np.ndarray:
        return np.sqrt(self.edges[1:] * self.edges[:-1])

    def at(self, r: np.ndarray) -> np.ndarray:
        """Return the light of a pixel that far from the star, between the rings a power law."""
        out = np.maximum(self.light, 1e-12 * self.light.max())
        inside = np.exp(np.interp(np.log(np.maximum(r, 1e-3)), np.log(self.middles), np.log(out)))
        return np.where(r > self.middles[-1], out[-1] * (np.maximum(r, 1) / self.middles[-1]) ** -self.power, inside)

    def applied(self, psf: PsfModel, half: int) -> PsfModel:
        """Return a PSF of another size whose rings are these, and all of whose light is 1."""
        fine, old = psf.fine, len(psf.mean) // 2
        n = half * fine
        along = np.arange(-n, n + 1) / fine
        r = np.hypot(along, along[:, None])
        m = min(n, old)
        table = self.at(r)
        inner = (slice(n - m, n + m + 1),) * 2
        known = psf.mean[old - m : old + m + 1, old - m : old + m + 1]
        near = r[inner] <= old / fine
        table[inner] = np.where(near, known + np.interp(r[inner], self.middles, self.more), table[inner])
        return PsfModel((table / self.total)[None], fine)

    def reach(self, level: float) -> float:
        """Return the distance beyond which the light of a pixel is less than a level."""
        above = np.flatnonzero(self.light > level)
        return float(self.edges[above[-1] + 1]) if above.size else float(self.edges[0])


def far_light(seen: Surroundings, psf: PsfModel, stars: np.ndarray, wings: Wings) -> Far:
    """Measure the light in rings round stars.

    The background may change over two meshes; what is other with one goes into the error.

    Parameters
    ----------
    psf : PsfModel
        By which the stars were subtracted.
    stars : ndarray, shape (n, 3)
        x, y, flux.
    wings : Wings
        The smooth profile that fits them.
    """
    if not seen.mesh:
        return _far_light(seen, psf, stars, wings)
    narrow, wide = (_far_light(replace(seen, mesh=k * seen.mesh), psf, stars, wings) for k in (1, 2))
    return replace(wide, error=float(np.hypot(wide.error, 0.5 * (wide.total - narrow.total))))


def _far_light(seen: Surroundings, psf: PsfModel, stars: np.ndarray, wings: Wings) -> Far:
    half = (len(psf.mean) // 2) / psf.fine
    edges = _edges(psf.fwhm, half, seen)
    stars = stars[np.argsort(-stars[:, 2])[:MOST_STARS]]
    more, error = _more(seen, stars, edges)
    known = _of_table(psf, edges)
    middles = np.sqrt(edges[1:] * edges[:-1])
    area = np.pi * np.diff(edges**2)
    made = _expected(known + more, error, _laws(middles, edges, area, psf.fwhm, wings))
    values, spread, power = made
    more = values[:-1] - known
    weights = np.r_[area, 1.0]
    weights[0] += np.pi * edges[0] ** 2
    total = psf.light + weights[:-1] @ more + values[-1]
    return Far(edges, values[:-1], more, power, float(total), float(np.sqrt(weights @ spread @ weights)))


def _edges(fwhm: float, half: float, seen: Surroundings) -> np.ndarray:
    """Return radii of rings, one of which is where the table ends."""
    first = min(FIRST * fwhm, 0.6 * half)
    last = min(max(1.25 * seen.mesh, 40.0) if seen.mesh else MOST_REACH, MOST_REACH, 0.4 * min(seen.residual.shape))
    inner = max(int(np.ceil(np.log(half / first) / np.log(RATIO))), 1)
    outer = max(int(np.ceil(np.log(max(last / half, RATIO)) / np.log(RATIO))), 1)
    return np.r_[np.geomspace(first, half, inner + 1), half * RATIO ** np.arange(1, outer + 1)]


def _of_table(psf: PsfModel, edges: np.ndarray) -> np.ndarray:
    """Return the mean of a table in rings, 0 beyond it."""
    n = len(psf.mean) // 2
    r = np.hypot(*np.meshgrid(*[np.arange(-n, n + 1) / psf.fine] * 2)).ravel()
    light = np.histogram(r, edges, weights=psf.mean.ravel())[0] / psf.fine**2
    return light / (np.pi * np.diff(edges**2))


def _more(seen: Surroundings, stars: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit the rings of all stars and the background at once; return what is left in each, and its covariance."""
    from scipy.sparse import csr_array, hstack

    at, rings = _design(seen, stars, edges)
    columns = hstack([csr_array(rings), _background(seen, at)]).tocsr()
    values = seen.residual.ravel()[at].astype(float)
    values -= np.median(values)
    weight = 1 / (1 / seen.weight.ravel()[at].astype(float) + (MISFIT * seen.model.ravel()[at]) ** 2)
    n, good = len(edges) - 1, np.ones(len(at), bool)
    for _ in range(3):
        solved, cov = _least(columns, values, weight * good, n)
        rest = values - columns @ solved
        spike = SPIKES * np.abs(rings @ solved[:n])
        good = np.abs(rest) * np.sqrt(weight) < CLIP + spike * np.sqrt(weight)
    chi2 = float((weight * rest**2)[good].mean())
    return solved[:n], cov * max(chi2, 1.0)


def _design(seen: Surroundings, stars: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels round the stars by their numbers, and the flux of the stars in whose rings each is, (n, m)."""
    ny, nx = seen.residual.shape
    far = int(np.ceil(edges[-1]))
    discs, number = [], np.full(ny * nx, -1, np.int32)
    for x, y, _ in stars:
        rows = np.arange(max(round(y) - far, 0), min(round(y) + far + 1, ny))
        columns = np.arange(max(round(x) - far, 0), min(round(x) + far + 1, nx))
        r = np.hypot(columns - x, (rows - y)[:, None])
        place = rows[:, None] * nx + columns
        discs.append((place[r < edges[-1]], np.searchsorted(edges, r[r < edges[-1]], side="right") - 1))
        number[discs[-1][0]] = 0
    number[seen.weight.ravel() <= 0] = -1
    for place, ring in discs:  # what lies in the core of any star says nothing of rings
        number[place[ring < 0]] = -1
    at = np.flatnonzero(number >= 0)
    number[at] = np.arange(len(at))
    rings = np.zeros((len(at), len(edges) - 1))
    for (place, ring), flux in zip(discs, stars[:, 2], strict=True):
        used = number[place] >= 0
        rings[number[place[used]], ring[used]] += flux
    return at, rings


def _background(seen: Surroundings, at: np.ndarray) -> object:
    """Return the weights of the nodes of the background, between which it is linear, at pixels."""
    from scipy.sparse import csr_array

    nx = seen.residual.shape[1]
    if not seen.mesh:
        return csr_array(np.ones((len(at), 1)))
    y, x = np.divmod(at, nx)
    v, u = y / seen.mesh, x / seen.mesh
    across = nx // seen.mesh + 2
    i, j = v.astype(int), u.astype(int)
    p, q = v - i, u - j
    node = np.stack([(i + a) * across + j + b for a in (0, 1) for b in (0, 1)], axis=1)
    part = np.stack([(p if a else 1 - p) * (q if b else 1 - q) for a in (0, 1) for b in (0, 1)], axis=1)
    used, node = np.unique(node, return_inverse=True)
    first = np.arange(0, 4 * len(at) + 1, 4)
    return csr_array((part.ravel(), node.ravel(), first), shape=(len(at), len(used)))


def _least(columns: object, values: np.ndarray, weight: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Solve normal equations; return all unknowns, and the covariance of the first n."""
    from scipy.sparse import dia_array
    from scipy.sparse.linalg import splu

    weighted = dia_array((weight[None], [0]), shape=(len(weight),) * 2) @ columns
    normal = (columns.T @ weighted).tocsc()
    normal = normal + dia_array((1e-10 * normal.diagonal()[None] + 1e-30, [0]), shape=normal.shape)
    right = weighted.T @ values
    size = normal.shape[0]
    scale = 1 / np.sqrt(normal.diagonal())
    scaled = (dia_array((scale[None], [0]), shape=(size, size)) @ normal
              @ dia_array((scale[None], [0]), shape=(size, size))).tocsc()  # fmt: skip
    factors = splu(scaled)
    solved = scale * factors.solve(scale * right)
    unit = np.zeros((size, n))
    unit[np.arange(n), np.arange(n)] = scale[:n]
    return solved, (scale[:, None] * factors.solve(unit))[:n]


@dataclass(frozen=True)
class _Law:
    """How rings are expected to fall off: light of pixels in each (0: nothing is expected), and beyond.

    `amplitude` and `sure` are by which factor, and how well that is known; `likely` the weight of the law.
    """

    light: np.ndarray
    amplitude: float
    sure: float
    likely: float
    power: float


def _laws(middles: np.ndarray, edges: np.ndarray, area: np.ndarray, fwhm: float, wings: Wings) -> list[_Law]:
    """Return power laws, and the smooth profile that fits the middle."""
    free = middles < SURE * fwhm
    if free.all():
        free[-1] = False
    made = []
    for power in POWERS:
        light = np.where(free, 0.0, middles**-power)
        beyond = 2 * np.pi * edges[-1] ** (2 - power) / (max(power, USUAL) - 2)
        unit = MOST_LIGHT / (2 * np.pi * (SURE * fwhm) ** (2 - power))
        likely = np.exp(-0.5 * ((power - USUAL) / SPREAD) ** 2)
        made.append(_Law(unit * np.r_[light, beyond], 0.0, 1.0, likely, power))
    if 2 * wings.beta < STEEP:
        return made
    likely = sum(law.likely for law in made)
    form = 0.5 * (wings.xx + wings.yy)
    light = np.where(free, 0.0, wings.peak * (1 + form * middles**2) ** -wings.beta)
    last = wings.peak * (1 + form * edges[-1] ** 2) ** -wings.beta
    beyond = 2 * np.pi * edges[-1] ** 2 * last / (max(2 * wings.beta, USUAL) - 2)
    return [*made, _Law(np.r_[light, beyond], 1.0, SMOOTH, likely, 2 * wings.beta)]


def _expected(seen: np.ndarray, cov: np.ndarray, laws: list[_Law]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the light of each ring and beyond, their covariance, and the power, the mean of all laws."""
    means, covs, chances = [], [], []
    for law in laws:
        mean, spread, evidence = _by(law, seen, cov)
        means.append(mean)
        covs.append(spread)
        chances.append(np.log(law.likely) + evidence)
    chance = np.exp(np.array(chances) - max(chances))
    chance /= chance.sum()
    mean = np.tensordot(chance, means, 1)
    off = np.array(means) - mean
    spread = np.tensordot(chance, covs, 1) + np.einsum("k,ki,kj->ij", chance, off, off)
    return mean, spread, float(chance @ [law.power for law in laws])


def _by(law: _Law, seen: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the light of each ring and beyond by one law, its covariance, and the logarithm of the evidence."""
    n = len(seen)
    held = law.light[:n] > 0
    far, light = np.flatnonzero(held), law.light[:n][held]
    noise, scale = cov[np.ix_(far, far)], FREE * max(np.abs(seen).max(), np.sqrt(cov.diagonal()).max())
    amplitude, sure = law.amplitude or 0.5, law.sure
    for _ in range(4):
        own = UNLIKE * amplitude * law.light
        weight = np.linalg.solve(noise + np.diag(own[far] ** 2), light)
        told = 1 / (weight @ light + law.sure**-2)
        best = told * (weight @ seen[far] + law.amplitude * law.sure**-2)
        amplitude, sure, part = _above_0(best, np.sqrt(told))
    own[:n][~held] = scale
    gain = np.zeros((n + 1, n))
    gain[:n] = np.linalg.solve(np.diag(own[:n] ** 2) + cov, np.diag(own[:n] ** 2)).T
    lift = law.light - gain @ law.light[:n]
    spread = np.diag(own**2)
    spread[:n, :n] -= gain[:n] * own[:n] ** 2
    whole = noise + np.diag(own[far] ** 2) + law.sure**2 * np.outer(light, light)
    off = seen[far] - law.amplitude * light
    evidence = -0.5 * (off @ np.linalg.solve(whole, off) + np.linalg.slogdet(whole)[1]) + part
    return amplitude * lift + gain @ seen, spread + sure**2 * np.outer(lift, lift), float(evidence)


def _above_0(best: float, error: float) -> tuple[float, float, float]:
    """Return the mean and the width of the part of a normal distribution above 0, and the logarithm of that part."""
    from scipy.special import log_ndtr

    z = best / error
    part = float(log_ndtr(z))
    tail = np.exp(-0.5 * z * z - part) / np.sqrt(2 * np.pi)
    return float(best + error * tail), float(error * np.sqrt(max(1 - z * tail - tail**2, 1e-6))), part
