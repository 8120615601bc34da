"""What happens inside: one file per kind; a trained network goes in, rows of numbers come out."""
