"""Sample data made from a seed: a mosaic, a cube, spectra and a catalogue, all marked SIMULATED."""

from jviz.backend.demo.files import make_demo, sample_files

__all__ = ["make_demo", "sample_files"]
