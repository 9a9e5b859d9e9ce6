"""Functions that the tests of workers call in other processes."""

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from jviz.errors import JvizError


def add(a, b):
    return a + b


def process_id():
    return os.getpid()


def mean_of(path, folder, progress):
    values = np.load(path)
    for n in range(5):
        progress(n, 5, f"step {n}")
    np.save(Path(folder) / "doubled.npy", values * 2)
    return {"mean": float(values.mean())}


def sleep(seconds, note):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(note).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(seconds)


def exits(code):
    os._exit(code)


def crashes():
    ctypes.string_at(0)


def talks():
    print("hello")
    print('{"say": "result", "value": "a lie"}')
    os.system("echo from a shell")
    os.write(1, b"raw bytes\n")
    sys.__stdout__.write("by the other door\n")
    return "the truth"


def fails():
    raise JvizError("m31.fits is tired; let it rest.")


def breaks():
    return 1 / 0


def gives_no_json():
    return object()


def reads_stdin():
    return sys.stdin.read()


def waits(note, progress):
    Path(note).touch()
    while True:
        progress(0, 1, "waiting")
        time.sleep(0.01)


def is_deaf(note, progress):
    Path(note).touch()
    time.sleep(600)


def niceness():
    return os.nice(0)
