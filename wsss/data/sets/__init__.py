"""One file per kind of data set, each with `prepare(folder, ...) -> Prepared`."""
