"""Files of results: HDF5, masks, weights and tables; written whole or not at all."""
