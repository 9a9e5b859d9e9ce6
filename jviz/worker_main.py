"""The other side of `jviz.worker`: what runs in a worker process.

Only light modules are imported here: a worker is started ahead of its work.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import IO, Any

from jviz.backend.priority import step_back

__all__ = ["HEAR", "STOP", "serve"]

STOP = "stop"
"""Said instead of a call: nobody waits any more for the one at hand."""

HEAR = "hear"
"""Before what is told to the call at hand."""


def serve(setup: str = "") -> None:
    """Answer calls until standard input ends.

    Parameters
    ----------
    setup : str
        ``"module:function"`` that is called first.
    """
    step_back()
    incoming, say = _channels()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
    unwanted = threading.Event()
    threading.Thread(target=_hear, args=(incoming, calls, unwanted), daemon=True).start()
    if setup:
        # What goes wrong in it goes wrong again in the first call, which can say so.
        with contextlib.suppress(Exception):
            _function(setup)()
    while (call := calls.get()) is not None:
        say(_answer(call, say, unwanted))
    # The parent is gone or wants us gone; threads of libraries must not keep us.
    os._exit(0)


def _hear(incoming: IO[bytes], calls: queue.SimpleQueue[Any], unwanted: threading.Event) -> None:
    """Pass calls on as they come; `STOP` and `HEAR` are about the call that came last."""
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for line in incoming:
        message = json.loads(line)
        if message == STOP:
            unwanted.set()
        elif HEAR in message:
            news.put(message[HEAR])
        else:
            unwanted.clear()
            news = queue.SimpleQueue()
            calls.put({**message, "news": news})
    calls.put(None)


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


def _answer(
    call: dict[str, Any], say: Callable[[dict[str, Any]], None], unwanted: threading.Event
) -> dict[str, Any]:
    try:
        value = _called(call, say, unwanted)
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


def _called(call: dict[str, Any], say: Callable[[dict[str, Any]], None], unwanted: threading.Event) -> Any:
    def progress(done: float, total: float = 1.0, text: str = "") -> None:
        if unwanted.is_set():
            from jviz.backend.progress import Cancelled

            raise Cancelled
        say({"say": "progress", "done": float(done), "total": float(total), "text": str(text)})

    function = _function(call["function"])
    arguments = dict(call["arguments"])
    takes = inspect.signature(function).parameters
    if "tell" in takes:
        arguments["tell"] = lambda value: say({"say": "told", "value": value})
    if "progress" in takes:
        arguments["progress"] = progress
    if "heard" in takes:
        arguments["heard"] = lambda: _newest(call["news"])
    return function(**arguments)


def _newest(news: queue.SimpleQueue[Any]) -> Any:
    """Return what was told last, None when nothing was since the last time."""
    newest = None
    while True:
        try:
            newest = news.get_nowait()
        except queue.Empty:
            return newest


def _function(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _is_for_users(error: BaseException) -> bool:
    from jviz.errors import JvizError

    return isinstance(error, JvizError)
