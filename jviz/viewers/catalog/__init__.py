"""Viewers of catalogues: tables, scatter plots and histograms, linked by what is selected."""
