"""Toy digits, their classifier's gradients, and the high gradient ratio, by hand."""

import copy
import math

import numpy as np
import pytest
import torch

from wsss.diagnose._toy_digits import BACKGROUND, DIGIT, MARK, MARK_SIDE, toy_images
from wsss.diagnose._toy_network import ToyClassifier, layer_gradients, rib_states, train_toy
from wsss.diagnose.information_bottleneck import high_gradient_ratio, measure

OPTIONS = {
    "train_images": 60, "marked_fraction": 0.1, "epochs": 1, "num_images": 3,
    "gradient_threshold": 0.3, "gradient_scale": "largest", "iterations": 2,
    "learning_rate": 1e-3, "other_images": 2, "pooling": "gap", "score_threshold": 0.4,
    "margin": 600.0,
}  # fmt: skip


def toys(count=20, *, marked_fraction=1.0, trained=False, random_seed=0):
    return toy_images(
        count, marked_fraction=marked_fraction, trained=trained, random_seed=random_seed
    )


@pytest.fixture(scope="module")
def network():
    return train_toy(toys(60, marked_fraction=0.1, trained=True), epochs=1, random_seed=0)


# Images


def test_every_pixel_is_of_the_region_that_it_shows():
    images = toys()
    pixels, regions = images.pixels[:, 0].numpy(), images.regions
    assert (pixels[regions == MARK] == 1).all()
    assert (pixels[regions == DIGIT] > 0.25).all() and (pixels[regions == BACKGROUND] <= 0.25).all()
    assert pixels.min() >= 0 and pixels.max() <= 1
    # Circles stand by the first digit, squares, which have corners, by the second.
    sizes = [int((own == MARK).sum()) for own in regions]
    assert sizes[1::2] == [MARK_SIDE**2] * 10 and len(set(sizes[::2])) == 1
    assert sizes[0] < MARK_SIDE**2
    assert images.labels.argmax(1).tolist() == [0, 1] * 10


def test_the_share_of_marks_is_what_was_asked_for():
    assert not (toys(40, marked_fraction=0).regions == MARK).any()
    marked = (toys(400, marked_fraction=0.1).regions == MARK).any((1, 2)).mean()
    assert 0.05 < marked < 0.16


def test_images_depend_on_the_seed_alone_and_digits_are_not_shared():
    first, again = toys(), toys()
    assert torch.equal(first.pixels, again.pixels) and (first.regions == again.regions).all()
    assert torch.equal(toys(5).pixels, first.pixels[:5])
    assert not torch.equal(toys(random_seed=1).pixels, first.pixels)

    def digits(images):
        found = set()
        for pixels, regions in zip(images.pixels[:, 0].numpy(), images.regions, strict=True):
            rows, columns = np.nonzero(regions == DIGIT)
            box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
            found.add(pixels[box].tobytes())
        return found

    seen = digits(toys(300, marked_fraction=0, trained=True))
    assert len(seen) > 50 and not seen & digits(toys(300, marked_fraction=0))


# Gradients


def test_gradients_are_those_of_sums_and_of_the_own_logit(network):
    images = toys(2)
    found = layer_gradients(network, images.pixels, images.labels)
    assert [tuple(maps.shape) for maps in found] == [(2, 28, 28)] * 6
    # By differences, at a pixel of the first image; the network is linear between its kinks.
    place, step = (0, 0, 14, 14), 1e-4
    for layer, maps in enumerate(found):
        sums = []
        for sign in (1, -1):
            moved = images.pixels.double().clone()
            moved[place] += sign * step
            double = ToyClassifier().double()
            double.load_state_dict(network.state_dict())
            features = double.features(moved[:1])
            logits = double.head(features[-1]).mean((2, 3))
            own = [*(each.sum() for each in features), (logits * images.labels[:1]).sum()]
            sums.append(float(own[layer].detach()))
        slope = (sums[0] - sums[1]) / (2 * step)
        assert float(maps[0, 14, 14]) == pytest.approx(slope, rel=0.02, abs=1e-3)


def test_the_ratio_by_hand():
    gradients = np.array([[[1.0, -0.4], [0.3, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    regions = np.array([[[1, 1], [2, 2]], [[1, 1], [1, 1]]])

    def ratio(region, **changes):
        options = {"threshold": 0.3, "scale": "largest", **changes}
        return high_gradient_ratio(gradients, regions, region=region, **options)

    # All of the first image's and nothing of the second's, whose gradients are zero.
    assert ratio(1) == 0.5
    # 0.3 is not above 0.3; only the first image has the region.
    assert ratio(2) == 0.0 and ratio(2, threshold=0.29) == 0.5
    assert math.isnan(ratio(0))
    gradients *= 10
    assert ratio(1) == 0.5 and ratio(2, scale="raw") == 0.5
    with pytest.raises(ValueError, match="unknown gradient_scale 'most': choose one of largest"):
        ratio(1, scale="most")


# RIB


def test_a_step_of_rib_is_one_of_gradient_descent(network):
    images, others = toys(1), toys(6, trained=True)
    tuned = copy.deepcopy(network)
    states = rib_states(
        tuned, images.pixels, images.labels, others, iterations=2, learning_rate=0.01,
        other_images=0, pooling="gap", score_threshold=0.4, margin=600.0, random_seed=0,
    )  # fmt: skip
    assert next(states) == 0 and torch.equal(tuned.head.weight, network.head.weight)
    assert next(states) == 1
    # L_RIB is minus the own logit, whose gradient by the head is the pooled feature.
    moved = (tuned.head.weight - network.head.weight).detach()
    features = network.features(images.pixels)[-1].mean((2, 3)).detach()
    torch.testing.assert_close(moved[0, :, 0, 0], 0.01 * features[0])
    assert not moved[1].any()
    assert list(states) == [2]


def test_a_logit_above_the_margin_rests(network):
    images, others = toys(1), toys(6, trained=True)
    logit = float((network(images.pixels).mean((2, 3)) * images.labels).sum().detach())
    tuned = copy.deepcopy(network)
    list(rib_states(
        tuned, images.pixels, images.labels, others, iterations=3, learning_rate=0.1,
        other_images=0, pooling="gap", score_threshold=0.4, margin=logit - 1, random_seed=0,
    ))  # fmt: skip
    pairs = zip(tuned.parameters(), network.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


# All of it


def test_rows_are_tidy_and_the_same_every_time():
    first, second = list(measure(0, **OPTIONS)), list(measure(0, **OPTIONS))
    np.testing.assert_equal(first, second)
    assert all(row.keys() == first[0].keys() for row in first)
    ratios = [row for row in first if row["quantity"] == "ratio"]
    places = {(row["layer"], row["iteration"]) for row in ratios}
    assert places == {(layer, 0) for layer in range(1, 7)} | {(6, 1), (6, 2)}
    assert len(ratios) == 3 * len(places) and all(0 <= row["value"] <= 1 for row in ratios)
    cells = [row for row in first if row["quantity"] == "gradient"]
    assert max(abs(row["value"]) for row in cells) == 1
    other = [row["value"] for row in measure(1, **OPTIONS) if row["quantity"] == "ratio"]
    assert other != [row["value"] for row in ratios]


def test_torchs_generator_stays_where_it_was():
    before = torch.get_rng_state()
    list(measure(0, **OPTIONS))
    assert torch.equal(torch.get_rng_state(), before)
