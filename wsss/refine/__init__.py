"""Maps to pseudo-masks: seeds, CRF, affinity, random walk."""
