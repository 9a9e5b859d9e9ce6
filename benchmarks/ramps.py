"""How long rates of ramps take: of the pixel under the cursor, and of a subarray of 640 × 640 pixels."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.timing import Row, measure

__all__ = ["rows"]

SIDE, GROUPS = 640, 10


def rows() -> list[Row]:
    """Measure with light and cosmic rays of a fixed seed."""
    from astropy.io import fits

    import jviz
    from jviz.ramps import JumpRule, fit_all, fit_at

    random = np.random.default_rng(3)
    shape = (1, GROUPS, SIDE, SIDE)
    counts = (random.poisson(60, shape).cumsum(axis=1) / 2 + random.normal(0, 6, shape)).astype(np.float32)
    counts += np.where(random.random(shape) < 0.001, 800, 0).cumsum(axis=1).astype(np.float32)
    header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "RampModel", "TGROUP": 4.2})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sub640_ramp.fits"
        fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(counts, name="SCI")]).writeto(path)
        session = jviz.Session()
        ramp = session.open(path, show=False)[0]
        places = iter(random.integers(1, SIDE - 1, (10_000, 2)))
        found = [
            measure("rate of the pixel under the cursor", lambda: fit_at(ramp, *next(places), JumpRule(), 2.0, 8.0),
                    repeat=200, limit=16),
            measure(f"rates of {SIDE} × {SIDE} pixels, {GROUPS} groups, with other thresholds",
                    lambda: fit_all(ramp, JumpRule(5.0), 2.0, 8.0), repeat=3, limit=1500),
        ]  # fmt: skip
        session.close()
    return found
