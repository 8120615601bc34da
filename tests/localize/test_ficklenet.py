"""FickleNet's localizer: maps of windows one by one, aggregated, with draws of the image's own."""

import numpy as np
import pytest
import torch

from tests.config.test_extremes import ends, schema_of
from tests.localize.test_cam import small_batch
from tests.references.ficklenet_plain import gradient_map, kept_in_windows, scores_by_window
from wsss.localize import advcam, ficklenet
from wsss.localize._views import view_pairs
from wsss.models.classifier import build_classifier as build_plain_classifier
from wsss.models.ficklenet import build_classifier, draw_choice

torch.set_num_threads(1)
OPTIONS = {
    "scales": (1.0, 0.5),
    "map_stride": 4,
    "alignment": "centres",
    "batch_size": 16,
    "precision": "full",
    "passes": 4,
    "aggregation": "maximum",
}
SIDE, RATE = 3, 0.6


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_classifier("compact", num_classes=4, kernel_size=SIDE, dropout_rate=RATE).eval()


def plain_maps(model, view, class_id, generator, passes):
    """The map of every pass (passes, h, w), from windows one by one."""
    with torch.no_grad():
        features = model.features(view[None])[0].double()
    size = tuple(features.shape[1:])
    weight = model.head.weight[class_id : class_id + 1].detach().double()
    drawn = draw_choice(
        passes, size, kernel_size=SIDE, dropout_rate=RATE, generator=generator
    ).double()
    maps = [
        gradient_map(scores_by_window, features, weight, kept_in_windows(choice, size, SIDE))
        for choice in drawn
    ]
    return torch.stack(maps)


@pytest.mark.parametrize("aggregation", ["maximum", "mean"])
def test_maps_are_aggregated_from_windows_one_by_one(model, aggregation):
    image = small_batch(1, 32, 40)
    # At the stride and the size of the features nothing is resampled.
    options = OPTIONS | {"scales": (1.0,), "map_stride": 8, "aggregation": aggregation}
    options["alignment"] = "official"
    (found,) = ficklenet.localize(model, image, [np.array([2, 0])], [7], **options)
    expected = []
    for class_id in (2, 0):
        generator = torch.Generator().manual_seed(7)
        views = []
        for view in view_pairs(model, image, 1.0)[0]:
            maps = plain_maps(model, view, class_id, generator, 4)
            maps = maps / maps.amax((1, 2), keepdim=True)
            views.append(maps.amax(0) if aggregation == "maximum" else maps.mean(0))
        total = views[0] + views[1].flip(-1)
        expected.append(total / total.max())
    np.testing.assert_allclose(found, torch.stack(expected), atol=1e-3)


def test_a_position_of_the_maximum_is_above_a_threshold_if_it_is_in_any_pass(model):
    features = torch.randn(128, 4, 5, generator=torch.Generator().manual_seed(0))
    common = {"passes": 5, "aggregation": "maximum"}
    with torch.no_grad():
        together = ficklenet.chosen_maps(
            model, features, torch.tensor([1]), generator=torch.Generator().manual_seed(3), **common
        )
        generator = torch.Generator().manual_seed(3)
        alone = [
            ficklenet.chosen_maps(
                model, features, torch.tensor([1]), generator=generator, **common | {"passes": 1}
            )
            for _ in range(5)
        ]
    in_any = torch.stack([one > 0.35 for one in alone]).any(0)
    assert torch.equal(together > 0.35, in_any)
    assert 0 < in_any.sum() < in_any.numel()


def test_passes_at_once_change_nothing(model, monkeypatch):
    (together,) = ficklenet.localize(model, small_batch(1), [np.array([1])], [5], **OPTIONS)
    monkeypatch.setattr(ficklenet, "WEIGHTS_PER_PASS", 1)
    (one_by_one,) = ficklenet.localize(model, small_batch(1), [np.array([1])], [5], **OPTIONS)
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)


@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_draws_are_an_images_own(model, alignment):
    images, options = small_batch(), OPTIONS | {"alignment": alignment}
    ids = [np.array([2]), np.array([], np.int64), np.array([0, 3])]
    together = ficklenet.localize(model, images, ids, [1, 2, 3], **options)
    assert [m.shape for m in together] == [(1, 10, 14), (0, 10, 14), (2, 10, 14)]
    for image, own, seed, maps in zip(images, ids, [1, 2, 3], together, strict=True):
        alone = options | {"batch_size": 1}
        (found,) = ficklenet.localize(model, image[None], [own], [seed], **alone)
        np.testing.assert_allclose(maps, found, atol=1e-5)
        if len(own):
            assert maps.dtype == np.float32 and maps.min() >= 0
            np.testing.assert_allclose(maps.max((1, 2)), 1, atol=1e-3)
    (other,) = ficklenet.localize(model, images[:1], ids[:1], [4], **options)
    assert np.abs(other - together[0]).max() > 0.01


