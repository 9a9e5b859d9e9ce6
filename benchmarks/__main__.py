"""Run the benchmarks: ``python -m benchmarks [NAME…]``.

Each module of this package that has a function ``rows() -> list[Row]`` is one. Each runs
in a process of its own, so that none warms up or fills the memory for the next.
"""

import importlib
import pickle
import pkgutil
import subprocess
import sys
from collections.abc import Sequence

import benchmarks
from benchmarks.timing import Row, table

HELPERS = ("__main__", "make_big", "make_cube", "monitor", "scenes", "start_probe", "timing")


def names() -> list[str]:
    """Return the modules that may have benchmarks."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return [name for name in found if name not in HELPERS]


def run(name: str) -> list[Row]:
    """Run one module and return its rows; none when it has no benchmarks."""
    code = (
        "import sys, pickle, importlib; "
        f"module = importlib.import_module('benchmarks.{name}'); "
        "result = module.rows() if hasattr(module, 'rows') else []; "
        "sys.stdout.flush(); sys.stdout.buffer.write(b'\\0ROWS' + pickle.dumps(result))"
    )
    found = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    return pickle.loads(found.stdout.rpartition(b"\0ROWS")[2])


def main(wanted: Sequence[str]) -> int:
    """Print the table; return 1 when a budget is not kept."""
    kept = True
    for name in wanted or names():
        importlib.import_module(f"benchmarks.{name}")  # a wrong name fails here, in words
        try:
            rows = run(name)
        except subprocess.CalledProcessError as error:
            print(f"\n{name}: failed ({error.returncode})")
            kept = False
            continue
        if rows:
            print(f"\n{name}\n{table(rows)}", flush=True)
            kept &= all(row.kept for row in rows)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
