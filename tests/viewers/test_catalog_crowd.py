"""Marks of catalogues where there are many."""

import numpy as np
from PySide6.QtCore import QRectF

from jviz.viewers.catalog.rows import Rows, share_of


def test_marks_shrink_where_they_would_hide_the_image():
    random = np.random.default_rng(1)
    x, y = random.uniform(0, 500, (2, 5000))
    identity = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    area = QRectF(0, 0, 500, 500)
    counts = [Rows(x[:n], y[:n], identity).in_sight(area)[0] for n in (1, 50, 300, 5000)]
    shares = [share_of(count, area, 12.0) for count in counts]
    assert shares[:2] == [1.0, 1.0]
    assert 0.5 < shares[2] < 1.0
    assert shares[3] == 0.5
    # What is covered stays the same while they shrink.
    assert np.isclose(shares[2] ** 2 * 300 * 144 / 250_000, 0.08)
