"""Light curves of files: apertures, times, bands, trends, what is said of bad input, undo and script."""

import numpy as np
import pytest
from astropy.io import fits
from photutils.aperture import CircularAperture, aperture_photometry

from jviz import CommandError

N = 60


def stack(depth=0.0):
    draw = np.random.default_rng(8)
    y, x = np.mgrid[:32, :40]
    drift = np.linspace(-0.3, 0.3, N)
    level = np.where((np.arange(N) > 25) & (np.arange(N) < 35), 1 - depth, 1.0)
    images = [
        5 + factor * 4000 * np.exp(-0.5 * ((x - 20.2 - d) ** 2 + (y - 15.4) ** 2) / 2.25) / (2 * np.pi * 2.25)
        for factor, d in zip(level, drift, strict=True)
    ]
    return (np.array(images) + draw.normal(0, 0.5, (N, 32, 40))).astype(np.float32), level


def rateints(path, values, *, times=True):
    flags = np.zeros(values.shape, np.uint32)
    flags[10, 15, 20] = 1
    values = values.copy()
    values[10, 15, 20] = 1e5
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "CubeModel", "INTSTART": 101,
                           "INTEND": 100 + N, "EXPSTART": 60000.0, "EXPEND": 60000.5})  # fmt: skip
    units = [primary, fits.ImageHDU(values, name="SCI"), fits.ImageHDU(np.full_like(values, 0.5), name="ERR"),
             fits.ImageHDU(flags, name="DQ")]  # fmt: skip
    units[1].header["BUNIT"] = "DN/s"
    if times:
        numbers = np.arange(1, 301, dtype=np.int32)
        columns = [fits.Column("integration_number", "J", array=numbers)]
        for name, zero in (("int_mid_MJD_UTC", 60000.0), ("int_mid_BJD_TDB", 60000.003)):
            columns.append(fits.Column(name, "D", array=zero + numbers / 1000))
        units.append(fits.BinTableHDU.from_columns(columns, name="INT_TIMES"))
    fits.HDUList(units).writeto(path)
    return path


def test_a_light_curve_is_that_of_photutils_with_barycentric_times(session, tmp_path):
    values, _ = stack()
    [data] = session.open(rateints(tmp_path / "jw01_rateints.fits", values))
    made = session.run(
        "timeseries.light_curve", data=data, position=(20.2, 15.4), radius=6, annulus=(9, 13), normalize=False
    )
    table = made.table
    circle = CircularAperture((20.2, 15.4), 6)
    wanted = np.array([aperture_photometry(v, circle)["aperture_sum"][0] for v in values.astype(float)])
    sums = table["flux"].to_value("DN/s") + table["background"] * np.pi * 36
    np.testing.assert_allclose(np.delete(sums, 10), np.delete(wanted, 10), rtol=1e-5)
    assert table["n_replaced"].tolist() == [int(k == 10) for k in range(N)]
    np.testing.assert_allclose(table["time"].to_value("d"), 60000.003 + np.arange(101, 101 + N) / 1000)
    assert table.meta["time_label"].startswith("BJD (TDB)")
    assert table["flux"][10].value == pytest.approx(4000, rel=0.02)
    [view] = [view for view in session.views.values() if view.kind == "scatter"]
    assert (view.data, view.x, view.y, view.errors) == (made, "time", "flux", True)
    assert "timeseries.light_curve" in session.script()
    session.undo()
    assert made not in session.data


def test_times_without_a_table_are_even_and_said_to_be(session, tmp_path):
    [data] = session.open(rateints(tmp_path / "jw01_rateints.fits", stack()[0], times=False))
    table = session.run("timeseries.light_curve", data=data, position=(20, 15)).table
    np.testing.assert_allclose(np.diff(table["time"].to_value("d")), 0.5 / N)
    assert "evenly" in table.meta["time_label"]


