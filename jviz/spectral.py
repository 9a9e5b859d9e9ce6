"""The spectral side of the model: samples of spectra, sources of cubes, and new spectra made by commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis, spectral_axis
from jviz.backend.spectra.samples import Samples

if TYPE_CHECKING:
    from jviz.backend.cubes.source import CubeSource
    from jviz.data import Cube, Spectrum

__all__ = ["axis_of", "made_spectrum", "samples_of", "source_of_cube"]


def axis_of(cube: Cube) -> SpectralAxis:
    """Work out the spectral axis of a cube; loads its WCS (seconds the first time)."""
    return spectral_axis(cube.header, cube.wcs, cube.shape)


def source_of_cube(cube: Cube, plane: str = "", exclude: int = 0) -> CubeSource:
    """Return a reader of a plane of a cube, channels first; pixels with any bit of ``exclude`` become NaN."""
    from jviz.backend.cubes.source import CubeSource

    return CubeSource(cube.plane(plane), cube.axis.array_axis, flags=cube.product.plane("flags"), exclude=exclude)


def samples_of(spectrum: Spectrum) -> tuple[Samples, ...]:
    """Read the spectra of a data set."""
    from specutils import SpectrumList

    return tuple(_from_specutils(one) for one in spectrum.get(SpectrumList))


def _from_specutils(spectrum: Any) -> Samples:
    from jviz.backend.spectra.axis import _KINDS

    axis, error = spectrum.spectral_axis, spectrum.uncertainty
    quantity = _KINDS.get(str(axis.unit.physical_type).split("/")[0], "channel")
    kind = error.uncertainty_type if error is not None and error.uncertainty_type in ("std", "var", "ivar") else ""
    return Samples(
        SpectralAxis(np.asarray(axis.value, float), axis.unit.to_string(), quantity),
        np.asarray(spectrum.flux.value, float),
        spectrum.flux.unit.to_string(),
        np.asarray(error.array, float) if kind else None,
        kind,
        None if spectrum.mask is None else np.asarray(spectrum.mask, bool),
        meta=dict(spectrum.meta),
    )


def made_spectrum(samples: Samples, name: str, label: str) -> Spectrum:
    """Wrap a spectrum that a command worked out as data of a session.

    Parameters
    ----------
    samples : Samples
    name : str
        Of the new data; the session makes it unique.
    label : str
        What it is, in words: ``"sum of core in cube"``.
    """
    from jviz.backend.io.product import Plane, Product, Unit
    from jviz.conversion.taken import cards_of
    from jviz.data import from_product

    def plane(title: str, values: Any, meaning: Any, unit: str) -> Plane:
        return Plane(title, values.shape, values.dtype, lambda progress: values, meaning, unit)

    meaning = {"std": "error", "var": "variance", "ivar": "inverse variance"}
    planes = [plane("FLUX", samples.flux, "data", samples.unit)]
    if samples.uncertainty is not None and samples.kind:
        title = {"std": "ERR", "var": "VAR", "ivar": "IVAR"}[samples.kind]
        planes.append(plane(title, samples.uncertainty, meaning[samples.kind], ""))
    if samples.mask is not None:
        planes.append(plane("MASK", samples.mask.view(np.uint8), "flags", ""))
    planes.append(plane("WAVELENGTH", samples.axis.values, "other", samples.axis.unit))
    product = Product("spectrum", name, label)
    product.planes = {p.name: p for p in planes}
    product.units = (Unit(0, name, 1, "spectrum", (len(samples),), "", samples.unit, cards_of(samples.meta)),)
    data = from_product(product)
    data._samples = (samples,)
    return data  # type: ignore[return-value]
