"""Spectra: their axes and samples, units, lines, extraction, and how they are read and combined."""
