"""Maps of the sky for tests of regions: with SIP, turned, near a pole."""

import numpy as np
from astropy.wcs import WCS, Sip

from jviz.backend.skymap import SkyMap


def sip_wcs(ra=150.0, dec=2.0, size=2048, angle=25.0, scale=0.06, strength=1.0):
    """A tangent plane with the distortion of a camera: tens of pixels at the edges."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [size / 2 + 0.5, size / 2 + 0.5]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = scale / 3600 * np.array([[-cos, sin], [sin, cos]])
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], a[1, 1], a[0, 3] = 2e-5 * strength, -9e-6 * strength, 3e-9 * strength
    b[0, 2], b[1, 1], b[3, 0] = -1.5e-5 * strength, 1.2e-5 * strength, 2e-9 * strength
    wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.pixel_shape = (size, size)
    wcs.wcs.set()
    return wcs


def sky_of(wcs, size=2048):
    return SkyMap.of(wcs, (size, size))
