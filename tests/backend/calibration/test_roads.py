"""Which pipeline takes which exposure on, against the table of jwst's documentation and the lists in its source."""

import json

import pytest
from astropy.io import fits

from jviz.backend.calibration.registry import chain_of, next_pipeline, strict, subject_of
from jviz.backend.calibration.roads import ROADS, road_of
from jviz.errors import JvizError

# jwst documentation, "Pipelines vs. Exposure Type": EXP_TYPE, TSOVISIT (True, False, or - for not allowed), and the
# pipelines of the three stages, without calwebb_.
DOCUMENTED = """
FGS_DARK - dark - -
FGS_SKYFLAT - detector1 - -
FGS_INTFLAT - detector1 - -
FGS_FOCUS - detector1 image2 -
FGS_IMAGE - detector1 image2 image3
FGS_ID-STACK - guider - -
FGS_ID-IMAGE - guider - -
FGS_ACQ1 - guider - -
FGS_ACQ2 - guider - -
FGS_TRACK - guider - -
FGS_FINEGUIDE - guider - -
MIR_DARKIMG - dark - -
MIR_DARKMRS - dark - -
MIR_FLATIMAGE - detector1 - -
MIR_FLATIMAGE-EXT - detector1 - -
MIR_FLATMRS - detector1 - -
MIR_FLATMRS-EXT - detector1 - -
MIR_TACQ - detector1 image2 -
MIR_CORONCAL - detector1 image2 -
MIR_IMAGE True detector1 image2 tso3
MIR_IMAGE False detector1 image2 image3
MIR_LRS-FIXEDSLIT True detector1 spec2 tso3
MIR_LRS-FIXEDSLIT False detector1 spec2 spec3
MIR_LRS-SLITLESS True detector1 spec2 tso3
MIR_LRS-SLITLESS False detector1 spec2 -
MIR_MRS - detector1 spec2 spec3
MIR_LYOT - detector1 image2 coron3
MIR_4QPM - detector1 image2 coron3
NRC_DARK - dark - -
NRC_FLAT - detector1 - -
NRC_LED - detector1 - -
NRC_GRISM - detector1 - -
NRC_TACQ - detector1 image2 -
NRC_TACONFIRM - detector1 image2 -
NRC_FOCUS - detector1 image2 -
NRC_IMAGE - detector1 image2 image3
NRC_CORON - detector1 image2 coron3
NRC_WFSS - detector1 spec2 spec3
NRC_TSIMAGE True detector1 image2 tso3
NRC_TSGRISM True detector1 spec2 tso3
NIS_DARK - dark - -
NIS_LAMP - detector1 - -
NIS_EXTCAL - detector1 - -
NIS_TACQ - detector1 image2 -
NIS_TACONFIRM - detector1 image2 -
NIS_FOCUS - detector1 image2 -
NIS_IMAGE - detector1 image2 image3
NIS_AMI - detector1 image2 ami3
NIS_WFSS - detector1 spec2 spec3
NIS_SOSS True detector1 spec2 tso3
NIS_SOSS False detector1 spec2 spec3
NRS_DARK - dark - -
NRS_AUTOWAVE - detector1 spec2 -
NRS_AUTOFLAT - detector1 spec2 -
NRS_LAMP - detector1 spec2 -
NRS_IMAGE - detector1 image2 -
NRS_WATA - detector1 image2 -
NRS_MSATA - detector1 image2 -
NRS_TACONFIRM - detector1 image2 -
NRS_CONFIRM - detector1 image2 -
NRS_FOCUS - detector1 image2 -
NRS_MIMF - detector1 image2 -
NRS_FIXEDSLIT - detector1 spec2 spec3
NRS_IFU - detector1 spec2 spec3
NRS_MSASPEC - detector1 spec2 spec3
NRS_BRIGHTOBJ True detector1 spec2 tso3
"""
ROWS = [line.split() for line in DOCUMENTED.strip().splitlines()]


def subject(folder, suffix, exp_type, **more):
    header = {"TELESCOP": "JWST", "INSTRUME": "X", "EXP_TYPE": exp_type, **more}
    return subject_of(folder / f"jw01_{suffix}.fits", header)


