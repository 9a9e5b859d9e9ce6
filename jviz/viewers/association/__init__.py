"""Associations in the window: the graph of their members and products, and the viewer of it."""