def test_a_transit_keeps_its_depth_when_the_drift_is_taken_away_outside_of_it(session, tmp_path):
    values, level = stack(depth=0.01)
    values = values * (1 + 0.02 * (np.arange(40, dtype=np.float32) - 20))  # pixels of unlike sensitivity
    [data] = session.open(rateints(tmp_path / "jw01_rateints.fits", values))
    options = {"data": data, "position": (20.2, 15.4), "radius": 6, "annulus": (9, 13)}
    plain = session.run("timeseries.light_curve", **options).table
    times = plain["time"].to_value("d")
    outside = [(times[0], times[25]), (times[35], times[-1])]
    flat = session.run("timeseries.light_curve", detrend="position and time", baseline=outside, **options).table
    depth = 1 - flat["flux"][level < 1].mean()
    assert depth == pytest.approx(0.01, abs=0.0015)
    assert flat["flux"][level == 1].std() < 0.7 * plain["flux"][level == 1].std()
    assert set(flat.meta["slopes"]) == {"x", "y", "time"}
    bins = session.run("timeseries.light_curve", bin_size=6, **options).table
    assert len(bins) == 10
    assert bins["n"].sum() == N - bins.meta["n_outliers"]


def test_a_region_serves_as_aperture_and_a_stack_of_numbers_as_integrations(session):
    from regions import PixCoord, RectanglePixelRegion

    session.add(stack()[0], name="stack")
    session.subset("box", RectanglePixelRegion(PixCoord(20, 15), 11, 9), data="stack")
    table = session.run("timeseries.light_curve", data="stack", region="box", normalize=False, clip=0).table
    np.testing.assert_allclose(table["flux"], stack()[0][:, 11:20, 15:26].sum(axis=(1, 2)), rtol=1e-5)
    assert table["time"].tolist() == list(range(1, N + 1))


def test_spectra_give_white_light_and_bands(session, tmp_path):
    draw = np.random.default_rng(9)
    wave, level = np.linspace(1, 5, 200), 1 + 0.1 * np.sin(np.arange(30))
    units = [fits.PrimaryHDU()]
    units[0].header.update({"TELESCOP": "JWST", "DATAMODL": "TSOMultiSpecModel"})
    spectra = []
    for k, factor in enumerate(level):
        flux = factor * np.where(wave < 2, 3.0, 1.0) + draw.normal(0, 0.01, 200)
        spectra.append(flux)
        columns = [fits.Column("WAVELENGTH", "D", "um", array=wave), fits.Column("FLUX", "D", "Jy", array=flux),
                   fits.Column("FLUX_ERROR", "D", "Jy", array=np.full(200, 0.01))]  # fmt: skip
        unit = fits.BinTableHDU.from_columns(columns, name="EXTRACT1D", ver=k + 1)
        unit.header["MJD-AVG"] = 60000.0 + k / 100
        units.append(unit)
    fits.HDUList(units).writeto(tmp_path / "jw01_x1dints.fits")
    data = session.open(tmp_path / "jw01_x1dints.fits")[0]
    if len(data.samples) < 2:
        pytest.skip("spectra of this layout are read one by one")
    white = session.run("timeseries.light_curve", data=data, normalize=False, clip=0).table
    np.testing.assert_allclose(white["flux"].to_value("Jy"), np.mean(spectra, axis=1))
    np.testing.assert_allclose(white["flux_err"].to_value("Jy"), 0.01 / np.sqrt(200))
    blue = session.run("timeseries.light_curve", data=data, band=(1, 1.99), clip=0).table
    np.testing.assert_allclose(blue["flux"] / np.median(blue["flux"]), level / np.median(level), atol=0.005)
    np.testing.assert_allclose(np.diff(white["time"].to_value("d")), 0.01)
    with pytest.raises(CommandError, match="No channel"):
        session.run("timeseries.light_curve", data=data, band=(8, 9))
    with pytest.raises(CommandError, match="no positions"):
        session.run("timeseries.light_curve", data=data, detrend="position")


def soss(path, wave, flux, times):
    """Spectra as the pipeline writes them of time series: a table for each order, a row for each integration."""
    units = [fits.PrimaryHDU(header=fits.Header({"TELESCOP": "JWST", "DATAMODL": "TSOMultiSpecModel"}))]
    n, channels = flux.shape
    for order in (1, 2):
        vector = f"{channels}D"
        columns = [fits.Column("INT_NUM", "J", array=np.arange(1, n + 1)),
                   fits.Column("WAVELENGTH", vector, "um", array=np.tile(wave / order, (n, 1))),
                   fits.Column("FLUX", vector, "Jy", array=flux / order),
                   fits.Column("FLUX_ERROR", vector, "Jy", array=np.full(flux.shape, 0.01)),
                   fits.Column("N_ALONGDISP", "J", array=np.full(n, channels)),
                   fits.Column("MJD-AVG", "D", array=times),
                   fits.Column("TDB-MID", "D", array=times + 0.003)]  # fmt: skip
        unit = fits.BinTableHDU.from_columns(columns, name="EXTRACT1D", ver=order)
        unit.header["SPORDER"] = order
        units.append(unit)
    fits.HDUList(units).writeto(path)
    return path


