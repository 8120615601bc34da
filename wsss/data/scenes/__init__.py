"""The built-in data set: drawn scenes in which backgrounds co-occur with classes."""
