"""The main window: docks, central viewers, menus, palette, forms, theme, notifications."""

from __future__ import annotations

from typing import Any

__all__ = ["MainWindow", "launch", "run"]


def __getattr__(name: str) -> Any:
    """Import what needs Qt on first use (PEP 562)."""
    if name == "MainWindow":
        from jviz.window.main import MainWindow

        return MainWindow
    if name in ("launch", "run"):
        from jviz.window.giving_way import give_way

        give_way()  # before everything else is imported, which takes less time then
        from jviz.window import app

        return getattr(app, name)
    raise AttributeError(f"module 'jviz.window' has no attribute {name!r}")
