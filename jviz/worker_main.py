"""The other side of `jviz.worker`: what runs in a worker process.

Only light modules are imported here: a worker is started ahead of its work.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import IO, Any

__all__ = ["serve"]


def serve() -> None:
    """Answer calls until standard input ends."""
    incoming, say = _channels()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    for line in incoming:
        say(_answer(json.loads(line), say))
    # The parent is gone or wants us gone; threads of libraries must not keep us.
    os._exit(0)


def _end_with(parent: int) -> None:
    """End this process and its children when the parent was killed and could not say so."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL) if os.name != "nt" else os._exit(1)


def _channels() -> tuple[IO[bytes], Callable[[dict[str, Any]], None]]:
    """Keep the real standard input and output for the protocol; what else prints goes to stderr."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lock = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with lock:
            outgoing.write(json.dumps(message).encode() + b"\n")
            outgoing.flush()

    return incoming, say


def _answer(call: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    try:
        value = _called(call, say)
        message = {"say": "result", "value": value}
        json.dumps(message)
    except BaseException as error:
        message = {
            "say": "error",
            "text": str(error) or type(error).__name__,
            "for_users": _is_for_users(error),
            "traceback": traceback.format_exc(),
        }
    return message


def _called(call: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> Any:
    module, _, name = call["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    arguments = dict(call["arguments"])
    if "progress" in inspect.signature(function).parameters:
        arguments["progress"] = lambda done, total=1.0, text="": say(
            {"say": "progress", "done": float(done), "total": float(total), "text": str(text)}
        )
    return function(**arguments)


def _is_for_users(error: BaseException) -> bool:
    from jviz.errors import JvizError

    return isinstance(error, JvizError)
