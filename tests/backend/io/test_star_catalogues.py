"""Catalogues of SExtractor and DOLPHOT: names, units, missing values, positions, and what is wrong."""

from contextlib import closing

import numpy as np
import pytest
from astropy.io import fits

from jviz import Session
from jviz.backend.io.registry import open_products
from jviz.errors import ReadError

SEXTRACTOR = """\
#   1 NUMBER                 Running object number
#   2 X_IMAGE                Object position along x                                    [pixel]
#   3 Y_IMAGE                Object position along y                                    [pixel]
#   4 MAG_APER               Fixed aperture magnitude vector                            [mag]
#   6 MAGERR_APER            RMS error vector for fixed aperture mag.                   [mag]
#   8 FLUX_AUTO              Flux within a Kron-like elliptical aperture                [count]
#   9 ALPHA_J2000            Right ascension of barycenter (J2000)                      [deg]
#  10 FLAGS                  Extraction flags
         1   11.000   21.000  20.5 20.1 0.02 0.01 1234.5  150.0000000   0
         2   12.500   22.500  99.0 24.0 99.0 0.10  -12.5  150.0010000  16
"""
WORDS = """\
1. Extension (zero for base image)
2. Chip (for three-dimensional FITS image)
3. Object X position on reference image (or first image, if no reference)
4. Object Y position on reference image (or first image, if no reference)
5. Chi for fit
6. Signal-to-noise
7. Object sharpness
8. Object roundness
9. Direction of major axis (if not round)
10. Crowding
11. Object type (1=bright star, 2=faint, 3=elongated, 4=hot pixel, 5=extended)
"""
BAND = ("Total counts", "Total sky level", "Normalized count rate", "Normalized count rate uncertainty",
        "Instrumental VEGAMAG magnitude", "Transformed UBVRI magnitude", "Magnitude uncertainty", "Chi",
        "Signal-to-noise", "Sharpness", "Roundness", "Crowding", "Photometry quality flag")  # fmt: skip


def band_values(magnitude, error, flag=0):
    return ["1200", "10.5", "3.1e1", "0.4", magnitude, "99.999", error, "1.02", "80.1", "-0.01", "0.02", "0.1", flag]


def write_dolphot(folder, bands=("NIRCAM_F090W", "NIRCAM_F150W"), exposure=True):
    words = WORDS
    columns = [f"{what}, {band}" for band in bands for what in BAND]
    if exposure:
        columns += [f"{what}, jw01334001001_nrca1_cal (F090W, 311.4 sec)" for what in ("Measured counts", "Chi")]
    words += "".join(f"{n}. {text}\n" for n, text in enumerate(columns, 12))
    (folder / "m92.phot.columns").write_text(words)
    rows = []
    for n, magnitude in enumerate(("21.500", "99.999", "22.500")):
        row = ["0", "1", f"{10.5 + n}", "20.5", "1.0", "90.0", "0.0", "0.1", "30.0", "0.2", str(n + 1)]
        for k in range(len(bands)):
            # the last star is redder than the first
            value = f"{float(magnitude) - 0.5 * k * n:.3f}" if n == 2 else magnitude
            row += [str(v) for v in band_values(value, "9.999" if n == 1 else "0.012")]
        rows.append(" ".join(row + (["55.5", "0.9"] if exposure else [])))
    (folder / "m92.phot").write_text("\n".join(rows) + "\n")
    return folder / "m92.phot"


def test_a_catalogue_of_sextractor_has_its_names_units_and_missing_values(tmp_path):
    path = tmp_path / "field.cat"
    path.write_text(SEXTRACTOR)
    [product] = open_products(path)
    table = product.load_object()
    assert (product.reader, product.kind) == ("sextractor", "catalog")
    assert table.colnames == ["NUMBER", "X_IMAGE", "Y_IMAGE", "MAG_APER", "MAG_APER_1", "MAGERR_APER", "MAGERR_APER_1",
                              "FLUX_AUTO", "ALPHA_J2000", "FLAGS"]  # fmt: skip
    units = [str(table[n].unit) for n in ("X_IMAGE", "MAG_APER_1", "FLUX_AUTO", "ALPHA_J2000")]
    assert units == ["pix", "mag", "ct", "deg"]
    assert np.ma.getmaskarray(table["MAG_APER"]).tolist() == [False, True]
    assert table["MAG_APER_1"].value.tolist() == [20.1, 24.0]
    assert table["FLAGS"].dtype.kind == "i"


