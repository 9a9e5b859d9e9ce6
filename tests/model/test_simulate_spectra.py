"""Simulated spectra from a command, and the real pipelines on them: from raw reads to cubes, against the truth."""

import json

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from jviz import JvizError, Session
from jviz.backend.simulate.geometry import Pointing
from jviz.backend.simulate.lrs import FRAME
from jviz.calibrations import installed
from jviz.spectral import samples_of

SMALL = {"instrument": "miri-mrs", "dithers": 1, "groups": 3}

needs_pipelines = pytest.mark.skipif(not installed(), reason="the JWST pipelines are not installed")


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


def checks(session, path):
    data = session.open(path)[0]
    return {row["quantity"]: row for row in session.run("simulate.check", data=data)}


def test_the_command_opens_spectra_as_ramps_and_says_what_they_do_not_have(session, tmp_path):
    [ramp] = session.run("simulate.exposures", seed=2, folder=tmp_path / "field", **SMALL)
    assert ramp.kind == "ramp"
    assert ramp.get(np.ndarray).shape == (1, 3, 1024, 1032)
    assert session.script().splitlines()[-1].startswith("session.run('simulate.exposures', seed=2")
    session.undo()
    assert session.names == []
    with pytest.raises(JvizError, match="Exposures of miri-mrs have no size to choose; leave it out"):
        session.run("simulate.exposures", instrument="miri-mrs", size=320)


@pytest.mark.slow
@needs_pipelines
def test_from_raw_reads_to_cubes_and_spectra_everything_is_what_was_put_in(calibrating, tmp_path):
    session = calibrating
    choices = {"instrument": "miri-mrs", "seed": 5, "dithers": 2, "groups": 6}
    exposures = session.run("simulate.exposures", folder=tmp_path / "field", **choices)
    # Cubes of single exposures would take as long again.
    steps = {"spec2.cube_build": False, "spec2.extract_1d": False}
    products = session.run("calibration.run", inputs=exposures, pipeline="all", steps=steps, folder=tmp_path / "runs")
    live = session.calibrations.live[-1]
    assert not live.warnings()
    states = {step: state["state"] for (_, step), state in live.steps.items()}
    assert all(states[step] == "done" for step in ("linearity", "dark_current", "refpix", "fringe", "photom"))
    assert states["spectral_leak"] == states["reset"] == "skipped"
    _order_is_that_of_the_forms(session, live, "MIR_MRS")
    second = [task for task in json.loads((products[0].path.parent / "record.json").read_text())["tasks"]
              if task["pipeline"] == "calwebb_spec2"]  # fmt: skip
    # As the reference file of parameters has it: the name of a cube would be given twice.
    assert {task["parameters"]["steps"]["cube_build"]["output_type"] for task in second} == {"multi"}
    names = [f"jw09999-o001_t001_miri_ch{n}-short_{kind}.fits" for kind in ("s3d", "x1d") for n in (1, 2)]
    assert [data.path.name for data in products] == names
    assert [data.kind for data in products] == ["cube", "cube", "spectrum", "spectrum"]
    folder = products[0].path.parent
    for path in sorted(folder.glob("*_rate.fits")):
        found = checks(session, path)
        assert 0.95 < found["width of pulls"]["value"] < 1.06
        assert abs(found["mean pull"]["value"]) < 0.05
        assert found["slope / truth"]["value"] == pytest.approx(1, abs=0.001)
    for path in sorted(folder.glob("*_cal.fits")):
        assert checks(session, path)["brightness / truth"]["value"] == pytest.approx(1, abs=0.001)
    for data in products[:2]:
        _cube_is_right(session, data)
    for data in products[2:]:
        _spectrum_is_right(checks(session, data.path))
        _axes_are_those_of_the_source(data)


