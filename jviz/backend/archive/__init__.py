"""Archives: searching them, and bringing their files here whole."""
