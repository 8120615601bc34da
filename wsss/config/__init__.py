"""The config: read strictly, defaults filled in, every mistake named by its place."""
