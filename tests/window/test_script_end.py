"""Scripts that start a window and end without closing it."""

import os
import subprocess
import sys

END = """
import time
import jviz
from PySide6.QtWidgets import QApplication

window = jviz.launch([], show=False)
window.show()
end = time.monotonic() + 60
while not window.findChildren(object) or time.monotonic() < end - 59:
    QApplication.processEvents()
eyes = [eye for eye in window.findChildren(object) if type(eye).__name__ == "FolderEyes"]
while not eyes[0]._thread.isRunning() and time.monotonic() < end:
    QApplication.processEvents()
print("running", eyes[0]._thread.isRunning())
"""


def test_a_script_that_leaves_its_window_open_ends_well(tmp_path):
    env = {**os.environ, "JVIZ_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", END], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "running True", "")
