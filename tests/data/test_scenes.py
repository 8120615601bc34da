"""The drawn scenes: reproducible, with the statistics that were asked for."""

from dataclasses import replace

import numpy as np
import pytest

from wsss.data.scenes.canvas import Canvas
from wsss.data.scenes.catalogue import BACKGROUNDS, OBJECTS
from wsss.data.scenes.compose import draw_scene
from wsss.data.scenes.lighting import draw_light
from wsss.data.scenes.names import (
    BACKGROUND_OF_CLASS,
    CLASSES,
    NEUTRAL_BACKGROUNDS,
    POOL_BACKGROUNDS,
)
from wsss.data.scenes.options import SceneOptions
from wsss.data.scenes.photograph import border_width, read_masks

OPTIONS = SceneOptions(
    height=48,
    width=48,
    classes=CLASSES,
    own_background_probability=0.9,
    other_spurious_probability=0.4,
    second_instance_probability=0.25,
    second_class_probability=0.15,
    object_scale=1.0,
    clutter=3,
    mislabelled_fraction=0.2,
    hard_fraction=0.45,
    random_seed=0,
)
COUNT = 240


@pytest.fixture(scope="module")
def train():
    return [draw_scene(OPTIONS, "train", number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def pool():
    return [draw_scene(OPTIONS, "ood", number) for number in range(COUNT)]


def same(first, second):
    arrays = ("image", "mask", "spurious")
    return (
        all(np.array_equal(getattr(first, name), getattr(second, name)) for name in arrays)
        and first.labels == second.labels
        and (first.background, first.kind) == (second.background, second.kind)
    )


def blank(height, width):
    rng = np.random.default_rng(0)
    return Canvas(rng, (height, width), draw_light(rng))


@pytest.mark.parametrize("split", ["train", "val", "ood"])
def test_an_image_is_the_same_alone_and_in_any_order(split):
    forwards = [draw_scene(OPTIONS, split, number) for number in range(8)]
    backwards = [draw_scene(OPTIONS, split, number) for number in reversed(range(8))]
    assert all(same(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))
    assert same(draw_scene(OPTIONS, split, 5), forwards[5])


def test_number_split_and_random_seed_each_change_the_image():
    first = draw_scene(OPTIONS, "train", 0)
    others = (
        draw_scene(OPTIONS, "train", 1),
        draw_scene(OPTIONS, "val", 0),
        draw_scene(replace(OPTIONS, random_seed=1), "train", 0),
    )
    assert not any(np.array_equal(first.image, other.image) for other in others)


def test_shapes_types_and_values(train):
    for scene in train[:40]:
        assert scene.image.shape == (48, 48, 3)
        assert scene.mask.shape == scene.spurious.shape == (48, 48)
        assert scene.image.dtype == scene.mask.dtype == scene.spurious.dtype == np.uint8
        assert set(np.unique(scene.mask)) <= {*range(len(CLASSES) + 1), 255}
        assert scene.image.std() > 5


def test_labels_are_the_classes_in_the_mask(train):
    for scene in train:
        seen = set(np.unique(scene.mask)) - {0, 255}
        # A thin object may lie under borders altogether, but no class is seen without its label.
        assert seen <= {CLASSES.index(name) + 1 for name in scene.labels}
        assert scene.labels == tuple(name for name in CLASSES if name in scene.labels)
        assert 1 <= len(scene.labels) <= 2
    shown = sum(len(set(np.unique(scene.mask)) - {0, 255}) for scene in train)
    assert shown == sum(len(scene.labels) for scene in train)


def test_spurious_pixels_are_the_backgrounds_and_never_an_objects(train):
    values = OPTIONS.spurious_backgrounds
    for scene in train:
        assert set(np.unique(scene.spurious)) <= {0, values.get(scene.background, 0)}
        objects = (scene.mask > 0) & (scene.mask < 255)
        assert not np.any(scene.spurious[objects])
    own = [scene for scene in train if scene.background in values]
    assert np.mean([np.any(scene.spurious) for scene in own]) > 0.97
    assert 0.1 < np.mean([np.mean(scene.spurious > 0) for scene in own]) < 0.5


def test_every_class_is_the_main_one_equally_often(train):
    for name in CLASSES:
        assert COUNT / 6 <= sum(name in scene.labels for scene in train) <= COUNT / 6 * 1.4


def test_objects_stand_on_their_own_background(train):
    for name, background in BACKGROUND_OF_CLASS.items():
        alone = [scene for scene in train if scene.labels == (name,)]
        share = np.mean([scene.background == background for scene in alone])
        # Three deviations of 0.9 among about 35 images.
        assert 0.74 <= share <= 1


def test_other_backgrounds_are_drawn_as_asked(train):
    bottles = [scene for scene in train if scene.labels == ("bottle",)]
    share = np.mean([scene.background in OPTIONS.spurious_backgrounds for scene in bottles])
    assert 0.15 < share < 0.65
    assert {scene.background for scene in bottles} - set(OPTIONS.spurious_backgrounds) <= set(
        NEUTRAL_BACKGROUNDS
    )


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_the_co_occurrence_follows_its_options(probability):
    options = replace(
        OPTIONS, own_background_probability=probability, other_spurious_probability=0.0
    )
    for number in range(24):
        scene = draw_scene(options, "train", number)
        if scene.background in OPTIONS.spurious_backgrounds:
            assert probability == 1
        elif probability == 1:
            assert "bottle" in scene.labels


def test_second_instances_and_classes_can_be_switched_off():
    options = replace(OPTIONS, second_class_probability=0.0, second_instance_probability=0.0)
    assert all(len(draw_scene(options, "train", number).labels) == 1 for number in range(30))


def test_share_of_foreground_and_of_second_classes(train):
    share = [np.mean((scene.mask > 0) & (scene.mask < 255)) for scene in train]
    assert 0.13 < np.mean(share) < 0.20
    for index, name in enumerate(CLASSES):
        areas = [np.mean(scene.mask == index + 1) for scene in train if name in scene.labels]
        assert 0.10 < np.mean(areas) < 0.22
    assert 0.07 < np.mean([len(scene.labels) > 1 for scene in train]) < 0.22
    assert 0 < np.mean([np.mean(scene.mask == 255) for scene in train]) < 0.1


def test_object_scale_scales_the_objects():
    def area(scale):
        scenes = [draw_scene(replace(OPTIONS, object_scale=scale), "val", n) for n in range(18)]
        return np.mean([np.mean((scene.mask > 0) & (scene.mask < 255)) for scene in scenes])

    assert area(0.6) < 0.6 * area(1.0)


def test_composition_of_the_pool(pool):
    kinds = [scene.kind for scene in pool]
    assert abs(kinds.count("mislabelled") / COUNT - 0.2) < 0.01
    assert abs(kinds.count("hard") / COUNT - 0.45) < 0.01
    assert abs(kinds.count("easy") / COUNT - 0.35) < 0.01


def test_only_mislabelled_images_of_the_pool_show_objects(pool):
    for scene in pool:
        assert bool(scene.labels) == bool(np.any(scene.mask)) == (scene.kind == "mislabelled")
        if scene.kind == "hard":
            assert scene.background in OPTIONS.spurious_backgrounds
        if scene.kind == "easy":
            assert scene.background in POOL_BACKGROUNDS
            assert not np.any(scene.spurious)
    hard = [scene for scene in pool if scene.kind == "hard"]
    assert np.mean([np.any(scene.spurious) for scene in hard]) > 0.97
    assert {scene.background for scene in hard} == set(OPTIONS.spurious_backgrounds)


def test_a_subset_of_classes_brings_its_own_backgrounds_only():
    options = replace(OPTIONS, classes=("train", "boat"), hard_fraction=0.4)
    assert options.spurious_backgrounds == {"rail": 1, "water": 2}
    for number in range(40):
        scene = draw_scene(options, "train", number)
        assert set(np.unique(scene.mask)) <= {0, 1, 2, 255}
        assert scene.background in {"rail", "water", *NEUTRAL_BACKGROUNDS}
    pool = [draw_scene(options, "ood", number) for number in range(60)]
    assert {scene.background for scene in pool if scene.kind == "hard"} == {"rail", "water"}
    easy = [scene for scene in pool if scene.kind == "easy"]
    assert {scene.background for scene in easy} & {"branches", "road", "contrail_sky"}
    assert not any(np.any(scene.spurious) for scene in easy)


def test_one_class_alone():
    options = replace(OPTIONS, classes=("bird",), second_class_probability=1.0)
    assert all(draw_scene(options, "train", n).labels == ("bird",) for n in range(6))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 61), (64, 40)])
