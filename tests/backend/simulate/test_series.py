"""Time series: the star in the middle, its light, the times of integrations, and light curves against the truth."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from jviz.backend.simulate import plan_of, simulate
from jviz.backend.simulate.checks import check_product
from jviz.backend.simulate.imaging import light_curve
from jviz.errors import JvizError

COUNT, DEPTH = 9, 0.2


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    plan = plan_of(seed=3, instrument="nircam-tso", size=160, groups=3, integrations=COUNT, transit_depth=DEPTH,
                   sky=0.4, cosmic_rays=20.0, pointing_error=0.0)  # fmt: skip
    return simulate(plan, tmp_path_factory.mktemp("series") / "field")


def test_a_planet_hides_its_part_during_the_middle_third():
    curve = light_curve(301, 0.1)
    assert curve.max() == 1
    assert curve.min() == pytest.approx(0.9)
    assert (1 - curve).sum() / 0.1 == pytest.approx(301 / 3, rel=0.02)
    np.testing.assert_allclose(curve, curve[::-1])
    assert light_curve(1, 0.1) == 1


def test_the_header_says_that_it_is_a_time_series_and_when_each_integration_was(made):
    [exposure] = made.exposures
    with fits.open(exposure) as hdus:
        header, times = hdus[0].header, hdus["INT_TIMES"].data
        assert hdus["SCI"].data.shape == (COUNT, 3, 160, 160)
        assert hdus["SCI"].header["XREF_SCI"] == 80.5
    assert header["EXP_TYPE"] == "NRC_TSIMAGE"
    assert header["TSOVISIT"] is True
    assert list(times["integration_number"]) == list(range(1, COUNT + 1))
    step = np.diff(times["int_mid_MJD_UTC"]) * 86_400
    np.testing.assert_allclose(step, 4 * header["TGROUP"], rtol=1e-4)
    assert times["int_start_MJD_UTC"][0] == header["EXPSTART"]
    assert times["int_end_MJD_UTC"][-1] <= header["EXPEND"] + 1e-9


def test_the_star_in_the_middle_loses_the_light_that_the_curve_says(made):
    [exposure], [truth] = made.exposures, made.truths
    with fits.open(exposure) as hdus, fits.open(truth) as true:
        reads, curve = hdus["SCI"].data.astype(float), true["LIGHT_CURVE"].data["flux"]
        rays, rate = true["COSMIC_RAYS"].data, true["RATE"].data
    assert curve.min() == pytest.approx(1 - DEPTH)
    assert set(rays["integration"]) <= set(range(COUNT))
    row, column = np.unravel_index(rate.argmax(), rate.shape)
    assert abs(row - 79.5) <= 1
    assert abs(column - 79.5) <= 1
    box = np.s_[:, :, row - 4 : row + 5, column - 4 : column + 5]
    light = np.diff(reads, axis=1)[box].sum((1, 2, 3))
    struck = (np.abs(rays["x"] - column) < 5) & (np.abs(rays["y"] - row) < 5)
    clean = ~np.isin(np.arange(COUNT), rays["integration"][struck])
    np.testing.assert_allclose((light / light[0])[clean], curve[clean], atol=0.09)  # amplifiers drift


def test_a_light_curve_is_compared_with_the_true_one(made, tmp_path):
    curve = fits.getdata(made.truths[0], "LIGHT_CURVE")["flux"].astype(float)
    light = 5000 * (1 + 1.1 * (curve - 1)) + 10 * np.random.default_rng(1).standard_normal(COUNT)
    product = made.folder.parent / "run" / "jw09999-o001_t001_nircam_phot.ecsv"
    product.parent.mkdir(exist_ok=True)
    (product.parent / "record.json").write_text(f'{{"inputs": [{{"path": "{made.exposures[0]}"}}]}}')
    QTable({"net_aperture_sum": light * fits_unit(), "net_aperture_sum_err": np.full(COUNT, 10.0) * fits_unit()}).write(
        product, overwrite=True
    )
    checks = {check.quantity: check for check in check_product(product)}
    depth = checks["transit depth / truth"]
    assert depth.value == pytest.approx(1.1, abs=5 * depth.uncertainty)
    assert depth.uncertainty == pytest.approx(0.01, rel=0.8)
    QTable({"net_aperture_sum": light[:4] * fits_unit(), "net_aperture_sum_err": light[:4] * fits_unit()}).write(
        product, overwrite=True
    )
    with pytest.raises(JvizError, match="has 4 integrations and its truth 9"):
        check_product(product)


def fits_unit():
    import astropy.units as u

    return u.Jy


def test_instruments_have_their_usual_numbers():
    assert plan_of(seed=1).dithers == 4
    assert plan_of(seed=1).integrations == 1
    series = plan_of(seed=1, instrument="nircam-tso", dithers=None, integrations=None)
    assert (series.dithers, series.integrations) == (1, 40)
    with pytest.raises(JvizError, match="'fgs' cannot be simulated; there are nircam, nircam-tso"):
        plan_of(seed=1, instrument="fgs")
