"""Reference files for simulated exposures of an integral-field spectrometer: geometry, response, and cubes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.headers import hdu, table
from jviz.backend.simulate.mrs import INSTRUMENT, SPOT, Slices
from jviz.backend.simulate.references import Writer
from jviz.backend.simulate.slicer import CHANNELS, Channel, Slice

__all__ = ["aperture_shares", "mrs_references"]

RADIUS, RING = 2.0, (3.0, 4.0)
"""Of the aperture, and of the ring of background, in full widths of the point-spread function."""

PLANES = 9
"""In a file of regions, for as many levels of throughput."""

EXPOSURE = {"exposure": {"type": "MIR_MRS"}}


def mrs_references(field: Slices) -> list[Reference]:
    """Return the reference files of a field; nothing is written yet."""
    detector = field.detector
    writer = Writer(field.plan, INSTRUMENT, "FASTR1", (1, 2))
    flat = np.where(detector.is_reference, np.float32(np.nan), detector.flat)
    return [
        *writer.detector(detector),
        writer.fits("flat", "FlatModel", [hdu("SCI", flat)], writer.subarray),
        writer.fits("fringe", "FringeModel", [hdu("SCI", field.fringes.astype(np.float32))]),
        _photom(field, writer), *_geometry(field, writer), *_cubes(writer), _parameters(writer),
    ]  # fmt: skip


def _parameters(writer: Writer) -> Reference:
    """Return the parameters of Spec2 as operations set them: one cube of both channels, for there is one name."""
    cubes = {"class": "jwst.cube_build.cube_build_step.CubeBuildStep", "name": "cube_build",
             "parameters": {"output_type": "multi"}}  # fmt: skip
    pipeline = {"class": "jwst.pipeline.calwebb_spec2.Spec2Pipeline", "name": "calwebb_spec2", "parameters": {},
                "steps": [cubes]}  # fmt: skip
    return writer.asdf("pars-spec2pipeline", "", lambda: pipeline)


def _photom(field: Slices, writer: Writer) -> Reference:
    sizes = np.zeros(field.detector.shape, np.float32)
    for channel in CHANNELS:
        sizes[field.labels // 100 == channel.number] = channel.scale * channel.width
    first = CHANNELS[0]
    more = {"EXP_TYPE": "MIR_MRS", "PHOTMJSR": first.sensitivity, "PIXAR_SR": first.pixel,
            "PIXAR_A2": first.scale * first.width}  # fmt: skip
    planes = [hdu("SCI", field.sensitivity.astype(np.float32)), hdu("PIXSIZ", sizes)]
    return writer.fits("photom", "MirMrsPhotomModel", planes, more)


def _geometry(field: Slices, writer: Writer) -> list[Reference]:
    units = {"input_units": "pixel", **EXPOSURE}
    names = [channel.name for channel in CHANNELS]
    slices = [one for channel in CHANNELS for one in channel.slices()]
    labels = [one.label for one in slices]

    def distortion() -> dict[str, Any]:
        models = [_models(one) for one in slices]
        return {
            "slices": labels, **{name: [model[name] for model in models] for name in models[0]},
            "bzero": {"channel_band": names, "beta_zero": [channel.zero for channel in CHANNELS]},
            "bdel": {"channel_band": names, "delta_beta": [channel.width for channel in CHANNELS]},
            "abv2v3_model": {"channel_band": names, "model": [channel.frame.model() for channel in CHANNELS]},
        }  # fmt: skip

    def regions() -> dict[str, Any]:
        return {"regions": np.repeat(field.labels[None], PLANES, axis=0)}

    def ranges() -> dict[str, Any]:
        return {"waverange_selector": names, "wavelengthrange": [list(channel.waves) for channel in CHANNELS]}

    def waves() -> dict[str, Any]:
        return {"slices": labels, "model": [_plane(*one.lam) for one in slices]}

    return [
        writer.asdf("distortion", "DistortionMRSModel", distortion, meta=units | {"output_units": "arcsec"}),
        writer.asdf("specwcs", "SpecwcsModel", waves, meta=units | {"output_units": "micron"}),
        writer.asdf("regions", "RegionsModel", regions, meta=EXPOSURE, inline=False),
        writer.asdf("wavelengthrange", "WavelengthrangeModel", ranges, meta=EXPOSURE | {"wavelength_units": "micron"}),
    ]


def _models(one: Slice) -> dict[str, Any]:
    """Return the transforms of a slice; from pixels they take row and column, back wavelength and place along it."""
    from astropy.modeling.models import Polynomial1D

    column, row = one.inverse
    return {"alpha_model": _plane(*one.alpha), "beta_model": Polynomial1D(1, c0=one.beta, c1=0.0),
            "x_model": _plane(*column), "y_model": _plane(*row)}  # fmt: skip


def _plane(constant: float, first: float, second: float) -> Any:
    from astropy.modeling.models import Polynomial2D

    return Polynomial2D(1, c0_0=constant, c1_0=first, c0_1=second)


def _cubes(writer: Writer) -> list[Reference]:
    """Return what cubes are sampled by, and how spectra are taken out of them."""
    channel = np.array([str(one.number) for one in CHANNELS], "S3")
    band = np.array([one.band for one in CHANNELS], "S12")
    wave = np.concatenate([np.arange(*one.waves, one.plane, np.float32) for one in CHANNELS])

    def of_each(*names: str) -> dict[str, np.ndarray]:
        values = {"spaxelsize": "spaxel", "spectralstep": "plane"}
        found = {name: np.float32([getattr(one, values[name]) for one in CHANNELS]) for name in names}
        return {"channel": channel, "band": band, **found}

    def smoothing(count: int, *last: str) -> dict[str, np.ndarray]:
        sizes = {"roispatial": 0.3, "roispectral": 0.002, "power": 2.0, "softrad": 0.01, "scalerad": 0.1}
        return {name: np.full(count, sizes[name], np.float32) for name in ("roispatial", "roispectral", *last)}

    low, high = (np.float32([one.waves[n] for one in CHANNELS]) for n in (0, 1))
    tables = [
        table("CUBEPAR", **of_each("spaxelsize", "spectralstep"), wavemin=low, wavemax=high),
        table("CUBEPAR_MSM", channel=channel, band=band, **smoothing(2, "power", "softrad")),
        table("MULTICHANNEL_MSM", wavelength=wave, **smoothing(wave.size, "power", "softrad")),
        table("CUBEPAR_EMSM", channel=channel, band=band, **smoothing(2, "scalerad")),
        table("MULTICHANNEL_EMSM", wavelength=wave, **smoothing(wave.size, "scalerad")),
        table("MULTICHANNEL_DRIZ", wavelength=wave),
    ]  # fmt: skip
    return [
        writer.fits("cubepar", "MiriIFUCubeParsModel", tables, {"EXP_TYPE": "MIR_MRS"}),
        writer.asdf("extract1d", "Extract1dIFUModel", _extraction, meta=EXPOSURE | {
            "region_type": "target", "subtract_background": True, "method": "exact", "subpixels": 10}),
        writer.asdf("apcorr", "MirMrsApcorrModel", _corrections, meta=EXPOSURE),
    ]  # fmt: skip


def _waves() -> np.ndarray:
    return np.linspace(CHANNELS[0].waves[0], CHANNELS[-1].waves[1], 60, dtype=np.float32)


def _extraction() -> dict[str, Any]:
    wave = _waves()
    width = SPOT.fwhm(wave).astype(np.float32)
    return {"data": {
        "wavelength": wave, "wavelength_units": "micron", "radius": RADIUS * width, "radius_units": "arcsec",
        "inner_bkg": RING[0] * width, "inner_bkg_units": "arcsec", "outer_bkg": RING[1] * width,
        "outer_bkg_units": "arcsec", "axis_ratio": np.ones_like(wave), "axis_pa": np.zeros_like(wave),
        "axis_pa_units": "degrees",
    }}  # fmt: skip


def _corrections() -> dict[str, Any]:
    """Return what the light in apertures of some radii is multiplied by."""
    wave = _waves()
    width = SPOT.fwhm(wave)
    radii = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])[:, None] * width
    shares = np.empty(radii.shape)
    for channel in CHANNELS:
        here = wave > CHANNELS[1].waves[0] if channel is CHANNELS[1] else wave <= CHANNELS[1].waves[0]
        shares[:, here] = aperture_shares(channel, radii[:, here], wave[here])
    return {"apcorr_table": {
        "channel": "ANY", "band": "ANY", "wavelength": wave, "wavelength_units": "micron",
        "radius": radii.astype(np.float32), "radius_units": "arcsec", "apcorr": (1 / shares).astype(np.float32),
        "apcorr_err": np.zeros(radii.shape, np.float32),
    }}  # fmt: skip


def aperture_shares(channel: Channel, radius: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Return the share of a source's light in apertures on a cube, less what the ring takes off as background.

    Pixels and slices smear the light as they collect it, and again when they are drizzled into spaxels.
    """
    boxes = channel.scale**2 + channel.width**2 + 2 * channel.spaxel**2
    spread = boxes / 12
    inner, outer = (factor * SPOT.fwhm(wave) for factor in RING)
    ring = SPOT.encircled(outer, wave, spread) - SPOT.encircled(inner, wave, spread)
    return SPOT.encircled(radius, wave, spread) - ring * radius**2 / (outer**2 - inner**2)
