"""Made-up data for the pictures of the documentation: files from fixed seeds."""

import os
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

__all__ = ["nodded_exposures", "several_images", "stages", "star_ramp", "three_filters", "transit", "uncal"]


def three_filters(folder: Path) -> list[Path]:
    """Write a field of blue and red galaxies as seen through three filters, each turned its own way."""
    random = np.random.default_rng(4)
    count, shape = 90, (900, 900)
    east, north = random.uniform(-11, 11, (2, count)) / 3600
    colour, flux, size = (
        random.normal(0, 0.7, count),
        10 ** random.uniform(1.0, 3.2, count),
        random.gamma(3, 1.3, count),
    )
    axis, turn = random.uniform(0.3, 1, count), random.uniform(0, np.pi, count)
    y, x = np.mgrid[-40:41, -40:41]
    paths = []
    for name, tilt, angle in (("F090W", -1.0, 0.0), ("F444W", 1.0, 33.0), ("F200W", 0.0, -12.0)):
        header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": name, "BUNIT": "MJy/sr"})
        cos, sin, step = np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.03 / 3600
        header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 450.5, "CRPIX2": 450.5, "CRVAL1": 150.1,
                       "CRVAL2": 2.3, "CD1_1": -step * cos, "CD1_2": step * sin, "CD2_1": step * sin,
                       "CD2_2": step * cos})  # fmt: skip
        places = WCS(header).all_world2pix(150.1 + east / np.cos(np.radians(2.3)), 2.3 + north, 0)
        image = random.normal(1.5, 0.6, (shape[0] + 160, shape[1] + 160)).astype("f4")
        for number, (px, py) in enumerate(zip(*places, strict=True)):
            column, row = round(px), round(py)
            if not (-40 <= column < shape[1] + 40 and -40 <= row < shape[0] + 40):
                continue
            a = turn[number] - np.radians(angle)
            dx, dy = x + column - px, y + row - py
            u, v = dx * np.cos(a) + dy * np.sin(a), (dy * np.cos(a) - dx * np.sin(a)) / axis[number]
            profile = np.exp(-(np.hypot(u, v) / size[number]))
            light = flux[number] * np.exp(tilt * colour[number]) / size[number] ** 1.2
            image[row + 40 : row + 121, column + 40 : column + 121] += light * profile
        paths.append(folder / f"galaxies_{name.lower()}.fits")
        fits.writeto(paths[-1], image[80:-80, 80:-80], header, overwrite=True)
    return paths


def several_images() -> Path:
    """Write a file with three exposures."""
    random = np.random.default_rng(3)
    units = [fits.PrimaryHDU()]
    for number in (1, 2, 3):
        shape = (256 * number, 256)
        for name in ("SCI", "ERR"):
            unit = fits.ImageHDU(random.normal(size=shape).astype("f4"), name=name, ver=number)
            unit.header["BUNIT"] = "MJy/sr"
            units.append(unit)
    path = Path(os.environ["JVIZ_HOME"]) / "three_exposures.fits"
    fits.HDUList(units).writeto(path, overwrite=True)
    return path


def star_ramp(path: Path) -> Path:
    """Write a ramp of ten groups of a few stars, with cosmic rays."""
    random = np.random.default_rng(8)
    y, x = np.mgrid[:128, :128]
    light = np.full(x.shape, 3.0)
    for column, row, flux in zip(*random.uniform(4, 124, (2, 40)), 10 ** random.uniform(1.5, 3.8, 40), strict=True):
        light += flux / 20 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 5)
    light += 60 * np.exp(-((x - 71) ** 2 + (y - 64) ** 2) / 5)
    counts = random.poisson(light * 5.4, (1, 10, *x.shape)).cumsum(axis=1) / 2 + random.normal(0, 6, (1, 10, *x.shape))
    steps = np.where(random.random(counts.shape) < 0.0008, random.uniform(100, 2500, counts.shape), 0)
    steps[:, :, 64, 71] = 0
    steps[:, 6, 64, 71] = 700
    header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "RampModel", "TGROUP": 2.7,
                          "TFRAME": 2.7, "NFRAMES": 1, "OBJECT": "SIMULATED"})  # fmt: skip
    science = fits.ImageHDU((counts + steps.cumsum(axis=1)).astype(np.float32), fits.Header({"BUNIT": "DN"}), "SCI")
    fits.HDUList([fits.PrimaryHDU(header=header), science]).writeto(path)
    return path


