"""Draws the pictures of the documentation from the real window: ``python tools/make_pictures.py [NAME…]``."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools import pictures_of_data, pictures_of_images  # noqa: E402, F401
from tools.picture_window import PICTURES, pump  # noqa: E402

FOLDER = ROOT / "docs" / "images"
HERE = "--here"


def main(names: list[str]) -> None:
    """Draw all pictures, or those named, each in a process with settings and folders of its own."""
    FOLDER.mkdir(exist_ok=True)
    if names[:1] == [HERE]:
        draw(names[1])
        return
    for name in names or PICTURES:
        with tempfile.TemporaryDirectory() as home:
            environment = {**os.environ, "JVIZ_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
            subprocess.run([sys.executable, __file__, HERE, name], env=environment, check=True)


def draw(name: str) -> None:
    """Draw one picture in this process."""
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    widget = PICTURES[name]()
    pump(0.5)
    picture = widget.grab()
    picture = picture if isinstance(picture, QImage) else picture.toImage()
    picture.convertToFormat(QImage.Format.Format_RGB32).save(str(FOLDER / f"{name}.png"))
    for window in QApplication.topLevelWidgets():
        if hasattr(window, "close_at_once"):  # menus are windows too
            window.close_at_once()
    pump(0.3)


if __name__ == "__main__":
    main(sys.argv[1:])
