"""Photometry: sums in apertures, the sky round them, fluxes and magnitudes, backgrounds, sources."""
