"""Whether a window can be shown here, found out before Qt is asked: it would end the program.

Only the standard library is used.
"""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
from collections.abc import Mapping

__all__ = ["DISPLAY_LIBRARIES", "LIBRARIES", "apt_command", "missing_packages", "problem"]

LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
}
"""Shared libraries that Qt needs for any picture, and the Debian packages that bring them."""

DISPLAY_LIBRARIES = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Those it needs besides for a window on an X display."""

WITHOUT_SCREEN = ("offscreen", "minimal")


def problem(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """Say why no window can be shown, ``""`` when it can.

    Parameters
    ----------
    environment : mapping
        Of the process.
    platform : str
        As ``sys.platform`` has it.
    """
    chosen = environment.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if chosen in WITHOUT_SCREEN:
        return f"Qt is told to draw without a screen (QT_QPA_PLATFORM={chosen})"
    if not platform.startswith("linux") or chosen not in ("", "xcb", "wayland"):
        return ""
    display, wayland = environment.get("DISPLAY", ""), environment.get("WAYLAND_DISPLAY", "")
    if wayland and _answers(_wayland_socket(environment, wayland)):
        return ""
    if not display:
        return "there is no display on this machine (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    if not any(_answers(address) for address in _x_addresses(display)):
        return f"the display {display} does not answer"
    missing = missing_packages(DISPLAY_LIBRARIES)
    return f"Qt lacks libraries for the display (install them with: {apt_command(missing)})" if missing else ""


def missing_packages(libraries: Mapping[str, str] = LIBRARIES) -> list[str]:
    """Return the Debian packages of those shared libraries that this machine lacks."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for library, package in libraries.items() if not _loads(library)]


def apt_command(packages: list[str]) -> str:
    """Return the command that installs packages on Debian and Ubuntu."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install -y {' '.join(packages)}"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _wayland_socket(environment: Mapping[str, str], name: str) -> str:
    return os.path.join(environment.get("XDG_RUNTIME_DIR", "/run"), name)


def _x_addresses(display: str) -> list[str | tuple[str, int]]:
    """Return where the server of ``host:number.screen`` may listen."""
    match = re.fullmatch(r"(.*):(\d+)(\.\d+)?", display)
    if match is None:
        return [display]
    host, number = match[1].removeprefix("unix/").strip("[]"), int(match[2])
    local = [f"\0/tmp/.X11-unix/X{number}", f"/tmp/.X11-unix/X{number}"]
    return local if host in ("", "unix") else [(host, 6000 + number)]


def _answers(address: str | tuple[str, int]) -> bool:
    try:
        if isinstance(address, tuple):
            socket.create_connection(address, 2).close()
        else:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(address)
    except OSError:
        return False
    return True
