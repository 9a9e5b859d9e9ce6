"""What cells of a table show."""

import numpy as np
import pytest
from astropy.table import Table

from jviz.backend.catalogs.columns import columns_of


@pytest.mark.parametrize(
    ("name", "shown"), [("RA", "150.1234560"), ("_RAJ2000", "150.1234560"), ("fraction", "150.1235")]
)
def test_degrees_show_milliarcseconds_whether_or_not_a_file_tells_the_unit(name, shown):
    [column] = columns_of(Table({name: np.array([150.123456, 150.2])}))
    assert column.shown(0) == shown
