"""What is wrong with an association is said, one sentence for each thing."""

import itertools
import json

import pytest

from jviz.backend.associations.checks import file_problems
from jviz.backend.associations.graph import graph_of
from jviz.backend.associations.levels import SUFFIXES, meaning_of
from jviz.backend.associations.model import Member, parsed, write_association
from jviz.errors import CommandError, JvizError

GOOD = {"asn_type": "image3", "asn_rule": "Asn_Lv3Image", "program": "01234", "asn_id": "o001", "target": "1",
        "asn_pool": "none", "kept": {"as": ["it", "is"]},
        "products": [{"name": "jw01234-o001_t001_nircam_clear-f200w", "also": 1, "members": [
            {"expname": "jw1_00001_nrca1_cal.fits", "exptype": "science", "exposerr": None},
            {"expname": "jw1_00002_nrca1_cal.fits", "exptype": "science"},
        ]}]}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    from astropy.io import fits

    for number in (1, 2):
        header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": "F200W", "PUPIL": "CLEAR"})
        fits.PrimaryHDU(header=header).writeto(tmp_path / f"jw1_0000{number}_nrca1_cal.fits")
    return tmp_path


def problems(folder, content):
    path = folder / "x_asn.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return [(problem.level, problem.text) for problem in file_problems(path)[1]]


def changed(**values):
    content = json.loads(json.dumps(GOOD))
    content.update(values)
    return content


def test_a_good_one_has_no_problems_and_is_written_as_it_was(folder):
    assert problems(folder, GOOD) == []
    association = parsed(GOOD, "x")
    path = write_association(folder / "y_asn.json", association)
    assert json.loads(path.read_text()) == GOOD
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(("content", "text"), [
    ('{"asn_type": "image3", "products": [', "no valid JSON"),
    ("[1, 2]", "no JWST association"),
    ({"asn_type": "image3", "products": [{"name": "p"}]}, "no list of members"),
    ({"asn_type": "image3", "products": [{"name": "p", "members": [{"exptype": "science"}]}]}, "no expname"),
    ({"asn_type": "image3", "products": [{"name": "p", "members": [{"expname": 3}]}]}, "no expname that is a text"),
    (changed(asn_type="mosaic"), "type 'mosaic' is of no pipeline"),
    (changed(program=1234), "program is 1234, which must be a text"),
    (changed(products=[]), "no products"),
    (changed(products=GOOD["products"] * 2), "2 products are named"),
    (changed(products=[{"name": "p_i2d.fits", "members": GOOD["products"][0]["members"]}]), "the name of a file"),
    (changed(products=[{"name": "", "members": GOOD["products"][0]["members"]}]), "has no name"),
    (changed(products=[{"name": "p", "members": [{"expname": "jw1_00001_nrca1_cal.fits", "exptype": "dark"}]}]),
     "role 'dark', which no step knows"),
    (changed(products=[{"name": "p", "members": [{"expname": "jw1_00001_nrca1_cal.fits", "exptype": "background"}]}]),
     "no member with the role science"),
    (changed(products=[{"name": "p", "members": [{"expname": "jw1_00009_nrca1_cal.fits", "exptype": "science"}]}]),
     "jw1_00009_nrca1_cal.fits is not in"),
    (changed(asn_type="image2"), "2 science members"),
    (changed(products=[{"name": "p", "members": [{"expname": "jw1_00001_nrca1_cal.fits", "exptype": "SCIENCE"}]}]),
     "lower case"),
])  # fmt: skip
def test_each_mistake_is_told_in_a_sentence(folder, content, text):
    found = problems(folder, content)
    assert any(text in sentence for _, sentence in found), found
    assert all(sentence.endswith(".") for _, sentence in found)


def test_a_member_of_another_filter_stands_out(folder):
    from astropy.io import fits

    with fits.open(folder / "jw1_00002_nrca1_cal.fits", mode="update") as file:
        file[0].header["FILTER"] = "F444W"
    assert ("warning", "jw1_00002_nrca1_cal.fits differs from jw1_00001_nrca1_cal.fits: FILTER F444W and not F200W."
            ) in problems(folder, GOOD)  # fmt: skip


