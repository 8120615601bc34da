"""What the workflow needs of Snakemake beyond its rules; the only room that knows the engine."""