def test_its_pixels_count_from_one(tmp_path):
    path = tmp_path / "field.cat"
    path.write_text(SEXTRACTOR)
    session = Session()
    try:
        [data] = session.open(path)
        assert (data.places.x.tolist(), data.places.y.tolist()) == ([10.0, 11.5], [20.0, 21.5])
    finally:
        session.close()


def test_a_catalogue_of_dolphot_is_named_by_its_columns_file(tmp_path):
    path = write_dolphot(tmp_path)
    session = Session()
    try:
        [data] = session.open(path)
        table = data.table
        wanted = {"F090W_vegamag", "F090W_vegamag_err", "F150W_snr", "F150W_flag", "object_type", "x", "y"}
        assert wanted <= set(table.colnames)
        assert not any("jw01334" in name for name in table.colnames)
        assert table["F090W_vegamag"].unit == "mag"
        assert np.ma.getmaskarray(table["F090W_vegamag"]).tolist() == [False, True, False]
        assert np.ma.getmaskarray(table["F090W_vegamag_err"]).tolist() == [False, True, False]
        assert table["F090W_vegamag"][0].value == 21.5
        assert table["object_type"].tolist() == [1, 2, 3]
        # the middle of DOLPHOT's first pixel is 0.5, of ours 0
        assert data.places.system == "pixel"
        assert (data.places.x.tolist(), data.places.y.tolist()) == ([10.0, 11.0, 12.0], [20.0] * 3)
        plot = session.run("catalog.scatter", data=data)
        assert (plot.x, plot.y, plot.y_inverted) == ("F090W_vegamag - F150W_vegamag", "F150W_vegamag", True)
    finally:
        session.close()


def test_single_exposures_are_read_when_asked(tmp_path):
    [product] = open_products(write_dolphot(tmp_path), reader="dolphot", exposures=True)
    table = product.load_object()
    assert table["jw01334001001_nrca1_cal_counts"].tolist() == [55.5] * 3


def test_filters_that_two_instruments_have_keep_the_instrument(tmp_path):
    [product] = open_products(write_dolphot(tmp_path, ("ACS_F814W", "WFC3_F814W"), exposure=False))
    assert {"ACS_F814W_vegamag", "WFC3_F814W_vegamag"} <= set(product.load_object().colnames)


def write_blocks(folder, sources, chips=((0, 1), (0, 1))):
    """A run of DOLPHOT with one block of numbers for each of some sources: (first words, source, kind of magnitude)."""
    words, rows = WORDS, []
    texts = []
    for first, source, kind in sources:
        names = [f"{first} counts", f"{first} sky level", *BAND[2:4], f"Instrumental {kind}magnitude"]
        names += [*(BAND[5:6] if kind else []), *BAND[6:12]]
        names += [] if kind else ["PSF FWHM", "PSF eccentricity", *(f"PSF {which} parameter" for which in "abc")]
        texts += [f"{name}, {source}" for name in (*names, BAND[12])]
    words += "".join(f"{n}. {text}\n" for n, text in enumerate(texts, 12))
    for n, (extension, chip) in enumerate(chips):
        row = [str(extension), str(chip), f"{10.5 + n}", "20.5", "1.0", "90.0", "0.0", "0.1", "30.0", "0.2", "1"]
        for k, (_, _, kind) in enumerate(sources):
            values = ["1200", "10.5", "0.8", "9999" if n else "0.4", "99.999" if n else f"{20 + k}.5"]
            values += (["99.999"] if kind else []) + ["9.999" if n else "0.012", "1.0", "80.0", "-0.01", "0.02", "0.1"]
            rows_of_psf = [] if kind else ["2.5", "0.1", "1.0", "1.0", "0.0"]
            row += [*values, *rows_of_psf, "0"]
        rows.append(" ".join(row))
    (folder / "run.phot.columns").write_text(words)
    (folder / "run.phot").write_text("\n".join(rows) + "\n")
    return folder / "run.phot"


