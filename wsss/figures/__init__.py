"""One file per figure; each defines draw()."""
