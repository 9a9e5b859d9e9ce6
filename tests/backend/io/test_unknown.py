"""Files of other kinds are named in words, with what to do."""

import zipfile

import pytest

from jviz.backend.io.registry import open_products
from jviz.errors import ReadError


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\x89HDF\r\n\x1a\n rest", "an HDF5 file"),
        (b"  <!DOCTYPE html><html>", "a web page. Fetch the file again"),
        (bytes(257) + b"ustar" + bytes(300), "a tar archive"),
        (b"Dear reader,\n how are you?", "the text “Dear reader, how are y"),
        (b"\x00\x01\xfe\xff" * 9, "the bytes 00 01 fe ff"),
    ],
)
def test_kinds_are_named(tmp_path, content, words):
    path = tmp_path / "thing.xyz"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"^thing\.xyz is ") as caught:
        open_products(path)
    assert words in str(caught.value)
    assert "b'" not in str(caught.value)


def test_an_archive_is_to_be_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(ReadError, match=r"all\.zip is a ZIP archive.*Unpack it"):
        open_products(tmp_path / "all.zip")
