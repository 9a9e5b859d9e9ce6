"""Associations from headers, by few rules of our own: which exposures belong together, and what each is there for.

They follow those of the operations (jwst documentation, association rules) for what a desktop needs, and are quick:
no package of the pipelines is imported. The rules of jwst itself run in a worker (`jwst_worker.generate_associations`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.associations.model import AsnProduct, Association, Member
from jviz.backend.calibration.registry import CORONAGRAPHIC, SPECTRAL, TIME_SERIES
from jviz.errors import CommandError

__all__ = ["Exposure", "exposure_of", "left_out", "made", "pool_exposures"]

LEVEL_OF = {"uncal": 0, "ramp": 0, "rate": 2, "rateints": 2, "cal": 3, "calints": 3, "crf": 3, "crfints": 3}
"""Level of the association that takes files of a suffix; 0: those of both levels, of files still to be made."""

SKIPPED = re.compile(
    r"DARK|TACQ|CONFIRM|TASLIT|WATA|MSATA|BOTA|AUTO|FOCUS|FLAT(?!S)|BIAS|LED|VERIFY|LAMP|MIMF|_ID-|_ACQ|_TRACK|FINEGUIDE"
)
"""Types of exposure that science associations leave out: targets acquired, darks, lamps, guiding."""

SLITS = ("NRS_MSASPEC", "NRS_FIXEDSLIT")
TRUE = ("T", "TRUE", "1", "Y", "YES")

CONFIRMED, LOW_RESOLUTION = "MIR_TACONFIRM", ("MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS")
"""Pictures of the target on the slit, and the spectra that are centred by them."""

SEVERAL = re.compile(r"\(\s*'(c\d{4})'\s*,\s*'(\w+)'\s*\)", re.IGNORECASE)
"""Candidates of a pool that are of several observations: a mosaic, a group, science with its background."""

CANDIDATE = re.compile(r"\(\s*'(o\d{3})'\s*,\s*'observation'\s*\)", re.IGNORECASE)
NAMED = re.compile(r"jw\d{5}(\d{3})\d{3}_")
GRISM = re.compile(r"GR|PRISM|P750L")

CLEAR = ("", "CLEAR", "CLEARP", "N/A", "NONE", "NULL", "UNKNOWN", "OPAQUE", "MIRROR")
NOTHING = ("", "null", "none", "n/a", "--", "unknown")


@dataclass(frozen=True)
class Exposure:
    """What of a header matters for associations.

    Attributes
    ----------
    name : str
        Of the file.
    keys : dict
        Keywords, upper case, with values as texts; those that say nothing are left out.
    """

    name: str
    keys: Mapping[str, str]

    def get(self, keyword: str) -> str:
        """Return the value of a keyword, "" for none."""
        return self.keys.get(keyword, "")

    @property
    def suffix(self) -> str:
        """``"rate"`` …"""
        return Path(self.name).name.partition(".")[0].rpartition("_")[2].lower()

    @property
    def root(self) -> str:
        """Name without suffix."""
        return Path(self.name).name.partition(".")[0].removesuffix(f"_{self.suffix}")

    @property
    def exp_type(self) -> str:
        """EXP_TYPE in upper case."""
        return self.get("EXP_TYPE").upper()

    @property
    def is_series(self) -> bool:
        """Whether it is a time series."""
        return self.flag("TSOVISIT") or self.exp_type in TIME_SERIES

    def flag(self, keyword: str) -> bool:
        """Whether a logical keyword is true."""
        return self.get(keyword).upper() in TRUE

    @property
    def observation(self) -> str:
        """Id of its observation, ``"o001"``: of the header, the candidates of a pool, or its name."""
        given = self.get("OBSERVTN")
        if given.isdigit():
            return f"o{int(given):03d}"
        if candidate := CANDIDATE.search(self.get("ASN_CANDIDATE")):
            return candidate.group(1).lower()
        named = NAMED.match(self.name)
        return f"o{named.group(1)}" if named else ""

    def candidates(self, *kinds: str) -> set[str]:
        """Ids of the candidates over several observations that a pool counts it to, ``"c1001"``; of some kinds only."""
        found = SEVERAL.findall(self.get("ASN_CANDIDATE"))
        return {name.lower() for name, kind in found if not kinds or kind.lower() in kinds}

    @property
    def optics(self) -> tuple[str, ...]:
        """Filter, pupil or grating, clear ones left out."""
        found = [self.get(key).upper() for key in ("FILTER", "PUPIL", "GRATING", "FXD_SLIT", "CORONMSK")]
        return tuple(name for name in found if name not in CLEAR)

    @property
    def opt_elem(self) -> str:
        """The optical elements as names of products have them, ``"clear-f200w"``."""
        keys = {"MIR_MRS": (), "NRS_IFU": ("GRATING",)}.get(self.exp_type, ("FILTER", "PUPIL", "GRATING"))
        return "-".join(sorted(self.get(key).lower() for key in keys if self.get(key)))

    def number(self, *keywords: str) -> int | None:
        """Return the first of some keywords that is a whole number."""
        return next((int(text) for keyword in keywords if (text := self.get(keyword)).isdigit()), None)

    def as_suffix(self, suffix: str) -> str:
        """Return the name with another suffix; integrations of time series keep theirs."""
        return f"{self.root}_{suffix}{'ints' if self.is_series else ''}.fits"


def exposure_of(name: str, header: Mapping[str, Any]) -> Exposure:
    """Take what matters from FITS keywords, or from a row of a pool."""
    keys = {}
    for key, value in header.items():
        text = str(value).strip()
        if text.lower() not in NOTHING:
            keys[str(key).upper()] = text
    return Exposure(Path(name).name, keys)


def pool_exposures(table: Any) -> list[Exposure]:
    """Return the exposures of a pool: a table with the columns ``filename``, ``program``, ``exp_type`` …

    Raises
    ------
    CommandError
        When such a column is missing.
    """
    columns = {str(name).lower(): name for name in table.colnames}
    missing = [name for name in ("filename", "program", "instrume", "exp_type") if name not in columns]
    if missing:
        raise CommandError(f"The pool has no column {missing[0]}; it needs filename, program, instrume and exp_type.")
    rows = [{low: row[name] for low, name in columns.items()} for row in table]
    return [exposure_of(name, row) for row in rows if (name := str(row["filename"])).lower().endswith(".fits")]


def made(exposures: Sequence[Exposure], level: int | None = None, pool: str = "none") -> list[Association]:
    """Make associations.

    Parameters
    ----------
    level : {2, 3}, optional
        By default the one that takes files of their suffix (both for uncal files and pools).
    pool : str
        Name of the pool they come from.

    Raises
    ------
    CommandError
        When nothing can be made of them; says why.
    """
    usable = [exposure for exposure in exposures if not SKIPPED.search(exposure.exp_type) and exposure.exp_type]
    if not usable:
        kinds = ", ".join(sorted({exposure.exp_type or "no EXP_TYPE" for exposure in exposures})) or "none"
        raise CommandError(f"None of these exposures is of science, so no association can be made (types: {kinds}).")
    targets = _targets(usable)
    levels = (level,) if level else _levels(usable)
    found: list[Association] = []
    if 2 in levels:
        found += _second([*usable, *(e for e in exposures if e.exp_type == CONFIRMED)], targets, pool)
    if 3 in levels:
        found += _third(usable, targets, pool)
    if not found:
        raise CommandError("These exposures make no association: there are backgrounds or imprints only.")
    return found


def left_out(exposures: Sequence[Exposure], associations: Sequence[Association]) -> str:
    """Say which exposures no association has, "" when all are in one."""
    taken = {Path(member.expname).name.rpartition("_")[0] for one in associations for member in one.members}
    rest = [exposure.exp_type or "no EXP_TYPE" for exposure in exposures if exposure.root not in taken]
    if not rest:
        return ""
    kinds = ", ".join(f"{rest.count(kind)} {kind}" for kind in sorted(set(rest)))
    return (f"Of {len(exposures)} exposures {len(rest)} are in no association: {kinds}. The rules of jwst "
            "(rule='jwst') know more kinds.")  # fmt: skip


def _levels(exposures: Sequence[Exposure]) -> tuple[int, ...]:
    levels = {LEVEL_OF.get(exposure.suffix, -1) for exposure in exposures}
    if -1 in levels:
        name = next(e.name for e in exposures if e.suffix not in LEVEL_OF)
        raise CommandError(f"{name} is taken by no association; they are made of uncal, rate, cal and crf files.")
    if len(levels) > 1:
        raise CommandError("These are files of different levels; give rate files, or cal files, or say which level.")
    return (2, 3) if levels == {0} else tuple(levels)


def _targets(exposures: Iterable[Exposure]) -> dict[str, str]:
    """Number the targets: as the pool has them, or by their first exposures."""
    found: dict[str, str] = {}
    for exposure in exposures:
        name = _target(exposure)
        if name not in found:
            given = exposure.get("TARGETID")
            found[name] = f"t{int(given) if given.isdigit() else len(found) + 1:03d}"
    return found


def _target(exposure: Exposure) -> str:
    return exposure.get("TARGETID") or exposure.get("TARGPROP") or exposure.get("TARGNAME")


def _is_background(exposure: Exposure) -> bool:
    return exposure.flag("BKGDTARG")


def _header(exposures: Sequence[Exposure], rule: str, pool: str, asn_id: str) -> dict[str, Any]:
    program = exposures[0].get("PROGRAM")
    return {
        "asn_rule": rule, "asn_id": asn_id, "asn_pool": pool, "target": _target(exposures[0]) or "none",
        "program": program.zfill(5) if program.isdigit() else program or "noprogram", "version_id": None,
        "degraded_status": "No known degraded exposures in association.", "constraints": "No constraints",
    }  # fmt: skip


def _asn_id(exposures: Sequence[Exposure]) -> str:
    """Return the id of an observation, ``"o001"``; of exposures of several that of their candidate, ``"c1001"``.

    Where no pool says one, it is that of jwst for lists of files.
    """
    observations = {exposure.observation for exposure in exposures}
    if len(observations) == 1 and (one := next(iter(observations))):
        return one
    return min(set.intersection(*(exposure.candidates() for exposure in exposures)), default="a3001")


# --- level 2: one product for each exposure -----------------------------------------------------------


def _second(exposures: Sequence[Exposure], targets: Mapping[str, str], pool: str) -> list[Association]:
    kinds: dict[tuple[str, str], list[AsnProduct]] = {}
    science: dict[tuple[str, str], list[Exposure]] = {}
    for exposure in exposures:
        if exposure.flag("IS_IMPRT") or exposure.exp_type == CONFIRMED:
            continue
        others = [] if _is_background(exposure) else _helpers(exposure, exposures)
        members = (Member(_second_name(exposure)), *(Member(_second_name(e), role) for e, role in others),
                   *_direct_image(exposure, exposures, targets))  # fmt: skip
        key = (_second_type(exposure), exposure.get("PROGRAM"))
        kinds.setdefault(key, []).append(AsnProduct(exposure.root, members))
        science.setdefault(key, []).append(exposure)
    return [Association(kind, tuple(products), _header(science[kind, program], f"jviz_{kind}", pool,
                                                        _asn_id(science[kind, program])))
            for (kind, program), products in kinds.items()]  # fmt: skip


def _second_name(exposure: Exposure) -> str:
    return exposure.name if LEVEL_OF.get(exposure.suffix) == 2 else exposure.as_suffix("rate")


def _second_type(exposure: Exposure) -> str:
    if exposure.exp_type.endswith("WFSC"):
        return "wfs-image2"
    kind = "spec2" if exposure.exp_type in SPECTRAL else "image2"
    return f"tso-{kind}" if exposure.is_series else kind


def _helpers(exposure: Exposure, exposures: Sequence[Exposure]) -> list[tuple[Exposure, str]]:
    """Return the backgrounds and imprints of one exposure: the same optics on the same detector."""
    confirmed = [(other, "target_acquisition") for other in exposures if other.exp_type == CONFIRMED
                 and exposure.exp_type in LOW_RESOLUTION and other.observation == exposure.observation
                 and other.get("PROGRAM") == exposure.get("PROGRAM")]  # fmt: skip
    if exposure.exp_type not in SPECTRAL or exposure.is_series:
        return confirmed
    alike = [other for other in exposures if other is not exposure and _same_optics(exposure, other)
             and other.get("DETECTOR") == exposure.get("DETECTOR")]  # fmt: skip
    imprints = [(other, "imprint") for other in alike if other.flag("IS_IMPRT")]
    dedicated = [(other, "background") for other in alike if _is_background(other) and not other.flag("IS_IMPRT")
                 and _go_together(exposure, other)]  # fmt: skip
    nods = [(other, "background") for other in alike if _is_nod(exposure, other)]
    return [*imprints, *dedicated, *nods, *confirmed]


def _go_together(exposure: Exposure, background: Exposure) -> bool:
    """Whether a pool counts an exposure and a background to one candidate; where it names none, all go together."""
    of_one, of_other = exposure.candidates("background"), background.candidates("background")
    return not (of_one and of_other) or bool(of_one & of_other)


def _same_optics(first: Exposure, second: Exposure) -> bool:
    keys = ("INSTRUME", "EXP_TYPE", "SUBARRAY", "BAND", "CHANNEL", "PROGRAM")
    return first.optics == second.optics and all(first.get(key) == second.get(key) for key in keys)


def _is_nod(first: Exposure, second: Exposure) -> bool:
    """Whether the second of two exposures of one target shows sky where the first has the source."""
    keys = ("PATTTYPE", "NOD_TYPE", "EXPSPCIN", "NUMDTHPT", "FXD_SLIT", "MSAMETFL")
    same = first.observation == second.observation and all(first.get(key) == second.get(key) for key in keys)
    if not same or _target(first) != _target(second) or second.flag("IS_IMPRT"):
        return False
    if first.exp_type in SLITS:
        return _is_clear(first, second)
    pattern = (first.get("PATTTYPE") + first.get("NOD_TYPE")).upper()
    return "NOD" in pattern and first.get("PATT_NUM") != second.get("PATT_NUM")


def _is_clear(first: Exposure, second: Exposure) -> bool:
    """Whether two exposures in slits of NIRSpec are at primary dither points that do not overlap.

    As jwst has it (``AsnMixin_Lv2Nod.nod_background_overlap``): points of one primary position overlap, and in
    S1600A1 with five points so do neighbours.
    """
    places, fine = [], []
    for exposure in (first, second):
        number, points = exposure.number("PATT_NUM"), exposure.number("SUBPXPTS", "SUBPXPNS")
        if number is None or not points:
            return first.exp_type == "NRS_MSASPEC"
        places.append((number - 1) // points)
        fine.append(points)
    if places[0] == places[1]:
        return False
    five = first.get("FXD_SLIT").upper() == "S1600A1" and (first.number("NUMDTHPT") or 0) // fine[0] == 5
    return first.exp_type == "NRS_MSASPEC" or not (five and abs(places[0] - places[1]) <= 1)


def _direct_image(exposure: Exposure, exposures: Sequence[Exposure], targets: Mapping[str, str]) -> list[Member]:
    """Return what slitless spectra need of the image of their field: itself, its catalogue, its segmentation."""
    if not exposure.exp_type.endswith("_WFSS"):
        return []
    band = {name for name in exposure.optics if not GRISM.search(name)}
    images = [e for e in exposures if e.exp_type.endswith("_IMAGE") and e.observation == exposure.observation
              and e.get("INSTRUME") == exposure.get("INSTRUME")]  # fmt: skip
    images = [e for e in images if set(e.optics) == band] if band else images
    if not images:
        return []
    name = _third_product(images, _asn_id(images), targets[_target(images[0])])
    parts = (("i2d.fits", "direct_image"), ("cat.ecsv", "sourcecat"), ("segm.fits", "segmap"))
    return [Member(f"{name}_{ending}", role) for ending, role in parts]


# --- level 3: what belongs together -------------------------------------------------------------------


def _third(exposures: Sequence[Exposure], targets: Mapping[str, str], pool: str) -> list[Association]:
    groups: dict[tuple[str, ...], list[Exposure]] = {}
    for exposure in exposures:
        if not exposure.flag("IS_IMPRT"):
            groups.setdefault(_group(exposure), []).append(exposure)
    found = []
    science = [members for members in groups.values() if any(map(_is_science, members))]
    for members in science:
        kind = _third_type(members[0])
        if kind == "wfs-image3":
            found += _pairs(members, targets, pool)
        else:
            found.append(_third_one(members, exposures, kind, targets, pool))
    return found


def _group(exposure: Exposure) -> tuple[str, ...]:
    """Return what exposures share that are combined: MRS joins all its bands, time series stand alone."""
    band = () if exposure.exp_type == "MIR_MRS" else (*exposure.optics, exposure.get("CHANNEL"))
    alone = (exposure.observation, exposure.get("DETECTOR")) if exposure.is_series else ()
    common = (exposure.get("PROGRAM"), _target(exposure), exposure.get("INSTRUME"), exposure.exp_type)
    return (*common, *band, exposure.get("SUBARRAY"), *alone, str(_is_background(exposure)))


def _is_science(exposure: Exposure) -> bool:
    return not (_is_background(exposure) or exposure.flag("IS_PSF"))


def _third_type(exposure: Exposure) -> str:
    kind = exposure.exp_type
    if kind.endswith("WFSC"):
        return "wfs-image3"
    if kind == "NIS_AMI":
        return "ami3"
    if kind in CORONAGRAPHIC:
        return "coron3"
    if exposure.is_series:
        return "tso3"
    return "spec3" if kind in SPECTRAL else "image3"


def _third_one(
    members: Sequence[Exposure], everything: Sequence[Exposure], kind: str, targets: Mapping[str, str], pool: str
) -> Association:
    first = members[0]
    roles = [Member(_third_name(e), "science") for e in members]
    if kind == "spec3":
        roles += [Member(_third_name(e, "x1d"), "background") for e in everything
                  if _is_background(e) and e not in members and _same_setup(first, e)
                  and _go_together(first, e)]  # fmt: skip
    if kind in ("coron3", "ami3"):
        roles += [Member(_third_name(e), "psf") for e in everything if e.flag("IS_PSF") and _same_optics(first, e)]
    asn_id = _asn_id(members)
    product = AsnProduct(_third_product(members, asn_id, targets[_target(first)]), tuple(roles))
    return Association(kind, (product,), _header(members, f"jviz_{kind}", pool, asn_id))


def _same_setup(first: Exposure, second: Exposure) -> bool:
    if first.exp_type == "MIR_MRS":
        return second.exp_type == "MIR_MRS" and first.get("PROGRAM") == second.get("PROGRAM")
    return _same_optics(first, second)


def _third_name(exposure: Exposure, suffix: str = "cal") -> str:
    if suffix == "cal" and LEVEL_OF.get(exposure.suffix) == 3:
        return exposure.name
    return exposure.as_suffix(suffix)


def _third_product(members: Sequence[Exposure], asn_id: str, target: str) -> str:
    """Return the name of a product as the archive names them (jwst documentation, file naming)."""
    first = members[0]
    slits = first.exp_type == "NRS_FIXEDSLIT"
    place = "{source_id}" if first.exp_type == "NRS_MSASPEC" else f"{target}-{{source_id}}" if slits else target
    subarray = first.get("SUBARRAY").lower()
    parts = [first.opt_elem, "{slit_name}" if slits else "", "" if subarray in ("full", "generic") else subarray]
    start = f"jw{first.get('PROGRAM').zfill(5)}-{asn_id}"
    words = (start, place, first.get("INSTRUME").lower(), "-".join(part for part in parts if part))
    return "_".join(word for word in words if word)


def _pairs(members: Sequence[Exposure], targets: Mapping[str, str], pool: str) -> list[Association]:
    """Return the pairs of a wavefront-sensing observation: two exposures of one activity on one detector."""
    activities: dict[tuple[str, ...], list[Exposure]] = {}
    for exposure in members:
        key = (exposure.observation, *(exposure.get(name) for name in ("VISIT", "ACT_ID", "DETECTOR")))
        activities.setdefault(key, []).append(exposure)
    found = []
    for pair in activities.values():
        for number in range(0, len(pair) - 1, 2):
            two = pair[number : number + 2]
            asn_id = _asn_id(two)
            stem = _third_product(two, asn_id, targets[_target(two[0])])
            name = f"{stem}-{two[0].get('DETECTOR').lower()}_{{suffix}}-{number // 2 + 1:02d}"
            product = AsnProduct(name, tuple(Member(_third_name(e)) for e in two))
            found.append(Association("wfs-image3", (product,), _header(two, "jviz_wfs-image3", pool, asn_id)))
    return found
