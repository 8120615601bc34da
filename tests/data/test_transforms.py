import numpy as np
import pytest
from PIL import Image

from wsss.data.transforms import (
    MEAN_COLOUR,
    augment_for_classification,
    augment_for_segmentation,
)

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (40, 30, 3), dtype=np.uint8)


def views(count=40, image=IMAGE, **options):
    for number in range(count):
        yield augment_for_classification(image, None, np.random.default_rng(number), **options)[0]


def test_equal_generators_give_equal_views():
    first = list(views(resize_long=(20, 60), crop_size=32))
    assert all(view.shape == (32, 32, 3) and view.dtype == np.uint8 for view in first)
    for one, other in zip(first, views(resize_long=(20, 60), crop_size=32), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({view.tobytes() for view in first}) == len(first)


def test_at_its_own_size_a_view_is_a_part_of_the_image_or_of_its_mirror():
    parts = {
        np.ascontiguousarray(source[top : top + 30, left : left + 30]).tobytes(): kind
        for kind, source in enumerate((IMAGE, IMAGE[:, ::-1]))
        for top in range(11)
        for left in (0,)
    }
    kinds = [parts[view.tobytes()] for view in views(resize_long=(40, 40), crop_size=30)]
    assert 10 <= sum(kinds) <= 30


def test_a_short_image_lands_anywhere_on_the_mean_colour():
    places = set()
    for view in views(200, resize_long=(40, 40), crop_size=42):
        inside = (view != MEAN_COLOUR).any(-1)
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        assert len(rows) == 40 and len(columns) == 30
        places.add((rows[0], columns[0]))
    assert {row for row, _ in places} == {0, 1, 2}
    assert {column for _, column in places} == set(range(13))


def test_both_bounds_of_the_long_side_are_drawn():
    sides = {
        int((view != MEAN_COLOUR).any(-1).any(1).sum())
        for view in views(100, resize_long=(38, 40), crop_size=64)
    }
    assert sides == {38, 39, 40}


def test_a_cropped_view_is_a_part_of_the_whole_resized_image():
    # Not near black and white: there, what the first of two passes clips depends on which is first.
    image = IMAGE // 2 + 64
    whole = np.asarray(Image.fromarray(image).resize((60, 80), Image.Resampling.BICUBIC))
    whole = whole.astype(int)
    for view in views(4, image, resize_long=(80, 80), crop_size=25):
        differences = [
            np.abs(source[top : top + 25, left : left + 25] - view).max()
            for source in (whole, whole[:, ::-1])
            for top in range(56)
            for left in range(36)
        ]
        assert min(differences) <= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1)])
def test_tiny_and_thin_images_work(shape):
    image = np.full((*shape, 3), 7, dtype=np.uint8)
    for view in views(5, image, resize_long=(16, 40), crop_size=24):
        assert set(np.unique(view)) <= {7, *MEAN_COLOUR}
        assert (view == 7).all(-1).any()


@pytest.mark.parametrize(
    ("resize_long", "crop_size"), [((40, 20), 32), ((0, 20), 32), ((20, 40), 0)]
)
def test_impossible_sizes_are_refused(resize_long, crop_size):
    with pytest.raises(ValueError, match="must be positive, the smaller long side first"):
        next(views(resize_long=resize_long, crop_size=crop_size))


# Saliency maps


SALIENCY = RNG.choice(np.array([0, 255], np.uint8), (40, 30))


def salient_views(count=40, image=IMAGE, saliency=SALIENCY, **options):
    for number in range(count):
        rng = np.random.default_rng(number)
        yield augment_for_classification(image, saliency, rng, **options)


@pytest.mark.parametrize("resize_long", [(20, 60), (40, 40)])
def test_a_saliency_map_changes_no_view(resize_long):
    options = {"resize_long": resize_long, "crop_size": 32}
    for (with_map, salient), without in zip(
        salient_views(**options), views(**options), strict=True
    ):
        assert with_map.tobytes() == without.tobytes()
        assert salient.shape == (32, 32) and salient.dtype == np.uint8
    rngs = [np.random.default_rng(0) for _ in range(2)]
    for rng, saliency in zip(rngs, (None, SALIENCY), strict=True):
        augment_for_classification(IMAGE, saliency, rng, **options)
    assert rngs[0].random() == rngs[1].random()


@pytest.mark.parametrize(("resize_long", "crop_size"), [((20, 60), 32), ((30, 90), 48)])
def test_a_saliency_map_goes_the_way_of_its_image(resize_long, crop_size):
    """A grey image as its own map: resized, mirrored, cut and placed alike, but 0 outside."""
    image = np.repeat(IMAGE[..., :1], 3, axis=2)
    outside = 0
    for view, salient in salient_views(
        image=image, saliency=IMAGE[..., 0], resize_long=resize_long, crop_size=crop_size
    ):
        inside = (view == view[..., :1]).all(-1)
        np.testing.assert_array_equal(salient[inside], view[inside][:, 0])
        assert (view[~inside] == MEAN_COLOUR).all() and not salient[~inside].any()
        outside += (~inside).any()
    assert outside > 5


def test_a_saliency_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"map \(30, 40\) and image \(40, 30\) differ in size"):
        next(salient_views(saliency=SALIENCY.T, resize_long=(20, 40), crop_size=32))


def labelled(number, **options):
    mask = (IMAGE[..., 0] > 127).astype(np.uint8) * 3
    return augment_for_segmentation(
        np.repeat(mask[..., None], 3, axis=2) * 50, mask, np.random.default_rng(number), **options
    )


def test_mask_and_image_stay_together_and_padding_is_ignored():
    for number in range(40):
        view, mask = labelled(number, scales=(1.0, 2.0), crop_size=45)
        assert view.shape == (45, 45, 3) and mask.shape == (45, 45)
        padded = mask == 255
        assert (view[padded] == MEAN_COLOUR).all()
        assert set(np.unique(mask)) <= {0, 3, 255}
        if (~padded).sum() == 40 * 30:
            np.testing.assert_array_equal(view[..., 0][~padded], mask[~padded] * 50)
        else:
            # Bicubic edges are soft; away from them image and mask agree.
            agree = (view[..., 0] > 75) == (mask == 3)
            assert agree[~padded].mean() > 0.95


def test_every_scale_is_drawn_and_padding_is_below_and_right():
    sizes = set()
    for number in range(60):
        _, mask = labelled(number, scales=(0.5, 1.0, 1.5), crop_size=64)
        inside = mask != 255
        sizes.add((int(inside.any(1).sum()), int(inside.any(0).sum())))
        assert inside[0].any() and (inside[:, 0].any() or inside[:, -1].any())
    assert sizes == {(20, 15), (40, 30), (60, 45)}


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"mask \(30, 40\) and image \(40, 30\) differ in size"):
        augment_for_segmentation(
            IMAGE, np.zeros((30, 40), np.uint8), RNG, scales=(1.0,), crop_size=32
        )


@pytest.mark.parametrize(("scales", "crop_size"), [((), 32), ((1.0, 0.0), 32), ((1.0,), 0)])
def test_impossible_options_are_refused(scales, crop_size):
    with pytest.raises(ValueError, match="must be positive"):
        labelled(0, scales=scales, crop_size=crop_size)
