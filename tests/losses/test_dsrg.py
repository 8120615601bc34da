"""Growing seeds, against a flood fill pixel by pixel, and the constrain-to-boundary loss."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.references.dsrg_plain import grow_seed_plain
from wsss.losses.dsrg import boundary_loss, grow_seed

OFFICIAL = {"foreground_threshold": 0.85, "background_threshold": 0.99}
# Of few values, so that ties and values at the threshold are met.
LEVELS = [0.0, 0.3, 0.85, 0.9, 0.99, 1.0]


def grow(probs, seed, labels, **options):
    found = grow_seed(
        np.asarray(probs)[None], np.asarray(seed)[None], np.asarray(labels)[None],
        **OFFICIAL | options,
    )  # fmt: skip
    return found[0]


def row_of(labels, value, *, classes=3):
    """Probabilities (K, 1, w) of one row: `value` for its label, the rest for the others."""
    probs = np.full((classes, 1, len(labels)), (1 - value) / (classes - 1))
    probs[labels, 0, np.arange(len(labels))] = value
    return probs


def test_a_row_by_hand():
    seed = [[1, 255, 255, 255, 255, 0, 255, 255]]
    # The third is not sure; the fourth is, but is cut off by it.
    probs = row_of([1, 1, 1, 1, 0, 0, 0, 2], 0.995)
    probs[:, 0, 2] = [0.1, 0.85, 0.05]
    assert grow(probs, seed, [1, 1]).tolist() == [[1, 1, 255, 255, 0, 0, 0, 255]]
    # Of the background at 0.95 it is not sure.
    unsure = row_of([1, 1, 1, 1, 0, 0, 0, 2], 0.95)
    assert grow(unsure, seed, [1, 1]).tolist() == [[1, 1, 1, 1, 255, 0, 255, 255]]
    # A class without a seed gets nothing, but keeps its pixels from others.
    assert grow(row_of([2] * 8, 0.995), seed, [1, 1]).tolist() == seed


def test_diagonals_are_neighbours():
    probs = np.zeros((2, 3, 3))
    probs[1][np.eye(3, dtype=bool)] = 1
    seed = np.full((3, 3), 255)
    seed[0, 0] = 1
    np.testing.assert_array_equal(grow(probs, seed, [1]), np.where(np.eye(3), 1, 255))


def test_only_classes_of_the_image_compete():
    seed = [[1, 255, 2]]
    probs = np.array([[[0, 0, 0]], [[0.9, 0.3, 0]], [[0.1, 0.7, 1]]])
    assert grow(probs, seed, [1, 1], foreground_threshold=0.2).tolist() == [[1, 2, 2]]
    # Then the seed of the other class stays, and does not grow.
    assert grow(probs, seed, [1, 0], foreground_threshold=0.2).tolist() == [[1, 1, 2]]


def test_a_label_is_never_taken_and_is_no_way_for_others():
    probs = row_of([1, 1, 1, 1], 1.0)
    assert grow(probs, [[1, 255, 2, 255]], [1, 1]).tolist() == [[1, 1, 2, 255]]
    # Its own labelled pixels are one even where the network says otherwise.
    assert grow(row_of([1, 2, 1], 1.0), [[255, 1, 255]], [1, 1]).tolist() == [[1, 1, 1]]


def test_probabilities_that_are_no_numbers_grow_nothing():
    seed = [[1, 255, 0]]
    assert grow(np.full((2, 1, 3), np.nan), seed, [1]).tolist() == seed


@st.composite
def cases(draw):
    classes, height, width = draw(st.tuples(*(st.integers(2, 4), *(st.integers(1, 7),) * 2)))
    probs = draw(arrays(float, (classes, height, width), elements=st.sampled_from(LEVELS)))
    labels = [255, 255, *range(classes)]
    seed = draw(arrays(np.int64, (height, width), elements=st.sampled_from(labels)))
    present = draw(arrays(np.float32, classes - 1, elements=st.sampled_from([0, 1])))
    return probs, seed, present


@settings(max_examples=300, deadline=None)
@given(cases())
def test_equals_a_flood_fill(case):
    np.testing.assert_array_equal(grow(*case), grow_seed_plain(*case, **OFFICIAL))


@settings(deadline=None)
@given(cases())
def test_properties(case):
    probs, seed, present = case
    grown = grow(*case)
    assert grown.dtype == seed.dtype
    labelled = seed != 255
    np.testing.assert_array_equal(grown[labelled], seed[labelled])
    assert set(np.unique(grown[~labelled])) <= {0, 255, *(1 + np.flatnonzero(present))}
    # What has grown is full-grown, and does not lean to a side.
    np.testing.assert_array_equal(grow(probs, grown, present), grown)
    mirrored = grow(probs[:, :, ::-1], seed[:, ::-1], present)
    np.testing.assert_array_equal(mirrored[:, ::-1], grown)
    # A higher threshold takes less.
    stricter = grow(*case, foreground_threshold=0.95, background_threshold=0.995)
    assert ((stricter == grown) | (stricter == 255)).all()


def test_images_do_not_know_of_each_other():
    rng = np.random.default_rng(0)
    probs = rng.choice(LEVELS, (3, 3, 9, 8))
    seed = rng.choice([255, 255, 0, 1, 2], (3, 9, 8))
    labels = np.array([[1, 0], [0, 1], [1, 1]])
    together = grow_seed(probs, seed, labels, **OFFICIAL)
    for number in range(3):
        alone = grow(probs[number], seed[number], labels[number])
        np.testing.assert_array_equal(together[number], alone)


@pytest.mark.parametrize("shape", [(2, 4, 5), (1, 5, 4)])
def test_shapes_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 5\) do not fit a seed .* give \(B, K, h, w"):
        grow_seed(np.zeros((1, 3, 4, 5)), np.zeros(shape), np.ones((1, 2)), **OFFICIAL)
    with pytest.raises(ValueError, match=r"with image labels \(1, 3\): give"):
        grow_seed(np.zeros((1, 3, 4, 5)), np.zeros((1, 4, 5)), np.ones((1, 3)), **OFFICIAL)


# The boundary loss


def maps_of(seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 4, 5, generator=generator).double().requires_grad_()
    crf = (4 * torch.randn(2, 3, 4, 5, generator=generator)).double().softmax(1)
    inside = torch.rand(2, 4, 5, generator=generator) < 0.7
    return logits, crf, inside


@pytest.mark.parametrize("ratio_limit", [None, 20, 1.5])
def test_equals_the_definition(ratio_limit):
    logits, crf, inside = maps_of()
    probs, total = logits.detach().softmax(1), 0.0
    low, high = (0.0, math.inf) if ratio_limit is None else (1 / ratio_limit, ratio_limit)
    for image, label, row, column in np.ndindex(*crf.shape):
        q, p = float(crf[image, label, row, column]), float(probs[image, label, row, column])
        if inside[image, row, column]:
            total += q * math.log(min(max(q / p, low), high))
    given_loss = boundary_loss(logits, crf, inside, ratio_limit=ratio_limit)
    assert given_loss.item() == pytest.approx(total / int(inside.sum()), rel=1e-9)


def test_a_map_that_is_its_crf_costs_nothing_and_others_do():
    logits, crf, inside = maps_of()
    same = boundary_loss(logits, logits.softmax(1), inside, ratio_limit=None)
    assert same.item() == pytest.approx(0, abs=1e-12)
    assert boundary_loss(logits, crf, inside, ratio_limit=None) > 0


def test_gradients():
    logits, crf, inside = maps_of()
    crf.requires_grad_()
    boundary_loss(logits, crf, inside, ratio_limit=None).backward()
    expected = (logits.softmax(1) - crf) * inside[:, None] / inside.sum()
    torch.testing.assert_close(logits.grad, expected)
    assert crf.grad is None
    # Beyond the bound there is none.
    far = torch.tensor([0.0, 5.0]).view(1, 2, 1, 1).requires_grad_()
    target = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    limited = boundary_loss(far, target, torch.ones(1, 1, 1, dtype=bool), ratio_limit=20)
    limited.backward()
    assert limited.item() == pytest.approx(math.log(20))
    assert far.grad.tolist() == torch.zeros(1, 2, 1, 1).tolist()


def test_an_image_of_padding_alone_costs_nothing():
    logits, crf, inside = maps_of()
    loss = boundary_loss(logits, crf, torch.zeros_like(inside), ratio_limit=20)
    loss.backward()
    assert loss == 0 and not logits.grad.any()
