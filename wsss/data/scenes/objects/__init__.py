"""One file per class; each has `draw(canvas, pen, place, size)`."""
