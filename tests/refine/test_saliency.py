import numpy as np
import pytest

from wsss.refine.saliency import refine

MASK = np.array([[0, 3, 255], [0, 3, 255]], np.uint8)
SALIENT = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
RIB = {
    "saliency_threshold": 0.5,
    "foreground_not_salient": "ignore",
    "background_salient": "ignore",
}


def settled(mask=MASK, saliency=SALIENT, class_ids=(2,), **changes):
    return refine(mask, saliency, np.array(class_ids), **RIB | changes)


def test_disagreements_are_ignored():
    found = settled()
    assert found.tolist() == [[0, 255, 255], [255, 3, 255]] and found.dtype == np.uint8


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"foreground_not_salient": "background"}, [[0, 0, 255], [255, 3, 255]]),
        ({"foreground_not_salient": "keep"}, [[0, 3, 255], [255, 3, 255]]),
        ({"background_salient": "only_class"}, [[0, 255, 255], [3, 3, 255]]),
        ({"background_salient": "only_class", "class_ids": (2, 4)}, [[0, 255, 255], [255, 3, 255]]),
        ({"background_salient": "only_class", "class_ids": ()}, [[0, 255, 255], [255, 3, 255]]),
        ({"background_salient": "keep"}, [[0, 255, 255], [0, 3, 255]]),
        # Each pixel is settled once: what became background is not taken for salient background.
        ({"foreground_not_salient": "background", "background_salient": "only_class"},
         [[0, 0, 255], [3, 3, 255]]),
    ],
)  # fmt: skip
def test_other_ways_to_settle_a_disagreement(changes, expected):
    assert settled(**changes).tolist() == expected


def test_nothing_is_done_to_a_mask_that_is_kept():
    kept = settled(foreground_not_salient="keep", background_salient="keep")
    np.testing.assert_array_equal(kept, MASK)
    assert kept is not MASK and not np.shares_memory(kept, MASK)


@pytest.mark.parametrize(
    ("threshold", "least"), [(0, 1), (0.5, 128), (0.2, 52), (254 / 255, 255), (1, None)]
)
def test_a_pixel_above_the_threshold_is_salient(threshold, least):
    levels = np.arange(256, dtype=np.uint8)[None]
    found = settled(np.zeros((1, 256), np.uint8), levels, saliency_threshold=threshold)
    salient = np.flatnonzero(found[0] == 255)
    assert salient.tolist() == ([] if least is None else list(range(least, 256)))


def test_flip_and_permutation_of_pixels():
    rng = np.random.default_rng(0)
    mask = rng.choice(np.array([0, 1, 7, 255], np.uint8), (9, 12))
    saliency = rng.integers(0, 256, (9, 12), dtype=np.uint8)
    found = settled(mask, saliency, class_ids=(0, 6))
    np.testing.assert_array_equal(
        settled(mask[:, ::-1], saliency[:, ::-1], class_ids=(0, 6)), found[:, ::-1]
    )
    assert set(np.unique(found)) <= {0, 1, 7, 255}
    # What is left is agreed on.
    assert not (saliency[found == 0] > 127).any() and (saliency[np.isin(found, [1, 7])] > 127).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"pseudo-mask is \(2, 3\), but its saliency map \(2, 2\)"):
        settled(saliency=SALIENT[:, :2])
    with pytest.raises(ValueError, match="'drop' is no way to settle a disagreement: take ignore,"):
        settled(foreground_not_salient="drop")
    with pytest.raises(ValueError, match="take ignore, only_class, keep"):
        settled(background_salient="background")
