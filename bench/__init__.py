"""Benchmarks: our way and the plain way of computing the same, side by side."""
