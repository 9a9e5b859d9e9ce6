"""Reduction of raw CCD frames of any telescope: overscan, bias, dark, flat, cosmic rays, alignment, combination.

The definitions are those of ``ccdproc`` (Astropy's package for CCD data), which does not carry errors through; see
docs/decisions/0007.
"""
