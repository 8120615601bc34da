"""OpenImages' labels: which stand below which, and which speak of our classes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hierarchy:
    """Which labels stand directly below a label: as its kinds, or as its parts."""

    kinds: Mapping[str, Collection[str]] = field(default_factory=dict)
    parts: Mapping[str, Collection[str]] = field(default_factory=dict)

    def kinds_of(self, mid: str) -> set[str]:
        """Return a label and all that are kinds of it."""
        return _reached(mid, [self.kinds])

    def involved_in(self, mid: str) -> set[str]:
        """Return a label and all that are kinds or parts of it, of its kinds or of its parts."""
        return _reached(mid, [self.kinds, self.parts])


def _reached(start: str, edges: Sequence[Mapping[str, Iterable[str]]]) -> set[str]:
    # A label stands at several places of the tree, so as a graph it may even have circles.
    found, waiting = {start}, [start]
    while waiting:
        mid = waiting.pop()
        new = {below for graph in edges for below in graph.get(mid, ())} - found
        found |= new
        waiting += new
    return found


@dataclass(frozen=True)
class Evidence:
    """The labels that speak of the classes, numbered by their places in `mids`.

    Attributes:
        mids: Names as in the label tables ("/m/0k4j").
        classes_of: Per label, the numbers of the classes whose images it makes: those that it
            stands for, or whose kind it is. A part makes none: a face may be a statue's, and the
            hierarchy calls a television part of a building.
        rules_out: Per label, whether an image with it is no candidate: a part is enough.
        denied_by: Per label, the labels without which it cannot be: itself and those of which it
            is a kind. Where a person says that no car is there, no van is.
    """

    mids: tuple[str, ...]
    classes_of: tuple[tuple[int, ...], ...]
    rules_out: tuple[bool, ...]
    denied_by: tuple[tuple[int, ...], ...]


def find_evidence(classes: Iterable[Collection[str]], hierarchy: Hierarchy) -> Evidence:
    """Return what speaks of classes.

    Args:
        classes: Per class, the labels that stand for it.
        hierarchy: Of the labels.
    """
    makes: dict[str, set[int]] = defaultdict(set)
    involved: set[str] = set()
    for number, named in enumerate(classes):
        for mid in named:
            involved |= hierarchy.involved_in(mid)
            for kind in hierarchy.kinds_of(mid):
                makes[kind].add(number)
    above: dict[str, set[str]] = defaultdict(set)
    for mid, kinds in hierarchy.kinds.items():
        for kind in kinds:
            above[kind].add(mid)
    deniers = {mid: _reached(mid, [above]) for mid in involved}
    mids = sorted(involved.union(*deniers.values()))
    place = {mid: number for number, mid in enumerate(mids)}
    return Evidence(
        tuple(mids),
        tuple(tuple(sorted(makes.get(mid, ()))) for mid in mids),
        tuple(mid in involved for mid in mids),
        tuple(tuple(sorted(place[other] for other in deniers.get(mid, ()))) for mid in mids),
    )
