"""One module per file format; each has ``datasets(path) -> list[DataSet]`` and says what a file of it looks like."""
