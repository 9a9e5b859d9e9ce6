"""From planes to pixels: levels of resolution, limits, stretches, colours. Knows no Qt."""
