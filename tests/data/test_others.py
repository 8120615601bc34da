import numpy as np
import pytest

from wsss.data.images import write_jpeg
from wsss.data.index import ImageRecord
from wsss.data.others import OtherImages


@pytest.fixture
def records(tmp_path):
    rng = np.random.default_rng(0)
    found = []
    for number, (height, width) in enumerate([(20, 30), (30, 20)] * 4):
        path = tmp_path / f"{number}.jpg"
        write_jpeg(path, rng.integers(0, 256, (height, width, 3), dtype=np.uint8), quality=90)
        found.append(ImageRecord(f"i{number}", path, "train", height, width, ("a",)))
    return found


def others_of(records, batch, random_seed=0):
    return OtherImages(records, lambda r: np.array([r.height]), random_seed).beside(batch)


def test_drawn_are_different_others(records):
    for position, batch in enumerate([records] * len(records)):
        for step in range(20):
            drawn = others_of(records, batch).draw(position, step, 3, disjoint=False)
            assert len(set(drawn)) == 3 and position not in drawn
            assert set(drawn) <= set(range(8))
    beside = others_of(records, records[2:3])
    assert sorted(beside.draw(0, 0, 50, disjoint=False)) == [0, 1, 3, 4, 5, 6, 7]
    assert others_of(records, records).draw(0, 0, 0, disjoint=False) == []
    assert others_of(records[:1], records[:1]).draw(0, 0, 5, disjoint=False) == []


def test_disjoint_others_share_no_class(records):
    classes = [[0], [0, 1], [2], [], [1, 3], [4], [0, 4], [3]]
    number_of = {record.image_id: number for number, record in enumerate(records)}
    everyone = OtherImages(records, lambda r: np.array(classes[number_of[r.image_id]], int), 0)
    expected = {0: {2, 3, 4, 5, 7}, 1: {2, 3, 5, 7}, 3: {0, 1, 2, 4, 5, 6, 7}, 6: {2, 3, 4, 7}}
    for own, disjoint in expected.items():
        others = everyone.beside(records[own : own + 1])
        assert set(others.draw(0, 0, 50, disjoint=True)) == disjoint
        drawn = [others.draw(0, step, 2, disjoint=True) for step in range(50)]
        assert set().union(*drawn) == disjoint and all(len(set(two)) == 2 for two in drawn)
    alone = OtherImages(records, lambda r: np.array([0]), 0).beside(records)
    assert alone.draw(0, 0, 5, disjoint=True) == []


def test_every_other_is_drawn_as_often(records):
    others = others_of(records, records[3:4])
    drawn = [number for step in range(700) for number in others.draw(0, step, 2, disjoint=False)]
    counts = np.bincount(drawn, minlength=8)
    assert counts[3] == 0 and counts.sum() == 1400
    assert (abs(np.delete(counts, 3) - 200) < 60).all()


def test_image_step_and_random_seed_alone_say_what_is_drawn(records):
    def draws(batch, position, random_seed=0):
        others = others_of(records, batch, random_seed)
        return [others.draw(position, step, 4, disjoint=False) for step in range(5)]

    alone = draws(records[5:6], 0)
    assert draws(records[::-1], 2) == alone
    assert draws(records[5:6], 0, random_seed=1) != alone != draws(records[4:5], 0)
    assert len({tuple(drawn) for drawn in alone}) == 5


def test_images_come_in_any_order_with_their_classes(records):
    others = others_of(records, records[:1])
    found = dict(others.read([5, 2, 4]))
    assert set(found) == {2, 4, 5}
    assert [found[n].shape[:2] for n in (2, 4, 5)] == [(20, 30), (20, 30), (30, 20)]
    assert others.class_ids(5).tolist() == [30]
    assert list(others.read([])) == []


def test_what_is_kept_is_shared_between_batches(records):
    others = OtherImages(records, lambda r: np.array([0]), 0)
    others.beside(records[:1]).kept["a"] = 1
    assert others.beside(records[1:2]).kept == {"a": 1}


def test_an_image_of_another_split_is_refused(records):
    with pytest.raises(
        ValueError, match="image i7 is not among the 7 images that others are drawn"
    ):
        others_of(records[:7], records[7:])


def test_a_file_that_cannot_be_read_is_told(records):
    records[1].path.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"1\.jpg"):
        list(others_of(records, records[:1]).read([0, 1]))
