"""Footprints as groups of regions: placed, moved, removed, read, undone, repeated by the script."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from jviz import Session
from jviz.backend.apertures import find_aperture, on_sky
from jviz.errors import CommandError, ReadError


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


def corners(subset):
    vertices = subset.region.vertices.icrs
    return np.stack([vertices.ra.deg, vertices.dec.deg], 1)


def test_place_move_and_undo(session):
    made = session.run("footprint.place", aperture="NRS_FULL_MSA", position="150.1 2.2", pa=20)
    assert [s.name for s in made] == [f"NRS_FULL_MSA {n}" for n in (1, 2, 3, 4)]
    assert {s.group for s in made} == {"NRS_FULL_MSA"}
    for subset, outline in zip(made, on_sky(find_aperture("NRS_FULL_MSA"), 150.1, 2.2, 20), strict=True):
        assert np.allclose(corners(subset), outline, atol=1e-9)
    color = made[0].color
    again = session.run("footprint.place", aperture="NRS_FULL_MSA", position="10h00m00s +02d00m00s", pa=30,
                        name="NRS_FULL_MSA")  # fmt: skip
    assert len(session.subsets) == 4
    assert np.allclose(corners(again[2]), on_sky(find_aperture("NRS_FULL_MSA"), 150, 2, 30)[2], atol=1e-9)
    assert again[0].color == color
    session.undo()
    assert np.allclose(corners(session.subsets["NRS_FULL_MSA 3"]), corners(made[2]), atol=1e-12)
    second = session.run("footprint.place", aperture="NRS_FULL_MSA", position="150.1 2.2")
    assert second[0].group == "NRS_FULL_MSA (2)"
    session.run("footprint.remove", group="NRS_FULL_MSA (2)")
    session.undo()
    assert len(session.subsets) == 8


def test_group_moves_and_turns_as_a_whole(session):
    made = session.run("footprint.place", aperture="NRCAS_FULL", position="12.0 85.0", pa=0)
    before = SkyCoord(np.concatenate([corners(s) for s in made]), unit="deg")
    session.run("footprint.move", group="NRCAS_FULL", position="200 -30", turn=90)
    members = [s for s in session.subsets.values() if s.group == "NRCAS_FULL"]
    after = SkyCoord(np.concatenate([corners(s) for s in members]), unit="deg")
    assert np.allclose(before[0].separation(before).arcsec, after[0].separation(after).arcsec, atol=1e-5)
    session.run("region.edit", name=members[0].name, locked=True)
    with pytest.raises(CommandError, match="locked"):
        session.run("footprint.move", group="NRCAS_FULL", turn=1)
    with pytest.raises(CommandError, match="no group of regions 'NRC'"):
        session.run("footprint.move", group="NRC", turn=1)


def test_script_repeats_footprints(session):
    session.run("footprint.place", aperture="wfi_cen", position="M 31", pa=15, color="#ff8800")
    session.run("footprint.move", group="WFI_CEN", turn=5)
    space = {}
    exec(compile(session.script(), "script", "exec"), space)
    again = next(v for v in space.values() if isinstance(v, Session) and v is not session)
    try:
        assert set(again.subsets) == set(session.subsets)
        for name, subset in session.subsets.items():
            assert np.allclose(corners(again.subsets[name]), corners(subset), atol=1e-8)
            assert again.subsets[name].color == "#ff8800"
    finally:
        again.close()


def test_stcs_and_moc(session, tmp_path):
    made = session.run("footprint.stcs", text="POLYGON ICRS 53.1 -27.8 53.2 -27.8 53.2 -27.7", name="field")
    assert np.allclose(corners(made[0]), [[53.1, -27.8], [53.2, -27.8], [53.2, -27.7]])
    with pytest.raises(CommandError, match="no STC-S"):
        session.run("footprint.stcs", text="somewhere up there")
    from astropy import units as u
    from mocpy import MOC

    moc = MOC.from_cone(lon=30 * u.deg, lat=10 * u.deg, radius=1 * u.deg, max_depth=9)
    path = tmp_path / "cone.fits"
    moc.save(path, format="fits")
    made = session.run("footprint.moc", path=path)
    assert [subset.group for subset in made] == ["cone"]
    distance = SkyCoord(30, 10, unit="deg").separation(made[0].region.vertices).deg
    assert 0.9 < distance.min() <= distance.max() < 1.2
    hollow = moc.difference(MOC.from_cone(lon=30 * u.deg, lat=10 * u.deg, radius=0.5 * u.deg, max_depth=9))
    hollow.save(path, format="fits", overwrite=True)
    assert len(session.run("footprint.moc", path=path, name="ring")) == 2
    (tmp_path / "bad.fits").write_bytes(b"nothing")
    with pytest.raises(ReadError, match="cannot be read as a MOC"):
        session.run("footprint.moc", path=tmp_path / "bad.fits")


def test_a_view_without_sky_asks_for_a_position(session):
    session.view("image", data=session.add(np.ones((9, 9), np.float32), name="flat"))
    with pytest.raises(CommandError, match="give a position"):
        session.run("footprint.place", aperture="NIS_CEN")
