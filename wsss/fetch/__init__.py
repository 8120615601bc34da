"""Downloads: what may be fetched stands in catalogue.yaml, how it gets here in the modules."""
