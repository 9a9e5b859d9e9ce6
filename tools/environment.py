"""Sets up everything jviz needs beside a bare Python with pip, and then runs something in it.

Only the standard library of Python 3.9 is used here: this runs before anything is installed.
"""

import hashlib
import os
import platform
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PRIVATE = ROOT / ".setup"

TESTED = ((3, 12), (3, 13))
"""The versions of Python that the locked packages have wheels for and that the tests are run with."""

FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


def say(text):
    print(f"jviz set-up: {text}", file=sys.stderr, flush=True)


def stop(text):
    say(text)
    raise SystemExit(2)


def uv():
    """Return the path of uv, installed into a private folder when the machine has none."""
    private = str(PRIVATE / "uv" / "bin")
    found = shutil.which("uv") or shutil.which("uv", path=private)
    if found:
        return found
    say("installing uv with pip")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(PRIVATE / "uv"), "uv"]
    if subprocess.run(command, check=False).returncode:
        stop("pip could not install uv. Is there a network, and pip (apt-get install python3-pip)?")
    return shutil.which("uv", path=private)


def interpreter():
    """Return what tells uv to use the Python that runs this, where it may serve; else uv finds or fetches one."""
    return ["--python", sys.executable] if sys.version_info[:2] in TESTED else []


def fingerprint():
    """Return what tells one state of the project's dependencies from another."""
    parts = [(ROOT / name).read_bytes() for name in ("uv.lock", "pyproject.toml", ".python-version")]
    return hashlib.sha256(b"|".join(parts)).hexdigest()


def python_environment(extras):
    """Make or bring up to date the virtual environment; return its Python."""
    folder = "Scripts" if os.name == "nt" else "bin"
    python = ENVIRONMENT / folder / "python"
    stamp = ENVIRONMENT / ".jviz-stamp"
    known, *installed = stamp.read_text().split() if stamp.exists() and python.exists() else [""]
    if known == fingerprint() and set(extras) <= set(installed):
        return python
    say("installing Python packages into .venv (about 2 GB; some minutes the first time)")
    options = [word for extra in extras for word in ("--extra", extra)]
    command = [uv(), "sync", "--locked", "--quiet", "--inexact", "--compile-bytecode", *interpreter(), *options]
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT)}
    environment.pop("VIRTUAL_ENV", None)
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        stop("the packages could not be installed; see above. jviz needs Python 3.12 or newer and a network.")
    stamp.write_text(" ".join([fingerprint(), *sorted({*extras, *installed})]))
    return python


def missing_packages():
    """Return the Debian packages of shared libraries (and a font) that this machine lacks."""
    if platform.system() != "Linux":
        return []
    display = runpy.run_path(str(ROOT / "jviz" / "display.py"))
    missing = display["missing_packages"]({**display["LIBRARIES"], **display["DISPLAY_LIBRARIES"]})
    folders = [Path(folder).expanduser() for folder in FONT_FOLDERS]
    if not any(next(folder.rglob("*.[ot]t[fc]"), None) for folder in folders if folder.is_dir()):
        missing.append("fonts-dejavu-core")
    return missing


def system_libraries():
    """Install what Qt lacks where that is possible; say the exact command where it is not."""
    missing = missing_packages()
    if not missing:
        return
    command = "apt-get update && apt-get install -y " + " ".join(missing)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing system libraries: {' '.join(missing)}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
        done = subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
            env=quiet, check=False, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode == 0:
            return
    sudo = "" if os.geteuid() == 0 else "sudo "
    say(f"Qt may need system libraries that are missing here; on Debian or Ubuntu run: {sudo}sh -c '{command}'")


def execute(python, arguments):
    """Become the program (its exit code and signals are those of this process)."""
    command = [str(python), *arguments]
    if os.name == "nt":
        raise SystemExit(subprocess.call(command))
    os.execv(command[0], command)
