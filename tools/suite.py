"""Runs the whole test suite; the few tests that fail beside others are tried once more by themselves."""

import json
import subprocess
import sys
from pathlib import Path

MOST = 5
"""Failures that are tried again: more of them are no accident of a busy machine."""

TIMES = 2
"""How often each of them has to pass."""


def run(python, workers, folder):
    """Run all tests in a folder; return 0 when each passed, beside others or, each time, by itself."""
    command = [str(python), "-m", "pytest"]
    code = subprocess.call([*command, "-n", str(workers), "--cache-clear"], cwd=folder)
    if code != 1:
        return code
    failed = _failed(folder)
    if not 0 < len(failed) <= MOST:
        return code
    _say(f"{len(failed)} failed beside other tests, see above; tried {TIMES} times by itself now:")
    # Not all that fail at first are tried: one that fails by itself is enough.
    for test in failed:
        for _ in range(TIMES):
            if subprocess.call([*command, "-q", "-n", "0", "-p", "no:randomly", test], cwd=folder):
                _say(f"{test} fails by itself, too.")
                return code
    _say(f"Passed by itself, but not beside others on a busy machine, which is worth a look: {', '.join(failed)}")
    return 0


def _failed(folder):
    path = Path(folder) / ".pytest_cache" / "v" / "cache" / "lastfailed"
    return list(json.loads(path.read_text())) if path.exists() else []


def _say(text):
    print(f"jviz tests: {text}", file=sys.stderr, flush=True)
