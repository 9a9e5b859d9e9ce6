"""The commands that need the window."""

from jviz.window.actions import files, help, views, window

__all__ = ["files", "help", "views", "window"]
