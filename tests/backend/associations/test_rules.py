"""Associations by the rules of jviz: of headers, and against the rules of jwst on its own pools."""

import importlib.util
import json
import subprocess
import sys

import pytest

from jviz.backend.associations.model import Association
from jviz.backend.associations.rules import exposure_of, left_out, made, pool_exposures
from jviz.errors import CommandError

BASE = {"PROGRAM": "01234", "OBSERVTN": "001", "TARGPROP": "M31", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1",
        "FILTER": "F200W", "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE", "SUBARRAY": "FULL"}  # fmt: skip


def exposure(number, suffix="rate", **keys):
    keys = {**BASE, **keys}
    observation = keys["OBSERVTN"]
    return exposure_of(f"jw01234{observation}001_02101_{number:05d}_nrca1_{suffix}.fits", keys)


def members(association):
    return {product.name: [(m.expname.rpartition("_")[0][-11:-6], m.exptype) for m in product.members]
            for product in association.products}  # fmt: skip


def test_rate_files_make_one_product_each():
    [association] = made([exposure(1), exposure(2)])
    assert isinstance(association, Association)
    assert (association.asn_type, association.level, association.more["program"]) == ("image2", 2, "01234")
    assert [product.name for product in association.products] == [
        "jw01234001001_02101_00001_nrca1", "jw01234001001_02101_00002_nrca1",
    ]  # fmt: skip
    assert all(len(product.members) == 1 for product in association.products)


def test_filters_targets_and_programs_stay_apart_at_level_3():
    given = [exposure(1, "cal"), exposure(2, "cal"), exposure(3, "cal", FILTER="F444W"),
             exposure(4, "cal", TARGPROP="M33"), exposure(5, "cal", PROGRAM="05678")]  # fmt: skip
    found = {a.products[0].name: len(a.members) for a in made(given)}
    assert found == {
        "jw01234-o001_t001_nircam_clear-f200w": 2, "jw01234-o001_t001_nircam_clear-f444w": 1,
        "jw01234-o001_t002_nircam_clear-f200w": 1, "jw05678-o001_t001_nircam_clear-f200w": 1,
    }  # fmt: skip


def test_raw_exposures_make_both_levels_under_the_names_to_come():
    second, third = made([exposure(1, "uncal"), exposure(2, "uncal")])
    assert [m.expname[-10:] for m in second.members] == ["_rate.fits"] * 2
    assert [m.expname[-9:] for m in third.members] == ["_cal.fits"] * 2
    assert [a.asn_type for a in made([exposure(1, "uncal")], level=3)] == ["image3"]


def test_exposures_of_several_observations_are_a_list():
    [association] = made([exposure(1, "cal"), exposure(1, "cal", OBSERVTN="002")])
    assert association.more["asn_id"] == "a3001"


def test_candidates_of_a_pool_name_what_goes_together():
    def one(number, observation, *candidates, **keys):
        text = str([(f"o{observation}", "observation"), *candidates])
        return exposure(number, "uncal", OBSERVTN=observation, ASN_CANDIDATE=text, **keys)

    tiles = one(1, "001", ("c1001", "mosaic")), one(1, "002", ("c1001", "mosaic"), ("c1002", "group"))
    [mosaic] = made(tiles, level=3)
    assert (mosaic.more["asn_id"], mosaic.products[0].name) == ("c1001", "jw01234-c1001_t001_nircam_clear-f200w")
    mrs = {"INSTRUME": "MIRI", "EXP_TYPE": "MIR_MRS", "BAND": "SHORT", "CHANNEL": "12", "DETECTOR": "MIRIFUSHORT"}
    sky = {**mrs, "BKGDTARG": "t", "TARGPROP": "SKY"}
    given = [one(1, "003", ("c1003", "background"), **mrs), one(1, "004", ("c1003", "background"), **sky),
             one(1, "005", ("c1004", "background"), **sky)]  # fmt: skip
    second = next(a for a in made(given, level=2) if a.asn_type == "spec2")
    roles = {member.exptype: member.expname for member in second.products[0].members}
    assert [m.exptype for m in second.products[0].members] == ["science", "background"]
    assert "004001" in roles["background"]


