"""Reference files fetched from a CRDS server, and own ones in rules of the user."""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.calibration.own_rules import is_own, own_folder
from jviz.errors import CommandError, JvizError
from tests.crds_cache import write_cache
from tests.crds_server import CrdsServer
from tests.model.test_crds import write_product

VARIABLES = ("CRDS_CONTEXT", "CRDS_MAPPATH", "CRDS_REFPATH", "CRDS_CFGPATH", "CRDS_READONLY_CACHE", "CRDS_MODE")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty cache."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "here"))
    return tmp_path / "here"


@pytest.fixture
def server(tmp_path, monkeypatch, here):
    """A server with the two contexts of a small cache."""
    folder = write_cache(tmp_path / "there")
    for name in ("flat_new.fits", "flat_c.fits", "dark_full.fits"):
        fits.writeto(folder / "references" / "jwst" / "nircam" / name, np.arange(20_000, dtype=np.float32))
    server = CrdsServer(folder, "jwst_0002.pmap")
    monkeypatch.setenv("CRDS_SERVER_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def product(session, tmp_path):
    return session.open(write_product(tmp_path / "jw1_cal.fits"))[0]


def states(table):
    return {row["file"]: row["state"] for row in table if row["type"] != "rules"}


def test_nothing_of_the_network_is_imported_with_the_commands():
    code = "import sys, jviz.actions.crds_files; assert not {'requests', 'urllib3'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_empty_cache_is_filled_with_what_a_product_needs(session, server, here, product):
    table = session.run("crds.sync", data=product)
    assert table.meta["context"] == "jwst_0002.pmap"
    assert states(table) == {"flat_new.fits": "fetched", "dark_full.fits": "fetched"}
    assert (here / "references" / "jwst" / "nircam" / "flat_new.fits").is_file()
    assert (here / "mappings" / "jwst" / "jwst_0002.pmap").is_file()
    assert (here / "config" / "jwst" / "server_config").is_file()
    assert table["size"].unit == "byte"
    rows = session.run("crds.references", data=product)
    assert set(rows["state"]) == {"cached"}
    before = len(server.asked)
    again = session.run("crds.sync", data=product)
    assert set(again["state"]) == {"there"}
    assert again.meta["fetched"] == 0
    assert not any(name.endswith((".fits", "map")) for name, _ in server.asked[before:])


def test_one_type_and_another_context(session, server, product):
    table = session.run("crds.sync", data=product, context="jwst_0001.pmap", types=["flat"])
    assert states(table) == {"flat_c.fits": "fetched"}
    assert states(session.run("crds.sync")) == {}


def test_a_transfer_that_was_cut_goes_on(session, server, here, product):
    server.cut["flat_new.fits"] = 30_000
    session.run("crds.sync", data=product)
    ranges = [wanted for name, wanted in server.asked if name == "flat_new.fits"]
    assert ranges == ["", "bytes=30000-"]
    path = here / "references" / "jwst" / "nircam" / "flat_new.fits"
    assert hashlib.sha1(path.read_bytes()).hexdigest() == server.facts()["flat_new.fits"]["sha1sum"]


def test_wrong_bytes_never_get_the_name(session, server, here, product):
    server.wrong.add("flat_new.fits")
    with pytest.raises(JvizError, match=r"flat_new\.fits cannot be fetched.*checksum"):
        session.run("crds.sync", data=product)
    assert not list((here / "references").rglob("*flat_new*"))


def test_broken_files_are_found_and_fetched_anew(session, server, here, product):
    session.run("crds.sync", data=product)
    path = here / "references" / "jwst" / "nircam" / "flat_new.fits"
    path.write_bytes(path.read_bytes()[:-5] + b"wrong")
    assert states(session.run("crds.sync", data=product))["flat_new.fits"] == "there"
    assert states(session.run("crds.sync", data=product, check=True))["flat_new.fits"] == "repaired"
    assert hashlib.sha1(path.read_bytes()).hexdigest() == server.facts()["flat_new.fits"]["sha1sum"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["dark_full.fits", "flat_new.fits"]


def test_what_stands_in_the_way_is_said(session, server, here, product, tmp_path, monkeypatch):
    with pytest.raises(JvizError, match=r"jwst_9\.pmap is no known mapping"):
        session.run("crds.sync", data=product, context="jwst_9.pmap")
    del server.files["flat_new.fits"]
    with pytest.raises(JvizError, match=r"has no file flat_new\.fits"):
        session.run("crds.sync", data=product)
    fits.writeto(tmp_path / "hst.fits", np.ones((9, 9), np.float32), fits.Header({"TELESCOP": "HST"}))
    with pytest.raises(CommandError, match="no JWST product"):
        session.run("crds.sync", data=str(tmp_path / "hst.fits"))
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    with pytest.raises(JvizError, match="read only"):
        session.run("crds.sync", data=product)
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    with pytest.raises(JvizError, match="No CRDS server may be asked"):
        session.run("crds.sync", data=product)


def test_the_simulated_chain_is_brought_whole_and_crds_agrees(session, sim, here, monkeypatch):
    server = CrdsServer(sim / "crds")
    try:
        monkeypatch.setenv("CRDS_PATH", str(here))
        monkeypatch.setenv("CRDS_SERVER_URL", server.url)
        data = session.open(next(sim.glob("*1_nrcb1_uncal.fits")))[0]
        table = session.run("crds.sync", data=data)
    finally:
        server.close()
    assert len(states(table)) >= 14
    code = (
        "import crds, sys; from astropy.io import fits;"
        "h = {k: str(v) for k, v in fits.getheader(sys.argv[1]).items()};"
        "found = crds.getreferences(h, reftypes=['dark', 'gain', 'flat'], context='jwst_0001.pmap',"
        " observatory='jwst'); print(sorted(found.values()))"
    )
    environment = {**os.environ, "CRDS_PATH": str(here), "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
                   "CRDS_MODE": "local"}  # fmt: skip
    run = subprocess.run([sys.executable, "-c", code, str(data.path)], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert str(here / "references" / "jwst" / "nircam") in run.stdout


# --- own reference files


@pytest.fixture
def own_flat(sim, tmp_path):
    path = tmp_path / "my_flat.fits"
    shutil.copyfile(sim / "crds" / "references" / "jwst" / "nircam" / "jwst_nircam_flat_0001.fits", path)
    with fits.open(path, mode="update") as file:
        file[0].header["USEAFTER"] = "2024-06-01T00:00:00"
    return path


def test_an_own_file_joins_a_copy_of_the_rules(session, sim, own_flat):
    before = {path: path.read_bytes() for path in (sim / "crds" / "mappings" / "jwst").iterdir()}
    data = session.open(next(sim.glob("*1_nrcb1_cal.fits")))[0]
    report = session.run("crds.add_reference", path=str(own_flat))
    assert report.meta["context"] == "jwst_90001.pmap"
    assert report.meta["rules"] == "jwst_nircam_flat_90001.rmap"
    assert any("HISTORY" in row["message"] for row in report if row["level"] == "ERROR")
    table = session.run("crds.references", data=data, context="jwst_90001.pmap")
    rows = {row["type"]: tuple(row)[1:3] for row in table}
    assert rows["flat"] == ("my_flat.fits", "cached")
    assert rows["gain"] == ("jwst_nircam_gain_0001.fits", "cached")
    rows = {row["type"]: row["best"] for row in session.run("crds.references", data=data)}
    assert rows["flat"] == "jwst_nircam_flat_0001.fits", "the rules of the cache stay"
    assert {path: path.read_bytes() for path in before} == before
    changed = session.run("crds.compare", context_a="jwst_0001.pmap", context_b="jwst_90001.pmap")
    assert [(row["change"], row["type"], row["after"]) for row in changed] == [("added", "flat", "my_flat.fits")]
    session.undo()
    with pytest.raises(JvizError, match="jwst_90001"):
        session.run("crds.references", data=data, context="jwst_90001.pmap")
    session.redo()
    assert session.run("crds.references", data=data, context="jwst_90001.pmap").meta["context"] == "jwst_90001.pmap"


def test_crds_itself_finds_nothing_wrong_with_the_new_rules(session, sim, own_flat):
    from jviz.backend.calibration.environment import crds_environment

    session.run("crds.add_reference", path=str(own_flat))
    environment = {**os.environ, **crds_environment(offline=True, context="jwst_90001.pmap")}
    code = (
        "import sys; from crds.certify import CertifyScript; from crds.core import config;"
        "sys.exit(CertifyScript('crds.certify ' + config.locate_mapping('jwst_90001.pmap'))())"
    )
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-1500:] + run.stderr[-1500:]


@pytest.mark.slow
def test_a_calibration_takes_the_own_file(calibrating, uncal, own_flat):
    calibrating.run("crds.add_reference", path=str(own_flat))
    [cal] = calibrating.run("calibration.run", inputs=str(uncal(1, "rate")), pipeline="image2",
                            context="jwst_90001.pmap", steps={"resample": False})  # fmt: skip
    assert cal.header["R_FLAT"] == "crds://my_flat.fits"
    assert cal.header["CRDS_CTX"] == "jwst_90001.pmap"


def test_files_that_cannot_join_are_refused(session, sim, tmp_path, own_flat):
    with pytest.raises(JvizError, match="is not there"):
        session.run("crds.add_reference", path=str(tmp_path / "none.fits"))
    fits.writeto(tmp_path / "plain.fits", np.ones((9, 9), np.float32))
    with pytest.raises(JvizError, match="does not say TELESCOP"):
        session.run("crds.add_reference", path=str(tmp_path / "plain.fits"))
    with fits.open(own_flat, mode="update") as file:
        file[0].header["REFTYPE"] = "WAVEMAP"
    with pytest.raises(JvizError, match="no rules for wavemap files of NIRCAM"):
        session.run("crds.add_reference", path=str(own_flat))


def test_what_was_not_finished_leaves_nothing(session, sim, own_flat):
    session.run("crds.add_reference", path=str(own_flat))
    session.undo()
    waiting = own_folder() / ".waiting"
    before = sorted(waiting.rglob("*"))
    assert before
    with fits.open(own_flat, mode="update") as file:
        file[0].header["USEAFTER"] = "in June"
    with pytest.raises(JvizError, match="cannot join the rules"):
        session.run("crds.add_reference", path=str(own_flat))
    assert sorted(waiting.rglob("*")) == before
    session.redo()
    assert is_own("jwst_90001.pmap")
    assert list(waiting.iterdir()) == []


def test_a_report_without_joining(session, sim, own_flat):
    table = session.run("crds.certify", path=str(own_flat))
    assert table.meta["errors"] == 1
    assert importlib.metadata.version("crds")
