"""A real archive of the Virtual Observatory on this machine, where one runs: all roads to it.

``JVIZ_TEST_VO`` is its address (by default http://127.0.0.1:8099): TAP with ObsCore, SIA2, SIA1, SSA, a cone search and
datalink, as DaCHS serves them. Nothing is asked of any other host.
"""

from __future__ import annotations

import os
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest

import jviz
from jviz.backend.render.frames import separation
from jviz.errors import JvizError

pytestmark = pytest.mark.slow

BASE = os.environ.get("JVIZ_TEST_VO", "http://127.0.0.1:8099")
PLACE, RADIUS = (150.1, 2.2), 0.05


@pytest.fixture(scope="module")
def base():
    try:
        with urlopen(f"{BASE}/tap/availability", timeout=2):
            return BASE
    except (URLError, OSError):
        pytest.skip(f"no archive of the Virtual Observatory runs at {BASE}")


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_observations_are_found_counted_and_narrowed(session, base):
    found = session.run("archive.search", collection=f"{base}/tap", position=PLACE, radius=RADIUS)
    assert len(found) == session.run("archive.count", collection=f"{base}/tap", position=PLACE, radius=RADIUS) > 0
    away = separation(np.asarray(found["s_ra"].value), np.asarray(found["s_dec"].value), *PLACE)
    assert away.max() <= RADIUS + 1e-6
    some = session.run("archive.search", collection=f"{base}/tap", position=PLACE, radius=RADIUS, instrument="NIRCAM")
    assert 0 < len(some) < len(found)
    cut = session.run("archive.search", collection=f"{base}/tap", position=PLACE, radius=RADIUS, limit=2)
    assert (len(cut), cut.meta["truncated"]) == (2, True)


@pytest.mark.parametrize(
    "service",
    ["sia2:{}/__system__/siap2/sitewide/siap2.xml", "sia1:{}/jw/q/i/siap.xml?", "ssa:{}/jw/q/ssa/ssap.xml?"],
    ids=["SIA2", "SIA1", "SSA"],
)
def test_images_and_spectra(session, base, service):
    found = session.run("archive.search", collection=service.format(base), position=PLACE, radius=RADIUS)
    assert len(found)
    assert {"s_ra", "s_dec", "access_url"} <= set(found.colnames)


def test_a_cone_of_a_catalogue(session, base):
    found = session.run("archive.cone", url=f"{base}/jw/q/cone/scs.xml?", position=PLACE, radius=RADIUS)
    away = separation(np.asarray(found["raj2000"].value), np.asarray(found["dej2000"].value), *PLACE)
    assert len(found) > 0
    assert away.max() <= RADIUS + 1e-6


@pytest.mark.parametrize("wait", [False, True], ids=["at once", "as a job"])
def test_adql(session, base, wait):
    found = session.run("archive.tap", url=f"{base}/tap", adql="SELECT TOP 5 * FROM ivoa.ObsCore", wait=wait)
    assert len(found) == 5


def test_bad_adql_is_told_in_the_words_of_the_service(session, base):
    with pytest.raises(JvizError, match=r"refuses the question: .*nonsense"):
        session.run("archive.tap", url=f"{base}/tap", adql="SELECT nonsense FROM ivoa.ObsCore")


def test_datalink_leads_to_files(session, base):
    adql = "SELECT TOP 1 obs_publisher_did FROM ivoa.ObsCore WHERE dataproduct_type = 'image'"
    [did] = session.run("archive.tap", url=f"{base}/tap", adql=adql)["obs_publisher_did"]
    links = session.run("archive.datalink", url=f"{base}/jw/q/dl/dlmeta?ID={quote(str(did))}")
    assert "#this" in links["semantics"].tolist()


def test_files_of_rows_are_listed_and_fetched(session, base, tmp_path):
    adql = ("SELECT TOP 3 * FROM ivoa.ObsCore WHERE dataproduct_type = 'image' AND calib_level = 3 "
            "AND access_url LIKE '%01234%'")  # fmt: skip
    rows = session.run("archive.tap", url=f"{base}/tap", adql=adql)
    files = session.run("archive.products", observations=rows)
    assert sorted(files["dataURI"].tolist()) == sorted(str(url) for url in rows["access_url"])
    [path, *_] = session.run("archive.download", products=files, folder=tmp_path)
    assert session.open(path)[0].kind == "image"
    link = f"{base}/jw/q/dl/dlmeta?ID={quote(str(rows['obs_publisher_did'][0]))}"
    row = {"access_url": link, "access_format": "application/x-votable+xml;content=datalink"}
    linked = session.run("archive.products", observations=[row])
    assert "this" in linked["productSubGroupDescription"].tolist()


def test_what_is_embargoed_needs_the_password(session, base, no_keyring, tmp_path):
    adql = "SELECT TOP 1 * FROM ivoa.ObsCore WHERE dataproduct_type = 'image' AND access_url LIKE '%01704%'"
    row = session.run("archive.tap", url=f"{base}/tap", adql=adql)
    url = str(row["access_url"][0])
    with pytest.raises(JvizError, match=r"archive\.login_to"):
        session.run("archive.download", products=url, folder=tmp_path)
    with pytest.raises(JvizError, match="does not take this name and password"):
        session.run("archive.login_to", archive=url, user="jwsttest", password="wrong")
    said = session.run("archive.login_to", archive=url, user="jwsttest", password="secret")
    assert said["kept"] == "memory"
    [path] = session.run("archive.download", products=url, folder=tmp_path)
    assert session.open(path)[0].kind == "image"
    assert len(session.run("archive.tap", url=f"{base}/tap", adql=adql, wait=True)) == 1
