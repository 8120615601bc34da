import numpy as np

from wsss.data.selection import covering_order

CLASSES = ("a", "b", "c", "d")


def labels(random_seed=0):
    rng = np.random.default_rng(random_seed)
    common = {f"{i:03d}": tuple(n for n in "ab" if rng.random() < 0.6) for i in range(50)}
    return common | {"rare": ("a", "c")}


def test_the_order_holds_every_image_once_and_follows_the_random_seed():
    order = covering_order(labels(), CLASSES, random_seed=0)
    assert sorted(order) == sorted(labels())
    assert order == covering_order(dict(reversed(labels().items())), CLASSES, random_seed=0)
    assert order != covering_order(labels(), CLASSES, random_seed=1)


def test_its_start_shows_every_class_that_there_is():
    for random_seed in range(20):
        order = covering_order(labels(random_seed), CLASSES, random_seed=random_seed)
        assert order[0] == "rare"
        assert {name for image_id in order[:2] for name in labels(random_seed)[image_id]} == set(
            "abc"
        )


def test_without_classes_it_is_any_order():
    assert sorted(covering_order({"x": (), "y": ()}, (), random_seed=0)) == ["x", "y"]
    assert covering_order({}, CLASSES, random_seed=0) == []
