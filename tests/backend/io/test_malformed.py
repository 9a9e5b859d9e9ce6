"""Whatever a path leads to: one clear message, or the good part with a warning."""

import os
import re
import socket

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.io.checksums import verify_checksums
from jviz.backend.io.registry import open_products
from jviz.errors import ReadError

BLOCK = 2880


def write(path, *hdus, **options):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path, **options)
    return path


def image(name="SCI", shape=(40, 50)):
    return fits.ImageHDU(np.arange(np.prod(shape), dtype="f4").reshape(shape), name=name)


def raw_header(**cards):
    lines = [f"{key:<8}= {value:>20}" for key, value in cards.items()] + ["END"]
    text = "".join(line.ljust(80) for line in lines).encode()
    return text.ljust(-(-len(text) // BLOCK) * BLOCK)


def header(**cards):
    return raw_header(SIMPLE="T", **cards)


def message(path, **options):
    with pytest.raises(ReadError) as caught:
        open_products(path, **options)
    text = str(caught.value)
    assert path.name in text
    assert text.endswith((".", "…"))
    assert len(re.findall(r"[.…] ", text)) <= 3
    assert "Traceback" not in text
    return text


def test_missing(tmp_path):
    assert "does not exist" in message(tmp_path / "gone.fits")


def test_dangling_link(tmp_path):
    (tmp_path / "link.fits").symlink_to(tmp_path / "target.fits")
    assert "target.fits" in message(tmp_path / "link.fits")


def test_empty(tmp_path):
    (tmp_path / "a.fits").touch()
    assert "0 bytes" in message(tmp_path / "a.fits")


def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.fits")
    assert "named pipe" in message(tmp_path / "a.fits")


def test_a_socket_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the names of sockets must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.fits")
        assert "socket" in message(tmp_path / "a.fits")


def test_no_permission(tmp_path, like_anybody):
    path = write(tmp_path / "a.fits", image())
    path.chmod(0)
    told = message(path)
    assert str(path) in told
    assert "permission denied" in told
    assert "chmod u+r" in told


def test_no_permission_by_the_system_error(tmp_path):
    from jviz.backend.io.guard import explain
    from jviz.backend.io.registry import readers

    error = explain(tmp_path / "a.fits", readers()["fits"], PermissionError(13, "Permission denied"))
    assert "permission denied" in str(error)


def test_folder_without_readable_files(tmp_path):
    (tmp_path / "notes.xyz").write_text("nothing to see")
    assert "no file that jviz reads" in message(tmp_path)


def test_folder_gives_what_can_be_read(tmp_path):
    write(tmp_path / "b.fits", image())
    write(tmp_path / "a.fits", image())
    (tmp_path / "c.fits").touch()
    assert [product.name for product in open_products(tmp_path)] == ["a", "b"]


def test_a_web_page_with_the_name_of_a_fits_file(tmp_path):
    path = tmp_path / "m31.fits"
    path.write_text("<!DOCTYPE html><title>404 Not Found</title>")
    assert "DOCTYPE" in message(path)


@pytest.mark.parametrize("size", [1, 79, 80, 2879])
def test_a_header_cut_short(tmp_path, size):
    path = tmp_path / "a.fits"
    path.write_bytes(header(BITPIX=8, NAXIS=0)[:80].ljust(size)[:size] if size >= 80 else b"SIMPLE")
    assert "truncated" in message(path)


def test_a_header_without_end(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(b"SIMPLE  =                    T".ljust(BLOCK) + os.urandom(20 * BLOCK))
    assert "END" in message(path)


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"BITPIX": 7, "NAXIS": 0}, "BITPIX is 7"),
        ({"NAXIS": 0}, "BITPIX"),
        ({"BITPIX": 8, "NAXIS": -1}, "NAXIS is -1"),
        ({"BITPIX": 8, "NAXIS": 5000}, "NAXIS is 5000"),
        ({"BITPIX": 8, "NAXIS": 2, "NAXIS1": 5}, "NAXIS2 is missing"),
        ({"BITPIX": 8, "NAXIS": 1, "NAXIS1": -5}, "NAXIS1 is -5"),
        ({"BITPIX": 8, "NAXIS": 2, "NAXIS1": 0, "NAXIS2": 777777701}, "777777701 × 0"),
        ({"BITPIX": -64, "NAXIS": 2, "NAXIS1": 10**9, "NAXIS2": 10**9}, "truncated"),
        ({"BITPIX": 8, "NAXIS": 1, "NAXIS1": "'ten'"}, "NAXIS1 is 'ten'"),
    ],
)
def test_headers_that_lie(tmp_path, cards, words):
    path = tmp_path / "a.fits"
    path.write_bytes(header(**cards) + bytes(BLOCK))
    assert words in message(path)


