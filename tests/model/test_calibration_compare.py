"""What differs between before and after a calibration, worked out another way."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from jviz import CommandError, Session
from jviz.backend.calibration.comparing import compared, flag_changes, keyword_changes


@pytest.fixture
def pair(tmp_path):
    """Two files of one exposure: two pixels, one flag and two keywords differ."""
    rng = np.random.default_rng(7)
    image = rng.normal(10, 1, (40, 50)).astype(np.float32)
    flags = np.zeros((40, 50), np.uint32)
    flags[3, 4] = 1 | 4
    paths = []
    for number in range(2):
        primary = fits.PrimaryHDU()
        primary.header.update(TELESCOP="JWST", INSTRUME="NIRCAM", EXP_TYPE="NRC_IMAGE", S_JUMP="SKIPPED")
        if number:
            primary.header.update(S_JUMP="COMPLETE", R_GAIN="gain.fits")
            image, flags = image.copy(), flags.copy()
            image[5, 6] += 3
            image[7, 8] -= 2
            flags[3, 4] = 1
            flags[9, 9] = flags[9, 10] = 4
        path = tmp_path / f"jw01_{number}_rate.fits"
        hdus = [fits.ImageHDU(image, name="SCI"), fits.ImageHDU(flags, name="DQ")]
        fits.HDUList([primary, *hdus]).writeto(path)
        paths.append(path)
    return paths


def test_numbers_flags_and_keywords(pair):
    session = Session()
    before, after = session.open(*pair)
    table = session.run("calibration.compare", before=before, after=after)
    rows = {(row["kind"], row["name"]): (row["before"], row["after"], row["change"]) for row in table}
    assert rows["number", "pixels that differ"] == ("", "", "2")
    assert float(rows["number", "greatest"][2]) == pytest.approx(3, abs=1e-5)
    assert float(rows["number", "least"][2]) == pytest.approx(-2, abs=1e-5)
    assert rows["flag", "JUMP_DET"] == ("1", "2", "+2 −1")
    assert rows["flag", "DO_NOT_USE"] == ("1", "1", "+0 −0")
    assert rows["keyword", "S_JUMP"] == ("SKIPPED", "COMPLETE", "")
    assert rows["keyword", "R_GAIN"] == ("", "gain.fits", "")
    assert session.results[-1].value is table
    session.close()


@pytest.mark.parametrize("way", ["blink", "curtain", "difference", "ratio"])
def test_shown_in_one_viewer(pair, way):
    session = Session()
    before, after = session.open(*pair)
    view = session.run("calibration.show", before=before, after=after, way=way)
    assert [layer.data for layer in view.layers[:2]] == [before, after]
    assert view.layers[0].limits == view.layers[1].limits
    assert view.align == "pixels"
    if way in ("difference", "ratio"):
        assert (view.layers[2].operation, view.layers[2].data, view.layers[2].against) == (way, after, before)
    assert bool(view.blink) == (way == "blink")
    assert (view.curtain is not None) == (way == "curtain")
    again = session.run("calibration.show", before=after, after=before, way="curtain", view=view)
    assert again is view
    assert [layer.data for layer in view.layers] == [after, before]
    session.undo()
    session.undo()
    assert session.views == {}
    session.close()


def test_what_cannot_be_compared(pair):
    session = Session()
    [before, _] = session.open(*pair)
    session.add(np.ones((3, 3)), name="small")
    with pytest.raises(CommandError, match="different shapes"):
        session.run("calibration.compare", before=before, after="small")
    for command in ("calibration.compare", "calibration.show"):
        with pytest.raises(CommandError, match="itself"):
            session.run(command, before=before, after=before)
    with pytest.raises(CommandError, match="no product of a run"):
        session.run("calibration.drop", data=before)
    session.close()


@pytest.fixture
def spectra(tmp_path):
    """Return paths of two extracted spectra: three samples and one flag differ; and of one on another axis."""
    wave = np.linspace(5.0, 5.4, 60)
    paths = []
    for number, axis in enumerate((wave, wave, wave + 0.01)):
        flux, flags = 0.1 + 0.01 * np.sin(wave), np.zeros(60, np.int32)
        if number == 1:
            flux[[3, 30, 40]] += 0.02
            flags[3] = 1
        values = {"WAVELENGTH": ("D", "um", axis), "FLUX": ("D", "Jy", flux), "FLUX_ERROR": ("D", "Jy", 0.01 * flux),
                  "DQ": ("J", "", flags)}  # fmt: skip
        columns = [fits.Column(name, form, unit, array=array) for name, (form, unit, array) in values.items()]
        primary = fits.PrimaryHDU()
        primary.header.update(TELESCOP="JWST", INSTRUME="MIRI", EXP_TYPE="MIR_MRS", S_EXTR1D="COMPLETE",
                              CAL_VER=f"3.{number}")  # fmt: skip
        path = tmp_path / f"jw01_{number}_x1d.fits"
        fits.HDUList([primary, fits.BinTableHDU.from_columns(columns, name="EXTRACT1D")]).writeto(path)
        paths.append(path)
    return paths


def test_spectra_are_compared_sample_by_sample_and_drawn_over_each_other(spectra):
    session = Session()
    before, after, other = session.open(*spectra)
    table = session.run("calibration.compare", before=before, after=after)
    rows = {(row["kind"], row["name"]): (row["before"], row["after"], row["change"]) for row in table}
    assert rows["number", "pixels that differ"][2] == "3"
    assert float(rows["number", "greatest"][2]) == pytest.approx(0.02)
    assert rows["flag", "DO_NOT_USE"] == ("0", "1", "+1 −0")
    assert rows["keyword", "CAL_VER"] == ("3.0", "3.1", "")
    view = session.run("calibration.show", before=before, after=after)
    assert view.kind == "spectrum"
    assert [layer.data for layer in view.layers] == [before, after]
    again = session.run("calibration.show", before=after, after=before, view=view)
    assert again is view
    assert [layer.data for layer in view.layers] == [after, before]
    session.undo()
    session.undo()
    assert session.views == {}
    with pytest.raises(CommandError, match=r"at different wavelengths\. Resample one"):
        session.run("calibration.compare", before=before, after=other)
    session.add(np.ones((3, 3)), name="image")
    with pytest.raises(CommandError, match="of kind spectrum and image of kind image; compare products of the same"):
        session.run("calibration.compare", before=before, after="image")
    session.close()


def test_the_difference_and_the_ratio_of_spectra_are_new_spectra(spectra):
    session = Session()
    before, after, other = session.open(*spectra)
    view = session.run("calibration.show", before=before, after=after, way="difference")
    [layer] = view.layers
    old, new = (data.samples[0] for data in (before, after))
    good = old.good & new.good
    assert np.allclose(layer.data.samples[0].flux[good], (new.flux - old.flux)[good])
    assert np.isnan(layer.data.samples[0].flux[~good]).all()
    assert layer.data.samples[0].unit == new.unit
    session.run("calibration.show", before=before, after=after, way="ratio", view=view)
    assert np.allclose(view.layers[0].data.samples[0].flux[good], (new.flux / old.flux)[good])
    assert view.layers[0].data.samples[0].unit == ""
    count = len(session.data)
    session.run("calibration.show", before=before, after=after, way="difference", view=view)
    assert view.layers[0].data is layer.data
    assert len(session.data) == count  # the one that is there is shown again
    for _ in range(3):
        session.undo()
    assert session.data == (before, after, other)
    assert session.views == {}
    for way in ("blink", "curtain"):
        with pytest.raises(CommandError, match=f"cannot be shown by {way}: leave the way out"):
            session.run("calibration.show", before=before, after=after, way=way)
    with pytest.raises(CommandError, match=r"at different wavelengths\. Resample one"):
        session.run("calibration.show", before=before, after=other, way="ratio")
    session.close()


def test_a_dropped_run_comes_back_with_undo(pair):
    folder = pair[0].parent / "run"
    folder.mkdir()
    shutil.copy(pair[1], folder / "jw01_1_rate.fits")
    (folder / "record.json").write_text("{}")
    session = Session()
    [kept, product] = session.open(pair[0], folder / "jw01_1_rate.fits")
    session.view("image", data=product)
    session.run("calibration.drop", data=product)
    assert session.names == [kept.name]
    assert session.views == {}
    assert not folder.exists()
    session.undo()
    assert (folder / "jw01_1_rate.fits").is_file()
    assert len(session.names) == 2
    assert len(session.views) == 1
    session.close()


def test_laws_of_comparing():
    rng = np.random.default_rng(1)
    before = rng.normal(0, 1, (30, 30))
    before[0, 0] = np.nan
    found = compared(before, before + 0.5)
    assert found.numbers["median"][2] == pytest.approx(0.5)
    assert found.numbers["scatter (robust)"][2] == pytest.approx(0, abs=1e-12)
    assert found.numbers["pixels with a value"] == (899, 899, 899)
    assert found.counts.sum() <= 899
    flags = rng.integers(0, 2**32, (20, 20), dtype=np.uint32)
    changed = flags ^ np.uint32(1 << 31)
    [top] = [flag for flag in flag_changes(flags, changed, {31: "REFERENCE_PIXEL"}) if flag.added or flag.removed]
    assert top.name == "REFERENCE_PIXEL"
    assert top.added + top.before == 400 == top.removed + top.after
    nan = float("nan")
    assert keyword_changes({"A": 1, "B": nan, "NAXIS1": 3}, {"A": 1, "B": nan, "C": 2}) == [("C", None, 2)]
    empty = compared(np.full((2, 2), nan), np.ones((2, 2)))
    assert empty.numbers["pixels that differ"][2] == 0
