"""Keywords of simulated exposures and reference files, as the pipelines read them."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "MARK", "asdf_part", "exposure_header", "hdu", "integration_times", "mark", "mjd_of", "reference_header",
    "science_header", "table",
]  # fmt: skip

MARK = "SIMULATD"
"""Keyword that is true in everything that is simulated."""

DAY = "2025-09-01"
FIRST_MJD = 60919.0
"""Of that day at 0 h."""

PROGRAM = "09999"


def mark(header: Any, seed: int) -> None:
    """Say in a header that nothing of it was observed."""
    header[MARK] = (True, "nothing in this file was observed")
    header["SEED"] = (seed, "of the random numbers")
    header.add_history(f"SIMULATED by jviz with the seed {seed}.")


def mjd_of(number: int, seconds: float) -> float:
    """Return when an exposure begins: ten minutes after each other, and more when they last longer."""
    return FIRST_MJD + 0.4 + (number - 1) * (600 + seconds) / 86_400


def exposure_header(*, name: str, number: int, count: int, groups: int, integrations: int, seconds: float, seed: int,
                    observation: str = "001", **more: Any) -> Any:  # fmt: skip
    """Return the primary header of an uncal file.

    Parameters
    ----------
    seconds : float
        Between two reads.
    **more
        Further keywords, those of the instrument.
    """
    from astropy.io import fits
    from astropy.time import Time

    length = seconds * groups * integrations
    begin = mjd_of(number, length)
    end = begin + seconds * (groups + 1) * integrations / 86_400
    start = Time(begin, format="mjd").isot
    header = fits.Header()
    header.update(
        DATE=f"{DAY}T00:00:00.000", ORIGIN="jviz", TELESCOP="JWST", FILENAME=name, DATAMODL="Level1bModel",
        TITLE="SIMULATED", CATEGORY="CAL", PROGRAM=PROGRAM, OBSERVTN=observation, VISIT="001",
        VISIT_ID=f"{PROGRAM}{observation}001", VISITGRP="02", SEQ_ID="1", ACT_ID="01", EXPOSURE=str(number),
        TARGPROP="SIMULATED", TARGNAME="SIMULATED", TARGTYPE="FIXED", TSOVISIT=False, INTARGET=False,
        **{"DATE-OBS": start[:10], "TIME-OBS": start[11:], "DATE-BEG": start,
           "DATE-END": Time(end, format="mjd").isot},
        EXPSTART=begin, EXPMID=(begin + end) / 2, EXPEND=end, EXPCOUNT=count, NINTS=integrations, NGROUPS=groups,
        NFRAMES=1, GROUPGAP=0, DRPFRMS1=0, TSAMPLE=10.0, TFRAME=seconds, TGROUP=seconds, EFFINTTM=seconds * groups,
        EFFEXPTM=length, DURATION=(end - begin) * 86_400, NRSTSTRT=1, NRESETS=1, ZEROFRAM=False, PATT_NUM=number,
        NUMDTHPT=count, VA_SCALE=1.0,
    )  # fmt: skip
    header.update({key: value for key, value in more.items() if value is not None})
    mark(header, seed)
    return header


def integration_times(primary: Any) -> Any:
    """Return the extension with the times of the integrations; those of the barycentre are taken for those of UTC."""
    count, frames = primary["NINTS"], primary["NGROUPS"] + 1
    start = primary["EXPSTART"] + np.arange(count) * frames * primary["TFRAME"] / 86_400
    length = primary["NGROUPS"] * primary["TFRAME"] / 86_400
    columns = {"integration_number": np.arange(1, count + 1, dtype=np.int32)}
    for clock in ("MJD_UTC", "BJD_TDB"):
        for name, part in (("start", 0.0), ("mid", 0.5), ("end", 1.0)):
            columns[f"int_{name}_{clock}"] = start + part * length
    return table("INT_TIMES", **columns)


def science_header(pointing: Any, frame: Any, primary: Any, middle: tuple[float, float]) -> Any:
    """Return the keywords of the SCI extension: where the telescope said it looked, and when.

    Parameters
    ----------
    middle : tuple of float
        0-based column and row that look there.
    """
    from astropy.io import fits

    ra_v1, dec_v1 = pointing.to_sky(0.0, 0.0)
    pa_v3 = _position_angle(pointing)
    header = fits.Header()
    header.update(
        BUNIT="DN", SRCTYPE=primary.get("SRCTYAPT", "UNKNOWN"),
        **{"MJD-BEG": primary["EXPSTART"], "MJD-AVG": primary["EXPMID"], "MJD-END": primary["EXPEND"]},
        XPOSURE=primary["EFFEXPTM"], RA_V1=float(ra_v1), DEC_V1=float(dec_v1), PA_V3=pa_v3, VA_SCALE=1.0,
        RA_REF=pointing.ra, DEC_REF=pointing.dec, ROLL_REF=pointing.roll, V2_REF=pointing.v2, V3_REF=pointing.v3,
        VPARITY=frame.parity, V3I_YANG=frame.angle, XREF_SCI=middle[0] + 1, YREF_SCI=middle[1] + 1,
    )  # fmt: skip
    return header


def _position_angle(pointing: Any) -> float:
    """Return the position angle of V3 at V1, in degrees."""
    v1, v3 = pointing.attitude[:, 0], pointing.attitude[:, 2]
    east = np.array([-v1[1], v1[0], 0]) / np.hypot(v1[0], v1[1])
    north = np.cross(v1, east)
    return float(np.degrees(np.arctan2(v3 @ east, v3 @ north)) % 360)


def asdf_part(model: str) -> Any:
    """Return the extension that the pipelines look for in their own files, with nothing but the type of the model."""
    from astropy.io import fits

    text = (f"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- !<tag:stsci.edu:asdf/core/asdf-1.1.0>\n"
            f"meta: {{model_type: {model}, telescope: JWST}}\n...\n")  # fmt: skip
    content = np.frombuffer(text.encode(), np.uint8)
    column = fits.Column("ASDF_METADATA", f"{content.size}B", array=content[None])
    return fits.BinTableHDU.from_columns([column], name="ASDF")


def reference_header(kind: str, model: str, seed: int, **more: Any) -> Any:
    """Return the primary header of a reference file."""
    from astropy.io import fits

    header = fits.Header()
    header.update(
        DATE=f"{DAY}T00:00:00.000", ORIGIN="jviz", TELESCOP="JWST", DATAMODL=model, REFTYPE=kind.upper(),
        PEDIGREE="DUMMY", DESCRIP="SIMULATED, matches simulated exposures", AUTHOR="jviz",
        USEAFTER="2000-01-01T00:00:00",
    )  # fmt: skip
    header.update(more)
    mark(header, seed)
    return header


def hdu(name: str, data: np.ndarray, header: Any = None) -> Any:
    """Return an image extension."""
    from astropy.io import fits

    return fits.ImageHDU(data, header, name=name)


def table(name: str, **columns: Any) -> Any:
    """Return a table extension of columns of text or numbers; of arrays in rows where they have more axes."""
    from astropy.io import fits

    arrays = {key: np.asarray(values) for key, values in columns.items()}
    kinds = [(key, values.dtype, values.shape[1:]) for key, values in arrays.items()]
    rows = np.empty(len(next(iter(arrays.values()))), kinds)
    for key, values in arrays.items():
        rows[key] = values
    return fits.BinTableHDU(rows, name=name)
