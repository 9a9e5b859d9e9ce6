"""Simulated exposures as the detectors of JWST write them, with the reference files that calibrate them and the truth.

All of it is made from a seed, with geometry, detectors and sources of our own; everything is marked SIMULATED.
"""

from jviz.backend.simulate.plans import Plan, default_folder, plan_of
from jviz.backend.simulate.writing import CACHE, Simulation, simulate

__all__ = ["CACHE", "Plan", "Simulation", "default_folder", "plan_of", "simulate"]
