"""Ways of choosing a background threshold, against cases worked by hand and slow versions."""

import itertools
from importlib import import_module

import numpy as np
import pytest

from tests.source import ROOT
from wsss.config.thresholds import WAYS
from wsss.thresholds import expected_iou, otsu
from wsss.thresholds.choice import THRESHOLDS, ThresholdChoice, tails_of

FOUR = np.array([0.0, 0.2, 0.8, 1.0])
RNG = np.random.default_rng(5)
# Cells that often tie with each other and with the thresholds, and some that never do.
IMAGES = [
    (RNG.integers(0, 11, (7, 9)) / 10).astype(np.float32),
    RNG.random((6, 5)).astype(np.float16).astype(np.float32),
    np.maximum(RNG.normal(0, 0.3, (8, 8)), 0).clip(0, 1).astype(np.float32),
]


def criterion_of(way):
    return import_module(f"wsss.thresholds.{way}").criterion


def otsu_slow(values, threshold):
    """Between-group over total variance, from the groups themselves."""
    values = values.ravel().astype(np.float64)
    groups = [values[values > np.float32(threshold)], values[values <= np.float32(threshold)]]
    between = sum(
        len(group) / len(values) * (group.mean() - values.mean()) ** 2
        for group in groups
        if len(group)
    )
    return between / values.var()


def expected_iou_slow(values, threshold):
    """Expected intersections and unions over every possible object, by its probability."""
    seed = values > np.float32(threshold)
    sums = np.zeros(4)
    for chosen in itertools.product([False, True], repeat=len(values)):
        truth = np.array(chosen)
        probability = np.where(truth, values, 1 - values).prod(dtype=np.float64)
        sums += probability * np.array(
            [
                (seed & truth).sum(), (seed | truth).sum(),
                (~seed & ~truth).sum(), (~seed | ~truth).sum(),
            ]
        )  # fmt: skip
    return (sums[0] / sums[1] + sums[2] / sums[3]) / 2


def at(curve, threshold):
    return curve[THRESHOLDS.index(threshold)]


def test_tails_by_hand():
    tails = tails_of(FOUR)
    assert (tails.count, tails.total) == (4, pytest.approx(2.0))
    assert tails.scatter == pytest.approx(0.68)
    assert [at(tails.above, t) for t in (0.0, 0.19, 0.2, 0.79, 0.8, 0.99)] == [3, 3, 2, 2, 1, 1]
    assert at(tails.above_sum, 0.19) == pytest.approx(2.0)
    assert at(tails.above_sum, 0.2) == pytest.approx(1.8)


def test_otsu_by_hand():
    curve = otsu.criterion(tails_of(FOUR))
    # Means .1 and .9 about .5; all values deviate by .5, .3, .3, .5.
    assert [at(curve, 0.2), at(curve, 0.79)] == pytest.approx([0.16 / 0.17] * 2)
    # One value of 0 apart, or one of 1.
    assert [at(curve, 0.0), at(curve, 0.8)] == pytest.approx([(0.25 / 4 + 1 / 48) / 0.17] * 2)
    two_values = otsu.criterion(tails_of(np.array([0.3, 0.3, 0.7])))
    assert at(two_values, 0.29) == 0 == at(two_values, 0.7)
    assert at(two_values, 0.3) == pytest.approx(1.0)


def test_expected_iou_by_hand():
    curve = expected_iou.criterion(tails_of(FOUR))
    # Seed {.8, 1}: 1.8 of an expected object of 2 are hit, .2 of the seed's 2 are not object.
    assert at(curve, 0.5) == pytest.approx(1.8 / 2.2)
    # Seed {.2, .8, 1}: object 2 of 3; background 1 of an expected 2.
    assert at(curve, 0.1) == pytest.approx((2 / 3 + 1 / 2) / 2)


@pytest.mark.parametrize("image", IMAGES)
def test_otsu_equals_the_groups_own_variances(image):
    found = otsu.criterion(tails_of(image))
    assert found == pytest.approx([otsu_slow(image, t) for t in THRESHOLDS], abs=1e-12)


