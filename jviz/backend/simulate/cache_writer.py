"""A CRDS cache of a few reference files: context, rules, files, and what keeps CRDS from asking a server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from typing import Any

from jviz.backend.calibration.environment import COMPLETE

__all__ = ["CONTEXT", "Reference", "write_cache"]

CONTEXT = "jwst_9001.pmap"
DATES = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")

UNUSED = """
abvegaoffset apcorr area barshadow bkg camera chromcorr collimator cubepar dark dflat disperser distortion drizpars
emicorr extract1d fflat filteroffset flat fore fpa fringe fringefreq gain ifufore ifupost ifuslicer ipc lastframe
linearity mask mrsptcorr mrsxartcorr msa msaoper nrm ote pastasoss pathloss persat photom pictureframe psf psfmask
readnoise refpix regions reset rscd saturation sflat sirskernel speckernel specprofile spectrace specwcs straylight
superbias tdark throughput trapdensity trappars tsophot wavecorr wavelengthrange wavemap wcsregions wfssbkg
"""
"""Types of reference files; those that are not given are declared as not applicable."""

STEPS = """
adaptivetracemodelstep alignrefsstep ami3pipeline amianalyzestep aminormalizestep assignmtwcsstep assignwcsstep
backgroundstep badpixselfcalstep barshadowstep chargemigrationstep cleanflickernoisestep combine1dstep coron3pipeline
cubebuildstep darkcurrentstep darkpipeline detector1pipeline dqinitstep emicorrstep extract1dstep extract2dstep
firstframestep flatfieldstep fringestep gainscalestep groupscalestep guidercdsstep guiderpipeline image2pipeline
image3pipeline imprintstep ipcstep jumpstep klipstep lastframestep linearitystep masterbackgroundmosstep
masterbackgroundstep msaflagopenstep nscleanstep outlierdetectionstep pathlossstep persistencestep photomstep
pictureframestep pixelreplacestep rampfitstep refpixstep resamplespecstep resamplestep resetstep residualfringestep
rscdstep saturationstep skymatchstep sourcecatalogstep sourcetypestep spec2pipeline spec3pipeline spectralleakstep
stackrefsstep straylightstep superbiasstep targcentroidstep tso3pipeline tsophotometrystep tweakregstep wavecorrstep
wfsscontamstep whitelightstep
"""
"""Steps whose parameters CRDS may set; those that are not given are declared as not applicable."""


@dataclass(frozen=True)
class Reference:
    """A reference file.

    Attributes
    ----------
    kind : str
        ``"dark"`` …
    write : callable
        Writes it to a path.
    suffix : str
        ``".fits"`` or ``".asdf"``.
    keys : dict
        Values by name that an exposure must have, ``{"META.INSTRUMENT.DETECTOR": "NRCA1"}``.
    """

    kind: str
    write: Callable[[Path], None]
    keys: Mapping[str, str]
    suffix: str = ".fits"
    tag: str = ""

    def name(self, instrument: str) -> str:
        """Name of the file in the cache."""
        return f"jwst_{instrument}_{self.kind}{self.tag}_9001{self.suffix}"


def write_cache(folder: Path, instrument: str, references: list[Reference]) -> None:
    """Write the cache of one instrument into a folder that is empty or missing."""
    mappings = folder / "mappings" / "jwst"
    files = folder / "references" / "jwst" / instrument
    config = folder / "config" / "jwst"
    for place in (mappings, files, config):
        place.mkdir(parents=True)
    kinds: dict[str, list[Reference]] = {}
    for reference in references:
        reference.write(files / reference.name(instrument))
        kinds.setdefault(reference.kind, []).append(reference)
    choices = {kind.upper(): "N/A" for kind in (*UNUSED.split(), *(f"pars-{step}" for step in STEPS.split()))}
    for kind, several in kinds.items():
        choices[kind.upper()] = name = f"jwst_{instrument}_{kind}_9001.rmap"
        _write_rules(mappings / name, instrument, kind, several)
    imap = f"jwst_{instrument}_9001.imap"
    lines = _lines(choices)
    _write_mapping(mappings / imap, _header("INSTRUMENT", imap, ("REFTYPE",), instrument=instrument.upper()), lines)
    lines = _lines({instrument.upper(): imap})
    _write_mapping(mappings / CONTEXT, _header("PIPELINE", CONTEXT, ("META.INSTRUMENT.NAME",)), lines)
    (config / "ref_cache_subdir_mode").write_text("instrument")
    (config / COMPLETE.name).write_text("For the simulated exposures beside this cache alone.\n")
    (config / "server_config").write_text(_server_config(sorted(path.name for path in mappings.iterdir())))


def _write_rules(path: Path, instrument: str, kind: str, several: list[Reference]) -> None:
    names = tuple(several[0].keys)
    header = _header("REFERENCE", path.name, (names, DATES), instrument=instrument.upper(), filekind=kind.upper(),
                     classes=("Match", "UseAfter"))  # fmt: skip
    lines = ["Match({"]
    for reference in several:
        values = tuple(reference.keys.values())
        key = repr(values[0]) if len(values) == 1 else repr(values)
        lines += [f"    {key} : UseAfter({{", f"        '2000-01-01 00:00:00' : '{reference.name(instrument)}',",
                  "    }),"]  # fmt: skip
    _write_mapping(path, header, "\n".join([*lines, "})"]))


def _header(kind: str, name: str, parkey: tuple, **more: Any) -> dict[str, Any]:
    return {"derived_from": "SIMULATED by jviz", "mapping": kind, "name": name, "observatory": "JWST",
            "parkey": parkey, **more}  # fmt: skip


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(["{", *(f"    {key!r} : {value!r}," for key, value in sorted(values.items())), "}"])


def _write_mapping(path: Path, header: Mapping[str, Any], selector: str) -> None:
    """Write a mapping with its checksum, which is that of all lines but its own."""

    def text(*sums: str) -> str:
        lines = [f"    {key!r} : {value!r}," for key, value in header.items()]
        return "\n".join(["header = {", *lines, *sums, "}", "", f"selector = {selector}", ""])

    digest = hashlib.sha1(text().encode(), usedforsecurity=False).hexdigest()
    path.write_text(text(f"    'sha1sum' : {digest!r},"), encoding="utf-8")


def _server_config(mappings: list[str]) -> str:
    """Return what CRDS would have heard from a server."""
    contexts = ("operational_context", "latest_context", "edit_context", "versions_context")
    return pformat({
        "observatory": "jwst", "status": "local", "connected": False, "force_remote_mode": False, "bad_files": "",
        "bad_files_list": [], "mappings": mappings, "mapping_url": {"jwst": "none"}, "reference_url": {"jwst": "none"},
        "crds_version": {"str": "14.0.0"}, "server_version": "14.0.0", "last_synced": "2025-09-01 00:00:00",
        **dict.fromkeys(contexts, CONTEXT),
    })  # fmt: skip
