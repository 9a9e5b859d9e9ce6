"""Apertures on the sky, against numbers that pysiaf 0.29 gives (PRDOPSSOC-075)."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from jviz.backend.apertures import apertures, find_aperture, middle_of, moved, on_sky
from jviz.errors import CommandError

# attitude(V2Ref, V3Ref, ra, dec, pa - V3IdlYAngle), then pointing() of each corner
BY_PYSIAF = {
    ("NRCA5_FULL", 53.1, -27.8, 123.4): [
        (53.0717905, -27.8052504),
        (53.0941785, -27.7748798),
        (53.1280115, -27.7951279),
        (53.1059100, -27.8246449),
    ],
    ("NRCA5_FULL", 0.01, 89.2, -20.0): [
        (1.6468213, 89.1890093),
        (359.2554305, 89.1766907),
        (358.3552358, 89.2105358),
        (0.7839925, 89.2228309),
    ],
    ("MIRIM_SLIT", 53.1, -27.8, 123.4): [
        (53.0995251, -27.8005090),
        (53.0996601, -27.8005875),
        (53.1004753, -27.7994915),
        (53.1003404, -27.7994127),
    ],
    ("MIRIM_SLIT", 0.01, 89.2, -20.0): [
        (0.0558984, 89.2001579),
        (0.0523895, 89.2002922),
        (359.9641203, 89.1998422),
        (359.9676241, 89.1997078),
    ],
    ("NRS_FULL_MSA3", 53.1, -27.8, 123.4): [
        (53.1204536, -27.7955598),
        (53.0964357, -27.7816599),
        (53.0797090, -27.8044557),
        (53.1036273, -27.8185158),
    ],
    ("NRS_FULL_MSA3", 0.01, 89.2, -20.0): [
        (358.7690689, 89.2070384),
        (359.4204025, 89.1833529),
        (1.2213854, 89.1926967),
        (0.6291766, 89.2167318),
    ],
    ("FGS1_FULL", 53.1, -27.8, 123.4): [
        (53.0678097, -27.8050345),
        (53.0935981, -27.7728914),
        (53.1308227, -27.7950658),
        (53.1059187, -27.8267832),
    ],
    ("FGS1_FULL", 0.01, 89.2, -20.0): [
        (1.8322848, 89.1866568),
        (359.2034922, 89.1747779),
        (358.2044716, 89.2119072),
        (0.8794495, 89.2245336),
    ],
    ("NIS_CEN", 53.1, -27.8, 123.4): [
        (53.0708783, -27.8052683),
        (53.0938485, -27.7741706),
        (53.1291249, -27.7947506),
        (53.1061910, -27.8258610),
    ],
    ("NIS_CEN", 0.01, 89.2, -20.0): [
        (1.6923596, 89.1885239),
        (359.2430108, 89.1759448),
        (358.2809372, 89.2107904),
        (0.8239130, 89.2239479),
    ],
    ("JWFC1", 53.1, -27.8, 123.4): [
        (53.0668774, -27.8144928),
        (53.1062324, -27.7702329),
        (53.1323207, -27.7859526),
        (53.0928943, -27.8291629),
    ],
    ("JWFC1", 0.01, 89.2, -20.0): [
        (2.2956676, 89.1935299),
        (358.4620441, 89.1790910),
        (357.7510211, 89.2051563),
        (1.6566987, 89.2193437),
    ],
    ("IIR", 53.1, -27.8, 123.4): [
        (53.0696967, -27.8070921),
        (53.0933051, -27.7757364),
        (53.1257180, -27.7941272),
        (53.1015286, -27.8262810),
    ],
    ("IIR", 0.01, 89.2, -20.0): [
        (1.8301908, 89.1893061),
        (359.3339580, 89.1769319),
        (358.4341144, 89.2085525),
        (1.0838213, 89.2217682),
    ],
    ("WFI16_FULL", 53.1, -27.8, 123.4): [
        (53.0047950, -27.8173387),
        (53.1202795, -27.8866846),
        (53.1963426, -27.7823924),
        (53.0801683, -27.7132741),
    ],
    ("WFI16_FULL", 0.01, 89.2, -20.0): [
        (5.3359775, 89.1601165),
        (2.9763626, 89.2793146),
        (354.1076418, 89.2326437),
        (357.5627487, 89.1191050),
    ],
}


@pytest.mark.parametrize("case", BY_PYSIAF, ids=lambda case: f"{case[0]} {case[2]}")
def test_corners_lie_where_pysiaf_puts_them(case):
    name, ra, dec, pa = case
    corners = SkyCoord(on_sky(find_aperture(name), ra, dec, pa)[0], unit="deg")
    truth = SkyCoord(np.array(BY_PYSIAF[case]), unit="deg")
    assert corners.separation(truth).max() < 0.01 * u.arcsec


@pytest.mark.parametrize("name", ["NRCALL_FULL", "NRS_FULL_IFU", "JSBC", "WFI_CEN", "LFPSA"])
def test_shape_is_the_same_everywhere(name):
    aperture = find_aperture(name)
    equator, pole = (np.concatenate(on_sky(aperture, ra, dec, pa)) for ra, dec, pa in ((10, 0, 0), (200, 89.9, 77)))
    first, second = (SkyCoord(corners[:6], unit="deg") for corners in (equator, pole))
    near = first[0].separation(first[1:]).arcsec
    assert np.allclose(near, second[0].separation(second[1:]).arcsec, atol=1e-5)


def test_angle_of_v3_and_of_the_aperture():
    aperture = find_aperture("nrs_full_msa")
    by_y = np.concatenate(on_sky(aperture, 30, 20, 50))
    by_v3 = np.concatenate(on_sky(aperture, 30, 20, 50 - aperture.angle, of_v3=True))
    assert np.allclose(by_y, by_v3, atol=1e-12)


def test_known_sizes():
    corners = SkyCoord(on_sky(find_aperture("IUVIS"), 0, 0, 0)[0], unit="deg")
    assert 155 < corners[0].separation(corners[1]).arcsec < 172  # 162 arcsec, WFC3 Instrument Handbook
    radius = SkyCoord(0, 0, unit="deg").separation(SkyCoord(on_sky(find_aperture("LFPSA"), 0, 0, 0)[0], unit="deg"))
    assert np.allclose(radius.arcsec, 1.25, atol=1e-3)
    assert len(on_sky(find_aperture("WFI_CEN"), 0, 0, 0)) == 18
    assert {a.telescope for a in apertures().values()} == {"JWST", "HST", "Roman"}


def test_moving_keeps_the_angle_to_north():
    outline = on_sky(find_aperture("NIS_CEN"), 40, -70, 33)[0]
    there = moved(outline, (40, -70), (100, 15))
    assert np.allclose(there, on_sky(find_aperture("NIS_CEN"), 100, 15, 33)[0], atol=1e-11)
    turned = moved(outline, (40, -70), (40, -70), 10)
    assert np.allclose(turned, on_sky(find_aperture("NIS_CEN"), 40, -70, 43)[0], atol=1e-11)
    # a field across RA = 0
    middle = middle_of([np.array([[359.9, 0.1], [0.1, 0.1], [0.1, -0.1], [359.9, -0.1]])])
    assert np.allclose([(middle[0] + 180) % 360, middle[1]], [180, 0])


def test_unknown_apertures_name_others():
    with pytest.raises(CommandError, match="NRCA5_FULL"):
        find_aperture("NRCA5")
