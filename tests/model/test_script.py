"""A script repeats its session: the same names, states and numbers, in a process of its own."""

import json
import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable

import jviz
from jviz.commands import command, forget
from jviz.script import LARGE, literal
from jviz.source import modules_in, source_of
from tests.model.test_convert import wcs_of


@pytest.fixture
def session():
    session = jviz.Session(settings={"image.colormap": "viridis", "image.sky_frame": "galactic"})
    yield session
    session.close()


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / "it's a “field”.fits"
    values = np.random.default_rng(1).normal(10, 2, (40, 50)).astype(np.float32)
    fits.PrimaryHDU(values, wcs_of(50, 40).to_header()).writeto(path)
    return path


TAIL = """
import json, hashlib
import numpy as np
def told(value):
    return value.name if hasattr(value, "name") else value
def digest(data):
    return hashlib.sha256(np.ascontiguousarray(data.get(np.ndarray)).tobytes()).hexdigest() if data.planes else ""
result = {
    "names": session.names,
    "numbers": [digest(d) for d in session],
    "views": [[{n: told(v) for n, v in s.recorded().items() if n != "layers"} for s in (v, *v.layers)]
              for v in session.views.values()],
    "limits": [v.limits for v in session.views.values() if v.layers],
    "subsets": {n: [repr(s.region), told(s.data)] for n, s in session.subsets.items()},
}
"""


def outcome(session):
    names = {"session": session}
    exec(TAIL, names)  # the same lines that the script's own process runs
    return json.loads(json.dumps(names["result"]))


def replayed(session, tmp_path):
    script = tmp_path / "again.py"
    script.write_text(session.script() + TAIL + "print(json.dumps(result))\n", encoding="utf-8")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr + session.script()
    return json.loads(run.stdout)


def test_a_script_replays_to_the_same_session(session, image_file, tmp_path):
    from regions import CircleSkyRegion, EllipsePixelRegion, PixCoord, PolygonPixelRegion
    from specutils import SpectralRegion

    [image] = session.open(image_file)
    session.add(np.arange(12.0).reshape(3, 4), name="made")
    session.add(QTable({"x": [1 / 3] * u.Jy}), name="table")
    session.run("data.rename", data="made", name="renamed")
    view = session.view("image", data=image, stretch="log")
    view.update(contrast=2.5, bias=0.25)
    view.percentiles = (1, 99)
    view.limits_mode = "percentile"
    view.centre = (10.5, 12.25)
    view.scale = 1 / 3
    other = session.run("view.duplicate", view=view)
    other.limits = (1 / 7, 20)
    other.rotation = 1e-3
    session.run("image.zoom_in", view=other)
    session.run("view.show", view=other, data="renamed", mode="add")
    other.layers[0].visible = False
    other.layers[1].opacity = 0.5
    session.subset("circle", CircleSkyRegion(SkyCoord(53.1 * u.deg, -27.8 * u.deg), 2 * u.arcsec))
    session.subset("ellipse", EllipsePixelRegion(PixCoord(5, 1 / 3), 8, 4, 30 * u.deg), data=image)
    session.subset("polygon", PolygonPixelRegion(PixCoord([1, 2, 1 / 3], [3, 4, 9])), data=image)
    session.subset("line", SpectralRegion(1 * u.um, 2 * u.um))
    session.subset("mask", np.arange(12).reshape(3, 4) > 5, data="renamed")
    session.view("image", data="renamed")
    session.run("view.close", view="Image 3")
    session.undo()
    session.undo()
    session.redo()
    view.grid = True
    session.run("data.remove", data="table")
    assert replayed(session, tmp_path) == outcome(session)


def test_the_settings_of_whoever_replays_do_not_matter(session, image_file, tmp_path, own_folders):
    session.open(image_file)
    session.view("image", data=session.names[0])
    (own_folders / "config").mkdir()
    (own_folders / "config" / "settings.toml").write_text("[image]\ncolormap = 'magma'\n")
    assert jviz.Session().settings["image.colormap"] == "magma"
    assert replayed(session, tmp_path) == outcome(session)


