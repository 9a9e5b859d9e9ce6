"""Calibration pipelines: what they are made of, where they run, and records of their runs."""
