"""Arithmetic, geometry, filters and stacks of images on arrays and WCS objects alone."""