def offered(found):
    try:
        return next_pipeline(found).removeprefix("calwebb_")
    except JvizError as error:
        return "-" if f"is of the type {found.exp_type}" in str(error) else str(error)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_each_level_of_each_type_goes_through_the_pipeline_that_is_documented(tmp_path, row):
    exp_type, series, *stages = row
    visits = {"True": [True], "False": [False], "-": [False, True]}[series]
    for visit in visits:
        products = "uncal", "rateints" if visit else "rate", "calints" if visit else "cal"
        subjects = [subject(tmp_path, suffix, exp_type, TSOVISIT=visit) for suffix in products]
        # What guiding and dark exposures become needs nothing more.
        found = [offered(each) for each in subjects]
        assert found == stages
        assert chain_of(subjects[0]) == [f"calwebb_{name}" for name in stages if name != "-"]


def test_every_type_that_the_products_may_have_is_known():
    yaml = pytest.importorskip("yaml")
    models = pytest.importorskip("stdatamodels")
    from pathlib import Path

    schema = Path(models.__file__).parent / "jwst" / "datamodels" / "schemas" / "core.schema.yaml"
    exposure = yaml.safe_load(schema.read_text())["properties"]["meta"]["properties"]["exposure"]["properties"]
    assert set(exposure["type"]["enum"]) - {"N/A", "ANY"} == set(ROADS)


@pytest.mark.parametrize(
    ("exp_type", "header", "chain"),
    [
        ("NRC_IMAGE", {"PATTTYPE": "WFSC"}, "detector1 image2 wfs-image3"),
        ("NRC_IMAGE", {"PATTTYPE": "INTRAMODULE"}, "detector1 image2 image3"),
        ("NRS_LAMP", {"GRATING": "MIRROR"}, "detector1 image2"),
        ("NRS_LAMP", {"GRATING": "G140H"}, "detector1 spec2"),
        ("NRS_MSASPEC", {"GRATING": "MIRROR"}, "detector1 image2"),
        ("MIR_WFSS", {}, "detector1 spec2 spec3"),
        ("NIS_SOSS", {}, "detector1 spec2 tso3"),
        ("MIR_LRS-SLITLESS", {}, "detector1 spec2 tso3"),
    ],
)
def test_other_keywords_decide_where_the_type_does_not(tmp_path, exp_type, header, chain):
    found = subject(tmp_path, "uncal", exp_type, **header)
    assert chain_of(found) == [f"calwebb_{name}" for name in chain.split()]


def test_an_unknown_type_goes_the_way_of_images():
    assert road_of("XYZ_NEW") == road_of("NRC_IMAGE")


def association(folder, kind, text=None):
    header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_CORON"})
    fits.PrimaryHDU(header=header).writeto(folder / "jw01_cal.fits")
    content = {"asn_type": kind, "products": [
        {"name": "p", "members": [{"expname": "jw01_cal.fits", "exptype": "science"}]}]}  # fmt: skip
    path = folder / "jw01_asn.json"
    path.write_text(text(json.dumps(content)) if text else json.dumps(content))
    return path


@pytest.mark.parametrize("kind", ["None", "", "user_built"])
def test_an_association_without_a_type_goes_the_way_of_its_members(tmp_path, kind):
    assert next_pipeline(subject_of(association(tmp_path, kind))) == "calwebb_coron3"


def test_an_unknown_type_of_an_association_is_told(tmp_path):
    with pytest.raises(JvizError, match=r"has the type 'image9'; known ones are image2"):
        next_pipeline(subject_of(association(tmp_path, "image9")))


def test_an_association_with_commas_too_many_is_written_anew_beside_its_members(tmp_path):
    path = association(tmp_path, "image3", lambda text: text.replace('"}]', '",},]'))
    before = path.read_bytes()
    with pytest.raises(json.JSONDecodeError):
        json.loads(before)
    found = subject_of(path)
    assert found.is_loose
    (tmp_path / "run").mkdir()
    copy = strict(found, tmp_path / "run")
    content = json.loads(copy.path.read_text())
    assert content["products"][0]["members"] == [{"expname": "jw01_cal.fits", "exptype": "science"}]
    assert fits.getval(tmp_path / "run" / "jw01_cal.fits", "EXP_TYPE") == "NRC_CORON"
    assert path.read_bytes() == before
