"""DS9 regions whose sizes or coordinates only their image settles, by closed forms and by astropy's own WCS."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io.fits import Header
from astropy.wcs import WCS
from regions import PixCoord

from jviz.backend.regions.ds9 import parse_ds9, sketch_ds9
from jviz.backend.regions.of_images import of_image
from jviz.backend.skymap import SkyMap

SCALE = 0.3
"""Arcseconds in a pixel."""


@pytest.fixture
def image():
    cards = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.1, "CRVAL2": 2.2, "CRPIX1": 100.5, "CRPIX2": 100.5,
        "CDELT1": -SCALE / 3600, "CDELT2": SCALE / 3600,
        "CTYPE1A": "GLON-TAN", "CTYPE2A": "GLAT-TAN", "CRVAL1A": 236.9, "CRVAL2A": 42.1,
        "CRPIX1A": 60.0, "CRPIX2A": 80.0, "CDELT1A": -SCALE / 3600, "CDELT2A": SCALE / 3600,
        "CTYPE1P": "X", "CTYPE2P": "Y", "CRPIX1P": 1.0, "CRPIX2P": 1.0, "CRVAL1P": 1000.0, "CRVAL2P": 2000.0,
        "CDELT1P": 2.0, "CDELT2P": 2.0, "LTV1": 10.0, "LTM1_1": 0.5, "LTV2": 20.0, "LTM2_2": 0.5,
    }  # fmt: skip
    return SimpleNamespace(shape=(200, 200), header=cards, sky=SkyMap.of(WCS(Header(cards)), (200, 200)), cards=cards)


def settled(text, image):
    found, problems = parse_ds9(text)
    assert not problems
    kept, problems = of_image(found, image)
    assert not problems
    return kept


def area(polygon):
    x, y = np.asarray(polygon.vertices.x), np.asarray(polygon.vertices.y)
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('image;panda(100,90,0,90,1,3",6",1)', np.pi * (6**2 - 3**2) / 4),
        ('image;cpanda(100,90,0,90,1,3",6",1)', np.pi * (6**2 - 3**2) / 4),
        ('image;epanda(100,90,0,360,1,2",1",6",3",1,30)', np.pi * (6 * 3 - 2 * 1)),
        ('image;bpanda(100,90,0,360,1,2",1",6",3",1,30)', 6 * 3 - 2 * 1),
        ('image;pie(100,90,3",6",20,110)', np.pi * (6**2 - 3**2) / 4),
    ],
)
def test_sectors_of_pixels_with_sizes_in_arcseconds(image, text, wanted):
    [region] = settled(text, image)
    assert area(region) * SCALE**2 == pytest.approx(wanted, rel=6e-4)  # chords of arcs of 1.5 degrees
    assert not region.contains(PixCoord(99, 89))
    away = np.hypot(region.vertices.x - 99, region.vertices.y - 89) * SCALE
    assert away.max() < 6 * np.hypot(1, 1)


def test_sectors_of_the_sky_with_sizes_in_pixels_are_those_in_arcseconds(image):
    found = settled('fk5;panda(150.1,2.2,10,200,3,10p,200p,2)\nfk5;panda(150.1,2.2,10,200,3,3",60",2)', image)
    assert len(found) == 12
    for mine, other in zip(found[:6], found[6:], strict=True):
        assert mine.vertices.separation(other.vertices).arcsec.max() < 1e-4
        assert mine.meta["tag"] != other.meta["tag"]


def test_vectors_and_compasses_of_both_kinds(image):
    on_pixels, on_sky, compass = settled(
        'image;# vector(50,60,3",90) vector=1\nfk5;# vector(150.1,2.2,10p,0) vector=1\n# compass(150.1,2.2,20p)', image
    )
    assert (on_pixels.start.x, on_pixels.start.y) == (49, 59)
    assert (on_pixels.end.x, on_pixels.end.y) == pytest.approx((49, 59 + 3 / SCALE), rel=1e-6)
    assert on_sky.start.separation(on_sky.end).arcsec == pytest.approx(10 * SCALE, rel=1e-6)
    assert on_sky.end.ra < on_sky.start.ra  # to the west, as angles of DS9 begin
    assert compass.start.separation(compass.end).arcsec == pytest.approx(20 * SCALE, rel=1e-6)
    assert compass.meta["type"] == "compass"


def test_physical_places_with_sizes_in_arcseconds(image):
    [region] = settled('physical;panda(100,60,0,90,1,3",6",1)', image)
    x, y = 0.5 * 100 + 10 - 1, 0.5 * 60 + 20 - 1
    assert region.vertices.x.min() == pytest.approx(x, abs=1e-6)
    assert np.hypot(region.vertices.x - x, region.vertices.y - y).max() * SCALE == pytest.approx(6, rel=1e-6)


def test_another_wcs_of_the_sky(image):
    other = WCS(Header(image.cards), key="A")
    circle, box, sectors, polygon = settled(
        'wcsa;circle(236.91,42.101,3")\nbox(236.9,42.1,0.001,0.0005,30)\npanda(236.9,42.1,0,360,1,3",6",1)\n'
        "polygon(236.9,42.1,236.901,42.1,236.901,42.101)", image,
    )  # fmt: skip
    x, y = other.world_to_pixel(SkyCoord(236.91, 42.101, unit="deg", frame="galactic"))
    assert (circle.center.x, circle.center.y) == pytest.approx((float(x), float(y)), abs=1e-6)
    assert circle.radius * SCALE == pytest.approx(3, rel=1e-6)
    assert (box.width * SCALE, box.height * SCALE) == pytest.approx((3.6, 1.8), rel=1e-5)
    assert box.angle.to_value("deg") == pytest.approx(30, abs=1e-3)
    assert area(sectors) * SCALE**2 == pytest.approx(np.pi * (36 - 9), rel=2e-4)
    x, y = other.world_to_pixel(SkyCoord([236.9, 236.901, 236.901], [42.1, 42.1, 42.101], unit="deg", frame="galactic"))
    assert np.allclose(polygon.vertices.x, x, atol=1e-6)
    assert np.allclose(polygon.vertices.y, y, atol=1e-6)


def test_another_wcs_that_is_linear_and_one_that_is_not_there(image):
    [circle] = settled("wcsp;circle(1010,2020,8)", image)
    assert (circle.center.x, circle.center.y, circle.radius) == (5, 10, 4)
    kept, problems = of_image(parse_ds9("wcsq;circle(1,2,3)")[0], image)
    assert not kept
    assert problems == ["wcsq coordinates, which the image does not have"]
    assert of_image(parse_ds9("wcsa;circle(1,2,3)")[0], None)[1] == ["wcsa coordinates, which need an image"]


@pytest.mark.parametrize("shape", ["sector", "pie"])
def test_endless_sectors(image, shape):
    on_pixels, on_sky = settled(f"image;{shape}(100.5,100.5,30,120)\nicrs;{shape}(150.1,2.2,30,120)", image)
    angles = np.radians(np.arange(0, 360, 5) + 2.5)
    for radius in (2, 50, 130):
        points = PixCoord(99.5 + radius * np.cos(angles), 99.5 + radius * np.sin(angles))
        wanted = (np.degrees(angles) > 30) & (np.degrees(angles) < 120)
        assert (on_pixels.contains(points) == wanted).all()
        assert (on_sky.contains(points) == wanted).all()


def test_pies_of_other_numbers_are_told():
    sketches, problems = sketch_ds9('fk5;pie(150.1,2.2,1",30,90)')
    assert not sketches
    assert problems == [(1, 'pie(150.1,2.2,1",30,90)')]
