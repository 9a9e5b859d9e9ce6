"""Reference files that cannot be used are refused by what they say of themselves."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.calibration.overrides import check_reference, endings_of, given_references
from jviz.backend.calibration.registry import subject_of
from jviz.backend.calibration.requirements import check_unused
from jviz.errors import CommandError, JvizError

SUB = {"SUBSTRT1": 101, "SUBSIZE1": 64, "SUBSTRT2": 1, "SUBSIZE2": 32}
EXPOSURE = [("x_rate.fits", {"INSTRUME": "NIRCAM", **SUB})]


@pytest.fixture
def reference(tmp_path):
    """Return ``reference("flat", SUBSTRT1=1)``: the path of a reference file with a subarray of 64 × 32 pixels."""

    def make(kind, name="mine.fits", **more):
        first = fits.PrimaryHDU()
        first.header.update({"TELESCOP": "JWST", "REFTYPE": kind.upper(), "INSTRUME": "NIRCAM", **SUB, **more})
        path = tmp_path / name
        fits.HDUList([first, fits.ImageHDU(np.ones((32, 64), np.float32), name="SCI")]).writeto(path)
        return str(path)

    return make


def test_a_file_that_fits_is_let_through(reference):
    check_reference("flat", reference("flat"), EXPOSURE)
    check_reference("flat", reference("flat", "full.fits", SUBSTRT1=1, SUBSIZE1=2048, SUBSIZE2=2048), EXPOSURE)
    check_reference("photom", reference("photom", "elsewhere.fits", SUBSTRT1=900), EXPOSURE)  # has no pixels of its own
    check_reference("flat", "N/A", EXPOSURE)


@pytest.mark.parametrize(
    ("kind", "more", "says"),
    [
        ("flat", {"SUBSTRT1": 102}, "is of columns 102 to 165 and rows 1 to 32, and x_rate.fits of columns 101 to 164"),
        ("flat", {"SUBSIZE2": 31}, "rows 1 to 31, and x_rate.fits of columns 101 to 164 and rows 1 to 32 .SUBSTRT"),
        ("dark", {"SUBSTRT1": 1, "SUBSIZE1": 2048}, "is of columns 1 to 2048"),  # darks are not cut
        ("flat", {"INSTRUME": "MIRI"}, "is of MIRI, and x_rate.fits of NIRCAM .INSTRUME.; choose another one, or"),
        ("gain", {"REFTYPE": "READNOISE"}, "of the type readnoise .REFTYPE."),
    ],
)
def test_what_is_for_other_exposures_is_refused(reference, kind, more, says):
    with pytest.raises(CommandError, match=says):
        check_reference(kind, reference(kind, **more), EXPOSURE)


def test_packed_files_are_looked_into(reference, tmp_path):
    content = gzip.compress(Path(reference("flat")).read_bytes())
    good, cut = tmp_path / "mine.fits.gz", tmp_path / "cut.fits.gz"
    good.write_bytes(content)
    cut.write_bytes(content[:-40])
    check_reference("flat", str(good), EXPOSURE)
    with pytest.raises(CommandError, match=r"of the type flat \(REFTYPE\)"):
        check_reference("gain", str(good), EXPOSURE)
    with pytest.raises(CommandError, match=r"cut\.fits\.gz \(flat\) is damaged: .*\. Fetch it again"):
        check_reference("flat", str(cut), EXPOSURE)


@pytest.mark.parametrize("instrument", ["{detector: NRCB1, name: MIRI}", "\n    detector: NRCB1\n    name: MIRI"])
def test_trees_of_asdf_are_looked_into(tmp_path, instrument):
    path = tmp_path / "mine.asdf"
    tree = f"meta:\n  author: {{name: Hubble}}\n  instrument: {instrument}\n  reftype: distortion\n  telescope: JWST\n"
    path.write_text(f"#ASDF 1.0.0\n%YAML 1.1\n---\n{tree}...\n")
    with pytest.raises(CommandError, match=r"mine\.asdf \(distortion\) is of MIRI, and x_rate\.fits of NIRCAM"):
        check_reference("distortion", str(path), EXPOSURE)
    path.write_text(path.read_text().replace("MIRI", "NIRCAM"))
    check_reference("distortion", str(path), EXPOSURE)


def test_spectra_are_extracted_by_json(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"reftype": "EXTRACT1D", "instrume": "NIRCAM", "apertures": []}))
    check_reference("extract1d", str(path), EXPOSURE)
    path.write_text('{"reftype": "EXTRACT1D",')
    with pytest.raises(CommandError, match=r"mine\.json \(extract1d\) is no valid JSON"):
        check_reference("extract1d", str(path))
    assert ".json" in endings_of("extract1d")
    assert ".json" not in endings_of("dark")


def test_paths_are_made_absolute_and_nothing_stays_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert given_references({"dark": "a.fits", "flat": "N/A"}) == {"dark": str(tmp_path / "a.fits"), "flat": "N/A"}


def test_a_step_that_cannot_do_without_a_type_says_so(tmp_path):
    path = tmp_path / "x_cal.fits"
    first = fits.PrimaryHDU()
    first.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRISS", "EXP_TYPE": "NIS_AMI"})
    first.writeto(path)
    subject = subject_of(path)
    with pytest.raises(JvizError, match=r"The step ami_analyze cannot do without a reference of the type nrm, .*; giv"):
        check_unused("nrm", ["ami_analyze", "ami_normalize"], subject)
    check_unused("dark", ["dark_current"], subject)
    check_unused("gain", ["gain_scale"], subject)  # jump and ramp_fit are skipped
