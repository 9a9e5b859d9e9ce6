"""What was made of what: a chain of products whose history is known is found from each of its files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.library import provenance
from jviz.backend.library.provenance import provenance_of
from jviz.errors import JvizError

STEM = "jw01234001001_02101_0000{}_nrca1"
MOSAIC = "jw01234-o001_t001_nircam_clear-f200w"
DONE = {
    "uncal": (), "rate": ("S_RAMP", "S_JUMP"), "cal": ("S_RAMP", "S_JUMP", "S_WCS", "S_FLAT"),
    "i2d": ("S_RAMP", "S_JUMP", "S_WCS", "S_FLAT", "S_TWKREG", "S_RESAMP"),
}  # fmt: skip


def product(path, suffix, *, table=(), **keywords):
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="JWST", PROGRAM="1234", EXP_TYPE="NRC_IMAGE")
    if suffix != "uncal":
        primary.header.update(CAL_VER="1.14.0", CRDS_CTX="jwst_1230.pmap")
    for keyword in DONE.get(suffix, ()):
        primary.header[keyword] = "COMPLETE"
    primary.header["S_IPC"] = "SKIPPED"
    primary.header.update(keywords)
    units = [primary, fits.ImageHDU(np.zeros((8, 8), "f4"), name="SCI")]
    if table:
        columns = [fits.Column("DATE", "4A", array=["2024"]), fits.Column("NUMBER", "J", array=[1]),
                   fits.Column("FILENAME", "60A", array=list(table)), fits.Column("OK", "L", array=[True])]  # fmt: skip
        units.append(fits.BinTableHDU.from_columns(columns, name="HDRTAB", nrows=len(table)))
    fits.HDUList(units).writeto(path)
    return path


@pytest.fixture
def chain(tmp_path, library):
    """Two exposures from their ramps to a mosaic, its catalogue, an association and a reference file."""
    folder = tmp_path / "chain"
    folder.mkdir()
    for number in (1, 2):
        for suffix in ("uncal", "rate", "cal"):
            product(folder / f"{STEM.format(number)}_{suffix}.fits", suffix)
    members = [{"expname": f"{STEM.format(n)}_cal.fits", "exptype": "science"} for n in (1, 2)]
    (folder / "jw01234-o001_asn.json").write_text(
        json.dumps({"asn_rule": "Asn_Lv3Image", "program": "01234", "products": [{"name": MOSAIC, "members": members}]})
    )
    product(folder / f"{MOSAIC}_i2d.fits", "i2d", ASNTABLE="jw01234-o001_asn.json", R_FLAT="crds://flat_1.fits",
            R_DARK="N/A")  # fmt: skip
    product(folder / f"{MOSAIC}_segm.fits", "segm")
    library.add(folder)
    return folder


def joined(graph):
    """Names that are joined, and how."""
    return {(graph.nodes[e.first].name, graph.nodes[e.second].name): e.role for e in graph.edges}


def node(graph, name):
    return next(node for node in graph.nodes if node.name == name)


def names(*numbers, suffix):
    return [f"{STEM.format(n)}_{suffix}.fits" for n in numbers]


def test_a_mosaic_is_followed_back_to_its_ramps(library, chain):
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    i2d, asn = f"{MOSAIC}_i2d.fits", "jw01234-o001_asn.json"
    expected = {(asn, i2d): "association", ("flat_1.fits", i2d): "reference", (i2d, f"{MOSAIC}_segm.fits"): "name"}
    for number in (1, 2):
        [uncal], [rate], [cal] = (names(number, suffix=s) for s in ("uncal", "rate", "cal"))
        expected |= {(uncal, rate): "name", (rate, cal): "name", (cal, i2d): "member"}
    assert joined(graph) == expected
    assert graph.nodes[graph.focus].name == i2d
    assert node(graph, i2d).about == "1.14.0 · jwst_1230.pmap"
    assert (node(graph, "flat_1.fits").about, node(graph, "flat_1.fits").state) == ("R_FLAT", "unknown")
    assert node(graph, asn).about == "Asn_Lv3Image"
    assert node(graph, names(1, suffix="uncal")[0]).role == "exposure"


def test_steps_are_those_that_one_file_has_gone_through_and_the_other_not(library, chain):
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    steps = {(graph.nodes[e.first].name, graph.nodes[e.second].name): e.steps for e in graph.edges}
    [uncal], [rate], [cal] = (names(1, suffix=s) for s in ("uncal", "rate", "cal"))
    assert steps[uncal, rate] == ("jump", "ramp_fit")
    assert steps[rate, cal] == ("assign_wcs", "flat_field")
    assert steps[cal, f"{MOSAIC}_i2d.fits"] == ("tweakreg", "resample")
    assert steps["flat_1.fits", f"{MOSAIC}_i2d.fits"] == ()


def test_the_columns_follow_the_order_of_making(library, chain):
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    for edge in graph.edges:
        assert graph.nodes[edge.first].rank < graph.nodes[edge.second].rank
    assert node(graph, f"{MOSAIC}_i2d.fits").rank - node(graph, "flat_1.fits").rank == 1
    places = [(n.rank, n.row) for n in graph.nodes]
    assert len(set(places)) == len(places), "no two nodes in one place"
    assert graph.columns == 5
    assert node(graph, "flat_1.fits").row == max(n.row for n in graph.nodes) == graph.rows - 1


def test_an_exposure_is_followed_to_all_that_it_went_into(library, chain):
    [uncal] = names(2, suffix="uncal")
    graph = provenance_of(library, chain / uncal)
    assert {n.name for n in graph.nodes} == {
        uncal, *names(2, suffix="rate"), *names(2, suffix="cal"), "jw01234-o001_asn.json", f"{MOSAIC}_i2d.fits",
        f"{MOSAIC}_segm.fits",
    }  # fmt: skip
    assert joined(graph)["jw01234-o001_asn.json", f"{MOSAIC}_i2d.fits"] == "association"


def test_reference_files_are_left_out(library, chain):
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits", references=False)
    assert all(n.role != "reference" for n in graph.nodes)


def test_the_table_of_headers_comes_before_the_association(library, chain):
    """Stage 3 works on copies of its members, which the product names."""
    for number in (1, 2):
        product(chain / f"{STEM.format(number)}_o001_crf.fits", "crf", ASNTABLE="jw01234-o001_asn.json")
    crfs = [f"{STEM.format(n)}_o001_crf.fits" for n in (1, 2)]
    (chain / f"{MOSAIC}_i2d.fits").unlink()
    product(chain / f"{MOSAIC}_i2d.fits", "i2d", table=crfs, ASNTABLE="jw01234-o001_asn.json")
    library.rescan()
    found = joined(provenance_of(library, chain / f"{MOSAIC}_i2d.fits"))
    for number, crf in enumerate(crfs, 1):
        assert found[crf, f"{MOSAIC}_i2d.fits"] == "member"
        assert found[names(number, suffix="cal")[0], crf] == "name"
        assert (names(number, suffix="cal")[0], f"{MOSAIC}_i2d.fits") not in found
        assert ("jw01234-o001_asn.json", crf) not in found, "the association is not for them"


def test_files_of_the_same_name_elsewhere_are_not_taken_for_those_beside(library, chain, tmp_path):
    other = tmp_path / "another"
    other.mkdir()
    for suffix in ("uncal", "rate"):
        product(other / f"{STEM.format(1)}_{suffix}.fits", suffix, TITLE="another")
    library.add(other)
    graph = provenance_of(library, other / names(1, suffix="rate")[0])
    assert node(graph, names(1, suffix="uncal")[0]).path == str(other / names(1, suffix="uncal")[0])
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    assert node(graph, names(1, suffix="uncal")[0]).path == str(chain / names(1, suffix="uncal")[0])


def test_what_is_gone_is_told(library, chain):
    (chain / names(1, suffix="cal")[0]).unlink()
    library.rescan()
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    assert node(graph, names(1, suffix="cal")[0]).state == "missing"
    library.forget([chain / names(2, suffix="cal")[0]])
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    assert node(graph, names(2, suffix="cal")[0]).state == "unknown"
    with pytest.raises(JvizError, match="is not in the library"):
        provenance_of(library, chain / "none.fits")


def test_of_many_members_some_are_drawn(library, chain, monkeypatch):
    monkeypatch.setattr(provenance, "MOST_BESIDE", 1)
    graph = provenance_of(library, chain / f"{MOSAIC}_i2d.fits")
    assert node(graph, f"1 more member of {MOSAIC}_i2d.fits").role == "more"
    assert names(2, suffix="cal")[0] not in {n.name for n in graph.nodes}


def test_products_that_name_each_other_come_to_an_end(library, tmp_path):
    folder = tmp_path / "round"
    folder.mkdir()
    product(folder / "a_i2d.fits", "i2d", table=["b_i2d.fits"])
    product(folder / "b_i2d.fits", "i2d", table=["a_i2d.fits"])
    library.add(folder)
    graph = provenance_of(library, folder / "a_i2d.fits")
    assert len(graph.nodes) == 2
    assert len(graph.edges) == 1


def test_real_products_of_the_pipeline(library, shared_data):
    folder = shared_data / "sim_nircam_sub160"
    library.add(folder)
    graph = provenance_of(library, next(folder.glob("*-sub160_i2d.fits")), references=False)
    by_rank = [sorted(n.name.rpartition("_")[2] for n in graph.nodes if n.rank == rank) for rank in range(6)]
    assert by_rank == [["uncal.fits"] * 4, ["rate.fits"] * 4, ["cal.fits"] * 4, ["asn.json", *["crf.fits"] * 4],
                       ["i2d.fits"], ["cat.ecsv", "segm.fits"]]  # fmt: skip
    steps = {e.steps for e in graph.edges if graph.nodes[e.first].name.endswith("_rate.fits")}
    assert steps == {("assign_wcs", "flat_field", "photom")}
