"""Cubes in Jy/beam: their fluxes against a point source of known flux, with one beam and with one for each channel."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from regions import CirclePixelRegion, PixCoord

import jviz
from jviz.backend.cubes.beam_matching import convolved
from jviz.backend.cubes.beams import Beams
from jviz.backend.progress import silent
from jviz.beams import beams_of
from jviz.cube_pictures import slab_map
from jviz.cube_readers import Area, CubeReader

N, SIZE, PIXEL = 30, 41, 0.05
FLUX = 2.0 * np.exp(-0.5 * ((np.arange(N) - 15) / 4) ** 2)
TABLE = np.stack([np.linspace(0.30, 0.42, N), np.linspace(0.20, 0.26, N), np.linspace(-60, -50, N)], axis=1)


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def ellipse(major, minor, angle):
    """Return a Gaussian of peak 1 in the middle, its major axis from north to east, east to the left."""
    y, x = (np.mgrid[:SIZE, :SIZE] - SIZE // 2) * PIXEL
    along = y * np.cos(np.radians(angle)) - x * np.sin(np.radians(angle))
    across = y * np.sin(np.radians(angle)) + x * np.cos(np.radians(angle))
    return np.exp(-4 * np.log(2) * ((along / major) ** 2 + (across / minor) ** 2))


def written(path, table, *, stokes=1, zero=()):
    """Write a point source as CASA's exportfits does: RA, DEC, FREQ, STOKES; beams in a table where they differ."""
    header = fits.Header()
    step, middle = PIXEL / 3600, SIZE // 2 + 1
    axes = [("RA---SIN", 269.0, -step, middle, "deg"), ("DEC--SIN", -21.0, step, middle, "deg"),
            ("FREQ", 230.5e9, 5e5, 1.0, "Hz"), ("STOKES", 1.0, 1.0, 1.0, "")]  # fmt: skip
    for n, (kind, value, step, middle, unit) in enumerate(axes, 1):
        header[f"CTYPE{n}"], header[f"CRVAL{n}"], header[f"CDELT{n}"] = kind, value, step
        header[f"CRPIX{n}"], header[f"CUNIT{n}"] = middle, unit
    header["BUNIT"], header["RESTFRQ"], header["SPECSYS"] = "Jy/beam", 230.538e9, "LSRK"
    cube = np.stack([f * ellipse(*row) for f, row in zip(FLUX, table, strict=True)])
    values = np.stack([cube / (s + 1) for s in range(stokes)]).astype(np.float32)
    if np.ptp(table, axis=0).any():
        header["CASAMBM"] = True
        rows = np.repeat(table[None], stokes, axis=0)
        rows[:, list(zero)] = 0
        rows = rows.reshape(-1, 3)
        columns = [fits.Column(name, "1E", unit, array=rows[:, k]) for k, (name, unit) in enumerate(
            (("BMAJ", "arcsec"), ("BMIN", "arcsec"), ("BPA", "deg")))]  # fmt: skip
        columns += [fits.Column("CHAN", "1J", array=np.tile(np.arange(len(table)), stokes)),
                    fits.Column("POL", "1J", array=np.repeat(np.arange(stokes), len(table)))]  # fmt: skip
        beams = fits.BinTableHDU.from_columns(columns, name="BEAMS")
        beams.header["NCHAN"], beams.header["NPOL"] = len(table), stokes
        fits.HDUList([fits.PrimaryHDU(values, header), beams]).writeto(path)
    else:
        header["BMAJ"], header["BMIN"], header["BPA"] = table[0, 0] / 3600, table[0, 1] / 3600, table[0, 2]
        fits.PrimaryHDU(values, header).writeto(path)
    return path


@pytest.fixture
def cube(session, tmp_path):
    [data] = session.open(written(tmp_path / "beams.fits", TABLE))
    return data


def flux(made):
    [samples] = made.samples
    assert samples.unit == "Jy"
    return samples.flux


