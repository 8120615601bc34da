"""Out-of-distribution images: ranking, decisions, clusters."""
