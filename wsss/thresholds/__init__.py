"""Background thresholds that follow from the localization maps alone, without ground truth."""