def transit() -> Path:
    """Write 600 integrations of a star before which a planet passes."""
    draw, n = np.random.default_rng(5), 600
    time = np.linspace(0, 0.4, n)
    depth = 0.012 * np.clip((0.075 - np.abs(time - 0.2)) / 0.012, 0, 1)
    y, x = np.mgrid[:64, :64]
    values = np.empty((n, 64, 64), np.float32)
    for k in range(n):
        dx, dy = 0.08 * np.sin(9 * time[k]), 0.06 * np.cos(14 * time[k])
        star = np.exp(-0.5 * ((x - 32.2 - dx) ** 2 + (y - 30.6 - dy) ** 2) / 1.9**2)
        values[k] = 40 + 9000 * (1 - depth[k]) * star + draw.normal(0, 6, (64, 64))
    values[140, 31, 33] = 60000
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "CubeModel", "EXPSTART": 60000.0,
                           "EXPEND": 60000.4})  # fmt: skip
    science = fits.ImageHDU(values, name="SCI")
    science.header["BUNIT"] = "DN/s"
    path = Path(tempfile.mkdtemp()) / "transit_rateints.fits"
    fits.HDUList([primary, science, fits.ImageHDU(np.full_like(values, 6.0), name="ERR")]).writeto(path)
    return path


def uncal(path: Path) -> Path:
    """Write the ramp of `star_ramp` as raw counts, as the pipelines take them."""
    with fits.open(star_ramp(path.with_name("ramp.fits"))) as units:
        header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_IMAGE", "NGROUPS": 10,
                              "DATAMODL": "Level1bModel", "OBJECT": "SIMULATED"})  # fmt: skip
        counts = np.clip(units["SCI"].data, 0, 65535).astype(np.uint16)
        fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(counts, name="SCI")]).writeto(path)
    return path


def nodded_exposures(folder: Path) -> Path:
    """Write headers of three exposures of NIRSpec slitlets, nodded, and what the pipeline made of the first."""
    for number in (1, 2, 3):
        first = fits.PrimaryHDU()
        first.header.update({
            "TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "PROGRAM": "01234", "OBSERVTN": "007",
            "TARGPROP": "FIELD", "EXP_TYPE": "NRS_MSASPEC", "FILTER": "F290LP", "GRATING": "G395M", "SUBARRAY": "FULL",
            "PATT_NUM": number, "NUMDTHPT": 3, "SUBPXPTS": 1, "EXPSPCIN": 1,
        })  # fmt: skip
        first.writeto(folder / f"jw01234007001_03101_0000{number}_nrs1_rate.fits")
    for suffix in ("cal", "s2d", "x1d"):
        fits.PrimaryHDU().writeto(folder / f"jw01234007001_03101_00001_nrs1_{suffix}.fits")
    return folder


def stages(folder: Path) -> list[Path]:
    """Write two exposures of a made-up field from ramp to mosaic, with the headers by which they know each other."""
    random = np.random.default_rng(8)
    y, x = np.mgrid[:160, :160]
    places = random.uniform(8, 152, (25, 2))
    sky = sum(40 * random.gamma(0.6) * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 6) for a, b in places)
    done = {"uncal": (), "rate": ("S_DQINIT", "S_SATURA", "S_DARK", "S_JUMP", "S_RAMP"), "i2d": ("S_RESAMP",),
            "cal": ("S_WCS", "S_FLAT", "S_PHOTOM"), "crf": ("S_TWKREG", "S_SKYMAT", "S_OUTLIR")}  # fmt: skip
    mosaic, stem, steps = "jw09999-o001_t001_nircam_clear-f200w", "jw09999001001_02101_0000{}_nrcb1", list[str]()
    paths = []
    for suffix in ("uncal", "rate", "cal", "crf", "i2d"):
        steps += done[suffix]
        for number in (1,) if suffix == "i2d" else (1, 2):
            primary = fits.PrimaryHDU()
            primary.header.update(TELESCOP="JWST", INSTRUME="NIRCAM", FILTER="F200W", PROGRAM="09999",
                                  TARGPROP="SIMULATED", EXP_TYPE="NRC_IMAGE", EFFEXPTM=311.0 * number)  # fmt: skip
            primary.header.update({name: "COMPLETE" for name in steps})
            if suffix != "uncal":
                primary.header.update({"CAL_VER": "3.0.0", "CRDS_CTX": "jwst_1413.pmap"})
            units = [primary, fits.ImageHDU((sky + random.normal(0, 1, sky.shape)).astype("f4"), name="SCI")]
            name = f"{stem.format(number)}{'_o001' if suffix == 'crf' else ''}_{suffix}.fits"
            if suffix == "i2d":
                primary.header.update(R_FLAT="crds://jwst_nircam_flat_0756.fits", ASNTABLE="jw09999-o001_asn.json",
                                      R_PHOTOM="crds://jwst_nircam_photom_0202.fits")  # fmt: skip
                members = fits.Column("FILENAME", "60A", array=[f"{stem.format(n)}_o001_crf.fits" for n in (1, 2)])
                units.append(fits.BinTableHDU.from_columns([members], name="HDRTAB"))
                name = f"{mosaic}_{suffix}.fits"
            paths.append(folder / name)
            fits.HDUList(units).writeto(paths[-1], overwrite=True)
    return paths
