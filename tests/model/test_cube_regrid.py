"""Cubes on the grid of another: integrals and flux conserved, place and axis of the reference, errors, words."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.errors import JvizError
from tests.model.test_cube_operations import NX, NY, WAVES, N, cube_header, errors_of, line, opened, values_of, world


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_channels_of_another_cube_hold_the_same_integral(session, tmp_path):
    values = np.broadcast_to(line(20, 3.0)[:, None, None], (N, NY, NX)).copy()
    values[:, 2, 2] = np.nan
    cube = opened(session, tmp_path / "a.fits", values, 0.1)
    coarse = opened(session, tmp_path / "b.fits", np.ones((15, NY, NX)), step=0.027)
    made = session.run("cube.regrid", data=cube, reference=coarse)
    got = values_of(made)
    assert got.shape == (15, NY, NX)
    assert np.isclose((got[:, 5, 5] * made.axis.widths).sum(), line(20, 3.0).sum() * 0.01, rtol=1e-4)
    assert np.isnan(got[:, 2, 2]).all()
    assert np.allclose(made.axis.values, coarse.axis.values)
    assert np.allclose(world(made, 4, 5, 6)[:2], world(cube, 4, 5, 6)[:2], rtol=1e-12)
    assert np.isclose(world(made, 4, 5, 6)[2], world(coarse, 4, 5, 6)[2], rtol=1e-12)


def test_errors_on_other_channels_are_the_scatter(session, tmp_path):
    noise = np.random.default_rng(9).normal(5, 0.5, (N, 50, 50))
    cube = opened(session, tmp_path / "noise.fits", noise, 0.5)
    other = opened(session, tmp_path / "b.fits", np.ones((15, 50, 50)), step=0.023)
    made = session.run("cube.regrid", data=cube, reference=other)
    scatter, told = values_of(made)[1:].std(axis=(1, 2)), errors_of(made)[1:].mean(axis=(1, 2))
    assert np.allclose(scatter, told, rtol=0.08)


def test_spaxels_of_another_cube_hold_the_same_flux(session, tmp_path):
    y, x = np.mgrid[:NY, :NX]
    star = np.exp(-0.5 * ((x - 6.4) ** 2 + (y - 5.3) ** 2) / 1.0**2)
    cube = opened(session, tmp_path / "a.fits", star * np.ones((4, 1, 1)), 0.1, unit="Jy")
    fine = opened(session, tmp_path / "b.fits", np.ones((4, 30, 34)), pixel=0.1, unit="Jy")
    made = session.run("cube.regrid", data=cube, reference=fine, axes="spatial", method="exact")
    assert made.shape == (4, 30, 34)
    assert np.isclose(np.nansum(values_of(made)[0]), star.sum(), rtol=0.01)
    assert np.allclose(world(made, 2, 3, 4), world(fine, 2, 3, 4), rtol=1e-12)
    assert np.allclose(made.axis.values, WAVES[:4])


def test_cubes_without_anything_in_common_are_told(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((4, NY, NX)))
    image = session.run("cube.collapse", data=cube)
    with pytest.raises(JvizError, match="no channels; choose a cube"):
        session.run("cube.regrid", data=cube, reference=image)


def test_the_place_of_a_cube_with_a_cd_matrix_stays(session, tmp_path):
    from astropy.io import fits

    header = cube_header(N)
    for number in (1, 2, 3):
        header[f"CD{number}_{number}"] = header.pop(f"CDELT{number}")
    header["CD1_2"], header["CD2_1"] = 1e-5, -1e-5
    fits.PrimaryHDU(np.ones((N, NY, NX), np.float32), header).writeto(tmp_path / "cd.fits")
    [cube] = session.open(tmp_path / "cd.fits")
    made = session.run("cube.regrid", data=cube, reference=cube)
    assert np.allclose(world(made, 3, 4, 5), world(cube, 3, 4, 5), rtol=1e-12)


@pytest.mark.parametrize("method", ["interpolate", "exact"])
def test_both_in_one_run_are_one_after_the_other(session, tmp_path, method):
    y, x = np.mgrid[:NY, :NX]
    star = np.exp(-0.5 * ((x - 6.4) ** 2 + (y - 5.3) ** 2) / 1.0**2)
    cube = opened(session, tmp_path / "a.fits", star * line(20, 3.0)[:, None, None], 0.1, unit="Jy")
    other = opened(session, tmp_path / "b.fits", np.ones((15, 30, 34)), step=0.027, pixel=0.1, unit="Jy")
    made = session.run("cube.regrid", data=cube, reference=other, axes="both", method=method)
    half = session.run("cube.regrid", data=cube, reference=other)
    whole = session.run("cube.regrid", data=half, reference=other, axes="spatial", method=method)
    assert made.shape == (15, 30, 34)
    assert np.allclose(values_of(made), values_of(whole), rtol=1e-5, atol=1e-7, equal_nan=True)
    assert np.allclose(errors_of(made), errors_of(whole), rtol=1e-5, equal_nan=True)
    assert np.allclose(world(made, 4, 5, 6), world(other, 4, 5, 6), rtol=1e-12)
    total = np.nansum(values_of(made), axis=(1, 2)) @ made.axis.widths
    assert np.isclose(total, star.sum() * line(20, 3.0).sum() * 0.01, rtol=0.01)
    session.undo()
    session.undo()
    session.undo()
    assert made.name not in session.names
    session.redo()
    assert made.name in session.names
    assert "axes='both'" in session.script()


def test_channels_beyond_the_old_ones_are_empty_on_both(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((N, NY, NX)), 0.1)
    longer = opened(session, tmp_path / "b.fits", np.ones((2 * N, NY, NX)), step=0.02)
    made = values_of(session.run("cube.regrid", data=cube, reference=longer, axes="both"))
    middle = made[:, NY // 2, NX // 2]
    assert np.allclose(middle[1 : N // 2 - 1], 1.0)
    assert np.isnan(middle[N // 2 + 1 :]).all()


def test_only_the_spaxels_of_an_image_can_be_taken(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((4, NY, NX)))
    image = session.run("cube.collapse", data=cube)
    with pytest.raises(JvizError, match="no channels; choose a cube"):
        session.run("cube.regrid", data=cube, reference=image, axes="both")


# --- axes that count something else ---------------------------------------------------------------

C = 299_792_458.0
REST = 115.2712018e9


def on_axis(session, path, kind, edges, values, *, rest=REST, unit="Jy", error=None):
    """Open a cube of equal channels between two edges, with the values of one spectrum in every spaxel."""
    header, n = cube_header(len(values), unit=unit), len(values)
    step = (edges[1] - edges[0]) / n
    header.update({"CTYPE3": kind, "CRVAL3": edges[0] + step / 2, "CDELT3": step})
    header["CUNIT3"] = {"FREQ": "Hz", "WAVE": "m", "AWAV": "m"}.get(kind, "m/s")
    if rest is not None:
        header["RESTFRQ"] = rest
    planes = np.array(values, float)
    planes = planes if planes.ndim == 3 else np.tile(planes[:, None, None], (1, 3, 4))
    parts = [fits.PrimaryHDU(), fits.ImageHDU(planes, header, name="SCI")]
    if error is not None:
        parts.append(fits.ImageHDU(np.full(planes.shape, error), header, name="ERR"))
    fits.HDUList(parts).writeto(path)
    [data] = session.open(path)
    return data


def frequencies(kind, values):
    """Return what stands in tables of the Doppler conventions (Greisen et al. 2006, table 3), in Hz."""
    beta = np.asarray(values, float) / C
    return {
        "FREQ": lambda: np.asarray(values, float), "WAVE": lambda: C / np.asarray(values, float),
        "VRAD": lambda: REST * (1 - beta), "VOPT": lambda: REST / (1 + beta),
        "VELO": lambda: REST * np.sqrt((1 - beta) / (1 + beta)),
    }[kind]()  # fmt: skip


def spans(kind, n):
    """Return edges of n equal channels over much the same frequencies."""
    start, end = {"FREQ": (115.20e9, 115.30e9), "WAVE": (C / 115.295e9, C / 115.205e9)}.get(kind, (-60e3, 170e3))
    return np.linspace(start, end, n + 1)


@pytest.mark.parametrize("there", ["FREQ", "WAVE", "VRAD", "VOPT", "VELO"])
@pytest.mark.parametrize("here", ["FREQ", "WAVE", "VRAD", "VOPT", "VELO"])
def test_flux_per_hertz_keeps_its_integral_over_frequency_on_every_axis(session, tmp_path, here, there):
    """The exact mean of the old steps over each new channel, whatever either axis counts."""
    rng, old, new = np.random.default_rng(5), spans(here, 90), spans(there, 31)
    values = rng.normal(2, 1, 90)
    cube = on_axis(session, tmp_path / "a.fits", here, old[[0, -1]], values)
    other = on_axis(session, tmp_path / "b.fits", there, new[[0, -1]], np.ones(31))
    made = session.run("cube.regrid", data=cube, reference=other)
    a, b = frequencies(here, old), frequencies(there, new)
    if here == there:
        a, b = old, new  # over the axis itself
    integral = np.concatenate([[0], np.cumsum(values * np.diff(a))])
    order = np.argsort(a)
    expected = np.diff(np.interp(b, a[order], integral[order])) / np.diff(b)
    inside = (np.minimum(b[1:], b[:-1]) >= a.min()) & (np.maximum(b[1:], b[:-1]) <= a.max())
    assert inside.sum() > 15
    assert np.allclose(values_of(made)[inside, 1, 2], expected[inside], rtol=1e-7)
    assert made.unit == "Jy"
    assert np.allclose(made.axis.values, other.axis.values, rtol=1e-12)


def test_flux_per_length_keeps_its_integral_over_wavelength(session, tmp_path):
    values = np.random.default_rng(6).normal(2, 1, 90)
    unit = "erg/s/cm2/Angstrom"
    old, new = spans("FREQ", 90), spans("VOPT", 31)
    cube = on_axis(session, tmp_path / "a.fits", "FREQ", old[[0, -1]], values, unit=unit)
    other = on_axis(session, tmp_path / "b.fits", "VOPT", new[[0, -1]], np.ones(31))
    made = session.run("cube.regrid", data=cube, reference=other)
    a, b = C / old, C / frequencies("VOPT", new)
    integral = np.concatenate([[0], np.cumsum(values * np.diff(a))])
    expected = np.diff(np.interp(b, a[::-1], integral[::-1])) / np.diff(b)
    inside = (b[:-1] >= a.min()) & (b[1:] <= a.max())
    assert np.allclose(values_of(made)[inside, 0, 0], expected[inside], rtol=1e-7)
    assert "integrals over wavelength stay" in str(made.header["HISTORY"])


def test_errors_and_correlation_over_another_quantity_are_those_of_the_scatter(session, tmp_path):
    noise = np.random.default_rng(7).normal(5, 0.5, (90, 60, 60))
    cube = on_axis(session, tmp_path / "a.fits", "FREQ", spans("FREQ", 90)[[0, -1]], noise, error=0.5)
    other = on_axis(session, tmp_path / "b.fits", "VOPT", spans("VOPT", 60)[[0, -1]], np.ones(60))
    made = session.run("cube.regrid", data=cube, reference=other)
    got = values_of(made)
    known = np.flatnonzero(np.isfinite(got[:, 0, 0]))[2:-2]
    assert np.allclose(got[known].std(axis=(1, 2)), errors_of(made)[known].mean(axis=(1, 2)), rtol=0.06)
    found = [np.corrcoef(got[k].ravel(), got[k + 1].ravel())[0, 1] for k in known[:-1]]
    told = float(str(made.header["HISTORY"]).split("channels correlate: ")[1][:4])
    assert abs(np.median(found) - told) < 0.03


def test_wavelengths_in_air_are_brought_to_those_in_vacuum(session, tmp_path):
    edges = np.array([6500e-10, 6600e-10])
    values = np.exp(-0.5 * ((6500 + 1.25 * (np.arange(80) + 0.5) - 6562.80) / 3.0) ** 2)
    cube = on_axis(session, tmp_path / "a.fits", "AWAV", edges, values, unit="erg/s/cm2/Angstrom")
    other = on_axis(session, tmp_path / "b.fits", "WAVE", edges, np.ones(160))
    made = session.run("cube.regrid", data=cube, reference=other)
    got = np.nan_to_num(values_of(made)[:, 0, 0])
    assert made.axis.medium == "vacuum"
    assert np.isclose((got * made.axis.values).sum() / got.sum(), 6564.61e-10, atol=0.02e-10)  # H alpha, NIST


def test_lines_of_two_rest_values_meet_at_their_velocities(session, tmp_path):
    values = np.exp(-0.5 * ((np.arange(60) - 30) / 3.0) ** 2)
    cube = on_axis(session, tmp_path / "a.fits", "VRAD", (-30e3, 30e3), values)
    other = on_axis(session, tmp_path / "b.fits", "VRAD", (-30e3, 30e3), np.ones(60), rest=110.201354e9)
    made = session.run("cube.regrid", data=cube, reference=other)
    assert np.allclose(values_of(made), values_of(cube))
    assert made.axis.rest == REST
    assert made.header["RESTFRQ"] == REST


def test_velocities_without_a_rest_value_are_told(session, tmp_path):
    cube = on_axis(session, tmp_path / "a.fits", "FREQ", spans("FREQ", 9)[[0, -1]], np.ones(9), rest=None)
    other = on_axis(session, tmp_path / "b.fits", "VRAD", spans("VRAD", 9)[[0, -1]], np.ones(9), rest=None)
    with pytest.raises(JvizError, match="only with a rest value"):
        session.run("cube.regrid", data=cube, reference=other)
    assert session.names == ["a", "b"]


@pytest.mark.parametrize(("kind", "convention", "medium"), [
    ("AWAV", "", "air"), ("WAVE", "", "vacuum"), ("VOPT", "optical", ""), ("VRAD", "radio", ""),
])  # fmt: skip
def test_uneven_channels_keep_medium_rest_value_and_convention_in_files(session, tmp_path, kind, convention, medium):
    from dataclasses import replace

    from jviz.cube_making import cube_from

    cube = on_axis(session, tmp_path / "a.fits", kind, spans("WAVE" if medium else kind, 12)[[0, -1]], np.ones(12))
    values = cube.axis.values + np.linspace(0, 0.3, 12) ** 2 * cube.axis.widths
    made = session.add(cube_from(cube, np.ones(cube.shape), None, "uneven", "made uneven", wcs=None,
                                 axis=replace(cube.axis, values=values)))  # fmt: skip
    session.run("data.export", data=made, path=tmp_path / "out.fits")
    [back] = session.open(tmp_path / "out.fits")
    assert np.allclose(back.axis.values, values, rtol=1e-12)
    assert (back.axis.medium, back.axis.convention, back.axis.rest) == (medium, convention, REST)
    assert back.axis.unit == cube.axis.unit


@pytest.mark.parametrize("frames", [("LSRK", "BARYCENT"), ("LSRK", "LSRK"), ("LSRK", "")])
def test_frames_of_rest_that_differ_are_told(session, tmp_path, frames):
    cubes = []
    for name, frame in zip("ab", frames, strict=True):
        cube = on_axis(session, tmp_path / f"{name}.fits", "VRAD", (-30e3, 30e3), np.ones(20))
        with fits.open(tmp_path / f"{name}.fits") as file:
            file["SCI"].header["SPECSYS"] = frame
            file.writeto(tmp_path / f"{name}2.fits")
        cubes += session.open(tmp_path / f"{name}2.fits")
        assert cube.name in session.names
    session.notices.clear()
    made = session.run("cube.regrid", data=cubes[0], reference=cubes[1])
    told = all(frames) and frames[0] != frames[1]
    assert any("without the shift between these frames" in text for _, text in session.notices) == told
    assert ("LSRK matched with those of BARYCENT" in str(made.header["HISTORY"]).replace("\n", "")) == told