def test_pictures_that_confirm_an_acquisition_go_with_spectra_of_the_lrs():
    lrs = {"INSTRUME": "MIRI", "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "DETECTOR": "MIRIMAGE", "FILTER": "P750L"}
    given = [exposure(1, "uncal", **lrs), exposure(2, "uncal", **{**lrs, "EXP_TYPE": "MIR_TACONFIRM"}),
             exposure(3, "uncal", **{**lrs, "EXP_TYPE": "MIR_TACQ"}),
             exposure(4, "uncal", **{**lrs, "EXP_TYPE": "MIR_TACONFIRM", "OBSERVTN": "009"})]  # fmt: skip
    second, third = found = made(given)
    assert [(member.expname[:31], member.exptype) for member in second.products[0].members] == [
        ("jw01234001001_02101_00001_nrca1", "science"), ("jw01234001001_02101_00002_nrca1", "target_acquisition"),
    ]  # fmt: skip
    assert len(third.members) == 1
    assert left_out(given, found).startswith("Of 4 exposures 2 are in no association: 1 MIR_TACONFIRM, 1 MIR_TACQ.")
    assert left_out(given[:2], found) == ""


def test_background_and_imprint_have_their_roles():
    keys = {"INSTRUME": "NIRSPEC", "EXP_TYPE": "NRS_IFU", "GRATING": "G235H", "FILTER": "F170LP", "PUPIL": ""}
    given = [exposure(1, **keys), exposure(2, **keys, IS_IMPRT=True), exposure(3, **keys, BKGDTARG=True),
             exposure(4, **keys | {"GRATING": "G140H"}, BKGDTARG=True)]  # fmt: skip
    [association] = made(given)
    assert association.asn_type == "spec2"
    assert members(association)["jw01234001001_02101_00001_nrca1"] == [
        ("00001", "science"), ("00002", "imprint"), ("00003", "background"),
    ]  # fmt: skip
    [third] = made([exposure(n, "cal", **keys, BKGDTARG=n == 2, TARGPROP=f"T{n}") for n in (1, 2)])
    assert [(m.expname[-8:], m.exptype) for m in third.members] == [("cal.fits", "science"), ("x1d.fits", "background")]


def test_mrs_joins_its_bands_and_time_series_stand_alone():
    keys = {"INSTRUME": "MIRI", "EXP_TYPE": "MIR_MRS", "FILTER": "", "PUPIL": ""}
    [association] = made([exposure(1, "cal", **keys, CHANNEL="12", BAND="SHORT"),
                          exposure(2, "cal", **keys, CHANNEL="34", BAND="LONG")])  # fmt: skip
    assert (association.products[0].name, len(association.members)) == ("jw01234-o001_t001_miri", 2)
    series = {"EXP_TYPE": "NRC_TSIMAGE", "TSOVISIT": True}
    found = made([exposure(1, "calints", **series), exposure(1, "calints", **series, OBSERVTN="002")])
    assert [a.asn_type for a in found] == ["tso3", "tso3"]


def test_what_is_refused():
    with pytest.raises(CommandError, match=r"None of these exposures is of science.*NRC_TACQ"):
        made([exposure(1, EXP_TYPE="NRC_TACQ")])
    with pytest.raises(CommandError, match="different levels"):
        made([exposure(1), exposure(2, "cal")])
    with pytest.raises(CommandError, match=r"_i2d\.fits is taken by no association"):
        made([exposure(1, "i2d")])
    from astropy.table import Table

    with pytest.raises(CommandError, match="no column program"):
        pool_exposures(Table({"filename": ["a.fits"]}))


BY_JWST = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from pathlib import Path
import jwst.associations.tests as tests
from jwst.associations.main import Main
from jwst.associations.tests.helpers import combine_pools
from jviz.backend.associations import rules

found = {}
for name in sys.argv[1:]:
    pool = combine_pools([str(Path(tests.__file__).parent / "data" / name)])
    main = Main(args=["--all-candidates"], pool=pool)
    main.generate()
    theirs = {}
    for association in main.associations:
        content = json.loads(association.dump()[1])
        for product in content["products"]:
            key = content["asn_type"] + " " + product["name"]
            theirs[key] = sorted([m["expname"], m["exptype"]] for m in product["members"])
    ours = {f"{a.asn_type} {p.name}": sorted([m.expname, m.exptype] for m in p.members)
            for a in rules.made(rules.pool_exposures(pool)) for p in a.products}
    found[name] = (theirs, ours)
json.dump(found, sys.stdout)
"""

POOLS = ("pool_002_image_miri.csv", "pool_003_image_nircam.csv", "pool_020_00009_image_miri.csv",
         "pool_019_niriss_wfss.csv", "pool_023_nirspec_msa_3nod.csv", "pool_023b_nirspec_msa_3nod_subpix.csv",
         "pool_024b_nirspec_fss_nods.csv", "jw87800_20180412T163456_pool.csv")  # fmt: skip


def test_the_rules_of_jwst_make_the_same_of_its_pools():
    if importlib.util.find_spec("jwst") is None:
        pytest.skip("the JWST pipelines are not installed")
    run = subprocess.run([sys.executable, "-c", BY_JWST, *POOLS], capture_output=True, text=True)
    if "FileNotFoundError" in run.stderr or "ModuleNotFoundError" in run.stderr:
        pytest.skip("this jwst comes without its pools")
    assert run.returncode == 0, run.stderr[-2000:]
    for name, (theirs, ours) in json.loads(run.stdout[run.stdout.index("{") :]).items():
        assert len(theirs) >= 9, name
        assert ours == theirs, name
