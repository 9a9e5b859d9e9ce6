"""Viewers of curves: axes, curves with their errors, and what mouse and keys do to them."""
