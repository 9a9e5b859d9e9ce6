"""Rules for reference files: what they choose, against the package of CRDS, and what is refused."""

import itertools
import os
from importlib.util import find_spec

import pytest

from jviz.backend.calibration.environment import crds_environment
from jviz.backend.calibration.mappings import holds, read_mapping
from jviz.backend.calibration.rules import NOT_APPLICABLE, Rules, keys_of, rows_of
from jviz.errors import JvizError
from tests.crds_cache import best_by_crds, write_cache

IMAGE = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "FILTER": "F090W", "PUPIL": "CLEAR",
         "EXP_TYPE": "NRC_IMAGE", "READPATT": "RAPID", "SUBSIZE1": 2048, "DATE-OBS": "2022-07-01",
         "TIME-OBS": "10:00:00.5"}  # fmt: skip


@pytest.fixture
def rules(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CRDS_")]:
        monkeypatch.delenv(name)
    return Rules(write_cache(tmp_path / "crds"))


def many_headers():
    choices = {
        "DETECTOR": ("NRCA1", "NRCA3", "NRCB1"), "FILTER": ("F200W", "F090W", "F444W"), "PUPIL": ("CLEAR", "MASKRND"),
        "EXP_TYPE": ("NRC_IMAGE", "NRC_WFSS"), "READPATT": ("RAPID", "DEEP8"), "SUBSIZE1": (2048, 640, 64, 8),
        "DATE-OBS": ("2019-01-01", "2021-03-01", "2024-01-01"),
    }  # fmt: skip
    for values in itertools.product(*choices.values()):
        yield IMAGE | dict(zip(choices, values, strict=True))


@pytest.mark.skipif(find_spec("crds") is None, reason="crds is not installed")
@pytest.mark.parametrize("context", ["jwst_0001.pmap", "jwst_0002.pmap"])
def test_the_choices_are_those_of_crds(rules, context):
    headers = list(many_headers())
    given = {"CRDS_PATH": str(rules.folder), "CRDS_IGNORE_MAPPING_CHECKSUM": "1"}
    environment = {**os.environ, **crds_environment(offline=True, environment=given)}
    theirs = best_by_crds([keys_of(header) for header in headers], context, environment)
    for header, expected in zip(headers, theirs, strict=True):
        mine = {kind: choice.file for kind, choice in rules.choices(header, context).items()}
        assert mine == {kind: _said(text) for kind, text in expected.items()}, header


def _said(text):
    if text.upper().startswith("NOT FOUND N/A"):
        return NOT_APPLICABLE
    return "" if text.startswith("NOT FOUND") else text


def test_the_most_specific_rule_and_the_last_date_count(rules):
    def flat(**keys):
        return rules.choices(IMAGE | keys, "jwst_0002.pmap")["flat"].file

    assert flat() == "flat_c.fits"  # two rules fit equally well: their dates count together
    assert flat(**{"DATE-OBS": "2021-07-01"}) == "flat_d.fits"
    assert flat(DETECTOR="NRCA3") == "flat_c.fits"
    assert flat(**{"DETECTOR": "NRCA3", "DATE-OBS": "2023-05-02"}) == "flat_new.fits"
    assert flat(DETECTOR="NRCB1", FILTER="F444W") == NOT_APPLICABLE
    assert flat(DETECTOR="NRCB1", FILTER="F070W") == "flat_e.fits"


def test_a_date_before_all_rules_has_no_file(rules):
    choice = rules.choices(IMAGE | {"DATE-OBS": "2001-01-01"}, "jwst_0001.pmap")["flat"]
    assert choice.file == ""
    assert "no rule" in choice.reason


def test_contexts_and_what_is_set_by_the_user(rules, monkeypatch):
    assert rules.contexts() == ["jwst_0001.pmap", "jwst_0002.pmap"]
    assert rules.context() == "jwst_0002.pmap"
    monkeypatch.setenv("CRDS_CONTEXT", "jwst_0001.pmap")
    assert rules.context() == "jwst_0001.pmap"
    assert rules.context("jwst_0002.pmap") == "jwst_0002.pmap"
    with pytest.raises(JvizError, match=r"jwst_0999\.pmap is not in .*jwst_0001\.pmap, jwst_0002\.pmap"):
        rules.context("jwst_0999.pmap")


def test_an_empty_cache_says_what_to_do(tmp_path):
    with pytest.raises(JvizError, match="CRDS_PATH"):
        Rules(tmp_path).context()


def test_rows_tell_what_chooses(rules):
    rows = rows_of(rules, "jwst_0002.pmap")
    key = ("nircam", "flat", "DETECTOR=NRCA*", "FILTER=F070W|F090W", "PUPIL=CLEAR", "UseAfter=2023-05-01 00:00:00")
    assert rows[key] == "flat_new.fits"
    assert rows["nircam", "ipc"] == "N/A"


@pytest.mark.parametrize(
    "text",
    [
        "header = {}\nselector = __import__('os').system('true')",
        "header = {}\nselector = Match({}) if True else None",
        "header = {'a': open('x')}\nselector = {}",
        "selector = {}",
        "header = {",
        "",
    ],
)
def test_nothing_in_a_mapping_is_executed(tmp_path, text):
    path = tmp_path / "jwst_bad_0001.rmap"
    path.write_text(text)
    with pytest.raises(JvizError, match=r"jwst_bad_0001\.rmap cannot be read"):
        read_mapping(path)


def test_a_missing_mapping_is_named(rules):
    (rules.mappings / "jwst_nircam_flat_0001.rmap").unlink()
    with pytest.raises(JvizError, match=r"jwst_nircam_flat_0001\.rmap is not in"):
        rules.choices(IMAGE, "jwst_0001.pmap")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("always", True),
        ('(META.A == "X" and META.B not in ("Y",))', True),
        ('(META.A in ("P", "Q") or not META.B == "Z")', False),
        ('(META.C == "UNDEFINED")', True),
    ],
)
def test_conditions(text, expected):
    assert holds(text, {"META.A": "X", "META.B": "Z"}) is expected


@pytest.mark.parametrize("text", ["__import__('os')", "META.A.upper() == 'X'", "[x for x in 'a']", "META.A + 'X'"])
def test_conditions_hold_nothing_else(text):
    with pytest.raises(ValueError, match="no condition"):
        holds(text, {"META.A": "X"})