def opened(path, **options):
    [product] = open_products(path, **options)
    return product.load_object(), product.warnings


def test_filters_with_one_exposure_have_the_numbers_of_that(tmp_path):
    """DOLPHOT combines exposures only where a filter has several (WFC3outstarinfo and its sisters)."""
    exposures = (("j1", "F606W"), ("j2", "F606W"), ("j3", "F814W"))
    measured = [("Measured", f"{n}_flc.chip1 (ACS_{band}, 350.0 sec)", "VEGAMAG ") for n, band in exposures]
    path = write_blocks(tmp_path, [("Total", "ACS_F606W", "VEGAMAG "), *measured])
    table, _ = opened(path)
    magnitudes = {name: float(table[name][0].value) for name in table.colnames if name.endswith("vegamag")}
    assert magnitudes == {"F606W_vegamag": 20.5, "F814W_vegamag": 23.5}
    table, _ = opened(path, reader="dolphot", exposures=True)
    magnitudes = {name: float(table[name][0].value) for name in table.colnames if name.endswith("vegamag")}
    assert magnitudes == {"F606W_vegamag": 20.5, "j1_flc.chip1_vegamag": 21.5, "j2_flc.chip1_vegamag": 22.5,
                          "F814W_vegamag": 23.5}  # fmt: skip


def test_images_of_no_known_instrument_have_instrumental_magnitudes(tmp_path):
    path = write_blocks(tmp_path, [("Measured", "m31r (120.0 sec)", ""), ("Measured", "image 2", "")])
    table, warnings = opened(path.with_name("run.phot.columns"))
    assert {"m31r_mag", "m31r_mag_err", "m31r_psf_fwhm", "m31r_psf_c", "image_2_mag"} <= set(table.colnames)
    assert not any("vegamag" in name for name in table.colnames)
    assert np.ma.getmaskarray(table["m31r_mag"]).tolist() == [False, True]
    assert np.ma.getmaskarray(table["m31r_rate_err"]).tolist() == [False, True]
    assert "4: saturated centre" in table["m31r_flag"].info.description
    assert warnings == []


def test_filters_without_an_instrument_and_ab_magnitudes(tmp_path):
    table, _ = opened(write_blocks(tmp_path, [("Total", "F110W", "VEGAMAG "), ("Total", "F160W", "ABMAG ")]))
    assert {"F110W_vegamag", "F110W_vegamag_err", "F160W_abmag", "F160W_abmag_err"} <= set(table.colnames)


def test_positions_on_several_chips_are_told(tmp_path):
    path = write_blocks(tmp_path, [("Total", "WFPC2_F555W", "VEGAMAG ")], chips=[(0, 1), (0, 2), (0, 2)])
    table, warnings = opened(path)
    assert table["chip"].tolist() == [1, 2, 2]
    assert warnings == ["run.phot: x and y count on each of its 2 chips; for the image of one show rows with "
                        "(extension == 0) & (chip == 1)."]  # fmt: skip


def test_the_columns_file_opens_the_catalogue_too(tmp_path):
    path = write_dolphot(tmp_path)
    [product] = open_products(path.with_name("m92.phot.columns"))
    assert "F090W_vegamag" in product.load_object().colnames


def test_what_is_missing_or_does_not_fit_is_said(tmp_path):
    path = write_dolphot(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(" ".join(line.split()[:20]) for line in lines))
    with pytest.raises(ReadError, match="names 39 columns, the catalogue has 20"):
        open_products(path)[0].load_object()
    path.with_name("m92.phot.columns").unlink()
    with pytest.raises(ReadError, match=r"m92.phot.columns is missing"):
        open_products(path, reader="dolphot")