@pytest.mark.parametrize("table", [TABLE, np.repeat(TABLE[:1], N, axis=0)], ids=["of channels", "one"])
def test_the_flux_of_a_point_source_is_what_was_put_in(session, tmp_path, table):
    [data] = session.open(written(tmp_path / "cube.fits", table))
    assert np.allclose(flux(session.run("cube.extract", data=data)), FLUX, rtol=2e-3)


def test_a_mean_stays_as_the_file_has_it(session, cube):
    [samples] = session.run("cube.extract", data=cube, statistic="mean").samples
    assert samples.unit == "Jy/beam"
    assert np.allclose(samples.flux, cube.plane().read().mean(axis=(1, 2)), rtol=1e-5)


def test_live_spectra_are_those_of_the_command(session, cube):
    region = CirclePixelRegion(PixCoord(20, 20), 6)
    subset = session.subset("core", region, data=cube)
    reader = CubeReader(session, cube, 1 << 26, lambda *_: None)
    found = reader.at_once(Area(reader.spaxels(subset)), "sum", None)
    assert found.unit == "Jy"
    assert np.allclose(found.flux, flux(session.run("cube.extract", data=cube, region="core")), rtol=1e-5)


def test_spaxels_are_fluxes_too_beside_sums_of_regions(session, cube):
    reader = CubeReader(session, cube, 1 << 26, lambda *_: None)
    session.settings["cube.region_statistic"] = "mean"
    assert reader.spaxel(20, 20).unit == "Jy/beam"
    session.settings["cube.region_statistic"] = "sum"
    found = reader.spaxel(20, 20)
    areas = np.pi / (4 * np.log(2)) * TABLE[:, 0] * TABLE[:, 1]
    assert found.unit == "Jy"
    assert np.allclose(found.flux, cube.plane().read()[:, 20, 20] * PIXEL**2 / areas, rtol=1e-5)


def test_the_integral_of_the_line_is_that_of_its_flux(session, cube):
    made = session.run("cube.moment", data=cube, order=0)
    area = np.pi / (4 * np.log(2)) * made.header["BMAJ"] * made.header["BMIN"] * 3600**2
    total = float(made.get(np.ndarray).sum()) * PIXEL**2 / area
    assert total == pytest.approx(FLUX.sum() * 5e5, rel=2e-3)
    assert "CASAMBM" not in made.header


@pytest.mark.parametrize("statistic", ["sum", "mean", "median", "max", "moment0", "moment1"])
def test_the_slab_that_is_seen_is_the_map_that_is_made(session, cube, statistic):
    low, high = cube.axis.values[[5, 24]]
    ends = (low * u.Hz, high * u.Hz)
    if statistic.startswith("moment"):
        made = session.run("cube.moment", data=cube, order=int(statistic[-1]), spectral=ends)
    else:
        made = session.run("cube.collapse", data=cube, statistic=statistic, spectral=ends)
    seen, kept = slab_map(cube, "", (low, high, statistic), silent), made.get(np.ndarray)
    assert np.allclose(seen[15:26, 15:26], kept[15:26, 15:26], rtol=1e-5)


def test_a_slice_has_the_beam_of_its_channel(session, cube):
    made = session.run("cube.image", data=cube, channel=N - 1)
    assert np.allclose([3600 * made.header["BMAJ"], 3600 * made.header["BMIN"], made.header["BPA"]], TABLE[-1])


def test_parts_keep_their_beams_also_in_files(session, cube, tmp_path):
    part = session.run("cube.slab", data=cube, spectral=(cube.axis.values[10] * u.Hz, cube.axis.values[19] * u.Hz))
    session.run("data.export", data=part, path=tmp_path / "part.fits")
    with fits.open(tmp_path / "part.fits") as file:
        assert np.allclose(file["BEAMS"].data["BMAJ"], TABLE[10:20, 0])
        assert file[0].header["CASAMBM"] is True
    [back] = session.open(tmp_path / "part.fits")
    for one in (part, back):
        assert np.allclose(beams_of(one).table, TABLE[10:20], rtol=1e-6)
        assert np.allclose(flux(session.run("cube.extract", data=one)), FLUX[10:20], rtol=2e-3)


