"""Ramps of non-destructive reads: cosmic rays found in them, and count rates fitted to them."""