def test_a_truncated_image(tmp_path):
    path = write(tmp_path / "a.fits", image())
    os.truncate(path, path.stat().st_size - BLOCK)
    assert "truncated" in message(path)


def test_missing_padding_is_no_loss(tmp_path):
    path = write(tmp_path / "a.fits", image())
    os.truncate(path, path.stat().st_size - 100)
    [product] = open_products(path)
    assert product.warnings == []
    assert product.plane("data").read()[-1, -1] == 40 * 50 - 1


def test_good_extensions_before_a_truncated_one(tmp_path):
    path = write(tmp_path / "a.fits", image("SCI"), image("ERR"))
    os.truncate(path, path.stat().st_size - BLOCK)
    [product] = open_products(path)
    assert list(product.planes) == ["SCI"]
    assert len(product.units) == 3
    [warning] = product.warnings
    assert "2 ERR" in warning
    assert "truncated" in warning


def test_bytes_after_the_last_extension(tmp_path):
    path = write(tmp_path / "a.fits", image())
    with path.open("ab") as stream:
        stream.write(b"garbage" * 1000)
    [product] = open_products(path)
    assert "unreadable bytes" in product.warnings[0]


def test_zeros_after_the_last_extension_are_nothing(tmp_path):
    path = write(tmp_path / "a.fits", image())
    with path.open("ab") as stream:
        stream.write(bytes(5 * BLOCK))
    assert open_products(path)[0].warnings == []


def test_a_broken_header_after_good_ones(tmp_path):
    path = write(tmp_path / "a.fits", image())
    with path.open("ab") as stream:
        stream.write(raw_header(XTENSION="'IMAGE   '", BITPIX=3, NAXIS=0))
    [product] = open_products(path)
    assert "BITPIX is 3" in product.warnings[0]


def test_odd_scales_do_not_stop_a_file(tmp_path):
    path = tmp_path / "a.fits"
    cards = {"BITPIX": 8, "NAXIS": 2, "NAXIS1": 4, "NAXIS2": 4, "BSCALE": "'one'", "BZERO": "", "BLANK": 999}
    path.write_bytes(header(**cards) + bytes(range(16)).ljust(BLOCK))
    [product] = open_products(path)
    np.testing.assert_array_equal(product.plane("data").read(), np.arange(16).reshape(4, 4))


def test_options_that_the_reader_does_not_have(tmp_path):
    assert "'colour'" in message(write(tmp_path / "a.fits", image()), colour="red")


def test_good_checksums(tmp_path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "D", array=np.arange(99.0))])
    path = write(tmp_path / "a.fits", image(), table, checksum=True)
    assert verify_checksums(path) == []


def test_no_checksums_are_not_wrong(tmp_path):
    assert verify_checksums(write(tmp_path / "a.fits", image())) == []


@pytest.mark.parametrize("where", ["data", "header"])
def test_wrong_checksums_are_told_but_the_file_opens(tmp_path, where):
    path = write(tmp_path / "a.fits", image(), checksum=True)
    content = bytearray(path.read_bytes())
    place = -BLOCK - 5 if where == "data" else content.index(b"SCI") + 2
    content[place] ^= 1
    path.write_bytes(content)
    problems = verify_checksums(path)
    assert len(problems) == 1
    assert "a.fits" in problems[0]
    assert open_products(path)