def _order_is_that_of_the_forms(session, live, kind):
    """What the source says of the order, against what the log tells of each file."""
    catalogue = session.calibrations.catalogue(session.calibrations.stand_in("Steps"))
    known = [[step.name for step in catalogue.pipeline(name).ordered("MIRI", kind)]
             for name in ("detector1", "spec2", "spec3")]  # fmt: skip
    for name in {name for name, _ in live.steps}:
        ran = [step for file, step in live.steps if file == name and not step.startswith("calwebb")]
        [order] = [order for order in known if set(ran) <= set(order)]
        assert ran == [step for step in order if step in ran]


def _cube_is_right(session, data):
    found = checks(session, data.path)
    assert abs(found["offset east"]["value"]) < 5
    assert abs(found["offset north"]["value"]) < 5
    assert found["background / truth"]["value"] == pytest.approx(1, abs=0.01)
    # So do the coordinates of the viewer, and its channels have the wavelengths of the truth.
    header = fits.getheader(data.path)
    sky = SkyCoord(header["TARG_RA"], header["TARG_DEC"], unit="deg")
    wave = data.axis.values
    x, y, channel = (float(value) for value in data.wcs.world_to_pixel_values(sky.ra.deg, sky.dec.deg, wave[500]))
    plane = np.nan_to_num(fits.getdata(data.path, "SCI")[300:600]).mean(axis=0)
    row, column = np.unravel_index(plane.argmax(), plane.shape)
    assert np.hypot(x - column, y - row) < 1
    assert channel == pytest.approx(500, abs=1e-3)
    assert (data.axis.unit, data.axis.quantity) == ("um", "wavelength")


def _spectrum_is_right(found):
    assert found["continuum / truth"]["value"] == pytest.approx(1, abs=0.003)
    velocities = [row["value"] for name, row in found.items() if name.startswith("velocity")]
    assert len(velocities) >= 2
    assert np.abs(velocities).max() < 2
    fluxes = [row["value"] for name, row in found.items() if name.startswith("flux")]
    np.testing.assert_allclose(fluxes, 1, atol=0.02)


def _axes_are_those_of_the_source(data):
    [samples] = samples_of(data)
    assert (samples.axis.unit, samples.axis.quantity, samples.unit) == ("um", "wavelength", "Jy")
    with fits.open(data.path) as hdus:
        rows = hdus["EXTRACT1D"].data
        np.testing.assert_allclose(samples.axis.values, rows["WAVELENGTH"])


@pytest.mark.slow
@needs_pipelines
def test_nods_along_a_slit_are_each_others_background_up_to_the_spectrum(calibrating, tmp_path):
    session = calibrating
    choices = {"instrument": "miri-lrs", "seed": 5, "groups": 8}
    exposures = session.run("simulate.exposures", folder=tmp_path / "field", **choices)
    rates = session.run("calibration.run", inputs=exposures, folder=tmp_path / "first")
    for rate in rates:
        assert checks(session, rate.path)["slope / truth"]["value"] == pytest.approx(1, abs=0.001)
    [association] = session.run("association.make", data=rates)
    nods = rates[0].path.parent / "nods_spec2_asn.json"
    session.run("association.write", data=association, path=nods)
    products = session.run("calibration.run", inputs=nods, folder=tmp_path / "second")
    names = [data.path.name.removeprefix("jw09999001001_02101_0000") for data in products]
    assert names == [f"{n}_mirimage_{kind}.fits" for kind in ("cal", "s2d", "x1d") for n in (1, 2)]
    assert fits.getheader(products[0].path)["S_BKDSUB"] == "COMPLETE"
    _order_is_that_of_the_forms(session, session.calibrations.live[-1], "MIR_LRS-FIXEDSLIT")
    for data in products[4:]:
        assert checks(session, data.path)["continuum / truth"]["value"] == pytest.approx(1, abs=0.003)
    [flat, spectrum] = session.run("calibration.run", inputs=products[:2], folder=tmp_path / "third")
    assert not session.calibrations.live[-1].warnings()
    assert (flat.kind, spectrum.kind) == ("spectrum2d", "spectrum")
    found = checks(session, spectrum.path)
    assert found["continuum / truth"]["value"] == pytest.approx(1, abs=0.002)
    for name in ("[Ne VI]", "[Ar III]", "[S IV]"):
        velocity = found[f"velocity of {name}"]  # pixels are a thousand km/s wide
        assert abs(velocity["value"]) < 10 + 4 * velocity["uncertainty"]
    _axes_are_those_of_the_source(spectrum)
    waves = flat.wavelengths
    assert (waves.unit, waves.quantity) == ("um", "wavelength")
    np.testing.assert_allclose(waves.values[[0, -1], 20], [14.0, 4.6], atol=0.01)


