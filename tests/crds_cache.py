"""A CRDS cache written anew for a test: two contexts with rules of every sort that JWST has."""

import os
import subprocess
import sys

from jviz.backend.calibration.environment import crds_environment

HEADER = """header = {{
    'derived_from' : 'made for a test', 'mapping' : {kind!r}, 'name' : {name!r}, 'observatory' : 'JWST',
    'parkey' : {parkey}, 'sha1sum' : '0000000000000000000000000000000000000000',{more}
}}

selector = {selector}
"""
DATES = "('META.OBSERVATION.DATE', 'META.OBSERVATION.TIME')"
MAPS = ("jwst_nircam_flat_{v}.rmap", "jwst_nircam_dark_{v}.rmap", "jwst_nircam_area_{v}.rmap")


def _rmap(folder, name, kind, parkey, selector, more=""):
    more = f"\n    'filekind' : {kind!r}, 'instrument' : 'NIRCAM', 'classes' : ('Match', 'UseAfter'),{more}"
    text = HEADER.format(kind="REFERENCE", name=name, parkey=f"({parkey}, {DATES})", selector=selector, more=more)
    (folder / name).write_text(text)


def write_cache(folder):
    """Write the contexts jwst_0001.pmap and jwst_0002.pmap, and one reference file; returns the folder."""
    mappings = folder / "mappings" / "jwst"
    mappings.mkdir(parents=True)
    (folder / "config" / "jwst").mkdir(parents=True)
    (folder / "references" / "jwst" / "nircam").mkdir(parents=True)
    (folder / "references" / "jwst" / "nircam" / "flat_b.fits").write_bytes(b"not looked into")
    for version in ("0001", "0002"):
        _write_context(mappings, version, newer=version == "0002")
    return folder


def _write_context(mappings, version, *, newer):
    flat = f"jwst_nircam_flat_{version}.rmap"
    late = "\n        '2023-05-01 00:00:00' : 'flat_new.fits'," if newer else ""
    _rmap(mappings, flat, "FLAT", "('META.INSTRUMENT.DETECTOR', 'META.INSTRUMENT.FILTER', 'META.INSTRUMENT.PUPIL')",
          f"""Match({{
    ('NRCA1', 'F200W', 'N/A') : UseAfter({{'2020-01-01 00:00:00' : 'flat_a.fits',}}),
    ('NRCA*', 'F070W|F090W', 'CLEAR') : UseAfter({{
        '2020-01-01 00:00:00' : 'flat_b.fits', '2022-01-01 00:00:00' : 'flat_c.fits',{late}
    }}),
    ('NRCA1', 'F090W', 'ANY') : UseAfter({{'2021-06-01 00:00:00' : 'flat_d.fits',}}),
    ('NOT NRCA1', 'N/A', 'N/A') : UseAfter({{'2020-01-01 00:00:00' : 'flat_e.fits',}}),
    ('NRCB1', 'GENERIC', 'CLEAR') : UseAfter({{'2020-01-01 00:00:00' : 'N/A',}}),
}})""", "\n    'substitutions' : {'META.INSTRUMENT.FILTER' : {'GENERIC' : 'F200W|F444W'}},")  # fmt: skip
    dark = f"jwst_nircam_dark_{version}.rmap"
    _rmap(mappings, dark, "DARK", "('META.SUBARRAY.XSIZE', 'META.EXPOSURE.READPATT')", """Match({
    ('2048', 'RAPID') : UseAfter({'2020-01-01 00:00:00' : 'dark_full.fits',}),
    ('# >100 AND <2000 #', 'N/A') : UseAfter({'2020-01-01 00:00:00' : 'dark_sub.fits',}),
    ('BETWEEN 10 100', 'N/A') : UseAfter({'2020-01-01 00:00:00' : 'dark_tiny.fits',}),
})""")
    area = f"jwst_nircam_area_{version}.rmap"
    _rmap(mappings, area, "AREA", "('META.INSTRUMENT.DETECTOR',)", """Match({
    'NRCA1' : UseAfter({'2020-01-01 00:00:00' : 'area_a.fits',}),
})""", "\n    'rmap_relevance' : '(META.EXPOSURE.TYPE in (\"NRC_IMAGE\", \"NRC_CORON\"))',"
           "\n    'reffile_required' : 'NO', 'extra_keys' : ('META.EXPOSURE.TYPE',),")  # fmt: skip
    imap = f"jwst_nircam_{version}.imap"
    choices = f"{{'FLAT' : {flat!r}, 'DARK' : {dark!r}, 'AREA' : {area!r}, 'IPC' : 'N/A', 'MASK' : 'OMIT'}}"
    if newer:
        choices = choices.replace("'MASK' : 'OMIT'", "'GAIN' : 'N/A'")
    (mappings / imap).write_text(HEADER.format(
        kind="INSTRUMENT", name=imap, parkey="('REFTYPE',)", selector=choices, more="\n    'instrument' : 'NIRCAM',"
    ))  # fmt: skip
    (mappings / f"jwst_{version}.pmap").write_text(HEADER.format(
        kind="PIPELINE", name=f"jwst_{version}.pmap", parkey="('META.INSTRUMENT.NAME',)",
        selector=f"{{'NIRCAM' : {imap!r}}}", more="",
    ))  # fmt: skip


BY_CRDS = """
import json, sys
from crds.core import rmap
headers, context = json.load(sys.stdin), sys.argv[1]
mapping = rmap.get_cached_mapping(context)
json.dump([mapping.get_best_references(header) for header in headers], sys.stdout)
"""


def best_by_crds(headers, context, environment):
    """Return what the package of CRDS says, in a process of its own."""
    import json

    done = subprocess.run(
        [sys.executable, "-c", BY_CRDS, context], input=json.dumps(headers), capture_output=True, text=True,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index("[") :])


def errors_by_crds(cache):
    """Return what the certifier of CRDS finds wrong with the reference files of a cache and its rules, line by line."""
    files = [*(cache / "references").rglob("jwst_*_9001.*"), *(cache / "mappings").rglob("*.pmap")]
    assert len(files) > 5
    environment = {**os.environ, **crds_environment(offline=True, cache=cache)}
    command = [sys.executable, "-m", "crds.certify", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    said = done.stdout + done.stderr
    assert not [file.name for file in files if f"{file.name}' (" not in said], said
    return [line for line in said.splitlines() if "ERROR" in line]
