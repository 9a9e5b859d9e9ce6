"""A night at a telescope, simulated: raw CCD frames of bias, dark, flat and a dithered field, with the truth."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

GAIN, NOISE, LEVEL = 1.6, 5.0, 900.0
"""Electrons per count, electrons, counts."""

NY, NX, STRIP = 150, 170, 24
DARK, SKY, SECONDS = 0.6, 4.0, 60.0
"""Electrons a second; the exposure time of the field."""


def night(folder, *, seed=3, rays=30, header=True, biases=9, darks=9, flats=9, exposures=5, stars=40, turns=(),
          scales=()):  # fmt: skip
    """Write the frames, and return what is true of them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:NY, :NX]
    truth = SimpleNamespace(
        folder=folder, bias=20 * np.sin(x / 23.0) + 0.05 * y, dark=DARK * (1 + 0.5 * rng.random((NY, NX))),
        flat=1 + 0.1 * np.cos(x / 40.0) * np.cos(y / 30.0) + rng.normal(0, 0.02, (NY, NX)), rays={},
        offsets=[(0, 0), (5, -3), (-4, 6), (2, 7), (-6, -5)][:exposures],
    )  # fmt: skip
    truth.flat /= np.median(truth.flat)
    places = rng.uniform([-15, -15], [NX + 15, NY + 15], (stars, 2))
    fluxes = 10 ** rng.uniform(1.2, 3.2, stars)
    middle = np.array([NX - 1, NY - 1]) / 2

    def scene(dx, dy, degrees=0.0, scale=1.0):
        turn = scale * np.exp(1j * np.radians(degrees))
        matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
        at = (places - middle) @ matrix.T + middle + [dx, dy]
        width = 1.6 * scale
        return SKY / scale**2 + sum(
            f / (2 * np.pi * width**2) * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / width**2)
            for (px, py), f in zip(at, fluxes, strict=True)
        )

    truth.scene = scene
    truth.scene_at_rest = truth.scene(0, 0)

    def write(name, kind, seconds, light, extra=None):
        electrons = rng.poisson(np.maximum(light, 0)).astype(float)
        if extra is not None:
            electrons += extra
        image = electrons / GAIN + truth.bias
        level = LEVEL + rng.normal(0, 4) + 0.01 * np.arange(NY)[:, None]
        raw = np.concatenate([np.zeros((NY, STRIP)), image], axis=1) + level
        raw += rng.normal(0, NOISE / GAIN, raw.shape)
        cards = {"IMAGETYP": kind, "EXPTIME": seconds, "FILTER": "R", "OBJECT": "field" if kind == "object" else kind,
                 "INSTRUME": "TESTCAM", "BIASSEC": f"[1:{STRIP},1:{NY}]",
                 "TRIMSEC": f"[{STRIP + 1}:{STRIP + NX},1:{NY}]"}  # fmt: skip
        if kind == "object":
            cards |= {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": STRIP + 80.0, "CRPIX2": 70.0,
                      "CRVAL1": 150.0, "CRVAL2": 2.0, "CDELT1": -1e-4, "CDELT2": 1e-4}  # fmt: skip
        if header:
            cards |= {"GAIN": GAIN, "RDNOISE": NOISE}
        # 20 bits: what is tested is the reduction and not the rounding of counts
        fits.writeto(folder / f"{name}.fits", np.round(raw * 64) / 64, fits.Header(cards))

    for n in range(biases):
        write(f"bias{n}", "bias", 0.0, np.zeros((NY, NX)))
    for n in range(darks):
        write(f"dark{n}", "dark", 90.0, truth.dark * 90.0)
    for n in range(flats):
        write(f"flat{n}", "flat", 4.0, truth.flat * 30_000 * (1 + 0.05 * n) + truth.dark * 4)
    for n, (dx, dy) in enumerate(truth.offsets):
        hits = np.zeros((NY, NX))
        for py, px in rng.integers(5, [NY - 5, NX - 5], (rays, 2)):
            length = rng.integers(1, 5)
            hits[py, px : px + length] += rng.uniform(600, 4000)
        truth.rays[f"field{n}"] = hits > 0
        more = [each[n] for each in (turns, scales) if n < len(each)]
        write(f"field{n}", "object", SECONDS, (truth.scene(dx, dy, *more) * truth.flat + truth.dark) * SECONDS, hits)
    return truth


@pytest.fixture
def ccd_night(tmp_path):
    """A folder of raw frames with their truth."""
    folder = tmp_path / "night"
    folder.mkdir()
    return night(folder)
