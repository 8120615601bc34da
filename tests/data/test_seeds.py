"""Seeds of an image's own draws."""

from pathlib import Path

from wsss.data.index import ImageRecord
from wsss.data.seeds import seed_of


def record(image_id):
    return ImageRecord(image_id, Path("a.jpg"), "train", 20, 30, ("a",))


def test_seeds_are_of_the_image_id_and_the_random_seed_alone():
    found = [seed_of(record(f"i{n}"), seed) for n in range(50) for seed in (0, 1, 2**32 - 1)]
    assert len(set(found)) == 150 and all(0 <= seed < 2**63 for seed in found)
    other = ImageRecord("i0", Path("b.jpg"), "val", 1, 1, ())
    assert seed_of(other, 0) == found[0]


def test_a_seed_stays_what_it_was():
    """Maps that are made again should be those that were."""
    assert seed_of(record("2007_000032"), 0) == 2042985111208178596
