"""Regions: their outlines, their places on images, pixel weights, statistics and files."""