def test_trailing_commas_are_passed_over_and_told(folder):
    text = json.dumps(GOOD).replace("]", ",]")
    assert [level for level, _ in problems(folder, text)] == ["warning"]


def test_members_are_added_taken_out_and_given_roles():
    association = parsed(GOOD, "x")
    more = association.with_members([Member("b.fits", "background"), Member("jw1_00001_nrca1_cal.fits", "psf")])
    assert [(m.expname, m.exptype) for m in more.members] == [
        ("jw1_00001_nrca1_cal.fits", "psf"), ("jw1_00002_nrca1_cal.fits", "science"), ("b.fits", "background"),
    ]  # fmt: skip
    assert more.members[0].more == {"exposerr": None}
    assert more.without(["b.fits"]).names == association.names
    assert [m.exptype for m in association.with_role(["jw1_00002_nrca1_cal.fits"], "background").members] == [
        "science", "background"
    ]  # fmt: skip
    with pytest.raises(CommandError, match="no member"):
        association.without(["c.fits"])
    with pytest.raises(CommandError, match="at least one member"):
        association.without(association.names)
    with pytest.raises(CommandError, match="no product 'q'"):
        association.with_members([Member("c.fits")], "q")


def test_the_graph_joins_each_member_with_its_products(folder):
    shared = {"asn_type": "spec2", "products": [
        {"name": f"p{n}", "members": [{"expname": f"a{n}_rate.fits", "exptype": "science"},
                                      {"expname": f"a{3 - n}_rate.fits", "exptype": "background"}]} for n in (1, 2)
    ]}  # fmt: skip
    graph = graph_of(parsed(shared, "x"), folder)
    assert [node.name for node in graph.nodes if node.column == 0] == ["a1_rate.fits", "a2_rate.fits"]
    assert sum(edge.role == "background" for edge in graph.edges) == 2
    first = next(n for n, node in enumerate(graph.nodes) if node.name == "a1_rate.fits")
    assert {graph.nodes[n].name for n in graph.neighbours(first)} >= {"a1_rate.fits", "p1", "p2", "p1_cal.fits"}
    for column in range(3):
        rows = sorted(node.row for node in graph.nodes if node.column == column)
        assert all(b - a >= 1 for a, b in itertools.pairwise(rows)), "nodes lie on each other"
    assert all(node.present is False for node in graph.nodes if node.column != 1)
    assert all(n.present for n in graph_of(parsed(GOOD, "x"), folder).nodes if n.column == 0)


@pytest.mark.parametrize(("name", "suffix", "level"), [
    ("jw01234001001_02101_00001_nrca1_uncal.fits", "uncal", "1b"),
    ("jw01234001001_02101_00001_nrca1_rateints.fits", "rateints", "2a"),
    ("jw01234001001_02101_00001_nrca1_i2d.fits", "i2d", "2b"),
    ("jw01234001001_02101_00001_nrca1_o001_crf.fits", "crf", "2c"),
    ("jw01234-o001_t001_nircam_clear-f200w_i2d.fits", "i2d", "3"),
    ("jw01234-o001_t001_nircam_clear-f200w_cat.ecsv", "cat", "3"),
    ("m31.fits", "", ""),
])  # fmt: skip
def test_suffix_and_level_of_a_name(name, suffix, level):
    meaning = meaning_of(name)
    assert (meaning.suffix, meaning.level) == (suffix, level)
    assert meaning.text


def test_every_suffix_says_what_it_is():
    assert all(text and not text.endswith(".") for _, text in SUFFIXES.values())


def test_it_is_written_only_under_a_name_of_its_kind(folder):
    with pytest.raises(CommandError, match=r"ends with _asn\.json"):
        write_association(folder / "y.fits", parsed(GOOD, "x"))
    with pytest.raises(JvizError, match="cannot be written"):
        write_association(folder / "nowhere" / "y_asn.json", parsed(GOOD, "x"))
