"""Wrong checksums are told once, whatever the size of the file; right and absent ones are no news."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.actions import check


def write(path, *, checksum=True, wrong=False):
    fits.writeto(path, np.arange(4096, dtype=np.float32).reshape(64, 64), checksum=checksum)
    if wrong:
        content = bytearray(path.read_bytes())
        content[2880 + 17] ^= 1
        path.write_bytes(content)
    return path


def told(session):
    return [text for level, text in session.notices if "DATASUM" in text or "CHECKSUM" in text]


def test_a_small_file_with_a_wrong_sum_opens_with_one_warning(session, tmp_path):
    session.open(write(tmp_path / "spoilt.fits", wrong=True))
    assert session.names == ["spoilt"]
    [text] = told(session)
    assert "spoilt.fits" in text


@pytest.mark.parametrize("checksum", [True, False])
def test_nothing_is_told_about_good_files(session, tmp_path, checksum):
    session.open(write(tmp_path / "good.fits", checksum=checksum))
    assert not session.notices


def test_a_large_file_is_checked_while_it_is_looked_at(session, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "AT_ONCE", 0)
    loaded = session.open(write(tmp_path / "spoilt.fits", wrong=True), write(tmp_path / "good.fits"))
    assert not told(session)  # without a window nobody waits for it
    check.check_later(session, loaded)
    for job in session.jobs.all:
        job.result(10)
    [text] = told(session)
    assert "spoilt.fits" in text


def test_the_command_tells_good_news_too(session, tmp_path):
    session.open(write(tmp_path / "good.fits"), write(tmp_path / "bare.fits", checksum=False))
    assert session.run("data.verify", data="good") == []
    assert session.notices[-1] == ("info", "good.fits is as it was written: its checksums are right.")
    with pytest.raises(jviz.JvizError, match="bare has no checksums"):
        session.run("data.verify", data="bare")
    assert "verify" not in session.script()
