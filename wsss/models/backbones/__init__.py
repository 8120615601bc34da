"""One file per backbone; each defines build_backbone()."""
