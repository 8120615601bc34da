import numpy as np
import pytest

from tests.references.psa_plain import dense_affinities, walk_squared
from wsss.refine.affinity import neighbours
from wsss.refine.psa import refine
from wsss.refine.psa_labels import with_background
from wsss.refine.resampling import resize_bilinear

WALK = {"radius": 5, "beta": 8, "exp_times": 8, "alpha": 16, "pairs": "official"}


def random_affinity(radius, height, width):
    """Affinities of all neighbours, zero where one is outside."""
    offsets = neighbours(radius)
    found = np.random.default_rng(0).random((len(offsets), height, width)).astype(np.float32)
    for of_way, (dy, dx) in zip(found, offsets, strict=True):
        rows, columns = np.mgrid[:height, :width] + np.array([dy, dx])[:, None, None]
        of_way[(rows >= height) | (columns < 0) | (columns >= width)] = 0
    return found


def _maps(number, height, width):
    """Random maps of patches of 8 pixels."""
    patches = np.random.default_rng(1).random((number, height // 8 + 1, width // 8 + 1)) ** 2
    full = patches.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return full.astype(np.float32)


@pytest.mark.parametrize("pairs", ["official", "all"])
@pytest.mark.parametrize("size", [(40, 48), (37, 50), (20, 24)])
def test_mask_equals_dense_reference(size, pairs):
    options = {"radius": 3, "beta": 2, "exp_times": 1, "alpha": 4, "pairs": pairs}
    grid = tuple(-(-side // 4) for side in size)
    affinity, maps = random_affinity(3, *grid), _maps(2, *size)
    found = refine(np.zeros((*size, 3), np.uint8), maps, [2, 6], affinity, **options)

    scores = np.pad(
        with_background(maps, alpha=4),
        ((0, 0), (0, 4 * grid[0] - size[0]), (0, 4 * grid[1] - size[1])),
    )
    cells = np.zeros((3, *grid))
    for y in range(grid[0]):
        for x in range(grid[1]):
            cells[:, y, x] = scores[:, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].mean((1, 2))
    dense = dense_affinities(affinity, neighbours(3), 3, inner=pairs == "official")
    walked = walk_squared(cells, dense, beta=2, exp_times=1)
    large = resize_bilinear(walked, 4 * grid[0], 4 * grid[1])[:, : size[0], : size[1]]
    np.testing.assert_array_equal(found, np.array([0, 3, 7])[large.argmax(0)])
    assert len(set(found.ravel().tolist())) > 1


def test_cells_at_one_side_meet_only_in_all_pairs():
    # Four columns of cells have no neighbour on their left within radius 5.
    affinity = np.zeros((len(neighbours(5)), 12, 20), np.float32)
    affinity[neighbours(5).tolist().index([1, 0])] = 1
    affinity[:, -1] = 0
    maps = np.zeros((1, 96, 160), np.float32)
    maps[:, :48] = 1
    image = np.zeros((96, 160, 3), np.uint8)
    options = {**WALK, "alpha": 1}
    all_pairs = refine(image, maps, [0], affinity, **{**options, "pairs": "all"})
    # Everything mixes within a column: half of the background, half of the class.
    official = refine(image, maps, [0], affinity, **options)
    np.testing.assert_array_equal(official[:, :24], maps[0, :, :24])
    assert (all_pairs[:, 80] == 1).mean() == pytest.approx(0.5, abs=0.1)


def test_an_object_is_filled_up_to_where_affinities_end():
    offsets = neighbours(5)
    affinity = np.ones((len(offsets), 12, 16), np.float32)
    rows, columns = np.mgrid[:12, :16]
    for of_way, (dy, dx) in zip(affinity, offsets, strict=True):
        across = (columns < 8) != (columns + dx < 8)
        outside = (rows + dy >= 12) | (columns + dx < 0) | (columns + dx >= 16)
        of_way[across | outside] = 0
    maps = np.zeros((1, 46, 62), np.float32)
    maps[0, 20:32, 8:24] = 1
    options = {**WALK, "pairs": "all", "alpha": 16}
    mask = refine(np.zeros((46, 62, 3), np.uint8), maps, [2], affinity, **options)
    assert not mask[:, 34:].any()
    # A tenth of the left half, against a background score of one elsewhere.
    assert not mask[:, :30].any()
    mask = refine(np.zeros((46, 62, 3), np.uint8), maps * 0.4 + 0.4 * (np.arange(62) < 32),
                  [2], affinity, **options)  # fmt: skip
    assert np.all(mask[:, :30] == 3) and not mask[:, 34:].any()


@pytest.mark.parametrize("pairs", ["official", "all"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (8, 1), (64, 64)])
def test_tiny_images_and_no_classes(size, pairs):
    grid = tuple(-(-side // 8) for side in size)
    image, affinity = np.zeros((*size, 3), np.uint8), random_affinity(5, *grid)
    options = {**WALK, "pairs": pairs}
    assert np.all(refine(image, np.ones((1, *size)), [0], affinity, **options) == 1)
    assert not refine(image, np.zeros((0, *size)), [], affinity, **options).any()


def test_class_permutation():
    affinity, maps = random_affinity(5, 8, 10), _maps(3, 64, 80)
    image = np.zeros((64, 80, 3), np.uint8)
    one = refine(image, maps, [0, 1, 2], affinity, **WALK)
    other = refine(image, maps[::-1].copy(), [2, 1, 0], affinity, **WALK)
    np.testing.assert_array_equal(one, other)


def test_errors():
    image, affinity = np.zeros((48, 64, 3), np.uint8), random_affinity(5, 6, 8)
    maps = np.ones((1, 48, 64), np.float32)
    with pytest.raises(ValueError, match="not one of an image"):
        refine(image[:40], maps[:, :40], [0], affinity, **WALK)
    with pytest.raises(ValueError, match="give one per map"):
        refine(image, maps, [0, 1], affinity, **WALK)
    with pytest.raises(ValueError, match="compute them at the same radius"):
        refine(image, maps, [0], affinity, **{**WALK, "radius": 4})
    with pytest.raises(ValueError, match="must lie in"):
        refine(image, maps, [0], affinity * np.nan, **WALK)
    with pytest.raises(ValueError, match="known are all and official"):
        refine(image, maps, [0], affinity, **{**WALK, "pairs": "paper"})
