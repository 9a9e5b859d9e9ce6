"""The viewer of spectra: curves in units of display, ranges, line marks, slice markers, live spectra."""
