"""Readers: from a path to products."""
