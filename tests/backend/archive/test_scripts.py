"""Lists of addresses and scripts for cURL, run for real against a server on loopback; no token is ever in them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from jviz.backend.archive.fetch import Wanted
from jviz.backend.archive.products import address_of, uri_of
from jviz.backend.archive.scripts import address_list, curl_script
from jviz.errors import JvizError
from tests.standin import TOKEN, Fault

NAMES = [f"jw01234-o{number:03d}_t001_nircam_clear-f200w_i2d.fits" for number in range(3)]
SECRET = "jw01234-o004_t001_nircam_clear-f200w_i2d.fits"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="cURL is not on this machine")


def files_of(mast, *names):
    return [Wanted(address_of(f"mast:JWST/product/{n}"), n, (mast.folder / n).stat().st_size) for n in names]


def run(script, folder, *, token="", arguments=("in",)):
    environment = {name: value for name, value in os.environ.items() if name != "MAST_API_TOKEN"}
    environment |= {"MAST_API_TOKEN": token} if token else {}
    path = folder / "get data.sh"
    path.write_text(script)
    return subprocess.run(["sh", path.name, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@needs_curl
def test_the_script_fetches_all_and_only_what_is_missing(mast, tmp_path):
    script = curl_script(files_of(mast, *NAMES))
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("All 3 files are here.\n")
    for name in NAMES:
        assert (tmp_path / "in" / name).read_bytes() == (mast.folder / name).read_bytes()
    asked = len(mast.log)
    (tmp_path / "in" / NAMES[1]).unlink()
    assert run(script, tmp_path).returncode == 0
    assert len(mast.log) == asked + 1
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == NAMES


@needs_curl
def test_the_script_goes_on_where_it_was_cut(mast, tmp_path):
    content = (mast.folder / NAMES[0]).read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f".{NAMES[0]}.part").write_bytes(content[:50_000])
    assert run(curl_script(files_of(mast, NAMES[0])), tmp_path).returncode == 0
    assert (tmp_path / "in" / NAMES[0]).read_bytes() == content
    assert mast.asked(NAMES[0])[0].headers["range"] == "bytes=50000-"


@needs_curl
def test_the_script_copes_with_a_server_that_cannot_go_on(mast, tmp_path):
    mast.ranges = False
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f".{NAMES[0]}.part").write_bytes(b"x" * 50_000)
    assert run(curl_script(files_of(mast, NAMES[0])), tmp_path).returncode == 0
    assert (tmp_path / "in" / NAMES[0]).read_bytes() == (mast.folder / NAMES[0]).read_bytes()


@needs_curl
def test_the_script_says_what_failed_and_leaves_nothing_wrong(mast, tmp_path):
    mast.fail(NAMES[0], Fault("html"))
    files = [*files_of(mast, *NAMES[:2]), Wanted(address_of("mast:JWST/product/none.fits"), "none.fits")]
    page = Wanted(files[0].url, files[0].name)  # of unknown size
    wrong = Wanted(files[1].url, files[1].name, files[1].size + 1)
    done = run(curl_script([page, wrong, files[2]]), tmp_path)
    assert done.returncode == 1
    assert f"FAILED: {NAMES[0]}: the server sent a page instead of the file" in done.stderr
    assert f"FAILED: {NAMES[1]}: it has another size" in done.stderr
    assert "FAILED: none.fits: curl ended with 22" in done.stderr
    assert "3 of 3 files are missing" in done.stderr
    assert [path for path in (tmp_path / "in").iterdir() if not path.name.startswith(".none")] == []


@needs_curl
def test_the_token_comes_from_the_environment_and_goes_to_mast_alone(mast, tmp_path, monkeypatch):
    files = files_of(mast, SECRET)
    script = curl_script([*files, Wanted(mast.url.replace("127.0.0.1", "localhost") + f"/plain/{NAMES[0]}", NAMES[0])])
    assert TOKEN not in script
    assert run(script, tmp_path).returncode == 1
    done = run(script, tmp_path, token=TOKEN)
    assert done.returncode == 0, done.stderr
    assert mast.asked(SECRET)[-1].headers["authorization"] == f"token {TOKEN}"
    assert "authorization" not in mast.asked("/plain/")[-1].headers
    assert TOKEN not in done.stdout + done.stderr


@needs_curl
def test_names_are_no_commands(mast, tmp_path):
    odd = "a'; touch owned; $(touch owned) `touch owned` \".fits"
    shutil.copy(mast.folder / NAMES[0], mast.folder / "odd.fits")
    file = Wanted(f"{mast.url}/plain/odd.fits", odd, (mast.folder / "odd.fits").stat().st_size)
    assert run(curl_script([file]), tmp_path, arguments=("a folder",)).returncode == 0
    assert [path.name for path in (tmp_path / "a folder").iterdir()] == [odd]
    assert not list(tmp_path.rglob("owned"))
    with pytest.raises(JvizError, match="no name of a file"):
        curl_script([Wanted(file.url, "../x.fits")])


@pytest.mark.parametrize(
    "url",
    ["https://user:secret@a.org/x.fits", "https://a.org/x.fits?token=abc", "https://a.org/x.fits?b=1&X-Amz-Signature=f"],
)
def test_addresses_with_secrets_are_refused(url):
    for write in (curl_script, address_list):
        with pytest.raises(JvizError, match="never written"):
            write([Wanted(url, "x.fits")])


def test_the_list_has_one_address_on_each_line(mast):
    lines = address_list(files_of(mast, *NAMES)).splitlines()
    assert lines == [f"{mast.url}/api/v0.1/Download/file?uri=mast:JWST/product/{name}" for name in NAMES]
    assert [uri_of(line) for line in lines] == [f"mast:JWST/product/{name}" for name in NAMES]
    assert uri_of("https://a.org/api/v0.1/Download/file?uri=mast:x/y") == (
        "https://a.org/api/v0.1/Download/file?uri=mast:x/y"
    )
