"""The page on which a person prunes out-of-distribution (OoD) candidates."""
