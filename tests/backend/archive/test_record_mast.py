"""The script that looks at the live protocol, against the stand-in: both believe the same."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_stand_in_is_as_expected(mast, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "record_mast.py", "--keep", tmp_path / "replies"],
        env={**os.environ, "JVIZ_MAST_URL": mast.url}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    differing = [line for line in done.stdout.splitlines() if "DIFFERS" in line]
    # The recorded dictionary of the form is that of Hubble, and nothing of the stand-in lies in Orion.
    assert all("no column" in line or "Column1" in line for line in differing), done.stdout
    assert "status is COMPLETE" in done.stdout
    assert (tmp_path / "replies" / "whoami.json").is_file()
    assert done.stderr == ""