def test_large_arrays_are_stored_when_the_script_is_asked_for(session, tmp_path):
    from jviz.kept import folder, thaw

    values = np.arange(LARGE // 8 + 10.0)
    session.add(values, name="long")
    assert not folder().exists()
    line = session.history.entries[-1].lines[0]
    assert thaw(line.split("thaw('")[1].split("'")[0]) is values
    session.script()
    assert len(list(folder().iterdir())) == 1
    assert replayed(session, tmp_path) == outcome(session)
    assert session.script() == session.script()


def test_what_only_looks_leaves_a_line_without_a_step(session, tmp_path):
    command("test.look", title="Look")(lambda: 42)
    try:
        assert session.run("test.look") == 42
        assert "session.run('test.look')" in session.script()
        assert session.undo() is None
    finally:
        forget("test.look")


def test_a_step_that_python_cannot_say_is_a_comment(session):
    command("test.take", title="Take…")(lambda thing: None)
    try:
        session.run("test.take", thing=object())
        assert "# Take: A object cannot be kept" in session.script()
        compile(session.script(), "script", "exec")
    finally:
        forget("test.take")


def test_scripts_import_what_they_use(session):
    from regions import CirclePixelRegion, PixCoord

    assert "import regions" not in session.script()
    session.subset("core", CirclePixelRegion(PixCoord(1, 2), 3))
    script = session.script()
    assert "import regions\n" in script
    assert "region=regions.CirclePixelRegion(center=regions.PixCoord(x=1, y=2), radius=3)" in script


def test_names_of_modules_in_texts_are_not_imported():
    assert modules_in("session.open('/data/regions.fits'); x = my.regions.f()") == set()
    assert modules_in("f(regions.PixCoord(1, 2), astropy.units.Quantity(1, 'm'))") == {"regions", "astropy.units"}


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 1 / 3, 1e300, "it's “x”\n", b"\x00a", (), (1,), [1, (2, 3)], {"a": [1.5]}, (1, "a", None)],
)
def test_literals_are_python(value):
    assert eval(literal(value)) == value


def test_odd_floats_and_numpy_scalars_are_python():
    assert np.isnan(eval(literal(float("nan"))))
    assert eval(literal((float("inf"), -float("inf")))) == (float("inf"), -float("inf"))
    assert eval(literal(np.float32(0.1))) == float(np.float32(0.1))
    assert eval(literal(np.bool_(True))) is True


def test_sources_make_equal_objects():
    import astropy.coordinates
    import astropy.units
    import regions
    import specutils

    names = {"astropy": astropy, "regions": regions, "specutils": specutils}
    third = 1 / 3
    circle = regions.CirclePixelRegion(regions.PixCoord(third, 2), 3, meta=regions.RegionMeta({"text": "a'b"}))
    assert eval(source_of(circle), names) == circle
    assert eval(source_of(third * u.arcsec), names) == third * u.arcsec
    assert (eval(source_of([third, 2] * u.Jy), names) == [third, 2] * u.Jy).all()
    place = SkyCoord(third * u.deg, 5 * u.deg, frame="galactic")
    assert eval(source_of(place), names).separation(place) == 0
    text = regions.TextPixelRegion(regions.PixCoord(1, 2), "it's")
    assert eval(source_of(text), names).text == "it's"


def test_what_is_long_or_special_has_no_source():
    import regions

    assert source_of(np.arange(1000) * u.Jy) == ""
    assert source_of(SkyCoord(1 * u.deg, 2 * u.deg, frame="fk5", equinox="J1980")) == ""
    assert source_of(SkyCoord(1 * u.deg, 2 * u.deg, distance=3 * u.pc)) == ""
    circle = regions.CirclePixelRegion(regions.PixCoord(1, 2), 3)
    assert source_of(circle & circle) == ""
    circle.visual["color"] = "red"
    assert source_of(circle) == ""
    assert source_of(object()) == ""


def test_what_depends_on_the_size_of_a_viewer_is_the_same_without_it(session, image_file, tmp_path):
    session.open(image_file)
    view = session.view("image", data=session.names[0])
    view.viewport = (320.0, 270.0)  # as a window sets it
    session.run("image.zoom_to", x0=5, y0=5, x1=25, y1=20, view=view)
    view.limits_from = "view"
    view.layer.shown_limits = (8.25, 11.5)  # as a viewer finds them
    saved = session.render(view, tmp_path / "saved.png", size=(400, 300))
    before = saved.read_bytes()
    saved.unlink()
    assert replayed(session, tmp_path) == outcome(session)
    assert saved.read_bytes() == before