def test_classes_of_an_image_share_its_draws(model):
    """As in the paper, where one random selection gives the scores of all classes."""
    both, one = (
        ficklenet.localize(model, small_batch(1), [np.array(ids)], [1], **OPTIONS)[0]
        for ids in ([3, 1], [1])
    )
    np.testing.assert_allclose(both[1:], one, atol=1e-6)


def test_a_batch_without_classes_is_empty_maps(model):
    none = [np.array([], np.int64)] * 2
    maps = ficklenet.localize(model, small_batch(2, 41, 57), none, [0, 1], **OPTIONS)
    assert [m.shape for m in maps] == [(0, 11, 15)] * 2


def test_the_model_comes_back_as_it_was(model):
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = torch.get_rng_state()
    ficklenet.localize(model, small_batch(1), [np.array([0])], [0], **OPTIONS)
    assert model.training and model.head.weight.requires_grad
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    model.eval()


def test_bfloat16_is_close(model):
    full, half = (
        ficklenet.localize(
            model, small_batch(1), [np.array([0, 1])], [0], **(OPTIONS | {"precision": precision})
        )[0]
        for precision in ("full", "bfloat16")
    )
    np.testing.assert_allclose(half, full, atol=0.05)


@pytest.mark.parametrize(
    ("seeds", "class_ids", "change", "message"),
    [
        ([0], [[0]], {"aggregation": "sum"}, "unknown aggregation 'sum'"),
        ([0], [[0]], {"precision": "half"}, "unknown precision 'half'"),
        ([0], [[0]], {"alignment": "none"}, "unknown alignment 'none'"),
        ([0, 1], [[0]], {}, "1 images came with the seeds of 2 images"),
        ([0], [[4]], {}, r"classifier knows 0\.\.3"),
    ],
)
def test_what_does_not_fit_is_refused(model, seeds, class_ids, change, message):
    with pytest.raises(ValueError, match=message):
        ficklenet.localize(model, small_batch(1), class_ids, seeds, **(OPTIONS | change))


def test_other_networks_are_refused(model):
    plain = build_plain_classifier("compact", num_classes=4)
    with pytest.raises(ValueError, match="need a classifier with windows, trained by FickleNet"):
        ficklenet.localize(plain, small_batch(1), [[0]], [0], **OPTIONS)
    options = {k: s["default"] for k, s in schema_of("localize.advcam").items()}
    del options["background_threshold"]
    with pytest.raises(ValueError, match="but this classifier scores windows: take another"):
        advcam.localize(model, small_batch(1), [[0]], **options)


ENDS = [
    pytest.param(key, value, id=f"{key}={value}")
    for key, schema in schema_of("localize.ficklenet").items()
    if key not in ("background_threshold", "batch_size", "passes")
    for value in ends(schema)
]


@pytest.mark.parametrize(("key", "value"), ENDS)
def test_the_ends_of_an_option_give_finite_maps(key, value):
    torch.manual_seed(0)
    model = build_classifier("compact", num_classes=2, kernel_size=9, dropout_rate=0.9)
    schema = schema_of("localize.ficklenet")
    options = {k: s["default"] for k, s in schema.items() if k != "background_threshold"}
    options |= {"batch_size": 4, "passes": 3, key: value}
    ids = [np.array([0]), np.array([0, 1])]
    for maps in ficklenet.localize(model, small_batch(2, 33, 40), ids, [0, 1], **options):
        assert maps.size and np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1


@pytest.mark.parametrize("rate", [0.0, 1 - 2**-53])
@pytest.mark.parametrize("side", [1, 31])
def test_the_ends_of_the_network_give_finite_maps(rate, side):
    torch.manual_seed(0)
    model = build_classifier("compact", num_classes=2, kernel_size=side, dropout_rate=rate)
    (maps,) = ficklenet.localize(model, small_batch(1), [np.array([0, 1])], [0], **OPTIONS)
    assert np.isfinite(maps).all() and maps.max() <= 1
