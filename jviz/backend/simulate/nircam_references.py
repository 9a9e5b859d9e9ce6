"""Reference files for simulated exposures of an imager: what the pipelines must know of its detector and filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.demo.psf import Psf
from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.headers import hdu, table
from jviz.backend.simulate.imaging import FRAME, INSTRUMENT, Image
from jviz.backend.simulate.plans import FILTERS
from jviz.backend.simulate.references import Writer
from jviz.backend.simulate.sky import FINE

__all__ = ["encircled", "mosaic_transfer", "nircam_references"]

ENERGIES = (0.3, 0.5, 0.7)
"""Shares of the light within the apertures of the catalogue, in the order in which source_catalog asks for them."""

STEP = "jwst.tweakreg.tweakreg_step.TweakRegStep"
BRIGHTEST = 50
"""Stars by which exposures are aligned: all weigh the same, so that many faint ones would not help."""

MIRROR = 6.5
BLUR = 1.13
"""Width of stars over λ / D, to which the pixels add."""

RINGS = 8192
"""Into which frequencies are gathered that lie as far out."""


def nircam_references(field: Image) -> list[Reference]:
    """Return the reference files of a field; nothing is written yet."""
    detector = field.detector
    writer = Writer(field.plan, INSTRUMENT, "RAPID", (-1, 2))
    flat = [
        hdu("SCI", np.where(detector.is_reference, np.float32(np.nan), detector.flat)),
        hdu("ERR", np.full(detector.shape, 0.001, np.float32)),
    ]  # fmt: skip
    return [*writer.detector(detector), writer.fits("flat", "FlatModel", flat, writer.subarray | _filter(field)),
            *_photometric(field, writer), *_geometric(field, writer), _alignment(field, writer)]  # fmt: skip


def _photometric(field: Image, writer: Writer) -> list[Reference]:
    plan, filter = field.plan, FILTERS[field.plan.filter]
    named = {"filter": [plan.filter], "pupil": ["CLEAR"]}
    area = FRAME.pixel_area
    solid = {"PIXAR_SR": area, "PIXAR_A2": area * (180 / np.pi * 3600) ** 2}
    photom = table("PHOTOM", **named, photmjsr=np.float32([filter.photmjsr]), uncertainty=np.float32([0.02]))
    radii, corrections, sky = _apertures(field)
    rows = len(ENERGIES)
    apcorr = table(
        "APCORR", filter=[plan.filter] * rows, pupil=["CLEAR"] * rows, eefraction=np.float32(ENERGIES),
        radius=np.float32(radii), apcorr=np.float32(corrections), skyin=np.float32([sky[0]] * rows),
        skyout=np.float32([sky[1]] * rows),
    )  # fmt: skip

    def vega() -> dict[str, Any]:
        from astropy.table import Table

        row = {"filter": [plan.filter], "pupil": ["CLEAR"], "abvega_offset": np.float32([filter.vega])}
        return {"abvega_offset": Table(row)}

    return [
        writer.fits("photom", "NrcImgPhotomModel", [photom], solid),
        writer.fits("area", "PixelAreaModel", [hdu("SCI", field.area.astype(np.float32))], solid | _filter(field)),
        writer.fits("apcorr", "NrcImgApcorrModel", [apcorr], {"EXP_TYPE": "NRC_IMAGE"}),
        writer.asdf("abvegaoffset", "ABVegaOffsetModel", vega),
    ]


def _geometric(field: Image, writer: Writer) -> list[Reference]:
    meta = {"input_units": "pixel", "output_units": "arcsec", "exposure": {"type": "NRC_IMAGE"}}
    row = {"filter": field.plan.filter, "pupil": "CLEAR", "column_offset": 0.0, "row_offset": 0.0}
    return [
        writer.asdf("distortion", "DistortionModel", lambda: {"model": FRAME.model()}, meta=meta,
                    instrument={"p_pupil": "CLEAR|"}),
        writer.asdf("filteroffset", "FilteroffsetModel", lambda: {"filters": [row]}),
    ]  # fmt: skip


def _alignment(field: Image, writer: Writer) -> Reference:
    """Return the parameters of tweakreg, which operations set for each filter as well.

    Its defaults want fifteen stars that are rounder than noise leaves them, and a rotation that so few do not fix;
    they look for partners farther away than stars of a small field are from each other.
    """
    width = FILTERS[field.plan.filter].wavelength * 1e-6 / MIRROR * (180 / np.pi * 3600) / FRAME.scale_x
    chosen = {
        "starfinder": "dao", "kernel_fwhm": round(BLUR * width, 2), "brightest": BRIGHTEST,
        "snr_threshold": 10.0, "sharplo": 0.2, "sharphi": 1.0, "roundlo": -1.0, "roundhi": 1.0, "minobj": 4,
        "fitgeometry": "shift", "searchrad": 0.4, "tolerance": 0.1, "separation": 0.15,
    }  # fmt: skip
    kind = f"pars-{STEP.rpartition('.')[2].lower()}"
    return writer.asdf(kind, "", lambda: {"class": STEP, "name": "tweakreg", "parameters": chosen})


def _filter(field: Image) -> dict[str, str]:
    return {"FILTER": field.plan.filter, "PUPIL": "CLEAR"}


def _apertures(field: Image) -> tuple[list[float], list[float], tuple[float, float]]:
    """Return radii in pixels that hold the shares `ENERGIES`, what their light is multiplied by, the ring of sky."""
    seen = mosaic_transfer(field.psf)
    radii = np.linspace(0.3, 8, 155)
    inside = encircled(seen, radii)
    chosen = [float(np.interp(share, inside, radii)) for share in ENERGIES]
    ring = (float(chosen[-1] + 4), float(chosen[-1] + 9))
    # Wings in the ring count as sky, and are taken off with it.
    wings = _brightness(seen, ring)
    lost = [wings * np.pi * radius**2 for radius in chosen]
    return chosen, [1 / (share - less) for share, less in zip(ENERGIES, lost, strict=True)], ring


def mosaic_transfer(psf: Psf) -> np.ndarray:
    """Return the transfer function of stars in a mosaic of pixels as wide as those of the detector, (n, n // 2 + 1).

    What smears the point-spread function: the pixel that counts the light, which is two samples wide; the drop that is
    drizzled; the pixel of the mosaic that gathers drops; and that pixel once more, of which an aperture takes a part as
    if its light were even.
    """
    size = len(psf.image)
    across, along = np.fft.rfftfreq(size, 1 / FINE), np.fft.fftfreq(size, 1 / FINE)[:, None]
    image = np.fft.rfft2(np.fft.ifftshift(psf.image.astype(float)))
    for frequency in (across, along):
        image *= np.cos(np.pi * frequency / FINE) * np.sinc(frequency) ** 3
    return image / image[0, 0].real


def encircled(transfer: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the shares of light within radii in pixels: the transfer function times that of a disc, summed."""
    from scipy.special import j1

    size = len(transfer)
    step = FINE / size
    density = np.hypot(np.fft.rfftfreq(size, 1 / FINE), np.fft.fftfreq(size, 1 / FINE)[:, None])
    density[0, 0] = 1.0
    weight = np.full(transfer.shape, 2 * step**2)  # the other half of the plane is the same
    weight[:, [0, -1]] = step**2
    weight = weight * transfer.real / density
    rest = weight[0, 0]
    weight[0, 0] = 0.0
    # All that lies as far out counts alike: shared between the two nearest of many rings it is right to 1e-6.
    place = (density * (RINGS / density.max())).ravel()
    ring = np.minimum(place.astype(np.int64), RINGS - 1)
    beyond, weight = place - ring, weight.ravel()
    sums = np.bincount(ring, weight * (1 - beyond), RINGS + 1) + np.bincount(ring + 1, weight * beyond, RINGS + 1)
    angle = 2 * np.pi * np.linspace(0, density.max(), RINGS + 1)
    return np.array([sums @ j1(radius * angle) * radius + rest * np.pi * radius**2 for radius in radii])


def _brightness(transfer: np.ndarray, ring: tuple[float, float]) -> float:
    """Return the share of light per pixel of a ring that is taken for sky: the clipped median of what is there."""
    from astropy.stats import sigma_clipped_stats

    size = len(transfer)
    image = np.fft.fftshift(np.fft.irfft2(transfer, s=(size, size)))
    offset = np.arange(size) - size // 2
    distance = np.hypot(offset, offset[:, None]) / FINE
    return float(sigma_clipped_stats(image[(distance >= ring[0]) & (distance < ring[1])])[1]) * FINE**2
