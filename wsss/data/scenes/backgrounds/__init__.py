"""One file per background; each has `draw(canvas) -> list[Place]`."""
