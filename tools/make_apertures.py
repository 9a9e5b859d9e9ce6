"""Writes jviz/resources/apertures.csv from pysiaf (which jviz does not need): ``python tools/make_apertures.py``."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pysiaf

TARGET = Path(__file__).resolve().parents[1] / "jviz" / "resources" / "apertures.csv"
CIRCLE = 24
"""Corners of round apertures."""

COS_RADIUS = 1.25
"""Arcsec (COS Instrument Handbook, 1.2: apertures of 2.5 arcsec)."""

SHORT = [f"NRC{module}{number}_FULL" for module in "AB" for number in (1, 2, 3, 4)]
LONG = ["NRCA5_FULL", "NRCB5_FULL"]
MSA = [f"NRS_FULL_MSA{number}" for number in (1, 2, 3, 4)]
SLITS = ["NRS_S200A1_SLIT", "NRS_S200A2_SLIT", "NRS_S400A1_SLIT", "NRS_S1600A1_SLIT", "NRS_S200B1_SLIT"]
MRS = [f"MIRIFU_CHANNEL{channel}{band}" for channel in (1, 2, 3, 4) for band in "ABC"]
PARTS = {
    "NRCALL_FULL": SHORT + LONG, "NRCAS_FULL": SHORT[:4], "NRCBS_FULL": SHORT[4:], "NRS_FULL_MSA": MSA,
    "JWFC": ["JWFC1", "JWFC2"], "IUVIS": ["IUVIS1", "IUVIS2"], "WFI_CEN": [f"WFI{n:02d}_FULL" for n in range(1, 19)],
}  # fmt: skip

WANTED: dict[tuple[str, str, str], dict[str, str]] = {
    ("JWST", "NIRCam", "NIRCam"): {
        "NRCALL_FULL": "all detectors", "NRCAS_FULL": "module A, short wave", "NRCBS_FULL": "module B, short wave",
        "NRCA5_FULL": "module A, long wave", "NRCB5_FULL": "module B, long wave",
        **{name: f"detector {name[3:5]}" for name in SHORT},
        "NRCB1_SUB160": "subarray 160, B1", "NRCB1_SUB320": "subarray 320, B1", "NRCB1_SUB640": "subarray 640, B1",
        "NRCB1_SUB400P": "subarray 400, B1", "NRCB5_SUB160": "subarray 160, B5", "NRCB5_SUB320": "subarray 320, B5",
        "NRCB5_SUB640": "subarray 640, B5", "NRCA2_MASK210R": "coronagraph 210R", "NRCA5_MASK335R": "coronagraph 335R",
        "NRCA5_MASK430R": "coronagraph 430R", "NRCA4_MASKSWB": "coronagraph bar, short wave",
        "NRCA5_MASKLWB": "coronagraph bar, long wave",
    },
    ("JWST", "NIRISS", "NIRISS"): {
        "NIS_CEN": "full detector", "NIS_AMI1": "aperture masking", "NIS_SUBSTRIP256": "SOSS strip",
        "NIS_SUB64": "subarray 64", "NIS_SUB128": "subarray 128", "NIS_SUB256": "subarray 256",
    },
    ("JWST", "MIRI", "MIRI"): {
        "MIRIM_FULL": "imager, full detector", "MIRIM_ILLUM": "imager, illuminated field",
        "MIRIM_BRIGHTSKY": "imager, bright sky", "MIRIM_SUB256": "subarray 256", "MIRIM_SUB128": "subarray 128",
        "MIRIM_SUB64": "subarray 64", "MIRIM_SLIT": "low resolution slit",
        "MIRIM_SLITLESSPRISM": "low resolution, no slit", "MIRIM_CORON1065": "coronagraph 1065",
        "MIRIM_CORON1140": "coronagraph 1140", "MIRIM_CORON1550": "coronagraph 1550",
        "MIRIM_CORONLYOT": "coronagraph Lyot",
        **{name: f"MRS channel {name[-2]}, {dict(A='short', B='medium', C='long')[name[-1]]}" for name in MRS},
    },
    ("JWST", "NIRSpec", "NIRSpec"): {
        "NRS_FULL_MSA": "shutters, all quadrants",
        **{name: f"shutters, quadrant {name[-1]}" for name in MSA},
        **{name: f"slit {name.split('_')[1]}" for name in SLITS},
        "NRS_FULL_IFU": "integral field unit",
    },
    ("JWST", "FGS", "FGS"): {"FGS1_FULL": "guider 1", "FGS2_FULL": "guider 2"},
    ("HST", "ACS", "HST"): {"JWFC": "WFC", "JWFC1": "WFC, chip 1", "JWFC2": "WFC, chip 2", "JSBC": "SBC"},
    ("HST", "WFC3", "HST"): {
        "IUVIS": "UVIS", "IUVIS1": "UVIS, chip 1", "IUVIS2": "UVIS, chip 2", "IIR": "IR",
    },
    ("HST", "STIS", "HST"): {
        "OV50": "CCD", "OF25": "FUV MAMA", "ON25": "NUV MAMA",
        "OVL050": "slit 52×0.05", "OVL100": "slit 52×0.1", "OVL200": "slit 52×0.2", "OVL500": "slit 52×0.5",
        "OVL2": "slit 52×2", "OV6X060": "slit 6×0.06", "OV6X200": "slit 6×0.2", "OV6X500": "slit 6×0.5",
        "OV1X060": "slit 1×0.06", "OV1X200": "slit 1×0.2", "OV200A": "aperture 0.2×0.2", "OV2X2": "aperture 2×2",
    },
    ("HST", "COS", "HST"): {
        "LFPSA": "primary aperture, FUV", "LNPSA": "primary aperture, NUV", "LFBOA": "bright object aperture, FUV",
    },
    ("Roman", "WFI", "Roman"): {
        "WFI_CEN": "all detectors", **{f"WFI{n:02d}_FULL": f"detector {n}" for n in range(1, 19)},
    },
}  # fmt: skip


def corners(aperture: Any) -> np.ndarray:
    """Return the corners of one aperture, arcsec in V2 and V3, shape (n, 2)."""
    if getattr(aperture, "a_shape", "") == "CIRC":
        turns = np.linspace(0, 2 * np.pi, CIRCLE, endpoint=False)
        circle = COS_RADIUS * np.stack([np.cos(turns), np.sin(turns)], 1)
        return circle + np.array([aperture.V2Ref, aperture.V3Ref])
    v2, v3 = aperture.closed_polygon_points("tel", rederive=False)
    return np.stack([v2, v3], 1)[:-1]


def main() -> None:
    """Write the table."""
    with TARGET.open("w", newline="") as stream:
        versions = (
            f"# Apertures of JWST ({pysiaf.JWST_PRD_VERSION}), HST and Roman, from pysiaf {pysiaf.__version__}.\n"
        )
        stream.write(versions)
        stream.write("# Arcsec in V2, V3; angle: degrees from V3 to the aperture's y at its reference point.\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["telescope", "instrument", "aperture", "title", "v2", "v3", "angle", "corners"])
        for (telescope, instrument, siaf), names in WANTED.items():
            apertures = pysiaf.Siaf(siaf)
            for name, title in names.items():
                if name not in apertures.apertures:
                    print(f"{siaf} has no {name}")
                    continue
                middle = apertures[name]
                outlines = [corners(apertures[part]) for part in PARTS.get(name, [name])]
                text = "|".join(";".join(f"{x:.4f} {y:.4f}" for x, y in outline) for outline in outlines)
                place = (f"{middle.V2Ref:.4f}", f"{middle.V3Ref:.4f}", f"{middle.V3IdlYAngle:.6f}")
                writer.writerow([telescope, instrument, name, title, *place, text])


if __name__ == "__main__":
    main()
