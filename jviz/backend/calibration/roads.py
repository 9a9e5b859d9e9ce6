"""The pipelines that each type of exposure goes through, level by level, as jwst's documentation tabulates them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALWAYS_SERIES", "MAY_BE_SERIES", "ROADS", "Road", "road_of"]


@dataclass(frozen=True)
class Road:
    """Aliases of the pipelines of one type of exposure; "" where a level is not made.

    Attributes
    ----------
    first, second, third : str
    series : str
        Of level 3, for time series.
    """

    first: str = "calwebb_detector1"
    second: str = ""
    third: str = ""
    series: str = ""

    @property
    def is_spectral(self) -> bool:
        """Whether the exposures are of spectra."""
        return self.second == "calwebb_spec2"


_IMAGE, _SPECTRUM, _SERIES = "calwebb_image2", "calwebb_spec2", "calwebb_tso3"
_DETECTOR = "calwebb_detector1"

_GROUPS = (
    (Road(_DETECTOR, _IMAGE, "calwebb_image3"), "FGS_IMAGE NRC_IMAGE NIS_IMAGE"),
    (Road(_DETECTOR, _IMAGE, "calwebb_image3", _SERIES), "MIR_IMAGE"),
    (Road(_DETECTOR, _IMAGE, "calwebb_coron3"), "MIR_LYOT MIR_4QPM NRC_CORON"),
    (Road(_DETECTOR, _IMAGE, "calwebb_ami3"), "NIS_AMI"),
    (Road(_DETECTOR, _IMAGE, "calwebb_wfs-image3"), "NRC_WFSC"),
    (Road(_DETECTOR, _IMAGE, "", _SERIES), "NRC_TSIMAGE"),
    (
        Road(_DETECTOR, _SPECTRUM, "calwebb_spec3"),
        "MIR_MRS MIR_WFSS NRC_WFSS NIS_WFSS NRS_FIXEDSLIT NRS_IFU NRS_MSASPEC",
    ),
    (Road(_DETECTOR, _SPECTRUM, "calwebb_spec3", _SERIES), "MIR_LRS-FIXEDSLIT NIS_SOSS"),
    (Road(_DETECTOR, _SPECTRUM, "", _SERIES), "MIR_LRS-SLITLESS NRC_TSGRISM NRS_BRIGHTOBJ"),
    (Road(_DETECTOR, _SPECTRUM), "NRS_AUTOFLAT NRS_AUTOWAVE NRS_LAMP"),
    (
        Road(_DETECTOR, _IMAGE),
        "FGS_FOCUS MIR_CORONCAL MIR_TACONFIRM MIR_TACQ NIS_FOCUS NIS_TACONFIRM NIS_TACQ NRC_FOCUS NRC_TACONFIRM "
        "NRC_TACQ NRS_CONFIRM NRS_FOCUS NRS_IMAGE NRS_MIMF NRS_MSATA NRS_TACONFIRM NRS_TACQ NRS_TASLIT NRS_VERIFY "
        "NRS_WATA",
    ),
    (
        Road(_DETECTOR),
        "FGS_INTFLAT FGS_SKYFLAT MIR_FLATIMAGE MIR_FLATIMAGE-EXT MIR_FLATMRS MIR_FLATMRS-EXT NIS_EXTCAL NIS_LAMP "
        "NRC_FLAT NRC_GRISM NRC_LED",
    ),
    (Road("calwebb_dark"), "FGS_DARK MIR_DARKALL MIR_DARKIMG MIR_DARKMRS NIS_DARK NRC_DARK NRS_DARK"),
    (Road("calwebb_guider"), "FGS_ACQ1 FGS_ACQ2 FGS_FINEGUIDE FGS_ID-IMAGE FGS_ID-STACK FGS_TRACK"),
)

ROADS = {kind: road for road, kinds in _GROUPS for kind in kinds.split()}
"""By EXP_TYPE (jwst documentation, "Pipelines vs. Exposure Type"; what that leaves out, by the lists that its rules of
associations go by)."""

ALWAYS_SERIES = frozenset(("NRC_TSIMAGE", "NRC_TSGRISM", "NRS_BRIGHTOBJ"))
"""Types that are time series whatever TSOVISIT says."""

MAY_BE_SERIES = frozenset(kind for kind, road in ROADS.items() if road.series)
"""Types that TSOVISIT makes time series; no pipeline treats others as such at level 3."""

_OTHER = Road(_DETECTOR, _IMAGE, "calwebb_image3")


def road_of(exp_type: str, *, mirror: bool = False, sensing: bool = False) -> Road:
    """Return the pipelines of a type of exposure; those of images when it is not known.

    Parameters
    ----------
    mirror : bool
        Whether NIRSpec had its mirror in, not a grating: lamps and fields of the shutters are images then.
    sensing : bool
        Whether it is one of a pair of wavefront sensing (PATTTYPE is WFSC).
    """
    if sensing and ROADS.get(exp_type, _OTHER).third == "calwebb_image3":
        return ROADS["NRC_WFSC"]
    if mirror and exp_type in ("NRS_LAMP", "NRS_MSASPEC"):
        return Road(_DETECTOR, _IMAGE)
    return ROADS.get(exp_type, _OTHER)
