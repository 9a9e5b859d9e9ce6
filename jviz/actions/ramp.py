"""Commands on ramps: rates of a pixel and of the whole, going through groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.images.picture import Extra, Picture
from jviz.backend.progress import Progress
from jviz.backend.ramps.fitting import DO_NOT_USE, JUMP, SATURATED, RampFit
from jviz.commands import command
from jviz.data import Image, Ramp
from jviz.errors import CommandError
from jviz.pictures import data_from
from jviz.ramp_means import fit_region
from jviz.ramp_views import RampView, ramp_layer
from jviz.ramps import JumpRule, fit_all, fit_at, up_the_ramp
from jviz.session import Session

MENU = "Calibration/Ramps"


def rule_of(
    find_jumps: bool, threshold: float, three_threshold: float, two_threshold: float, neighbours: bool
) -> JumpRule | None:
    """Return the rule of jumps that a command's parameters mean.

    Raises
    ------
    CommandError
        When a threshold is not above 0.
    """
    for value in (threshold, three_threshold, two_threshold):
        if not value > 0:
            raise CommandError(f"A threshold of {value:g} σ is none; give one above 0.")
    return JumpRule(threshold, three_threshold, two_threshold, neighbours) if find_jumps else None


@command("ramp.fit", title="Fit Ramp of Pixel or Region…", menu=MENU, job=True, needs="ramp", group="fit",
         icon="fa6s.stairs")  # fmt: skip
def fit(
    session: Session,
    data: Ramp,
    x: float | None = None,
    y: float | None = None,
    region: str | None = None,
    *,
    find_jumps: bool = True,
    threshold: float = 4.0,
    three_threshold: float = 5.0,
    two_threshold: float = 6.0,
    neighbours: bool = True,
    gain: float | None = None,
    readnoise: float | None = None,
    progress: Progress,
) -> Any:
    """Fit a count rate to the ramp of a pixel, as the JWST pipeline does, with thresholds of your own.

    Of a region it is the mean of the rates of its pixels, each fitted by itself.

    Parameters
    ----------
    x, y : float, optional
        Data pixel, from 0.
    region : str or regions.Region, optional
        Instead of a pixel: those whose centres are in it.
    find_jumps : bool
        Look for cosmic rays anew; else those that the file has flagged are taken.
    threshold, three_threshold, two_threshold : float
        Deviations from the median difference in standard deviations that make a jump, for ramps with four and more,
        three and two differences.
    neighbours : bool
        Whether clear jumps of the four pixels beside it count, too.
    gain : float, optional
        e⁻ per DN; by default that of the reference file, when it is in the CRDS cache.
    readnoise : float, optional
        DN, of the difference of two reads; by default that of the reference file, else what the ramp itself tells.

    Returns
    -------
    QTable
        One row for each integration (from 0) and one for all: rate and rate_err in DN/s, their parts var_poisson and
        var_rnoise, numbers of groups that were used, with jumps and saturated (of the mean ramp of a region: without
        jumps). ``meta`` says where gain and read
        noise are from.
    """
    from astropy import units as u
    from astropy.table import QTable

    rule = rule_of(find_jumps, threshold, three_threshold, two_threshold, neighbours)
    if (region is None) == (x is None) or (x is None) != (y is None):
        raise CommandError("Say x and y of a pixel, or a region.")
    if region is not None:
        found = fit_region(session, data, region, rule, gain, readnoise, progress)
    else:
        found = fit_at(data, x, y, rule, gain, readnoise)
    number = len(found.flags)
    rows = [*range(number), None]
    rate = u.DN / u.s
    table = QTable({
        "integration": [*(str(n) for n in range(number)), "all"],
        "rate": found.rates * rate,
        "rate_err": np.where(np.isfinite(found.rates), found.errors, np.nan) * rate,
        "var_poisson": found.photons * rate**2,
        "var_rnoise": found.reads * rate**2,
        "n_groups": [int(np.isfinite(found.model if n is None else found.model[n]).sum()) for n in rows],
        "n_jumps": [found.number(JUMP, n) for n in rows],
        "n_saturated": [found.number(SATURATED, n) for n in rows],
    })  # fmt: skip
    place = {"region": found.name, "pixels": found.pixels} if found.name else {"x": found.x, "y": found.y}
    table.meta |= {"data": data.name, **place, "noise": found.words}
    return table


@command("ramp.refit", title="Fit Ramps of All Pixels…", menu=MENU, job=True, needs="ramp", group="fit",
         icon="fa6s.stairs")  # fmt: skip
def refit(
    data: Ramp,
    *,
    find_jumps: bool = True,
    threshold: float = 4.0,
    three_threshold: float = 5.0,
    two_threshold: float = 6.0,
    neighbours: bool = True,
    gain: float | None = None,
    readnoise: float | None = None,
    name: str = "",
    progress: Progress,
) -> Image:
    """Fit count rates to the ramps of all pixels, with thresholds of your own, into a new image.

    Nothing else is corrected: of an uncal file the rates are those of raw counts. Of a ramp file, to which the
    corrections were made, they are what the pipeline finds with these thresholds.

    Parameters
    ----------
    find_jumps, threshold, three_threshold, two_threshold, neighbours, gain, readnoise
        As of ``ramp.fit``.

    Returns
    -------
    Image
        DN/s with ERR, DQ, and the planes VAR_POISSON and VAR_RNOISE.
    """
    rule = rule_of(find_jumps, threshold, three_threshold, two_threshold, neighbours)
    found = fit_all(up_the_ramp(data), rule, gain, readnoise, progress)
    what = f"rates of {data.name}, " + (f"jumps above {threshold:g} σ" if rule else "jumps of the file")
    return data_from(_picture(data, found), name or f"{data.name} rate", data, what)


def _picture(data: Ramp, found: RampFit) -> Picture:
    joined = np.bitwise_or.reduce(found.flags, axis=(0, 1)).astype(np.uint32) & np.uint32(JUMP | SATURATED)
    joined[~np.isfinite(found.rate)] |= np.uint32(DO_NOT_USE)
    pixels = data.product.planes.get("PIXELDQ")
    if pixels is not None:
        joined |= pixels.read().astype(np.uint32)
    extras = tuple(
        Extra(name, "variance", "(DN/s)2", values)
        for name, values in (("VAR_POISSON", found.var_poisson), ("VAR_RNOISE", found.var_rnoise))
    )
    return Picture(found.rate, found.err, joined, "DN/s", data.wcs if data.sky is not None else None, extras)


@command("ramp.group", title="Go to Group…", menu=MENU, needs="ramp", group="groups", merges=True)
def go_to_group(
    session: Session,
    group: int,
    integration: int | None = None,
    view: RampView | None = None,
    *,
    difference: bool | None = None,
) -> None:
    """Show a group of a ramp.

    Parameters
    ----------
    group, integration : int
        From 0; the integration stays as it is when none is given. Of data without groups the group is the
        integration.
    difference : bool, optional
        Show what came since the group before, or all that was collected until then.
    """
    view = _view(session, view)
    if difference is not None:
        view.difference = difference
    if integration is not None:
        view.integration = integration
    view.group = group


@command("ramp.step", title="Step Through Groups…", menu=MENU, needs="ramp", group="groups", merges=True)
def step(session: Session, by: int = 1, view: RampView | None = None) -> None:
    """Go some groups on (or back); after the last of an integration comes the first of the next."""
    _view(session, view).step(by)


@command("ramp.play", title="Play Groups", menu=MENU, needs="ramp", group="groups", recorded=False, script=False)
def play(session: Session, view: RampView | None = None, on: bool | None = None, *, rate: float | None = None) -> None:
    """Play the groups of a ramp one after the other, or stop.

    Parameters
    ----------
    on : bool, optional
        Left out: the other of what it does now.
    rate : float, optional
        Groups a second.
    """
    view = _view(session, view)
    if rate is not None:
        view.rate = rate
    view.playing = int(not view.playing if on is None else on)


def _view(session: Session, view: RampView | None) -> RampView:
    found = session.find_view(view, "ramp")
    ramp_layer(found)
    return found  # type: ignore[return-value]
