"""Expressions of cubes, with images and spectra spread over them: values, errors, units, words."""

import numpy as np
import pytest

import jviz
from jviz.errors import JvizError
from tests.model.test_cube_operations import NX, NY, N, errors_of, opened, values_of, world


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_cubes_images_and_spectra_are_joined(session, tmp_path):
    rng = np.random.default_rng(1)
    first, second = rng.normal(5, 1, (2, N, NY, NX)).astype(np.float32)
    first[3, 4, 5] = np.nan
    a = opened(session, tmp_path / "first.fits", first, 0.3)
    b = opened(session, tmp_path / "second.fits", second, 0.4)
    made = session.run("cube.arithmetic", expression="a - 2*b", a=a, b=b)
    assert np.allclose(values_of(made), first - 2 * second, rtol=1e-5, atol=1e-5, equal_nan=True)
    assert np.allclose(errors_of(made)[0], np.hypot(0.3, 0.8))
    assert made.unit == "MJy / sr"
    assert np.allclose(world(made, 3, 4, 5), world(a, 3, 4, 5))
    image = session.run("cube.collapse", data=b, statistic="mean")
    spectrum = session.run("cube.extract", data=b, statistic="mean")
    made = session.run("cube.arithmetic", expression="(a - b) / c", a=a, b=image, c=spectrum)
    expected = (first - second.mean(axis=0)) / second.mean(axis=(1, 2))[:, None, None]
    assert np.allclose(values_of(made), expected, rtol=1e-4, atol=1e-4, equal_nan=True)
    significant = values_of(session.run("cube.arithmetic", expression="where(a > 15*a.err, a, 0)", a=a))
    assert np.array_equal(significant > 0, first > np.float32(0.3) * 15.0)


def test_what_does_not_fit_is_told(session, tmp_path):
    a = opened(session, tmp_path / "a.fits", np.ones((N, NY, NX)))
    b = opened(session, tmp_path / "b.fits", np.ones((N, NY, NX)), step=0.02)
    for expression, more, words in (
        ("a + b", {"a": a, "b": b}, "other channels"), ("a + nothing", {"a": a}, "no data"),
        ("a * a.err", {"a": a}, "no errors"), ("3 + 4", {}, "no cube"),
    ):  # fmt: skip
        with pytest.raises(JvizError, match=words):
            session.run("cube.arithmetic", expression=expression, **more)
