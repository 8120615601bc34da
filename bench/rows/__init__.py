"""What is compared: one file per subject, each with `comparisons()`."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from bench.compare import Comparison


def all_comparisons() -> Iterator[Comparison]:
    """Yield the comparisons of all files, by their names."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        yield from import_module(f"{__name__}.{module.name}").comparisons()


def find_comparison(name: str) -> Comparison:
    """Return the comparison of this name.

    Raises:
        KeyError: There is none.
    """
    known = {comparison.name: comparison for comparison in all_comparisons()}
    if name not in known:
        raise KeyError(f"no row is called {name!r}; there are {', '.join(known)}")
    return known[name]
