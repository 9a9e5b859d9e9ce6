"""The grid's lines are checked against the exact WCS: what they pass through must have their value."""

import numpy as np
import pytest
from astropy.coordinates import Angle, SkyCoord
from astropy.wcs import WCS

from jviz.backend.render.frames import FRAMES, from_icrs, lonlat, unit_vectors
from jviz.backend.render.grid import sky_grid

WIDTH, HEIGHT = 1000, 800
ASTROPY_FRAMES = {name: name for name in FRAMES} | {"ecliptic": "barycentricmeanecliptic"}


def make_wcs(projection="TAN", lon=10.0, lat=40.0, scale=1e-5, rotation=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    wcs.wcs.crval, wcs.wcs.crpix = [lon, lat], [501, 401]
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    wcs.wcs.cd = scale * np.array([[-cos, sin], [sin, cos]])
    wcs.wcs.set()
    return wcs


def flipped(x, y):
    """The viewport has y downwards; one viewport unit is one pixel."""
    return x, HEIGHT - y


def grid_of(wcs, **options):
    return sky_grid(lambda x, y: wcs.wcs_pix2world(x, y, 0), flipped, WIDTH, HEIGHT, **options)


def distance_from_level(wcs, line, frame="icrs"):
    """Return how far, in pixels, the vertices of a line are from its level, by astropy alone."""
    x, y = flipped(*line.points.T)

    def value(dx, dy):
        sky = SkyCoord(*wcs.wcs_pix2world(x + dx, y + dy, 0), unit="deg", frame="icrs")
        sky = sky.transform_to(ASTROPY_FRAMES[frame]).spherical
        if line.axis == "lat":
            return sky.lat.deg - line.value
        return ((sky.lon.deg - line.value + 180) % 360 - 180) * np.cos(sky.lat.rad)

    slope = np.hypot(value(0.5, 0) - value(-0.5, 0), value(0, 0.5) - value(0, -0.5))
    return np.abs(value(0, 0)) / slope


CASES = {
    "rotated": (make_wcs(rotation=33), {}),
    "all-sky": (make_wcs("AIT", 0, 0, 0.4), {}),
    "all-sky zoomed, galactic": (make_wcs("AIT", 0, 0, 0.1), {"frame": "galactic"}),
    "pole": (make_wcs(lon=30, lat=89.9995), {}),
    "south pole, wide": (make_wcs("STG", 200, -70, 0.1, rotation=20), {}),
    "galactic": (make_wcs(rotation=-50, scale=1e-4), {"frame": "galactic"}),
    "fk4": (make_wcs(lon=270, lat=60, scale=1e-3), {"frame": "fk4", "style": "degrees"}),
    "fk5": (make_wcs(scale=1e-9), {"frame": "fk5"}),
    "ecliptic": (make_wcs("SIN", lon=100, scale=0.02), {"frame": "ecliptic"}),
    "0h": (make_wcs(lon=0.0, lat=-30, rotation=10, scale=1e-4), {}),
    "0.05 arcsec": (make_wcs(scale=0.05 / 3600 / WIDTH, rotation=70), {}),
    "line along the mesh": (make_wcs(lon=30, lat=0), {"style": "degrees"}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_vertex_lies_on_its_level(case):
    wcs, options = CASES[case]
    grid = grid_of(wcs, **options)
    assert {line.axis for line in grid.lines} == {"lon", "lat"}
    for line in grid.lines:
        far = distance_from_level(wcs, line, options.get("frame", "icrs"))
        # At the pole itself, where meridians meet, a longitude is not defined.
        assert np.nanmax(far[:-1] if line.axis == "lon" else far) < 0.25


@pytest.mark.parametrize("case", CASES)
def test_labels_sit_at_edges_and_nothing_overlaps(case):
    wcs, options = CASES[case]
    labels = grid_of(wcs, **options).labels
    assert len(labels) >= 4
    on_edge = {"left": ("x", 0), "right": ("x", WIDTH), "top": ("y", 0), "bottom": ("y", HEIGHT)}
    for label in labels:
        if label.edge != "inside":
            name, place = on_edge[label.edge]
            assert getattr(label, name) == pytest.approx(place)
        left, top, right, bottom = label.box
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT
    boxes = [label.box for label in labels]
    for i, a in enumerate(boxes):
        assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in boxes[:i])


def test_labels_keep_out_of_places_that_are_taken():
    """The bottom left corner and the right edge are taken, as by a scale bar and an overview."""
    taken = ((0.0, HEIGHT - 60.0, 300.0, HEIGHT), (800.0, 500.0, WIDTH, HEIGHT))

    def covered(grid):
        return [label for label in grid.labels for left, top, right, bottom in taken
                if label.box[0] < right and label.box[2] > left and label.box[1] < bottom and label.box[3] > top]

    wcs = make_wcs(rotation=20)
    free, kept = grid_of(wcs, n=9), grid_of(wcs, n=9, taken=taken)
    assert covered(free), "the case needs a label there"
    assert not covered(kept)
    assert len(kept.labels) >= len(free.labels) - 1, "labels go to another edge"


@pytest.mark.parametrize("projection", ["AIT", "MOL", "HPX", "TSC", "QSC", "ZEA", "SFL", "CAR"])
def test_whole_sky_in_any_projection(projection):
    """Lines may be a pixel or two off at a map's own poles and kinks, nowhere else."""
    wcs = make_wcs(projection, 0, 0, 0.35)
    lines = grid_of(wcs, frame="galactic").lines
    far = np.concatenate([distance_from_level(wcs, line, "galactic") for line in lines])
    assert np.nanpercentile(far, 90) < 0.3
    assert np.nanpercentile(far, 99) < 1.0
    assert {line.value for line in lines if line.axis == "lon"} == set(range(0, 360, 30))
    assert {line.value for line in lines if line.axis == "lat"} == set(range(-60, 90, 30))


def test_lines_are_whole():
    """A line that astropy's inverse puts inside the viewport over a range is not drawn in pieces."""
    grid = grid_of(make_wcs(lon=0.0, lat=-30, rotation=10, scale=1e-4))
    for line in grid.lines:
        ends = line.points[[0, -1]]
        at_edge = (np.abs(ends) < 1e-6) | (np.abs(ends - (WIDTH, HEIGHT)) < 1e-6)
        assert at_edge.any(axis=1).all()
    values = [line.value for line in grid.lines if line.axis == "lon"]
    assert len(values) == len(set(values))
    assert min(values) == 0
    assert max(values) > 359


def test_levels_inside_the_field_are_all_drawn():
    """Walk along each parallel and meridian with the inverse WCS: none in view may be missing."""
    wcs = make_wcs(rotation=33)
    grid = grid_of(wcs, spacing=0.002)
    drawn = {(line.axis, round(line.value / 0.002)) for line in grid.lines}
    along = np.linspace(-0.02, 0.02, 4001)
    for k in range(-10, 11):
        for axis, lon, lat in (
            ("lon", np.full(along.size, 10 + k * 0.002), 40 + along),
            ("lat", 10 + along, np.full(along.size, 40 + k * 0.002)),
        ):
            x, y = wcs.wcs_world2pix(lon, lat, 0)
            seen = ((x > 1) & (x < WIDTH - 1) & (y > 1) & (y < HEIGHT - 1)).any()
            key = (axis, round((10 if axis == "lon" else 40) / 0.002) + k)
            assert not seen or key in drawn


def test_meridians_meet_at_the_pole():
    wcs = make_wcs(lon=30, lat=89.9995)
    pole = np.array(flipped(*wcs.wcs_world2pix(0.0, 90.0, 0)))
    lines = [line for line in grid_of(wcs).lines if line.axis == "lon"]
    assert len(lines) == 12
    for line in lines:
        assert np.linalg.norm(line.points[[0, -1]] - pole, axis=1).min() < 0.01
    circles = [line for line in grid_of(wcs).lines if (line.points[0] == line.points[-1]).all()]
    assert circles
    assert all(line.axis == "lat" for line in circles)


def test_undefined_corners_stay_empty():
    wcs = make_wcs("AIT", 0, 0, 0.4)
    for line in grid_of(wcs).lines:
        x, y = flipped(*line.points.T)
        inside = (x - 500) ** 2 / 405.2**2 + (y - 400) ** 2 / 202.6**2
        assert inside.max() < 1 + 1e-9


def test_sky_that_is_nowhere_defined_gives_no_grid():
    grid = sky_grid(lambda x, y: (x * np.nan, y * np.nan), flipped, WIDTH, HEIGHT)
    assert grid.lines == ()
    assert grid.labels == ()
    points, joined = grid.path()
    assert points.shape == (0, 2)
    assert joined.size == 0


def test_a_viewport_over_the_edge_of_a_distorted_map():
    """Where a mapping knows only part of the image, lines end there and stay exact."""
    wcs = make_wcs(rotation=33)

    def half(x, y):
        lon, lat = wcs.wcs_pix2world(x, y, 0)
        hidden = x > 333
        return np.where(hidden, np.nan, lon), np.where(hidden, np.nan, lat)

    lines = sky_grid(half, flipped, WIDTH, HEIGHT).lines
    reached = max(line.points[:, 0].max() for line in lines)
    assert 310 < reached <= 333
    assert max(np.max(distance_from_level(wcs, line)) for line in lines) < 0.1


@pytest.mark.parametrize(
    ("scale", "style", "frame", "expected"),
    [
        (1e-5, "sexagesimal", "icrs", {"0h40m00.0s", "+40°00′00″"}),
        (1e-3, "sexagesimal", "icrs", {"0h40m", "+40°00′"}),
        (5e-2, "sexagesimal", "icrs", {"1h", "+40°"}),
        (1e-5, "degrees", "icrs", {"10.000°", "+40.000°"}),
        (0.05 / 3600 / WIDTH, "sexagesimal", "icrs", {"0h40m00.000s", "+40°00′00.00″"}),
        (1e-3, "degrees", "galactic", {"120.4°", "−22.8°"}),
    ],
)
def test_labels_have_as_many_digits_as_needed(scale, style, frame, expected):
    labels = grid_of(make_wcs(scale=scale), style=style, frame=frame).labels
    assert expected <= {label.text for label in labels}


def test_labels_read_back_are_the_values_of_their_lines():
    wcs = make_wcs(lon=0.001, lat=-0.002, rotation=33)
    for label in grid_of(wcs).labels:
        read = Angle(label.text.replace("−", "-").translate(str.maketrans("°′″", "dms"))).deg
        assert read == pytest.approx(label.value, abs=1e-9)
        sky = wcs.wcs_pix2world(*flipped(label.x, label.y), 0)
        assert sky[label.axis == "lat"] == pytest.approx(read, abs=1e-6)


def test_chosen_spacing_is_kept_and_nonsense_refused():
    wcs = make_wcs()
    grid = grid_of(wcs, spacing=(0.003, 0.001), style="degrees")
    for axis, step in (("lon", 0.003), ("lat", 0.001)):
        values = sorted({line.value for line in grid.lines if line.axis == axis})
        assert np.diff(values) == pytest.approx(step)
    with pytest.raises(ValueError, match="above 0"):
        grid_of(wcs, spacing=0.0)
    with pytest.raises(ValueError, match="no frame 'b1950'"):
        grid_of(wcs, frame="b1950")


def test_spacing_too_fine_for_the_field_falls_back_to_a_nice_one():
    assert len(grid_of(make_wcs("AIT", 0, 0, 0.4), spacing=1e-4).lines) < 100


@pytest.mark.parametrize("frame", FRAMES)
def test_frames_agree_with_astropy(frame):
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    expected = SkyCoord(lon, lat, unit="deg").transform_to(ASTROPY_FRAMES[frame])
    found = SkyCoord(*lonlat(from_icrs(unit_vectors(lon, lat), frame)), unit="deg", frame=expected.frame.name)
    assert expected.separation(found).uas.max() < 0.01
