"""What the tools of image viewers do, one module each; all are imported with the first viewer."""
