"""What workers of a cluster are asked to do in the tests."""

import os
import time
from pathlib import Path

from jviz.errors import JvizError


def told(count, tell):
    """Tell numbers, and return who did it and what the environment says."""
    for number in range(count):
        tell(number)
    return {"pid": os.getpid(), "word": os.environ.get("JVIZ_TEST_WORD", "")}


def lasting(folder, tell):
    """Work for long; a file with the process says that it is at work."""
    Path(folder, "at_work").write_text(str(os.getpid()))
    tell("begun")
    time.sleep(300)


def failing():
    """Fail in words."""
    raise JvizError("The step jump failed on x.fits: no gain.")


def crashing(folder):
    """End the process the first time."""
    flag = Path(folder, "tried")
    if not flag.exists():
        flag.touch()
        os.abort()
    return "done"
