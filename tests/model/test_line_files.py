"""Lists of lines of a user's own: units, media and names as files have them, undo, sessions and scripts."""

import numpy as np
import pytest
from astropy import constants as const
from astropy import units as u
from astropy.table import QTable, Table

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.line_tables import lines_of_file
from jviz.backend.spectra.lines import identify, own_lines
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError, JvizError
from jviz.spectral import made_spectrum


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    axis = SpectralAxis(np.linspace(0.4, 1.0, 50), "um", "wavelength", medium="vacuum")
    session.add(made_spectrum(Samples(axis, np.ones(50), "mJy"), "star", "star"))
    session.view("spectrum", data="star")
    yield session
    session.close()


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


FILES = {
    "plain.txt": "Halpha 6564.61\n[OIII] 5008.24\n",
    "named.csv": "wavelength_nm,name\n656.461,Halpha\n500.824,[OIII]\n",
    "specviz.csv": "Line Name,Rest Value,Unit\nHalpha,6564.61,Angstrom\n[OIII],0.500824,um\n",
    "units.ecsv": None,
    "frequency.csv": "species,freq_GHz\nHalpha,456679.3\n[OIII],598598.5\n",
    "comment.dat": "# lab lines\n# line   wave(A)\nHalpha 6564.61\n[OIII] 5008.24\n",
}


@pytest.mark.parametrize("name", FILES)
def test_lines_come_in_metres_in_vacuum_whatever_the_file_says(tmp_path, name):
    path = tmp_path / name
    if FILES[name] is None:
        QTable({"id": ["Halpha", "[OIII]"], "lambda": [6564.61, 5008.24] * u.AA}).write(path)
    else:
        written(tmp_path, name, FILES[name])
    found = lines_of_file(path)
    assert [line for line, _ in found] == ["[OIII]", "Halpha"]
    np.testing.assert_allclose([wave for _, wave in found], [5008.24e-10, 6564.61e-10], rtol=2e-6)


def test_air_is_turned_into_vacuum(tmp_path):
    path = written(tmp_path, "air.csv", "name,wave_air\nHalpha,6562.79\n")
    [(_, wave)] = lines_of_file(path)
    # vacuum wavelength of H alpha (NIST), within the precision of the air wavelength
    assert wave == pytest.approx(6564.60e-10, rel=3e-6)
    plain = written(tmp_path, "vac.csv", "name,wave\nHalpha,6562.79\n")
    assert lines_of_file(plain)[0][1] == pytest.approx(6562.79e-10)
    assert lines_of_file(plain, medium="air")[0][1] == pytest.approx(wave)


def test_frequencies_and_energies_follow_from_c_and_h(tmp_path):
    Table({"name": ["CO"], "frequency": [115.271]}).write(tmp_path / "co.csv")
    [(_, wave)] = lines_of_file(tmp_path / "co.csv", unit="GHz")
    assert wave == pytest.approx((const.c / (115.271 * u.GHz)).to_value(u.m))
    Table({"name": ["Fe K"], "energy": [6.4]}).write(tmp_path / "fe.csv")
    [(_, wave)] = lines_of_file(tmp_path / "fe.csv", unit="keV")
    assert wave == pytest.approx((const.h * const.c / (6.4 * u.keV)).to_value(u.m))


@pytest.mark.parametrize(("text", "words"), [
    ("name,wave\nHalpha,abc\n[OIII],def\n", "no column with numbers"),
    ("name,wave\nHalpha,-1\n", "above 0"),
    ("name,velocity (km/s)\nHalpha,12\n", "no wavelengths"),
])  # fmt: skip
def test_what_is_no_list_of_lines_is_told(tmp_path, session, text, words):
    path = written(tmp_path, "bad.csv", text)
    with pytest.raises(JvizError, match=words):
        session.run("spectrum.line_file", path=path)
    assert session.views["Spectrum 1"].own_lines == ()


def test_lines_of_a_file_are_a_step_saved_and_repeated(tmp_path, session):
    view = session.views["Spectrum 1"]
    path = written(tmp_path, "mine.csv", "name,wave_nm\nmine,500\nyours,600\n")
    session.run("spectrum.line_file", path=path)
    lines = view.own_lines
    assert [name for name, _ in lines] == ["mine", "yours"]
    session.undo()
    assert view.own_lines == ()
    session.redo()
    other = written(tmp_path, "other.csv", "name,wave_nm\nother,700\n")
    session.run("spectrum.line_file", path=other, add=True)
    assert [name for name, _ in view.own_lines] == ["mine", "yours", "other"]
    session.run("spectrum.lines", lists=["H"], redshift=0.1)
    assert len(view.own_lines) == 3
    again = jviz.Session.load(session.save(tmp_path / "work.jviz"))
    assert again.views["Spectrum 1"].own_lines == view.own_lines
    again.close()
    assert "spectrum.line_file" in session.script()
    session.run("spectrum.lines", lists="none")
    assert (view.lines, view.own_lines) == ((), ())


def test_own_lines_are_identified(session):
    own = own_lines([("mine", 500.05e-9)])
    assert identify(500.1e-9, 0.0, count=1, own=own)[0].title == "mine"
    with pytest.raises(CommandError, match="above 0"):
        session.views["Spectrum 1"].own_lines = (("broken", -1.0),)
