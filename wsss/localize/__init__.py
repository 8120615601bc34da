"""One file per localization method; each defines localize()."""
