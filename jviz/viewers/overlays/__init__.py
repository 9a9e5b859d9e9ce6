"""What is painted over images and can be grasped there, one module each; all are imported with the first viewer."""
