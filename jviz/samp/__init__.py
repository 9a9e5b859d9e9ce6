"""What a session says to other programs through SAMP, and what they say to it."""

from jviz.samp.link import SampLink

__all__ = ["SampLink"]