@pytest.mark.slow
@needs_pipelines
def test_a_source_beside_the_middle_of_the_slit_gets_its_light_back(calibrating, tmp_path):
    """The header does not know of the error; who tells the step pathloss where the source is, gets what was put in."""
    session = calibrating
    choices = {"instrument": "miri-lrs", "seed": 10, "groups": 5, "pointing_error": 150.0}
    exposures = session.run("simulate.exposures", folder=tmp_path / "field", **choices)
    path = exposures[1].path
    with fits.open(path) as hdus, fits.open(path.with_name(path.name.replace("uncal", "truth"))) as true:
        said, really = (Pointing(*(header[key] for key in ("RA_REF", "DEC_REF", "ROLL_REF", "V2_REF", "V3_REF")))
                        for header in (hdus["SCI"].header, true[0].header))  # fmt: skip
        target = hdus[0].header["TARG_RA"], hdus[0].header["TARG_DEC"]
    places = [FRAME.from_telescope(*pointing.from_sky(*target)) for pointing in (said, really)]
    along, across = (float(there - here) for here, there in zip(*places, strict=True))
    assert abs(across) * FRAME.scale_y > 0.1
    [rate] = session.run("calibration.run", inputs=path, folder=tmp_path / "first")
    ratios = []
    for number, where in enumerate((None, across * FRAME.scale_y)):
        # Along the slit the aperture is moved to the source.
        steps = {"pathloss": {"user_slit_loc": where}, "extract_1d": {"position_offset": along}}
        products = session.run("calibration.run", inputs=rate, steps=steps, folder=tmp_path / f"second{number}")
        assert fits.getheader(products[0].path)["S_PTHLOS"] == "COMPLETE"
        ratios.append(checks(session, products[-1].path)["continuum / truth"]["value"])
    assert ratios[0] < 0.9
    assert ratios[1] == pytest.approx(1, abs=0.004)


@pytest.mark.slow
@needs_pipelines
def test_without_linearity_dark_or_reference_pixels_the_slopes_of_miri_go_wrong(calibrating, tmp_path):
    """The truth notices what a step does: switched off, its effect is there, with the right sign."""
    choices = {"instrument": "miri-lrs", "seed": 12, "groups": 6, "dithers": 1}
    [exposure] = calibrating.run("simulate.exposures", folder=tmp_path / "field", **choices)
    values = {}
    for name in ("nothing", "linearity", "dark_current", "refpix"):
        steps = {} if name == "nothing" else {name: False}
        [rate] = calibrating.run("calibration.run", inputs=exposure, steps=steps, folder=tmp_path / name)
        values[name] = {quantity: row["value"] for quantity, row in checks(calibrating, rate.path).items()}
    assert values["nothing"]["slope / truth"] == pytest.approx(1, abs=0.001)
    assert values["linearity"]["slope / truth"] < 0.99
    assert abs(values["nothing"]["mean pull"]) < 0.05
    assert values["dark_current"]["mean pull"] > values["nothing"]["mean pull"] + 0.05
    assert 0.95 < values["nothing"]["width of pulls"] < 1.06
    assert values["refpix"]["width of pulls"] > 1.1 or abs(values["refpix"]["mean pull"]) > 0.3
