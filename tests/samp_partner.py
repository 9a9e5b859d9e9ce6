"""Another program at the SAMP hub, in a process of its own: ``python -m tests.samp_partner NAME MTYPE …``.

It prints a line of JSON for whatever it hears, and does what lines of JSON on its standard input say.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Partner:
    """The other process, seen from a test."""

    def __init__(self, name: str, *mtypes: str, refuse: str = "") -> None:
        self.heard: queue.Queue = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.samp_partner", name, refuse, *mtypes], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.id = self.next()["id"]

    def _read(self) -> None:
        for line in self._process.stdout:
            self.heard.put(json.loads(line))

    def next(self, timeout: float = 60.0) -> dict:
        """Return the next thing that it heard."""
        return self.heard.get(timeout=timeout)

    def ask(self, mtype: str, **params: object) -> dict:
        """Send a message to jviz and return the answer."""
        self._do({"mtype": mtype, "params": params})
        while True:
            found = self.next()
            if "answer" in found:
                return found["answer"]

    def tell(self, mtype: str, **params: object) -> None:
        """Send a message to all that needs no answer."""
        self._do({"mtype": mtype, "params": params, "quiet": True})

    def _do(self, what: dict) -> None:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(20)
        self._thread.join(5)
        self._process.stdout.close()


def main(name: str, refuse: str, *mtypes: str) -> None:
    from pyvo.samp import SAMPIntegratedClient, conf

    conf.use_internet = False
    client = SAMPIntegratedClient(name=name, description="A program of the tests", addr="127.0.0.1")
    client.connect()

    def say(what: dict) -> None:
        print(json.dumps(what), flush=True)

    def heard(key: str, sender: str, call: str | None, mtype: str, params: dict, extra: dict) -> None:
        say({"mtype": mtype, "params": params})
        if call is not None:
            client.ereply(call, "samp.error" if refuse else "samp.ok", result={}, error={"samp.errortxt": refuse})

    for mtype in mtypes:
        client.bind_receive_message(mtype, heard)
    client.bind_receive_response("asked", lambda key, who, tag, response: say({"answer": response}))
    say({"id": client.get_public_id()})
    for line in sys.stdin:
        what = json.loads(line)
        message = {"samp.mtype": what["mtype"], "samp.params": what["params"]}
        if what.get("quiet"):
            client.notify_all(message)
            continue
        clients = client.get_registered_clients()
        jviz = next(id for id in clients if client.get_metadata(id).get("samp.name") == "jviz")
        # Not call_and_wait: the hub loses an answer that comes before it has begun to wait.
        client.call(jviz, "asked", message)
    client.disconnect()


if __name__ == "__main__":
    main(*sys.argv[1:])
