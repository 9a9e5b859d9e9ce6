"""Spectra written and opened again: everything comes back."""

import numpy as np
import pytest

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError
from jviz.spectral import made_spectrum


def sample(n=12, kind="ivar", name="", start=1.0):
    axis = SpectralAxis(np.linspace(start, start + 1, n), "um", "wavelength", medium="air")
    rng = np.random.default_rng(n)
    return Samples(
        axis, rng.normal(size=n), "mJy", rng.uniform(1, 2, n), kind, np.arange(n) == 3, np.arange(n), 2e-12, name,
        {"OBJECT": "star"},
    )  # fmt: skip


def same(one, other):
    np.testing.assert_allclose(one.axis.values, other.axis.values, rtol=1e-14)
    np.testing.assert_allclose(one.flux, other.flux, rtol=1e-14)
    np.testing.assert_allclose(one.uncertainty, other.uncertainty, rtol=1e-14)
    np.testing.assert_array_equal(one.mask, other.mask)
    assert (one.kind, one.unit, one.axis.unit, one.axis.quantity) == (
        other.kind, other.unit, other.axis.unit, other.axis.quantity)  # fmt: skip


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv", ".vot", ".tsv"])
@pytest.mark.parametrize("kind", ["std", "var", "ivar"])
def test_a_spectrum_comes_back_from_its_file(tmp_path, suffix, kind):
    session = jviz.Session()
    session.add(made_spectrum(sample(kind=kind), "line", "a line"))
    path = session.run("data.export", data="line", path=tmp_path / f"line{suffix}")
    [data] = jviz.Session().open(path)
    assert data.kind == "spectrum"
    [back] = data.samples
    same(back, session["line"].samples[0])
    if suffix in (".fits", ".ecsv"):
        assert (back.axis.medium, back.area, back.meta["OBJECT"]) == ("air", 2e-12, "star")
        np.testing.assert_array_equal(back.flags, np.arange(12))


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv", ".tsv"])
def test_many_spectra_of_different_lengths_come_back(tmp_path, suffix):
    spectra = [sample(12, name="a"), sample(7, name="b", start=3.0), sample(9, name="c")]
    session = jviz.Session()
    session.add(made_spectrum(spectra, "three", "three spectra"))
    session.run("data.export", data="three", path=tmp_path / f"three{suffix}")
    [data] = jviz.Session().open(tmp_path / f"three{suffix}")
    assert [one.name for one in data.samples] == ["a", "b", "c"]
    for back, one in zip(data.samples, spectra, strict=True):
        same(back, one)


def test_made_spectra_are_saved_with_the_session(tmp_path):
    session = jviz.Session()
    session.add(made_spectrum([sample(12, name="a"), sample(7, name="b")], "two", "two spectra"))
    session.add(made_spectrum(sample(9, kind="var"), "one", "one spectrum"))
    session.save(tmp_path / "work.jviz")
    loaded = jviz.Session.load(tmp_path / "work.jviz")
    for name in ("two", "one"):
        for back, one in zip(loaded[name].samples, session[name].samples, strict=True):
            same(back, one)
            assert back.axis.medium == "air"


def test_a_format_that_holds_no_table_is_refused(tmp_path):
    session = jviz.Session()
    session.add(made_spectrum(sample(), "line", "a line"))
    with pytest.raises(CommandError, match=r"line.png does not say which kind of table"):
        session.run("data.export", data="line", path=tmp_path / "line.png")


def test_vectors_longer_than_a_cell_of_csv_come_back(tmp_path):
    """Python's reader of CSV takes no cells of more than 131,072 letters by itself."""
    import csv

    limit = csv.field_size_limit(131_072)
    try:
        spectra = [sample(9000, name="a"), sample(9000, name="b")]
        session = jviz.Session()
        session.add(made_spectrum(spectra, "two", "two"))
        session.run("data.export", data="two", path=tmp_path / "two.ecsv")
        [data] = jviz.Session().open(tmp_path / "two.ecsv")
        for back, one in zip(data.samples, spectra, strict=True):
            same(back, one)
    finally:
        csv.field_size_limit(limit)


def test_a_mask_that_is_said_is_not_made_larger_by_flags(tmp_path):
    """COS has weighed its flags itself; SDQFLAGS, which is kept with them, says more than it masks."""
    one = sample(12)
    one.meta["SDQFLAGS"] = 31743
    session = jviz.Session()
    session.add(made_spectrum(one, "cos", "cos"))
    session.run("data.export", data="cos", path=tmp_path / "cos.fits")
    [data] = jviz.Session().open(tmp_path / "cos.fits")
    same(data.samples[0], one)


@pytest.mark.parametrize("kind", ["std", "var", "ivar"])
def test_specutils_reads_what_is_exported(tmp_path, kind):
    """With errors whatever their kind; keywords of the axis of an array, which it would take, are left out."""
    from astropy import units as u
    from specutils import Spectrum

    one = sample(40, kind=kind)
    one.meta.update(CTYPE1="WAVE-WAVE", CRVAL1=3.6, CD1_1=1e-4, COEFF0=3.6, DMODCLS="OneSpec")
    session = jviz.Session()
    session.add(made_spectrum(one, "line", "a line"))
    session.run("data.export", data="line", path=tmp_path / "line.fits")
    read = Spectrum.read(tmp_path / "line.fits", format="tabular-fits")
    np.testing.assert_allclose(read.spectral_axis.to_value(u.um), one.axis.values)
    np.testing.assert_allclose(read.flux.to_value(u.mJy), one.flux)
    np.testing.assert_allclose(read.uncertainty.array, one.error)
    same(jviz.Session().open(tmp_path / "line.fits")[0].samples[0], one)