def test_sextractor_calls_fits_tables_cat_too(tmp_path):
    """FITS_LDAC: the header of the image in one table, the sources with vectors in the next."""
    numbers = fits.Column("NUMBER", "1J", array=[1, 2])
    image = fits.Column("Field Header Card", "160A", array=["SIMPLE  =                    T"])
    columns = [numbers, fits.Column("X_IMAGE", "1E", "pixel", array=[11.0, 12.5]),
               fits.Column("Y_IMAGE", "1E", "pixel", array=[21.0, 22.5]),
               fits.Column("ISOAREA_IMAGE", "1J", "pixel**2", disp="I9", array=[5, 7]),
               fits.Column("MAG_APER", "2E", "mag", array=[[20.5, 20.1], [99.0, 24.0]]),
               fits.Column("MAGERR_APER", "2E", "mag", array=[[0.02, 0.01], [99.0, 0.1]])]  # fmt: skip
    tables = [fits.BinTableHDU.from_columns([image], name="LDAC_IMHEAD"),
              fits.BinTableHDU.from_columns(columns, name="LDAC_OBJECTS")]  # fmt: skip
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(tmp_path / "field.cat")
    with closing(Session(settings={})) as session:
        [catalog] = [one for one in session.open(tmp_path / "field.cat") if one.kind == "catalog"]
        table = catalog.table
        assert table["NUMBER"].dtype.kind == "i"
        assert table["MAG_APER"].mask.tolist() == [[False, False], [True, False]]
        assert catalog.places is not None
        for name in ("field.ecsv", "field.fits", "field.vot"):
            session.run("data.export", data=catalog, path=tmp_path / name)
            [again] = [one for one in session.open(tmp_path / name) if one.kind == "catalog"]
            assert again.table["ISOAREA_IMAGE"].to_value("pix2").tolist() == [5, 7]
        session.run("data.export", data=catalog, path=tmp_path / "field.csv")
        assert (tmp_path / "field.csv").exists()


VOTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.1"><RESOURCE><TABLE name="Source_List">
<FIELD name="NUMBER" datatype="int" unit=""><DESCRIPTION>Running number</DESCRIPTION></FIELD>
<FIELD name="MAG_APER" ucd="phot.mag" datatype="float" unit="mag"></FIELD>
<FIELD name="MAGERR_APER" datatype="float" unit="mag"></FIELD>
<FIELD name="MAG_AUTO" datatype="float" unit="mag"></FIELD>
<DATA><TABLEDATA>
<TR><TD>    1</TD><TD> 20.5  20.1</TD><TD> 0.02  0.01</TD><TD> 20.3</TD></TR>
<TR><TD>    2</TD><TD> 99.0  24.0</TD><TD> 99.0  0.10</TD><TD> 23.9</TD></TR>
</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>
"""


def test_vectors_that_sextractor_declares_as_numbers_in_votables_are_read(tmp_path):
    (tmp_path / "field.cat").write_text(VOTABLE)
    [product] = open_products(tmp_path / "field.cat")
    table = product.load_object()
    np.testing.assert_allclose(np.ma.filled(table["MAG_APER"].unmasked.value, 0)[0], [20.5, 20.1])
    assert table["MAG_APER"].mask.tolist() == [[False, False], [True, False]]
    np.testing.assert_allclose(table["MAG_AUTO"].value, [20.3, 23.9], rtol=1e-6)
    assert table["NUMBER"].dtype.kind == "i"


def test_tables_of_ds9_and_skycat_have_dashes_under_their_names(tmp_path):
    text = "# of a server\nQueryResult\n\nid\tra\tdec\tmag\n--\t--\t---\t---\n1\t150.1\t2.1\t20.5\n2\t150.2\t2.2\t21\n"
    (tmp_path / "stars.tsv").write_text(text)
    [product] = open_products(tmp_path / "stars.tsv")
    table = product.load_object()
    assert table.colnames == ["id", "ra", "dec", "mag"]
    assert table["dec"].tolist() == [2.1, 2.2]
