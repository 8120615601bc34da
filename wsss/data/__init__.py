"""Data sets: index, images, transforms and loading."""
