"""Spectral cubes: their axes, a copy of them that is fast to read along wavelength, and sums over them."""
