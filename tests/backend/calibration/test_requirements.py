"""Inputs that a pipeline or a step cannot work on are refused by their headers alone."""

import json

import pytest
from astropy.io import fits

from jviz import JvizError
from jviz.backend.calibration.products import main_products
from jviz.backend.calibration.registry import subject_of
from jviz.backend.calibration.requirements import check_inputs, check_step

INSTRUMENTS = {"NRC": "NIRCAM", "MIR": "MIRI", "NRS": "NIRSPEC", "NIS": "NIRISS", "FGS": "FGS"}


@pytest.fixture
def exposure(tmp_path):
    """Return ``exposure("cal", "NRC_IMAGE", NINTS=2)``: a file that has a header."""

    def make(suffix, kind, number=1, **more):
        path = tmp_path / f"jw01234001001_02101_{number:05d}_x_{suffix}.fits"
        first = fits.PrimaryHDU()
        first.header.update({"TELESCOP": "JWST", "INSTRUME": INSTRUMENTS[kind[:3]], "EXP_TYPE": kind, **more})
        first.writeto(path, overwrite=True)
        return subject_of(path)

    return make


@pytest.fixture
def association(tmp_path, exposure):
    """Return ``association("coron3", {product: [(exposure, role)]})``."""

    def make(kind, products):
        content = [{"name": name, "members": [{"expname": one.path.name, "exptype": role} for one, role in members]}
                   for name, members in products.items()]  # fmt: skip
        path = tmp_path / "made_asn.json"
        path.write_text(json.dumps({"asn_type": kind, "products": content}))
        return subject_of(path)

    return make


@pytest.mark.parametrize(
    ("pipeline", "suffix", "kind", "more", "says"),
    [
        ("detector1", "cal", "NRC_IMAGE", {}, "needs raw exposures .uncal., .* kind cal. .* run calwebb_image3 on"),
        ("dark", "rate", "NRC_IMAGE", {}, "needs raw exposures .uncal., .* of the kind rate. .* run calwebb_image2 on"),
        ("detector1", "i2d", "NRC_IMAGE", {}, r"of the kind i2d. Give such exposures\.$"),
        ("guider", "uncal", "NRC_IMAGE", {}, "exposures for guiding, .* NRC_IMAGE .EXP_TYPE.. Run calwebb_detector1"),
        ("detector1", "uncal", "FGS_ACQ1", {}, "exposures of science, .* FGS_ACQ1 .EXP_TYPE.. Run calwebb_guider"),
        ("image2", "uncal", "NRC_IMAGE", {}, "needs slopes .rate or rateints., .* kind uncal. .* calwebb_detector1"),
        ("image2", "cal", "NRC_IMAGE", {}, "needs slopes .rate or rateints., .* of the kind cal"),
        ("image2", "rate", "MIR_MRS", {}, "works on images, .* MIR_MRS .EXP_TYPE.. Run calwebb_spec2 on it"),
        ("spec2", "rate", "NRC_IMAGE", {}, "works on spectra, .* NRC_IMAGE .EXP_TYPE.. Run calwebb_image2 on it"),
        ("image3", "rate", "NRC_IMAGE", {}, "needs calibrated exposures .cal., .* of the kind rate"),
        ("image3", "cal", "NRS_IFU", {}, "works on images, .* NRS_IFU .EXP_TYPE.. Run calwebb_spec3 on it"),
        ("spec3", "cal", "NRC_IMAGE", {}, "works on spectra, .* NRC_IMAGE .EXP_TYPE.. Run calwebb_image3 on it"),
        ("tso3", "cal", "NRC_TSIMAGE", {}, "needs calibrated integrations .calints., .* of the kind cal"),
        ("tso3", "calints", "MIR_IMAGE", {"TSOVISIT": False}, "time series, .* TSOVISIT is not true. Run .*image3"),
        ("tso3", "calints", "NRC_TSIMAGE", {"NINTS": 1}, "one integration alone .NINTS.. Give"),
        ("coron3", "calints", "NRC_IMAGE", {}, "coronagraphic exposures, .* Run calwebb_image3 on it"),
        ("coron3", "calints", "NRC_CORON", {}, "a target and of a reference star .* has none of a reference star"),
        ("coron3", "calints", "NRC_CORON", {"IS_PSF": True}, "has none of a target"),
        ("ami3", "cal", "NIS_IMAGE", {}, "through the non-redundant mask of NIRISS, .* Run calwebb_image3 on it"),
        ("wfs-image3", "cal", "NRC_IMAGE", {}, "combines pairs, and the input has 1 science exposure. Give two"),
    ],
)
def test_wrong_levels_and_types_say_what_to_run_instead(exposure, pipeline, suffix, kind, more, says):
    with pytest.raises(JvizError, match=says) as raised:
        check_inputs([f"calwebb_{pipeline}"], [exposure(suffix, kind, **more)])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("pipelines", "suffix", "kind", "more"),
    [
        ("detector1 image2 image3", "uncal", "NRC_IMAGE", {}),
        ("dark", "uncal", "NRC_IMAGE", {}),
        ("image3", "cal", "NRC_TACQ", {}),  # not what is done by itself, and it works
        ("image3", "cal", "NRC_CORON", {}),
        ("image2", "rate", "NRS_LAMP", {"GRATING": "MIRROR"}),
        ("spec2", "rate", "NRS_LAMP", {"GRATING": "G395M"}),
        ("spec2 tso3", "rateints", "NRS_BRIGHTOBJ", {"NINTS": 9}),
        ("tso3", "calints", "MIR_IMAGE", {"TSOVISIT": True}),
        ("image2", "rate", "NRC_SOMETHING", {}),  # a type that this version does not know
        ("ami3", "calints", "NIS_AMI", {}),
    ],
)
def test_what_fits_is_let_through(exposure, pipelines, suffix, kind, more):
    check_inputs([f"calwebb_{name}" for name in pipelines.split()], [exposure(suffix, kind, **more)])


