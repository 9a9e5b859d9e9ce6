"""Associations of JWST: which exposures are made into which products; read, made by rules, checked, written."""
