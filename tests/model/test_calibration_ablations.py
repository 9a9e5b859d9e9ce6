"""What each step of the pipelines does: switched off, its effect is in the numbers, as large as the truth says."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.simulate import plan_of, simulate
from jviz.backend.simulate.checks import check_product
from jviz.backend.simulate.detectors import DEAD, HOT
from jviz.calibrations import installed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="the JWST pipelines are not installed"),
]

EVEN = {"size": 160, "dithers": 1, "stars": 0, "galaxies": 0, "sky": 900.0}
RAYS, LONG = {"groups": 10, "cosmic_rays": 80.0}, {"groups": 60, "cosmic_rays": 0.0}
STAR = {"instrument": "nircam-tso", "size": 160, "integrations": 1, "transit_depth": 0.0, **LONG}
"""A star of 15.3 mag, whose middle fills the wells two times over."""


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    """Return what was simulated of some choices: ``exposure(seed=1, …)``."""
    made = {}

    def of(**choices):
        key = tuple(choices.items())
        if key not in made:
            made[key] = simulate(plan_of(**choices), tmp_path_factory.mktemp("simulated") / "field")
        return made[key]

    yield of
    for simulated in made.values():
        shutil.rmtree(simulated.folder)


@pytest.fixture
def without(calibrating, tmp_path):
    """Return the product of a pipeline with a step switched off: ``without("jump", path)``; of all steps for ``""``."""

    def run(step, inputs, pipeline="detector1"):
        steps = {step: False} if step else {}
        [product] = calibrating.run("calibration.run", inputs=inputs, pipeline=pipeline, steps=steps,
                                    folder=tmp_path / f"without-{step}")  # fmt: skip
        if step:
            assert calibrating.calibrations.live[-1].state_of(step)["state"] == "skipped"
        return product

    return run


def numbers(product):
    return {check.quantity: check.value for check in check_product(product.path)}


def planes(product):
    with fits.open(product.path, memmap=False) as hdus:
        return [hdus[name].data for name in ("SCI", "ERR", "DQ")]


def truth(field, plane="RATE"):
    return fits.getdata(field.truths[0], plane)


def reference(field, kind, plane="SCI"):
    [path] = (field.cache / "references").rglob(f"*_{kind}_*.fits")
    return fits.getdata(path, plane)


def slope_of(values, over):
    """Return by how much values grow with another quantity."""
    apart = over - over.mean()
    return float((apart * values).sum() / (apart**2).sum())


def test_slopes_of_an_even_light(exposure, without):
    """Reference pixels, flags of bad ones, linearity and cosmic rays, each by its own number."""
    field = exposure(seed=32, **EVEN, **RAYS)
    steps = ("", "dq_init", "refpix", "linearity", "jump")
    products = {step: without(step, field.exposures[0]) for step in steps}
    found = {step: numbers(product) for step, product in products.items()}
    ratio = {step: each["slope / truth"] for step, each in found.items()}
    assert abs(ratio[""] - 1) < 0.002
    assert 0.95 < found[""]["width of pulls"] < 1.06
    assert found[""]["pulls beyond 5"] < 2e-4

    # Drifts of the amplifier stay; without flags nothing says which pixels are reference pixels.
    for step in ("refpix", "dq_init"):
        assert abs(found[step]["mean pull"] - found[""]["mean pull"]) > 0.3
        assert found[step]["width of pulls"] > found[""]["width of pulls"] + 0.01
        assert abs(ratio[step] - 1) > 0.005
    bad = (reference(field, "mask", "DQ") & DEAD) != 0
    assert bad.sum() > 10
    assert (planes(products[""])[2][bad] & DEAD).all()
    assert not (planes(products["dq_init"])[2][bad] & DEAD).any()

    # Wells bend by curvature × signal, of which a line through the ramp sees about its last read; 2100 DN here.
    assert -0.008 < ratio["linearity"] - ratio[""] < -0.0015

    assert found["jump"]["pulls beyond 5"] > 1e-3
    rays = truth(field, "COSMIC_RAYS")
    rays = rays[(rays["group"] > 0) & (rays["charge"] > 500)]
    excess = [np.nanmean((planes(products[step])[0] - truth(field))[rays["y"], rays["x"]]) for step in ("", "jump")]
    assert abs(excess[0]) < 20
    assert excess[1] > 100


def test_full_wells_and_the_current_of_hot_pixels(exposure, without):
    field = exposure(seed=33, **STAR)
    rate = truth(field)
    products = {step: planes(without(step, field.exposures[0])) for step in ("", "saturation", "dark_current")}
    seconds = fits.getheader(field.exposures[0])["TGROUP"] * STAR["groups"]
    room = reference(field, "saturation") - reference(field, "superbias")
    full = rate * seconds > 2.2 * room
    assert full.sum() >= 3
    slopes = {step: float(slope[full].sum() / rate[full].sum()) for step, (slope, *_) in products.items()}
    assert slopes[""] == pytest.approx(1, abs=0.005)
    assert slopes["saturation"] < 0.1  # most reads are those of a full well, which grows no more
    assert (products[""][2][full] & 2).all()
    assert not (products["saturation"][2] & 2).any()

    dark = reference(field, "dark")
    current = (dark[-1] - dark[0]) / (len(dark) - 1) / fits.getheader(field.exposures[0])["TGROUP"]
    hot = ((reference(field, "mask", "DQ") & HOT) != 0) & (rate < 5)
    assert hot.sum() > 30
    left = {step: float(np.mean((slope - rate)[hot])) for step, (slope, *_) in products.items()}
    assert abs(left[""]) < 0.2
    assert left["dark_current"] == pytest.approx(current[hot].mean(), rel=0.1)


def test_the_bias_bends_with_the_signal(exposure, without):
    """Reference pixels take its mean off; its pattern then is taken for signal: slopes grow by 2 c × bias."""
    field = exposure(seed=32, **EVEN, **LONG)
    rate, bias = truth(field), reference(field, "superbias").astype(float)
    slopes, curves = [], reference(field, "linearity", "COEFFS")[2]
    for step in ("", "superbias"):
        slope, _, flags = planes(without(step, field.exposures[0]))
        good = (flags == 0) & (rate > 0)
        slopes.append(slope_of(slope[good] / rate[good], bias[good]))
    assert abs(slopes[0]) < 3e-6
    assert slopes[1] - slopes[0] == pytest.approx(2 * np.mean(curves[rate > 0]), rel=0.1)


def test_the_flat_and_the_unit(exposure, without):
    field = exposure(seed=32, **EVEN, **RAYS)
    rate = without("", field.exposures[0]).path
    sky, flat = truth(field, "SCI"), reference(field, "flat")
    products = {step: without(step, rate, "image2") for step in ("", "flat_field", "photom")}
    grows, ratios = {}, {}
    for step, product in products.items():
        value, _, flags = planes(product)
        good = (flags == 0) & np.isfinite(value) & (flat > 0.5)
        ratios[step] = float(value[good].sum(dtype=float) / sky[good].sum(dtype=float))
        grows[step] = slope_of(value[good] / sky[good] / ratios[step], flat[good].astype(float))
    # The pattern of the pixels stays as it is, or goes.
    assert grows["flat_field"] == pytest.approx(1, abs=0.05)
    assert abs(grows[""]) < 0.05
    assert ratios[""] == pytest.approx(1, abs=0.002)
    header = fits.getheader(products[""].path, "SCI")
    assert ratios["photom"] * header["PHOTMJSR"] == pytest.approx(ratios[""], rel=1e-5)
    assert [fits.getheader(products[step].path, "SCI")["BUNIT"] for step in ("", "photom")] == ["MJy/sr", "DN/s"]


# --- exposures that were simulated elsewhere --------------------------------------------------------------


def test_flags_of_exposures_simulated_elsewhere(uncal, sim, without):
    [path] = (sim / "crds").rglob("*nircam_mask*.fits")
    bad = (fits.getdata(path, "DQ") & 1) != 0
    assert bad.sum() > 10
    flags = [planes(without(step, uncal(1)))[2] for step in ("", "dq_init")]
    assert (flags[0][bad] & 1).all()
    assert not (flags[1][bad] & 1).any()


def test_flat_and_unit_of_exposures_simulated_elsewhere(uncal, sim, truth_of_pixels, without):
    rate, flat = truth_of_pixels, fits.getdata(next((sim / "crds").rglob("*nircam_flat*.fits")), "SCI")
    [photom] = fits.getdata(next((sim / "crds").rglob("*nircam_photom*.fits")), "PHOTOM")["photmjsr"][:1]
    ratios = {}
    for step in ("", "flat_field", "photom"):
        value, _, flags = planes(without(step, uncal(1, "rate"), "image2"))
        good = (flags == 0) & np.isfinite(value) & (rate > 10)
        ratios[step] = value[good].sum() / (rate / flat)[good].sum() / photom
    assert ratios[""] == pytest.approx(1, abs=0.002)
    assert ratios["flat_field"] > ratios[""] + 0.002
    assert ratios["photom"] == pytest.approx(ratios[""] / photom, rel=1e-5)


@pytest.fixture
def truth_of_pixels(truth):
    """Rates that were put into the first exposure, in DN/s."""
    return truth(1)["rate"]
