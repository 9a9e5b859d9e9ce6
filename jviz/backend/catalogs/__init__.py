"""Catalogues: columns, expressions over them, positions of their rows, density of many points."""
