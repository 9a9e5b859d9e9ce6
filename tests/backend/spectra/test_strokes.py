"""Curves drawn by kernels: where the numbers say, as dense as the pen is wide, found as numpy finds them."""

from dataclasses import dataclass

import numpy as np
import pytest

from jviz.backend.spectra import strokes

PLAIN = np.zeros(2, bool)


@dataclass(eq=False)
class Numbers:
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None = None


@pytest.fixture(autouse=True)
def _compiled():
    strokes.prepare()


def drawn(curve, *, stepped=True, axes=((10.0, 0.0), (-1.0, 50.0)), width=1.0, size=(100, 60)):
    """Return the share of each pixel that a curve covers, as rows of the picture."""
    kept, picture = strokes.Strokes(), np.zeros(size, np.uint32)
    colours = np.array([0xFFFFFFFF], np.uint32)
    kept.draw(picture, kept.places([curve]), colours, np.array([stepped]), np.array(axes), PLAIN, width)
    return (picture.T >> 24) / 255


def test_a_level_curve_covers_as_much_as_it_is_wide():
    x = np.arange(11.0)
    for level, width in ((20.0, 1.0), (20.3, 1.0), (20.7, 2.5)):
        for stepped in (True, False):
            cover = drawn(Numbers(x, np.full(11, level)), stepped=stepped, width=width)
            np.testing.assert_allclose(cover[:, 5:95].sum(axis=0), width, atol=0.02)
            rows = np.arange(60) + 0.5
            middles = rows @ cover[:, 5:95] / cover[:, 5:95].sum(axis=0)
            np.testing.assert_allclose(middles, 50 - level, atol=0.51 if stepped else 0.15)


def test_lines_run_from_sample_to_sample_and_gaps_stay_empty():
    x, y = np.arange(11.0), 4.0 * np.arange(11.0)
    y[6] = np.nan
    cover = drawn(Numbers(x, y), stepped=False)
    column = 25
    assert abs((np.arange(60) + 0.5) @ cover[:, column] / cover[:, column].sum() - (50 - 4 * 2.55)) < 0.3
    assert not cover[:, 52:69].any()


def test_peaks_narrower_than_a_pixel_are_drawn():
    y = np.zeros(20_000)
    y[7777] = 40.0
    cover = drawn(Numbers(np.linspace(0, 10, 20_000), y))
    assert cover[12, int(100 * 7777 / 20_000)] == 1


def test_bands_reach_from_minus_to_plus_sigma():
    kept, picture = strokes.Strokes(), np.zeros((100, 60), np.uint32)
    curve = Numbers(np.arange(11.0), np.full(11, 20.0), np.full(11, 5.0))
    kept.draw_bands(picture, kept.places([curve]), np.array([0xFF0000FF], np.uint32), 0.2,
                    np.array([[10.0, 0.0], [-1.0, 50.0]]), PLAIN)  # fmt: skip
    shares = (picture >> 24) / 255
    np.testing.assert_allclose(shares[5:95, 25:35], 0.2, atol=0.01)
    assert not shares[:, :24].any()
    assert not shares[:, 36:].any()


def test_what_is_searched_is_what_numpy_finds():
    draw = np.random.default_rng(4)
    curves = [Numbers(np.sort(draw.uniform(0, 10, 300)), draw.normal(0, 1, 300)) for _ in range(30)]
    curves[3].y[5:9] = np.nan
    kept = strokes.Strokes()
    where = kept.places(curves)
    least, most, count = kept.span(where, -1.0, 11.0, log=False)
    assert least == min(np.nanmin(curve.y) for curve in curves)
    assert most == max(np.nanmax(curve.y) for curve in curves)
    assert count == 9000
    wanted = [int(np.argmin(np.abs(curve.x - 4.2))) for curve in curves]
    assert kept.nearest(where, 4.2).tolist() == wanted


def test_curves_come_and_go():
    curves = [Numbers(np.arange(50_000.0), np.full(50_000, float(n))) for n in range(8)]
    kept = strokes.Strokes()
    for wanted in (curves, curves[:2], curves[5:], curves[:1], curves):
        where = kept.places(wanted)
        for n, curve in enumerate(wanted):
            assert (kept.y[where[0, n] : where[1, n]] == curve.y).all()
    assert len(kept.x) < 2_000_000