def test_rebinned_channels_have_beams_and_fluxes(session, cube):
    made = session.run("cube.rebin", data=cube, spectral=3)
    assert np.allclose(flux(session.run("cube.extract", data=made)), FLUX.reshape(-1, 3).mean(axis=1), rtol=5e-3)


def test_channels_without_a_beam_take_that_of_their_neighbour(session, tmp_path):
    [data] = session.open(written(tmp_path / "cube.fits", TABLE, zero=(0, 1, 12)))
    found = flux(session.run("cube.extract", data=data))
    assert np.isfinite(found).all()
    assert np.allclose(found[2:12], FLUX[2:12], rtol=2e-3)
    assert beams_of(data).at(12) is None
    assert beams_of(data).at(11) == pytest.approx(tuple(TABLE[11]))


def test_each_polarisation_has_its_beams(session, tmp_path):
    found = session.open(written(tmp_path / "cube.fits", TABLE, stokes=3))
    assert len(found) == 3
    for number, data in enumerate(found, 1):
        assert np.allclose(flux(session.run("cube.extract", data=data)), FLUX / number, rtol=2e-3)


def test_saved_sessions_keep_the_beams_of_what_was_made(session, cube, tmp_path):
    made = session.run("cube.rebin", data=cube, spectral=2)
    session.save(tmp_path / "work.jviz")
    again = jviz.Session.load(tmp_path / "work.jviz")
    assert np.allclose(beams_of(again[made.name]).table, beams_of(made).table)
    again.close()


def test_a_real_cube_has_the_beams_of_its_table(session, shared_data):
    [data] = [d for d in session.open(shared_data / "alma_perplanebeam.fits") if d.kind == "cube"]
    with fits.open(shared_data / "alma_perplanebeam.fits") as file:
        rows = file["BEAMS"].data
    beams = beams_of(data)
    assert np.allclose(beams.table[:, :2], np.stack([rows["BMAJ"], rows["BMIN"]], axis=1), rtol=1e-6)
    areas = [(np.pi / (4 * np.log(2)) * a * b * u.arcsec**2).to_value(u.sr) for a, b in beams.table[:, :2]]
    assert np.allclose(beams.solid_angles, areas)


def test_headers_without_a_beam_have_none():
    assert Beams.of_header({"BMAJ": 1e-4}) is None
    assert Beams.of_header({"BMAJ": 0.0, "BMIN": 0.0}) is None
    assert Beams.of_header({"BMAJ": "wide", "BMIN": 1e-4}) is None


def test_beams_of_channels_become_one_round_beam(session, cube):
    """A point source becomes the round beam itself, of peak flux; its flux stays."""
    made = session.run("cube.psf_match", data=cube, fwhm_to=0.5)
    values, [one] = made.plane().read(), np.unique(beams_of(made).table, axis=0)
    assert tuple(one) == pytest.approx((0.5, 0.5, 0))
    assert 3600 * made.header["BMAJ"] == pytest.approx(0.5)
    part = slice(12, 29)
    for channel in (0, 15, N - 1):
        expected = FLUX[channel] * ellipse(0.5, 0.5, 0.0)
        assert np.allclose(values[channel][part, part], expected[part, part], atol=2e-3 * FLUX[channel])
    assert np.allclose(flux(session.run("cube.extract", data=made)), FLUX, rtol=5e-3)


def test_the_widest_major_axis_itself_can_be_matched(session, cube):
    made = session.run("cube.psf_match", data=cube, fwhm_to=float(TABLE[:, 0].max()))
    found = made.plane().read()[N - 1, 12:29, 12:29]
    expected = FLUX[N - 1] * ellipse(TABLE[:, 0].max(), TABLE[:, 0].max(), 0.0)[12:29, 12:29]
    assert np.allclose(found, expected, atol=3e-3 * FLUX[N - 1])