def test_any_size(height, width):
    options = replace(OPTIONS, height=height, width=width)
    for number in range(12):
        scene = draw_scene(options, "train", number)
        assert scene.image.shape == (height, width, 3)
        assert scene.mask.shape == scene.spurious.shape == (height, width)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_every_background_fills_the_canvas(name):
    canvas = blank(80, 120)
    canvas.image[:] = np.nan
    BACKGROUNDS[name](canvas)
    assert np.isfinite(canvas.image).all()
    assert not canvas.instances.any()
    assert bool(canvas.spurious.any()) == (name in BACKGROUND_OF_CLASS.values())


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("background", ["rail", "pattern"])
def test_every_object_owns_its_pixels(name, background):
    canvas = blank(96, 96)
    places = BACKGROUNDS[background](canvas)
    before = canvas.image.copy()
    place = places[0] if places else replace(BACKGROUNDS["rail"](blank(96, 96))[0], x=48, y=70)
    OBJECTS[name](canvas.pen(instance=7), replace(place, x=48, y=70, scale=1.0), canvas.unit)
    region = canvas.instances == 7
    assert 0.02 < region.mean() < 0.6
    assert not canvas.spurious[region].any()
    changed = np.abs(canvas.image - before).max(axis=2) > 0.02
    assert changed[region].mean() > 0.9


