"""Wavelengths of beams of slitless spectra by their GWCS, where source and order are known."""

import astropy.units as u
import numpy as np
import pytest
from astropy.modeling.models import Const1D, Identity, Mapping, Polynomial2D, Shift

from jviz.backend.spectra.two_d import wavelengths_of

gwcs = pytest.importorskip("gwcs")
SHAPE, START, SOURCE = (21, 160), (481, 291), (500.0, 300.0)
HEADER = {"TELESCOP": "JWST", "SPORDER": 1, "SRCXPOS": SOURCE[0], "SRCYPOS": SOURCE[1], "SLTSTRT1": START[0],
          "SLTSTRT2": START[1]}  # fmt: skip


def slitless(*, cut_out):
    """Return a GWCS as the JWST pipeline makes it: of the whole exposure, or of the cut-out of a source."""
    from gwcs import coordinate_frames as cf

    detector = cf.Frame2D(name="grism_detector", axes_order=(0, 1), unit=(u.pix, u.pix))
    sky = cf.Frame2D(name="place", axes_order=(0, 1), unit=(u.deg, u.deg))
    wave = cf.SpectralFrame(name="spectral", axes_order=(2,), unit=(u.micron,), axes_names=("wavelength",))
    order = cf.CoordinateFrame(1, "OTHER", (3,), unit=(u.dimensionless_unscaled,), name="order")
    disperse = Polynomial2D(1, c0_0=0.97, c1_0=0.003, c0_1=-0.003)  # by x and x of the source
    transform = Mapping((2, 3, 0, 2, 4)) | Identity(2) & disperse & Identity(1)
    if cut_out:
        place = Shift(START[0] - 1) & Shift(START[1] - 1) & Const1D(SOURCE[0]) & Const1D(SOURCE[1]) & Const1D(1)
        transform = Mapping((0, 1, 0, 0, 0)) | place | transform
    return gwcs.WCS([(detector, transform), (cf.CompositeFrame([sky, wave, order], name="world"), None)])


@pytest.mark.parametrize("cut_out", [True, False])
def test_the_wavelength_is_that_of_the_distance_from_the_source(cut_out):
    found = wavelengths_of(None, "", HEADER, slitless(cut_out=cut_out), SHAPE)
    expected = 0.97 + 0.003 * (START[0] - 1 + np.arange(SHAPE[1]) - SOURCE[0])
    assert found.unit == "um"
    assert not found.notes
    assert np.allclose(found.values, np.broadcast_to(expected, SHAPE), rtol=1e-12)


@pytest.mark.parametrize("lacking", ["SPORDER", "SRCXPOS"])
def test_without_a_source_or_order_pixels_are_numbered_and_that_is_told(lacking):
    header = {key: value for key, value in HEADER.items() if key != lacking}
    found = wavelengths_of(None, "", header, slitless(cut_out=False), SHAPE)
    assert found.values is None
    assert "SPORDER" in found.notes[0]


def test_a_transform_that_fails_is_told():
    broken = slitless(cut_out=True)
    broken.pixel_to_world_values = lambda *_: 1 / 0
    found = wavelengths_of(None, "", HEADER, broken, SHAPE)
    assert "gives no wavelengths (division by zero)" in found.notes[0]
