"""The main window: docks, central viewers, menus, palette, forms, theme, notifications."""

from __future__ import annotations

from typing import Any

__all__ = ["MainWindow", "launch"]


def __getattr__(name: str) -> Any:
    """Import what needs Qt on first use (PEP 562)."""
    if name == "MainWindow":
        from jviz.window.main import MainWindow

        return MainWindow
    if name == "launch":
        from jviz.window.app import launch

        return launch
    raise AttributeError(f"module 'jviz.window' has no attribute {name!r}")
