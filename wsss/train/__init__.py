"""Training loops, schedules, checkpoints."""
