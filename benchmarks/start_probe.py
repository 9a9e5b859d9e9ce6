"""Started by `benchmarks.window` as a process of its own: opens a file as the program does and says what it took.

Prints one line of JSON: seconds from the start of the process to the window and to the first picture, the longest
block of the event loop afterwards, and the memory.
"""

import json
import os
import sys
import time

BORN = float(os.environ.get("JVIZ_BENCH_BORN", time.time()))


def main() -> None:
    """Open, wait for the picture, let everything settle, print."""
    import jviz
    from benchmarks.timing import resident

    path, settle = sys.argv[1], float(sys.argv[2])
    window = jviz.launch([path])
    shown = time.time() - BORN

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from benchmarks.monitor import LoopMonitor

    app = QApplication.instance()
    monitor = LoopMonitor()
    monitor.start()
    answer = {"window": shown}
    poll = QTimer(interval=2)

    def look() -> None:
        viewers = list(window.viewers)
        if "drawn" not in answer and viewers and viewers[0].has_painted:
            answer["drawn"] = time.time() - BORN
        if "drawn" in answer and "sharp" not in answer and viewers[0].is_sharp and not window.session.jobs.running:
            answer["sharp"] = time.time() - BORN
            QTimer.singleShot(int(settle * 1000), app.quit)

    poll.timeout.connect(look)
    poll.start()
    QTimer.singleShot(90_000, app.quit)
    app.exec()
    monitor.stop()
    answer |= {"blocked": monitor.longest, "held": monitor.longest_held, "blocks": monitor.above(33)}
    answer["memory"] = resident()
    print(json.dumps(answer))
    window.close_at_once()


if __name__ == "__main__":
    main()