def test_of_associations_the_members_count(exposure, association):
    target, star = exposure("calints", "MIR_4QPM"), exposure("calints", "MIR_4QPM", 2)
    with pytest.raises(JvizError, match=r"made_asn\.json has none of a reference star"):
        check_inputs(["calwebb_coron3"], [association("coron3", {"x": [(target, "science"), (star, "background")]})])
    check_inputs(["calwebb_coron3"], [association("coron3", {"x": [(target, "science"), (star, "psf")]})])
    slope = exposure("rate", "MIR_IMAGE")
    with pytest.raises(JvizError, match=r"image3 needs calibrated exposures \(cal\), and .*_x_rate\.fits is"):
        check_inputs(["calwebb_image3"], [association("image3", {"x": [(slope, "science")]})])
    both = [(target, "science"), (star, "psf")]
    with pytest.raises(JvizError, match=r"coron3 makes one product, and made_asn\.json has 2 \(x, y\)"):
        check_inputs(["calwebb_coron3"], [association("coron3", {"x": both, "y": both})])


def test_the_odd_one_among_many_is_named(exposure):
    good = [exposure("cal", "NRC_IMAGE", number) for number in (1, 2)]
    with pytest.raises(JvizError, match=r"02101_00003_x_rate\.fits is of the kind rate"):
        check_inputs(["calwebb_image3"], [*good, exposure("rate", "NRC_IMAGE", 3)])


def test_a_step_alone_is_given_what_it_works_on(exposure):
    first, second = ["calwebb_detector1", "calwebb_dark"], ["calwebb_image2", "calwebb_spec2"]
    with pytest.raises(JvizError, match=r"The step jump works on ramps \(uncal or ramp\), and .* is of the kind cal\."):
        check_step("jump", first, exposure("cal", "NRC_IMAGE"))
    with pytest.raises(JvizError, match=r"The step photom works on slopes or calibrated .* is of the kind uncal\."):
        check_step("photom", second, exposure("uncal", "NRC_IMAGE"))
    check_step("jump", first, exposure("ramp", "NRC_IMAGE"))
    check_step("gain_scale", first, exposure("rate", "NRC_IMAGE"))
    check_step("assign_wcs", second, exposure("ramp", "NRC_IMAGE"))


def test_products_whose_names_end_like_a_suffix_are_found():
    """jwst takes what ends like a suffix from the name of a product, and puts its own after a hyphen."""
    made = ["a_a3001_ami-oi.fits", "b_a3001_psf-ami-oi.fits", "jw01093-o012_t001_niriss_f480m-nrm-aminorm-oi.fits"]
    assert main_products("calwebb_ami3", made) == [made[2], made[0]]
    plain = [*made[:2], "jw01093-o012_t001_niriss_f480m-nrm_aminorm-oi.fits"]
    assert main_products("calwebb_ami3", plain) == [plain[2], plain[0]]
    mosaic = ["x_i2d.fits", "x_cat.ecsv", "y_a3001_crf.fits"]
    assert main_products("calwebb_image3", mosaic) == mosaic[:2]
    rates = ["x_rate.fits", "x_rateints.fits", "y_rateints.fits"]
    assert main_products("calwebb_detector1", rates) == ["x_rate.fits", "y_rateints.fits"]
