"""The hierarchy's closure, and what is judged from labels, beside slow versions from the rules."""

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wsss.data.sets._openimages_choice import choose_candidates
from wsss.data.sets._openimages_classes import Hierarchy, find_evidence
from wsss.data.sets._openimages_images import ImageFiles
from wsss.data.sets._openimages_judge import Judge

MIDS = [f"/m/{letter}" for letter in "abcdefgh"]
few = settings(deadline=None, derandomize=True, max_examples=200)

mids = st.sampled_from(MIDS)
# Circles and loops, too: the closure must end.
edges = st.sets(st.tuples(mids, mids), max_size=14)
hierarchies = st.tuples(edges, edges)
class_labels = st.lists(st.sets(mids, min_size=1, max_size=2), min_size=1, max_size=3)


def hierarchy_of(kinds, parts):
    graphs = []
    for pairs in (kinds, parts):
        graph = defaultdict(set)
        for above, below in pairs:
            graph[above].add(below)
        graphs.append(graph)
    return Hierarchy(*graphs)


def reach(pairs):
    """All pairs (x, y) with a way from x to y, by joining ways until none is new."""
    ways = {(mid, mid) for mid in MIDS} | set(pairs)
    while True:
        longer = {(x, w) for x, y in ways for z, w in ways if y == z}
        if longer <= ways:
            return ways
        ways |= longer


@given(hierarchies)
@few
def test_the_closure_holds_what_a_way_leads_to(found):
    kinds, parts = found
    hierarchy = hierarchy_of(kinds, parts)
    by_kind, by_any = reach(kinds), reach(kinds | parts)
    for mid in MIDS:
        assert hierarchy.kinds_of(mid) == {other for other in MIDS if (mid, other) in by_kind}
        assert hierarchy.involved_in(mid) == {other for other in MIDS if (mid, other) in by_any}


@given(hierarchies, class_labels)
@few
def test_evidence_is_what_its_rules_say(found, classes):
    kinds, parts = found
    evidence = find_evidence(classes, hierarchy_of(kinds, parts))
    by_kind, by_any = reach(kinds), reach(kinds | parts)
    speaking = {mid for named in classes for top in named for mid in MIDS if (top, mid) in by_any}
    deniers = {mid: {m for m in MIDS if (m, mid) in by_kind} for mid in speaking}
    assert set(evidence.mids) == speaking.union(*deniers.values())
    for number, mid in enumerate(evidence.mids):
        assert evidence.rules_out[number] == (mid in speaking)
        assert evidence.classes_of[number] == tuple(
            place for place, named in enumerate(classes)
            if any((top, mid) in by_kind for top in named)
        )  # fmt: skip
        denied = {evidence.mids[place] for place in evidence.denied_by[number]}
        assert denied == deniers.get(mid, set())


people = st.tuples(st.integers(0, 5), mids, st.sampled_from([0, 1]))
machines = st.tuples(st.integers(0, 5), mids, st.sampled_from([0.2, 0.5, 0.9]))


def write(path, items):
    rows = [f"{number:016x},x,{mid},{confidence}" for number, mid, confidence in items]
    path.write_text("\n".join(["ImageID,Source,LabelName,Confidence", *rows]))
    return path


@given(hierarchies, class_labels, st.lists(people, max_size=12), st.lists(machines, max_size=8))
@few
def test_images_are_judged_as_the_rules_say(found, classes, human, machine):
    kinds, parts = found
    evidence = find_evidence(classes, hierarchy_of(kinds, parts))
    # Of the six images, number 5 is not on the disk.
    ids = np.arange(5, dtype=np.uint64)
    judge = Judge(ImageFiles((Path("x"),), ids, np.zeros(5, np.uint16)), evidence)
    with tempfile.TemporaryDirectory() as folder:
        half = len(human) // 2
        parts_of = [write(Path(folder, f"{n}.csv"), part)
                    for n, part in enumerate([human[:half], human[half:]])]  # fmt: skip
        judge.hear_people(parts_of)
        judge.hear_machines([write(Path(folder, "m.csv"), machine)], confidence=0.5)
    judged = judge.judged()
    by_kind, by_any = reach(kinds), reach(kinds | parts)
    expected, ruled_out = set(), set()
    for number, mid, confidence in human:
        if confidence and number < 5:
            expected |= {
                (number, place) for place, named in enumerate(classes)
                if any((top, mid) in by_kind for top in named)
            }  # fmt: skip
            if any((top, mid) in by_any for named in classes for top in named):
                ruled_out.add(number)
    for number, mid, confidence in machine:
        no = any(n == number and not c and (m, mid) in by_kind for n, m, c in human)
        speaks = any((top, mid) in by_any for named in classes for top in named)
        if confidence >= 0.5 and speaks and not no and number < 5:
            ruled_out.add(number)
    annotated = {number for number, *_ in [*human, *machine] if number < 5}
    pairs = list(zip(judged.images.tolist(), judged.classes.tolist(), strict=True))
    assert pairs == sorted(expected)
    assert set(np.flatnonzero(judged.is_ruled_out).tolist()) == ruled_out
    assert set(np.flatnonzero(judged.is_annotated).tolist()) == annotated
    options = {"limit": 0, "random_seed": 0}
    assert set(choose_candidates(judged, unannotated=False, **options)) == annotated - ruled_out
    assert set(choose_candidates(judged, unannotated=True, **options)) == set(range(5)) - ruled_out
    assert judge.num_elsewhere() == any(number == 5 for number, *_ in [*human, *machine])