def test_masks_worked_by_hand():
    canvas = blank(2 * 20, 2 * 20)
    canvas.spurious[:] = 1
    canvas.instances[8:24, 8:24] = 1
    canvas.instances[30:32, 30:32] = 2
    mask, spurious, counted = read_masks(canvas, [3, 5])
    expected = np.zeros((20, 20), np.uint8)
    expected[3:13, 3:13] = 255
    expected[4:12, 4:12] = 3
    # One pixel of 400 is less than 0.8 %.
    expected[14:17, 14:17] = 255
    np.testing.assert_array_equal(mask, expected)
    assert counted == [1]
    assert spurious.sum() == 400 - 64 - 1


def test_an_object_at_the_edge_has_no_border_there():
    canvas = blank(2 * 192, 2 * 192)
    canvas.instances[:, :200] = 1
    mask, _, _ = read_masks(canvas, [1])
    assert set(mask[:, 0]) == {1}
    assert list(mask[50, 98:102]) == [1, 255, 255, 0]


@pytest.mark.parametrize(("side", "width"), [(32, 1), (96, 1), (192, 2), (500, 5)])
def test_border_width(side, width):
    assert border_width(side, 2 * side) == width


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("bird", "dog")}, "cannot draw the class.* dog; choose from aeroplane"),
        ({"classes": ()}, r"\(none given\)"),
        ({"classes": ("bird", "bird")}, "named twice"),
        ({"height": 31}, "31 x 48 are too small"),
        ({"object_scale": 3.0}, "object_scale 3.0 is not between"),
        ({"clutter": -1}, "must not be negative"),
        ({"random_seed": -1}, "must not be negative"),
        ({"second_class_probability": 1.5}, "second_class_probability 1.5 is not between 0 and 1"),
        ({"hard_fraction": -0.1}, "hard_fraction -0.1 is not between 0 and 1"),
        ({"hard_fraction": 0.9}, "together exceed 1"),
        ({"classes": ("bottle",)}, "no hard OoD images; set hard_fraction to 0"),
    ],
)
def test_wrong_options_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(OPTIONS, **change)


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="split 'test' is unknown; the splits are train, val, ood"):
        draw_scene(OPTIONS, "test", 0)


def test_objects_that_never_count_are_named(monkeypatch):
    monkeypatch.setattr("wsss.data.scenes.photograph.SMALLEST_SHARE", 1.0)
    with pytest.raises(ValueError, match=r"stayed below 0.8 % .* raise object_scale"):
        draw_scene(OPTIONS, "train", 0)
