"""The commands that need the window."""

from jviz.window.actions import compare, files, help, regions, views, window

__all__ = ["compare", "files", "help", "regions", "views", "window"]
