"""Images of the same sky with distorted, turned and mirrored WCS, and stars at known positions."""

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

STARS = np.array([[150.0, 2.2], [150.002, 2.203], [149.997, 2.1975], [150.0035, 2.1962], [149.9962, 2.2033],
                  [150.0014, 2.2012], [149.9987, 2.1986]])  # fmt: skip


def header(shape=(1000, 1000), *, angle=0.0, mirrored=False, scale=0.05, shift=(0.0, 0.0), sip=1.0):
    """Return a header with TAN-SIP, ``scale`` in arcseconds, turned by ``angle`` degrees."""
    ny, nx = shape
    found = fits.Header()
    found["CTYPE1"], found["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    found["CRPIX1"], found["CRPIX2"] = nx / 2 + shift[0], ny / 2 + shift[1]
    found["CRVAL1"], found["CRVAL2"] = 150.0, 2.2
    cos, sin, hand = np.cos(np.radians(angle)), np.sin(np.radians(angle)), 1 if mirrored else -1
    step = scale / 3600
    found["CD1_1"], found["CD1_2"] = hand * step * cos, step * sin
    found["CD2_1"], found["CD2_2"] = -hand * step * sin, step * cos
    found["A_ORDER"] = found["B_ORDER"] = 3
    terms = {"A_2_0": 6e-6, "A_1_1": -4e-6, "A_0_2": 2e-6, "A_3_0": 1e-9, "B_2_0": -4e-6, "B_1_1": 6e-6, "B_0_2": 4e-6}
    for name, value in terms.items():
        found[name] = value * sip * 1000 / max(shape)
    return found


def image(path, shape=(1000, 1000), *, width=3.0, flux=100.0, stars=STARS, **options):
    """Write a FITS file with Gaussian stars of a width (sigma in pixels) and return its WCS."""
    found = header(shape, **options)
    wcs = WCS(found)
    data = np.zeros(shape, np.float32)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for px, py in zip(*wcs.all_world2pix(stars[:, 0], stars[:, 1], 0), strict=True):
        data += flux * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * width**2))
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, found, name="SCI")]).writeto(path, overwrite=True)
    return wcs