def test_orders_are_series_of_their_own(session, tmp_path):
    draw, times = np.random.default_rng(1), 60000 + np.arange(25) / 1000
    wave, flux = np.linspace(1, 2.8, 120), 1 + draw.normal(0, 0.01, (25, 120))
    data = session.open(soss(tmp_path / "jw01_x1dints.fits", wave, flux, times))[0]
    first = session.run("timeseries.light_curve", data=data, normalize=False, clip=0).table
    second = session.run("timeseries.light_curve", data=data, order=2, normalize=False, clip=0).table
    np.testing.assert_allclose(first["flux"].to_value("Jy"), flux.mean(axis=1))
    np.testing.assert_allclose(second["flux"].to_value("Jy"), flux.mean(axis=1) / 2)
    for table in (first, second):
        assert table.meta["time_scale"] == "BJD_TDB"
        np.testing.assert_allclose(table["time"].to_value("d"), times + 0.003, rtol=0, atol=1e-9)
    assert first.meta["notes"] == ["of its orders 1, 2, this is order 1"]
    assert (second.meta["order"], second.meta["notes"]) == (2, [])
    band = session.run("timeseries.light_curve", data=data, order=2, band=(0.5, 0.7), normalize=False, clip=0).table
    np.testing.assert_allclose(band["flux"].to_value("Jy"), flux[:, wave / 2 <= 0.7].mean(axis=1) / 2)
    with pytest.raises(CommandError, match="no order 3; it has 1, 2"):
        session.run("timeseries.light_curve", data=data, order=3)


def test_what_does_not_belong_to_the_data_is_refused_and_what_is_lost_is_told(session, tmp_path):
    values = stack()[0]
    values[:, 15, 20] = np.nan
    [data] = session.open(rateints(tmp_path / "jw01_rateints.fits", values))
    with pytest.raises(CommandError, match="no band and no order"):
        session.run("timeseries.light_curve", data=data, position=(20, 15), band=(1, 2))
    with pytest.raises(CommandError, match="clip of -1"):
        session.run("timeseries.light_curve", data=data, position=(20, 15), clip=-1)
    table = session.run("timeseries.light_curve", data=data, position=(20, 15), detrend="time").table
    assert "which count in none: 1" in table.meta["notes"][0]
    assert table.meta["slope_errors"]["time"] > 0
    flux, times = np.ones((25, 20)), 60000 + np.arange(25) / 1000
    spectra = session.open(soss(tmp_path / "jw02_x1dints.fits", np.linspace(1, 2, 20), flux, times))[0]
    with pytest.raises(CommandError, match="no aperture and no annulus"):
        session.run("timeseries.light_curve", data=spectra, annulus=(9, 12))


def test_the_scatter_of_bins_makes_two_profiles(session):
    session.add(stack()[0], name="stack")
    curve = session.run("timeseries.light_curve", data="stack", position=(20, 15))
    measured, line = session.run("timeseries.allan", data=curve)
    np.testing.assert_allclose(line.table["rms"], measured.table["rms"][0] / np.sqrt(measured.table["bin_size"]))
    [view] = [view for view in session.views.values() if view.kind == "profile"]
    assert [layer.data for layer in view.layers] == [measured, line]
    assert view.x_log
    assert view.y_log
    session.undo()
    assert measured not in session.data
    assert view.name not in session.views


def test_what_cannot_be_measured_is_said(session):
    session.add(stack()[0], name="stack")
    session.add(np.full((5, 10, 10), np.nan), name="nothing")
    with pytest.raises(CommandError, match="no value"):
        session.run("timeseries.light_curve", data="nothing", position=(5, 5))
    with pytest.raises(CommandError, match="does not lie"):
        session.run("timeseries.light_curve", data="stack", position=(500, 15))
    with pytest.raises(CommandError, match="outer radius"):
        session.run("timeseries.light_curve", data="stack", position=(20, 15), annulus=(9, 5))
    with pytest.raises(CommandError, match="baseline"):
        session.run("timeseries.light_curve", data="stack", position=(20, 15), baseline=[(900, 901)])
    with pytest.raises(CommandError, match="Bins"):
        session.run("timeseries.light_curve", data="stack", position=(20, 15), bin_size=0)
