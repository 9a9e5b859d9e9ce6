"""Spectra that specutils has written as ASDF."""

import subprocess
import sys

import numpy as np
import pytest

import jviz
from jviz.backend.io.asdf_reader import read_asdf

# In another process: in this one asdf does without the extension of specutils.
WRITE = """
import sys
import asdf
import numpy as np
from astropy import units as u
from astropy.nddata import InverseVariance, StdDevUncertainty
from specutils import Spectrum

axis = np.linspace(1.0, 2.0, 40) * u.um
flux = np.arange(120.0).reshape(3, 40)
one = Spectrum(flux=flux[1] * u.Jy, spectral_axis=axis, mask=np.arange(40) < 3,
               uncertainty=StdDevUncertainty(np.full(40, 0.5)))
orders = Spectrum(flux=flux * u.mJy, spectral_axis=axis.to(u.AA), uncertainty=InverseVariance(np.full((3, 40), 4.0)))
cube = Spectrum(flux=np.ones((4, 5, 40)) * u.mJy, spectral_axis=axis)
asdf.AsdfFile({"one": one, "orders": [orders], "cube": cube}).write_to(sys.argv[1])
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("spectra") / "many.asdf"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", WRITE, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


def test_each_is_a_spectrum_with_its_axis_and_its_uncertainty(path):
    session = jviz.Session(settings={})
    (one,) = session.open(path, array="one")
    one = one.samples[0]
    assert np.array_equal(one.flux, np.arange(40.0, 80.0))
    assert np.array_equal(one.axis.values, np.linspace(1.0, 2.0, 40))
    assert (one.axis.unit, one.unit, one.kind) == ("um", "Jy", "std")
    assert np.array_equal(one.uncertainty, np.full(40, 0.5))
    assert one.mask.tolist() == [True] * 3 + [False] * 37
    (orders,) = session.open(path, array="orders.0")
    orders = orders.samples
    assert [s.flux[0] for s in orders] == [0.0, 40.0, 80.0]
    assert np.allclose(orders[2].axis.values, np.linspace(1e4, 2e4, 40))
    assert (orders[2].axis.unit, orders[2].unit, orders[2].kind) == ("Angstrom", "mJy", "ivar")
    assert np.array_equal(orders[2].uncertainty, np.full(40, 4.0))
    session.close()


def test_a_cube_stays_an_array(path):
    kinds = {product.options["array"]: product.kind for product in read_asdf(path)}
    assert kinds["one"] == kinds["orders.0"] == "spectrum"
    assert kinds["cube.flux"] == "cube"
