"""Weakly supervised semantic segmentation: classifiers, maps, refinement, segmenters."""
