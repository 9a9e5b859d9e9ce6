"""Products of simulated exposures against what was put into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.calibration.runs import read_record
from jviz.backend.simulate.measures import OUTLIER, Check, middle
from jviz.backend.simulate.spectral_checks import check_cube, check_spectrum
from jviz.errors import JvizError

__all__ = ["Check", "check_product", "truth_of"]

DO_NOT_USE, JUMP = 1, 4
BRIGHT = 20.0
"""DN/s above which the ratio of slopes to the truth is measured."""

SPECTRAL = {"s3d": check_cube, "x1d": check_spectrum, "c1d": check_spectrum}
TRUTH, CATALOGUE = "truth.fits", "sources_truth.ecsv"


def truth_of(product: Path) -> Path:
    """Return the file with the truth of a product of a simulated exposure.

    Raises
    ------
    JvizError
        When it is no such product.
    """
    name = f"{'_'.join(product.name.split('_')[:4])}_{TRUTH}"
    for folder in _origins(product.parent):
        for wanted in (name, CATALOGUE):
            if (folder / wanted).is_file() and (wanted == name or "-o" in product.name.split("_")[0]):
                return folder / wanted
    raise JvizError(f"There is no truth for {product.name}: it is not made of a simulated exposure, or that was moved.")


def _origins(folder: Path) -> list[Path]:
    """Return a folder, and those that its files come from; the inputs of a run may be products of another one."""
    folders = [folder]
    for known in folders:
        inputs = [Path(given["path"]).parent for given in read_record(known).get("inputs", ())]
        folders += [origin for origin in dict.fromkeys(inputs) if origin not in folders]
    return folders


def check_product(product: Path) -> list[Check]:
    """Compare a product with its truth.

    A ramp after the step jump: the cosmic rays that were found. A slope image: pulls and fluxes. A calibrated image:
    fluxes. A catalogue of a mosaic: positions and fluxes of stars. The photometry of a time series: its scatter, and
    the depth of the transit. A cube: where the source is, and the background. A spectrum: continuum and lines.

    Raises
    ------
    JvizError
        When there is no truth for it, or nothing to compare.
    """
    truth = truth_of(product)
    if product.suffix == ".ecsv":
        return _check_catalogue(product, truth)
    from astropy.io import fits

    kind = product.stem.rpartition("_")[2]
    if kind in SPECTRAL:
        return SPECTRAL[kind](product, truth.parent)
    checks = {"rate": _check_slopes, "ramp": _check_jumps, "jump": _check_jumps, "cal": _check_brightness}
    if kind not in checks:
        raise JvizError(f"{product.name} has no truth to compare with; give a rate, cal or ramp file, a catalogue, a "
                        "cube or a spectrum.")  # fmt: skip
    with fits.open(product, memmap=False) as hdus, fits.open(truth, memmap=False) as true:
        return checks[kind](hdus, true)


def _check_slopes(hdus: Any, truth: Any) -> list[Check]:
    slope, error, flags = (hdus[name].data for name in ("SCI", "ERR", "DQ"))
    rate = truth["RATE"].data
    good = (flags == 0) & np.isfinite(slope) & (error > 0)
    pulls = (slope - rate)[good].astype(float) / error[good]
    inside = pulls[np.abs(pulls) < OUTLIER]
    return [
        Check("mean pull", float(inside.mean()), float(inside.std() / np.sqrt(inside.size)), "", 0.0,
              "(slope − truth) / error, pixels without flags"),
        Check("width of pulls", float(inside.std()), float(inside.std() / np.sqrt(2 * inside.size)), "", 1.0, ""),
        Check("pulls beyond 5", float(np.mean(np.abs(pulls) >= OUTLIER)), float(1 / pulls.size), "", 0.0, "share"),
        _ratio("slope / truth", slope, error, rate, good & (rate > BRIGHT), f"pixels above {BRIGHT:g} DN/s"),
    ]  # fmt: skip


def _check_brightness(hdus: Any, truth: Any) -> list[Check]:
    value, error, flags = (hdus[name].data for name in ("SCI", "ERR", "DQ"))
    sky = truth["SCI"].data
    bright = BRIGHT * float(hdus["SCI"].header.get("PHOTMJSR", 1.0))
    good = (flags == 0) & np.isfinite(value) & (sky > bright)
    return [_ratio("brightness / truth", value, error, sky, good, f"pixels above {bright:.3g} MJy/sr")]


def _ratio(name: str, value: np.ndarray, error: np.ndarray, truth: np.ndarray, where: np.ndarray, note: str) -> Check:
    whole = truth[where].sum(dtype=float)
    if not whole:
        return Check(name, float("nan"), float("nan"), "", 1.0, note)
    spread = np.sqrt((error[where].astype(float) ** 2).sum())
    return Check(name, float(value[where].sum(dtype=float) / whole), float(spread / whole), "", 1.0, note)


def _check_jumps(hdus: Any, truth: Any) -> list[Check]:
    flags = hdus["GROUPDQ"].data
    rays = truth["COSMIC_RAYS"].data
    struck = np.zeros(flags.shape, bool)
    struck[rays["integration"], rays["group"], rays["y"], rays["x"]] = True
    # What comes before the first read leaves no jump, and a full well shows none.
    seen = ((flags | JUMP) == JUMP) & ((hdus["PIXELDQ"].data & DO_NOT_USE) == 0)
    seen[:, 0] = False
    found = (flags & JUMP) != 0
    hit = struck & seen
    complete = _share(int((hit & found).sum()), int(hit.sum()))
    near = _with_neighbours(struck)
    right = found & seen
    pure = _share(int((right & near).sum()), int(right.sum()))
    return [
        Check("completeness of jumps", *complete, "", 1.0, f"{int(hit.sum())} pixels and groups were struck"),
        Check("purity of jumps", *pure, "", 1.0, "flagged ones that were struck, or are beside one"),
        Check("false jumps", float((right & ~near).sum() / seen.sum()), float(1 / seen.sum()), "", 0.0,
              "share of pixels and groups"),
    ]  # fmt: skip


def _with_neighbours(struck: np.ndarray) -> np.ndarray:
    """Return the struck pixels and the four beside each, which the step jump flags too."""
    near = struck.copy()
    near[..., 1:, :] |= struck[..., :-1, :]
    near[..., :-1, :] |= struck[..., 1:, :]
    near[..., 1:] |= struck[..., :-1]
    near[..., :-1] |= struck[..., 1:]
    return near


def _share(part: int, whole: int) -> tuple[float, float]:
    if not whole:
        return float("nan"), float("nan")
    share = part / whole
    return share, float(np.sqrt(max(share * (1 - share), 1 / whole) / whole))


def _check_catalogue(product: Path, truth: Path) -> list[Check]:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    found, true = QTable.read(product), QTable.read(truth)
    if "net_aperture_sum" in found.colnames:
        return _check_light_curve(found, truth.parent)
    if "sky_centroid" not in found.colnames or truth.name != CATALOGUE:
        raise JvizError(f"{product.name} is no catalogue of a mosaic.")
    stars = true[true["kind"] == "star"]
    index, distance, _ = found["sky_centroid"].match_to_catalog_sky(SkyCoord(stars["RA"], stars["DEC"]))
    matched = distance.to_value("mas") < 60
    partners = stars[index[matched]]
    if not matched.any():
        raise JvizError(f"No star of {product.name} lies within 60 mas of one that was put into the sky.")
    there = SkyCoord(partners["RA"], partners["DEC"])
    offsets = there.spherical_offsets_to(found["sky_centroid"][matched])
    note = f"{int(matched.sum())} stars"
    checks = [Check(f"offset {name}", *middle(offset.to_value("mas")), "mas", 0.0, note)
              for name, offset in zip(("east", "north"), offsets, strict=True)]  # fmt: skip
    ratio = (found["aper_total_flux"][matched] / partners["flux"]).to_value("")
    bright = partners["abmag"].value < 20
    if bright.any():
        note = f"{int(bright.sum())} stars above 20 mag"
        checks.append(Check("flux / truth", *middle(ratio[bright]), "", 1.0, note))
    return checks


def _check_light_curve(found: Any, folder: Path) -> list[Check]:
    """Compare the photometry of a time series with the light that the star had."""
    from astropy.io import fits

    light = np.asarray(found["net_aperture_sum"].value, float)
    curve = fits.getdata(sorted(folder.glob(f"*_{TRUTH}"))[0], "LIGHT_CURVE")["flux"].astype(float)
    if light.size != curve.size:
        raise JvizError(f"The light curve has {light.size} integrations and its truth {curve.size}.")
    hidden, out = 1 - curve, curve == curve.max()
    relative = light / np.median(light[out])
    error = float(np.median(found["net_aperture_sum_err"].value) / np.median(light[out]))
    depth = 0.0
    if hidden.any():
        depth = float((1 - np.median(relative[hidden > 0.9 * hidden.max()])) / hidden.max())
    # A pixel that a cosmic ray has cost is missing in the sum of its integration.
    apart = relative - (1 - depth * hidden)
    good = np.abs(apart - np.median(apart)) < OUTLIER * 1.4826 * np.median(np.abs(apart - np.median(apart)))
    note = f"{int(good.sum())} of {light.size} integrations, those within {OUTLIER:g} times the scatter"
    relative /= relative[out & good].mean()
    scatter = (relative - (1 - depth * hidden))[good].std()
    checks = [Check("scatter / error", float(scatter / error), float(1 / np.sqrt(2 * good.sum())), "", 1.0, note)]
    if hidden[good].any():
        # One number by least squares: how deep the transit is, relative to the truth.
        weight = (hidden[good] ** 2).sum()
        depth = float(((1 - relative[good]) * hidden[good]).sum() / weight)
        spread = error * np.sqrt(1 / weight + 1 / (hidden.max() ** 2 * (out & good).sum()))
        checks.append(Check("transit depth / truth", depth, float(spread), "", 1.0, f"depth {hidden.max():.3g}"))
    return checks
