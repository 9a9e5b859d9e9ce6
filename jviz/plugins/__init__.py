"""The panels of jviz, one module each, written on `jviz.api` only, as any plugin is."""