def test_beams_are_not_made_narrower(session, cube):
    with pytest.raises(jviz.JvizError, match="only be widened"):
        session.run("cube.psf_match", data=cube, fwhm_to=0.4)


def test_errors_of_convolved_images_are_those_of_noise():
    covariance, rng = np.array([[2.0, 0.8], [0.8, 1.2]]), np.random.default_rng(5)
    made = [convolved(rng.normal(0, 0.3, (40, 40)), None, covariance)[0] for _ in range(400)]
    _, variance = convolved(np.zeros((40, 40)), np.full((40, 40), 0.09), covariance)
    assert np.allclose(np.std(made, axis=0)[5:-5, 5:-5].mean(), np.sqrt(variance)[5:-5, 5:-5].mean(), rtol=0.02)


def test_missing_values_stay_missing_and_do_not_darken_their_neighbours():
    values = np.full((30, 30), 4.0)
    values[10:14, 10:14] = np.nan
    made, _ = convolved(values, None, np.array([[3.0, 1.0], [1.0, 2.0]]))
    assert np.array_equal(np.isnan(made), np.isnan(values))
    assert np.allclose(made[np.isfinite(made)], 4.0)


@pytest.mark.parametrize("command", ["cube.peak", "cube.collapse"])
def test_the_peak_of_a_point_source_is_its_flux(session, cube, command):
    more = {"statistic": "max"} if command == "cube.collapse" else {}
    found = session.run(command, data=cube, **more)
    made = found[0] if isinstance(found, list) else found
    assert made.get(np.ndarray)[SIZE // 2, SIZE // 2] == pytest.approx(FLUX.max(), rel=1e-3)
    assert "BMAJ" not in made.header
    assert "each value per beam of its own channel" in " ".join(str(made.header["HISTORY"]).split())
    assert any("differ by 59% in area" in text and "psf_match" in text for _, text in session.notices)


def test_maps_say_which_beam_they_have_and_what_helps(session, cube):
    made = session.run("cube.moment", data=cube, order=0)
    history = " ".join(str(made.header["HISTORY"]).split())
    assert "all channels per beam of 0.35793 × 0.22897 arcsec" in history
    assert np.isclose(3600 * made.header["BMAJ"], 0.35793, rtol=1e-4)
    [warning] = [text for level, text in session.notices if level == "warning"]
    assert "makes one beam of 0.42 arcsec" in warning
    matched = session.run("cube.psf_match", data=cube)
    session.notices.clear()
    whole = session.run("cube.moment", data=matched, order=0)
    assert not session.notices
    assert np.isclose(3600 * whole.header["BMAJ"], 0.42, rtol=1e-5)
    # With one beam the peak of a point source is its integral, and so is the sum over the beam.
    assert whole.get(np.ndarray).max() == pytest.approx(FLUX.sum() * 5e5, rel=5e-3)
    area = np.pi / (4 * np.log(2)) * 0.42**2
    assert whole.get(np.ndarray).sum() * PIXEL**2 / area == pytest.approx(FLUX.sum() * 5e5, rel=5e-3)


def test_beams_that_hardly_differ_are_not_worth_a_word(session, tmp_path):
    table = np.repeat(TABLE[:1], N, axis=0) * np.linspace(1, 1.002, N)[:, None]
    [data] = session.open(written(tmp_path / "cube.fits", table))
    made = session.run("cube.collapse", data=data)
    assert not session.notices
    assert "by areas that differ by 0.4%" in " ".join(str(made.header["HISTORY"]).split())


def test_a_width_must_be_given_where_no_beam_tells_it(session):
    data = session.add(np.ones((5, 6, 7), "f4"), name="plain")
    with pytest.raises(jviz.CommandError, match="say how wide the PSF is to be"):
        session.run("cube.psf_match", data=data)
