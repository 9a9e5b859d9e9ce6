"""Ramps as JWST files, made anew for each test."""

import numpy as np
from astropy.io import fits

SECONDS = 2.0
RATE = 12.5
JUMP_AT = (20, 14, 4)
"""Column, row and group of a cosmic ray."""


def write_ramp(path, integrations=2, groups=8, side=32, *, noise=3.0):
    """Write a ramp file of even light, DN, with one cosmic ray and a saturated corner; returns its path."""
    rng = np.random.default_rng(12)
    shape = (integrations, groups, side, side)
    counts = RATE * SECONDS * np.arange(1, groups + 1)[None, :, None, None] + rng.normal(0, noise, shape)
    column, row, group = JUMP_AT
    counts[:, group:, row, column] += 900
    flags = np.zeros(shape, np.uint8)
    flags[:, groups // 2 :, :4, :4] = 2
    first = fits.PrimaryHDU()
    first.header.update(
        TELESCOP="JWST", INSTRUME="NIRCAM", DATAMODL="RampModel", TGROUP=SECONDS, TFRAME=SECONDS, NFRAMES=1,
        NGROUPS=groups, NINTS=integrations,
    )  # fmt: skip
    science = fits.ImageHDU(counts.astype(np.float32), name="SCI")
    science.header["BUNIT"] = "DN"
    fits.HDUList([first, science, fits.ImageHDU(np.zeros((side, side), np.int32), name="PIXELDQ"),
                  fits.ImageHDU(flags, name="GROUPDQ")]).writeto(path)  # fmt: skip
    return path