@pytest.mark.parametrize("image", IMAGES)
def test_expected_iou_equals_the_mean_over_all_objects(image):
    cells = image.ravel()[:10]
    found = expected_iou.criterion(tails_of(cells))
    slow = [expected_iou_slow(cells, t) for t in THRESHOLDS[::7]]
    assert found[::7] == pytest.approx(slow, abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("image", IMAGES)
def test_scores_are_shares_and_know_nothing_of_places_or_resolution(way, image):
    curve = criterion_of(way)(tails_of(image))
    assert curve.shape == (len(THRESHOLDS),) and np.all((curve >= 0) & (curve <= 1 + 1e-12))
    shuffled = RNG.permutation(image.ravel())
    assert criterion_of(way)(tails_of(shuffled)) == pytest.approx(curve, abs=1e-12)
    finer = image.repeat(3, axis=0).repeat(2, axis=1)
    assert criterion_of(way)(tails_of(finer)) == pytest.approx(curve, abs=1e-9)


def test_otsu_follows_a_change_of_scale():
    image = IMAGES[1]
    half = otsu.criterion(tails_of(image / 2))
    assert half[:50] == pytest.approx(otsu.criterion(tails_of(image))[::2], abs=1e-9)


def test_otsu_takes_object_and_background_alike():
    # No value is a threshold, nor is its mirror image.
    image = (RNG.integers(0, 8, (9, 9)) + 0.37) / 8
    curve, mirrored = (otsu.criterion(tails_of(v)) for v in (image, 1 - image))
    assert mirrored[1:] == pytest.approx(curve[:0:-1], abs=1e-6)


def test_values_that_hardly_differ_leave_finite_scores():
    image = np.ones((300, 300), np.float32)
    image[0, 0] = np.nextafter(np.float32(1), np.float32(0))
    for way in WAYS:
        assert np.isfinite(criterion_of(way)(tails_of(image))).all()


def test_the_folder_is_the_registry():
    names = sorted(path.stem for path in (ROOT / "wsss/thresholds").glob("[!_]*.py"))
    ways = [n for n in names if hasattr(import_module(f"wsss.thresholds.{n}"), "criterion")]
    assert tuple(ways) == WAYS


# Over images


def choice_of(maps, ways=WAYS):
    choice = ThresholdChoice({way: criterion_of(way) for way in ways})
    for one in maps:
        choice.update(one)
    return choice


@pytest.mark.parametrize("way", WAYS)
def test_the_highest_mean_over_images_is_chosen(way):
    choice = choice_of([image[None] for image in IMAGES])
    mean = np.mean([criterion_of(way)(tails_of(image)) for image in IMAGES], axis=0)
    assert choice.num_images == 3
    assert choice.curve(way) == pytest.approx(mean, abs=1e-12)
    assert choice.best(way) == THRESHOLDS[int(np.argmax(mean))]


def test_the_lowest_of_equal_thresholds_is_chosen():
    assert choice_of([FOUR.reshape(1, 2, 2)]).best("otsu") == 0.2


@pytest.mark.parametrize("way", WAYS)
def test_order_and_repetition_of_images_do_not_matter(way):
    maps = [image[None] for image in IMAGES]
    once, turned, twice = choice_of(maps), choice_of(maps[::-1]), choice_of(maps * 2)
    for other in (turned, twice):
        assert other.best(way) == once.best(way)
        assert other.curve(way) == pytest.approx(once.curve(way), abs=1e-12)


def test_the_highest_map_of_a_cell_counts_whatever_its_class():
    maps = np.stack([IMAGES[0], IMAGES[0][::-1]])
    joint = maps.max(axis=0)[None]
    for other in (maps[::-1], joint):
        np.testing.assert_array_equal(
            choice_of([other]).curve("otsu"), choice_of([maps]).curve("otsu")
        )


def test_images_without_contrast_are_left_out():
    dull = [np.zeros((0, 4, 4)), np.zeros((2, 4, 4)), np.full((1, 4, 4), 0.99)]
    nothing = choice_of(dull)
    assert nothing.num_images == 0
    assert nothing.best("otsu") is None and np.isnan(nothing.curve("otsu")).all()
    some = choice_of([*dull, IMAGES[0][None]])
    np.testing.assert_array_equal(some.curve("otsu"), choice_of([IMAGES[0][None]]).curve("otsu"))


@pytest.mark.parametrize("value", [1.5, -0.1, np.nan])
def test_maps_that_are_no_shares_of_a_maximum_are_refused(value):
    maps = np.full((1, 2, 2), 0.5)
    maps[0, 0, 0] = value
    with pytest.raises(ValueError, match=r"divide each map by it, so that it lies in 0\.\.1"):
        choice_of([maps])
