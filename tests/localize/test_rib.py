import copy
import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from tests import golden
from tests.localize.official import classifier
from tests.references import rib_plain
from wsss.localize import cam, rib
from wsss.localize._fine_tuning import (
    LOSSES,
    Recipe,
    Rows,
    exploded,
    fine_tune,
    learning_rate_at,
    pair_sum,
)
from wsss.localize._halves import Halves
from wsss.localize._tuned_maps import square_view
from wsss.localize._views import inference, score_maps, view_pairs
from wsss.losses.saturating import ACTIVATIONS
from wsss.models.classifier import Classifier, build_classifier

torch.set_num_threads(1)
RECIPE = {
    "steps": 3,
    "learning_rate": 8e-6,
    "head_multiplier": 10.0,
    "momentum": 1e-4,
    "weight_decay": 1e-4,
    "schedule": "poly",
    "loss": "rib",
    "pooling": "gndp",
    "score_threshold": 0.4,
    "margin": 600.0,
    "margin_form": "official",
    "explosion_threshold": 0.3,
    "explosion_share": 1.0,
    "accumulation": "official",
}
OPTIONS = RECIPE | {
    "scales": (1.0, 0.5, 1.5, 2.0),
    "map_stride": 4,
    "alignment": "official",
    "batch_size": 16,
    "precision": "full",
    "least_learnt_scale": 1.0,
    "other_images": 3,
    "other_choice": "any",
    "other_size": 24,
    "other_memory": 100.0,
}
WATCHED = {"out_layer4_change": "layer4.2.conv3.weight"}


@dataclass
class Drawn:
    """Others in memory, drawn by a rule of the tests: the same for any batch of these images."""

    images: list[np.ndarray]
    ids: list[np.ndarray]
    draws: Any
    asked: set[bool] = field(default_factory=set)
    kept: dict[str, Any] = field(default_factory=dict)
    reads: list[int] = field(default_factory=list)

    def draw(self, position, step, count, *, disjoint):
        self.asked.add(disjoint)
        return self.draws(position, step)[:count]

    def class_ids(self, number):
        return self.ids[number]

    def read(self, numbers):
        for number in reversed(numbers):
            self.reads.append(number)
            yield number, self.images[number]


def golden_recipe(case, **changes):
    hyper = case.json["hyper"]
    assert hyper["effective_momentum"] == RECIPE["momentum"]
    return RECIPE | {
        "steps": hyper["RIB_iter"],
        "learning_rate": hyper["RIB_lr"],
        "weight_decay": hyper["weight_decay"],
        "pooling": hyper["pooling"],
        "score_threshold": hyper["score_th"],
        "margin": hyper["stop_th"],
        "explosion_threshold": hyper["explode_th"],
        **changes,
    }


def golden_others(case):
    images, labels = case["in_extra_images"], case["in_extra_labels"]
    return Drawn(list(images), [np.flatnonzero(row) for row in labels], lambda *_: [0, 1, 2, 3])


def golden_steps(case, model, recipe):
    """Take the steps of a golden case; return them, and what the weights have become."""
    halves = Halves(model, precision="full")
    labels = torch.zeros(20, dtype=halves.dtype)
    labels[case["out_keys"]] = 1
    own = []
    for scale in case.json["hyper"]["scales"]:
        views = view_pairs(model, case["in_image"][None], scale)[0]
        own.append(Rows(halves.resting_features(views), labels.expand(2, -1), 2, scale >= 1))
    extra = torch.from_numpy(case["in_extra_images"].transpose(0, 3, 1, 2).copy())
    extra_labels = torch.from_numpy(case["in_extra_labels"]).to(halves.dtype)
    others = Rows(halves.resting_features(model.normalize(extra)), extra_labels, 3, True)
    with inference(model):
        taken = list(fine_tune(halves, own, lambda step: others, Recipe(**recipe)))
    return taken, halves


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rib_gap_a", "rib_gndp_a"])
def test_official_steps_in_float64(name):
    case = golden.load(name)
    model = classifier(name).double()
    scales = case.json["hyper"]["scales"]
    # The paper's form shows the weights after the official run's last move.
    taken, halves = golden_steps(case, model, golden_recipe(case, accumulation="paper"))
    steps = taken[:-1]
    assert len(steps) == case.json["hyper"]["steps_run"]
    loss = [[float(s.loss), float(s.own_score)] for s in steps]
    golden.assert_close(case, "out_loss", np.array(loss), float64=True)
    pooled = torch.stack([s.pooled for s in steps])
    golden.assert_close(case, "out_pooled", pooled.numpy(), float64=True)
    for number, scale in enumerate(scales):
        maps = torch.stack([pair_sum(s.maps[number]) for s in steps])
        golden.assert_close(case, f"out_sum_first_s{scale:g}", maps[0].numpy(), float64=True)
        golden.assert_close(case, f"out_sum_last_s{scale:g}", maps.sum(0).numpy(), float64=True)
    change = (halves.head.weight.detach() - model.head.weight.detach())[case["out_keys"], :, 0, 0]
    golden.assert_close(case, "out_classifier_change", change.numpy(), float64=True)
    before = model.backbone.layer4[2].conv3.weight.detach()
    (after,) = [
        p.detach() for p in halves.backbone
        if p.shape == before.shape and (p - before).abs().max() < 1e-3
    ]  # fmt: skip
    # The official change is that of weights stored in float32.
    change = (after.float() - before.float())[:32, :32, 0, 0]
    golden.assert_close(case, "out_layer4_change", change.numpy(), float64=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rib_gap_a", "rib_gndp_a"])
def test_official_maps_through_localize(name):
    case = golden.load(name)
    model = classifier(name).double()
    hyper = case.json["hyper"]
    options = OPTIONS | golden_recipe(case) | {"scales": hyper["scales"]}
    options |= {"other_images": 4, "other_size": 64}
    arguments = (model, case["in_image"][None], [case["out_keys"]], golden_others(case))
    (maps,) = rib.localize(*arguments, **options)
    golden.assert_close(case, "out_cam", maps, float64=True)
    (maps,) = rib.localize(*arguments, **(options | {"map_stride": 1}))
    golden.assert_close(case, "out_high_res", maps, float64=True)


@pytest.mark.parametrize("name", ["rib_gap_a", "rib_gndp_a"])
def test_official_first_step_in_float32(name):
    case = golden.load(name)
    model = classifier(name).float()
    # Two states: the first moves, the second is only looked at.
    (first, _), _ = golden_steps(case, model, golden_recipe(case, steps=2))
    atol = {output: case.json["outputs"][output]["atol"] for output in ("out_loss", "out_pooled")}
    loss = np.array([float(first.loss), float(first.own_score)])
    np.testing.assert_allclose(loss, case["out_loss"][0], rtol=1e-4, atol=atol["out_loss"])
    pooled = first.pooled.numpy()
    np.testing.assert_allclose(pooled, case["out_pooled"][0], rtol=1e-4, atol=atol["out_pooled"])
    for number, scale in enumerate(case.json["hyper"]["scales"]):
        maps = pair_sum(first.maps[number]).numpy()
        golden.assert_close(case, f"out_sum_first_s{scale:g}", maps)


@pytest.mark.very_slow
@pytest.mark.parametrize("name", ["rib_gap_a", "rib_gndp_a"])
def test_the_plain_version_gives_the_official_maps(name):
    case = golden.load(name)
    others = [(case["in_extra_images"], case["in_extra_labels"])] * case.json["hyper"]["RIB_iter"]
    maps = rib_plain.rib_maps(
        classifier(name).double(), case["in_image"], list(case["out_keys"]), others,
        scales=case.json["hyper"]["scales"], least_learnt_scale=1.0, **golden_recipe(case),
    )  # fmt: skip
    golden.assert_close(case, "out_cam", maps, float64=True)


# The plain version


def small_batch(count: int = 3, height: int = 40, width: int = 56) -> np.ndarray:
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (count, -(-height // 8), -(-width // 8), 3))
    fine = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return np.clip(fine + generator.integers(-20, 20, fine.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def compact() -> Classifier:
    torch.manual_seed(0)
    model = build_classifier("compact", num_classes=4)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
    return model.double().eval()


OTHER_IDS = [[0], [1, 2], [3], [], [0, 3], [2]]


def small_others(owns=(0, 1, 2)):
    """Six others of different sizes; what is drawn depends on the image's own number."""
    images = [small_batch(1, *size)[0] for size in ((24, 24), (40, 28), (30, 64), (24, 25))]
    images += [255 - images[0], 255 - images[1]]

    def draws(position, step):
        generator = np.random.default_rng([owns[position], step])
        return generator.permutation(6).tolist()

    return Drawn(images, [np.array(ids, np.int64) for ids in OTHER_IDS], draws)


def plain_others(others, position, *, steps, count, size):
    found = []
    for step in range(steps):
        numbers = others.draw(position, step, count, disjoint=False)
        labels = np.zeros((len(numbers), 4))
        for row, number in zip(labels, numbers, strict=True):
            row[others.class_ids(number)] = 1
        views = [square_view(others.images[number], size) for number in numbers]
        found.append((np.array(views), labels))
    return found


PLAIN_CASES = {
    "official": {},
    "gap": {"pooling": "gap"},
    "paper": {
        "pooling": "gndrp", "margin_form": "paper", "margin": 0.2, "schedule": "constant",
        "accumulation": "paper",
    },
    "fast": {"learning_rate": 1e-3, "margin": 1e6},
    "momentum": {"momentum": 0.9, "weight_decay": 0.01, "learning_rate": 1e-4},
    "margin": {"margin": 1.5, "learning_rate": 3e-4, "steps": 6},
    "explosion": {"explosion_share": 0.85, "learning_rate": 3e-4, "steps": 6},
    "explosion, paper": {
        "explosion_share": 0.7, "learning_rate": 3e-4, "steps": 6, "accumulation": "paper",
    },
    "never": {"learning_rate": 3e-4, "steps": 6},
    "two scales": {"scales": (0.5, 1.0)},
    "alone": {"other_images": 0},
    "all others": {"other_images": 20},
    "sigmoid": {"loss": "sigmoid", "learning_rate": 1e-3},
    "tanh": {"loss": "tanh", "learning_rate": 1e-3, "pooling": "gap"},
    "softsign": {
        "loss": "softsign", "learning_rate": 1e-3, "pooling": "gndrp", "margin_form": "paper",
        "margin": 0.2,
    },
    "softsign, margin": {"loss": "softsign", "learning_rate": 1e-3, "margin": 0.7, "steps": 6},
}  # fmt: skip


@pytest.mark.parametrize("case", PLAIN_CASES)
def test_equals_the_plain_version(compact, case):
    image, options = small_batch(1, 33, 47), OPTIONS | {"learning_rate": 1e-4} | PLAIN_CASES[case]
    others = small_others()
    given = plain_others(others, 0, steps=options["steps"], count=options["other_images"], size=24)
    kept = {key: options[key] for key in (*RECIPE, "scales", "least_learnt_scale")}
    expected = rib_plain.rib_maps(compact, image[0], [1, 3], given, **kept)
    # Small passes, and memory for some of the others.
    options |= {"batch_size": 2, "other_memory": 0.03}
    (maps,) = rib.localize(compact, image, [np.array([1, 3])], others, **options)
    np.testing.assert_allclose(maps, expected, atol=3e-7)


def test_the_cases_of_the_plain_version_are_different(compact):
    """Each case above goes another way, and none is the class activation map."""
    image, found = small_batch(1, 33, 47), {}
    for case, changes in PLAIN_CASES.items():
        options = OPTIONS | {"learning_rate": 1e-4} | changes
        (found[case],) = rib.localize(compact, image, [[1, 3]], small_others(), **options)
    shared = {k: OPTIONS[k] for k in ("map_stride", "alignment", "batch_size", "precision")}
    for name, scales in (("all", OPTIONS["scales"]), ("large", (1.0,))):
        (found[name],) = cam.localize(compact, image, [[1, 3]], scales=scales, **shared)
    for one, other in itertools.combinations(found, 2):
        assert np.abs(found[one] - found[other]).max() > 1e-5, (one, other)


# Steps


def steps_of(model, *, image=None, others=None, class_ids=(1, 3), scales=(1.0,), **changes):
    halves = Halves(model, precision="full")
    labels = torch.zeros(model.head.out_channels, dtype=halves.dtype)
    labels[list(class_ids)] = 1
    image = small_batch(1) if image is None else image
    own = []
    for scale in scales:
        views = view_pairs(model, image, scale)[0]
        own.append(Rows(halves.resting_features(views), labels.expand(2, -1), 2, scale >= 1))
    with inference(model):
        return list(fine_tune(halves, own, others or (lambda _: None), Recipe(**RECIPE | changes)))


@pytest.mark.parametrize("loss", LOSSES)
def test_learning_raises_the_own_score(compact, loss):
    for pooling in ("gap", "gndp", "gndrp"):
        taken = steps_of(compact, loss=loss, pooling=pooling, learning_rate=1e-5, steps=6)
        scores = [float(step.own_score) for step in taken]
        assert scores[-1] > scores[0]


def test_saturated_scores_no_longer_learn(compact):
    """The more gently an activation saturates, the further the weights still move."""
    model, options = copy.deepcopy(compact), {"pooling": "gap", "weight_decay": 0.0}
    moved = {}
    # Features are rectified, so scores have the signs of the head's weights.
    with torch.no_grad():
        model.head.weight.abs_().mul_(torch.tensor([-1, 1, -1, 1.0])[:, None, None, None])
        (first, *_) = steps_of(model, **options)
        model.head.weight.mul_(15 / first.pooled.abs().min())
    for loss in LOSSES:
        first, *_, last = steps_of(model, loss=loss, learning_rate=1e-9, **options)
        assert first.pooled.abs().min() > 14.9
        moved[loss] = float((last.pooled - first.pooled).abs().max())
    assert moved["tanh"] < 1e-4 * moved["sigmoid"]
    assert moved["sigmoid"] < 1e-3 * moved["softsign"]
    assert 0 < moved["softsign"] < 1e-2 * moved["rib"]


def test_the_first_step_is_the_classifiers_own(compact):
    (first, *_) = steps_of(compact, learning_rate=1e-3)
    (again, *_) = steps_of(compact, learning_rate=1e-3)
    expected = score_maps(compact, view_pairs(compact, small_batch(1), 1.0)[0], precision="full")
    np.testing.assert_allclose(first.maps[0], expected.detach().relu(), atol=1e-12)
    assert torch.equal(first.maps[0], again.maps[0])


def test_how_many_states_are_looked_at(compact):
    assert len(steps_of(compact, steps=4)) == 4
    assert len(steps_of(compact, steps=4, accumulation="paper")) == 5
    assert len(steps_of(compact, steps=1)) == 1


def test_the_last_state_is_only_looked_at(compact):
    asked = []
    steps_of(compact, steps=4, others=asked.append)
    assert asked == [0, 1, 2]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_margin_ends_the_official_fine_tuning_after_a_step(compact, loss):
    options = {"steps": 6, "learning_rate": 3e-5, "loss": loss}
    free = steps_of(compact, **options)
    own = [abs(float(step.own_score)) for step in free]
    assert max(own[:3]) == own[2] < own[3]
    options["margin"] = (own[2] + own[3]) / 2
    ended = steps_of(compact, **options)
    assert [float(step.own_score) for step in ended] == [float(s.own_score) for s in free[:4]]
    assert len(steps_of(compact, **options, margin_form="paper")) == 6
    assert len(steps_of(compact, **(options | {"margin": 0.0}))) == 1


def test_nothing_is_learnt_of_classes_above_the_margin_of_the_paper(compact):
    options = {"margin_form": "paper", "weight_decay": 0.0, "learning_rate": 1e-3}
    first, *_, last = steps_of(compact, margin=-1e6, **options)
    assert torch.equal(first.maps[0], last.maps[0])
    first, *_, last = steps_of(compact, margin=1e6, **options)
    assert not torch.equal(first.maps[0], last.maps[0])


@pytest.mark.parametrize("loss", ACTIVATIONS)
def test_the_margin_of_the_paper_is_that_of_its_own_loss(compact, loss):
    low, high = (
        steps_of(compact, loss=loss, margin_form="paper", margin=margin, learning_rate=1e-3)
        for margin in (-1e6, 1e6)
    )
    assert torch.equal(low[-1].maps[0], high[-1].maps[0])
    assert not torch.equal(low[-1].maps[0], low[0].maps[0])


def test_maps_that_explode_end_the_fine_tuning_within_a_step(compact):
    options = {"scales": (1.0, 0.5), "steps": 6, "learning_rate": 1e-4, "class_ids": (1,)}
    free = steps_of(compact, **options)
    assert len(free) == 6 and all(len(step.maps) == 2 for step in free)
    maps = [pair_sum(step.maps[0])[[1]] for step in free]
    shares = [float((m / (m.max() + 1e-5) > 0.3).double().mean()) for m in maps]
    ended = steps_of(compact, **options, explosion_share=0.0)
    # Never in the first step, though its map is as high.
    assert shares[0] > 0 and shares[1] > 0 and len(ended) == 2
    assert [len(step.maps) for step in ended] == [2, 1]
    summed_scales = rib.summed_maps(ended, np.array([1]))
    assert torch.equal(summed_scales[0][0], (ended[0].maps[0] + ended[1].maps[0])[:, 1])
    assert torch.equal(summed_scales[1][0], ended[0].maps[1][:, 1])
    assert len(steps_of(compact, **options, explosion_share=0.0, explosion_threshold=1.0)) == 6


def test_the_step_looked_at_alone_explodes(compact):
    """The map of a step counts, not the sum of those so far."""
    options = {"steps": 6, "learning_rate": 3e-4, "class_ids": (1,)}
    maps = [pair_sum(step.maps[0])[1] for step in steps_of(compact, **options)]
    shares = [float((m / (m.max() + 1e-5) > 0.3).double().mean()) for m in maps]
    sums = [float((m / m.max() > 0.3).double().mean()) for m in torch.stack(maps).cumsum(0)]
    assert shares[1:] == sorted(shares[1:]) and shares[2] < shares[3] and sums[3] < shares[3]
    share = max(shares[2], sums[3])
    assert len(steps_of(compact, **options, explosion_share=share)) == 4


def test_explosion_by_hand():
    maps = torch.tensor([[[10.0, 4.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
    assert exploded(maps[:1], 0.3, 0.49) and not exploded(maps[:1], 0.3, 0.5)
    # A position is high where one class of the image is.
    assert exploded(maps, 0.3, 0.74) and not exploded(maps, 0.3, 0.75)
    assert exploded(maps, 0.15, 0.99) and not exploded(maps, 0.0, 1.0)
    assert not exploded(torch.zeros(1, 2, 2), 0.0, 0.0)


def test_learning_rates_by_hand():
    recipe = Recipe(**RECIPE | {"steps": 4})
    expected = [8e-6, 6.175116053788563e-06, 4.2870938501451725e-06, 2.2973967099940694e-06]
    assert [learning_rate_at(step, recipe) for step in range(4)] == pytest.approx(expected)
    assert learning_rate_at(3, recipe._replace(schedule="constant")) == 8e-6


# Batches, others, and what is given back


def test_neither_batch_nor_memory_changes_anything(compact):
    images = small_batch()
    ids = [np.array([2]), np.array([], np.int64), np.array([0, 3])]
    options = OPTIONS | {"learning_rate": 1e-4}
    together = rib.localize(compact, images, ids, small_others(), **options)
    assert [m.shape for m in together] == [(1, 10, 14), (0, 10, 14), (2, 10, 14)]
    assert all(m.dtype == np.float32 for m in together)
    order = [2, 0, 1]
    others = small_others(owns=order)
    for changes in ({}, {"other_memory": 0.0}, {"batch_size": 1}):
        shuffled = rib.localize(
            compact, images[order], [ids[i] for i in order], others, **(options | changes)
        )
        for position, number in enumerate(order):
            np.testing.assert_allclose(shuffled[position], together[number], atol=1e-6)


def test_an_other_image_is_read_once_where_memory_lasts(compact):
    others, ids = small_others(), [np.array([2]), np.array([1]), np.array([0, 3])]
    options = OPTIONS | {"steps": 4, "other_images": 4}
    rib.localize(compact, small_batch(), ids, others, **options)
    assert len(others.reads) == len(set(others.reads)) > 4
    one = others.kept["rib"][others.reads[0]]
    assert one.shape == (32, 6, 6)
    few = small_others()
    rib.localize(
        compact, small_batch(), ids, few, **(options | {"other_memory": 2.5e-6 * one.nbytes})
    )
    assert len(few.kept["rib"]) == 2 and len(few.reads) > len(others.reads)


@pytest.mark.parametrize(("choice", "disjoint"), [("disjoint", True), ("any", False)])
def test_which_others_are_asked_for(compact, choice, disjoint):
    others = small_others()
    rib.localize(compact, small_batch(1), [[1]], others, **(OPTIONS | {"other_choice": choice}))
    assert others.asked == {disjoint}


def test_the_model_comes_back_as_it_was():
    model = build_classifier("compact", num_classes=4).train()
    model.backbone.conv1.weight.requires_grad_(False)
    model.head.weight.grad = torch.ones_like(model.head.weight)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    rib.localize(
        model, small_batch(1), [np.array([0])], small_others(), **(OPTIONS | {"learning_rate": 0.1})
    )
    assert model.training and not model.backbone.conv1.weight.requires_grad
    assert all(p.requires_grad for p in list(model.parameters())[1:])
    assert (model.head.weight.grad == 1).all()
    assert all(p.grad is None for p in model.backbone.parameters())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_a_mirrored_image_has_mirrored_maps(compact, alignment):
    image = small_batch(1, 40, 57)
    options = OPTIONS | {"alignment": alignment, "scales": (1.0,), "learning_rate": 1e-4}
    (maps,) = rib.localize(compact, image, [[1]], small_others(), **options)
    (mirrored,) = rib.localize(compact, image[:, :, ::-1], [[1]], small_others(), **options)
    np.testing.assert_allclose(maps, mirrored[:, :, ::-1], atol=1e-6)


def test_without_learning_the_maps_are_those_of_cam(compact):
    options = OPTIONS | {"steps": 1}
    (maps,) = rib.localize(compact, small_batch(1), [[0, 1]], small_others(), **options)
    shared = {k: OPTIONS[k] for k in ("scales", "map_stride", "alignment", "batch_size")}
    (expected,) = cam.localize(compact, small_batch(1), [[0, 1]], precision="full", **shared)
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_bfloat16_is_close():
    torch.manual_seed(0)
    model = build_classifier("compact", num_classes=4)
    full, half = (
        rib.localize(
            model, small_batch(1), [[0, 1]], small_others(), **(OPTIONS | {"precision": p})
        )
        for p in ("full", "bfloat16")
    )
    np.testing.assert_allclose(half[0], full[0], atol=0.05)


def test_the_largest_scale_always_learns(compact):
    options = OPTIONS | {"scales": (0.5, 0.75), "learning_rate": 1e-3}
    (last, lower, plain) = (
        rib.localize(compact, small_batch(1), [[1]], small_others(), **(options | changes))[0]
        for changes in ({}, {"least_learnt_scale": 0.75}, {"learning_rate": 0.0})
    )
    assert np.array_equal(last, lower) and np.abs(last - plain).max() > 1e-3


def test_the_square_view_by_hand():
    image = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(3, 5, 3)
    assert np.array_equal(square_view(image, 3), image[:, 1:4])
    assert np.array_equal(
        square_view(image.transpose(1, 0, 2), 3), image[:, 1:4].transpose(1, 0, 2)
    )
    assert square_view(image, 7).shape == (7, 7, 3)
    assert square_view(image[:1, :1], 4).tolist() == [[[0, 1, 2]] * 4] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "other"}, r"unknown schedule 'other': choose one of poly, constant"),
        ({"loss": "other"}, r"unknown loss 'other': choose one of rib, sigmoid, tanh, softsign"),
        ({"pooling": "other"}, r"unknown pooling 'other': choose one of gap, gndp, gndrp"),
        ({"margin_form": "other"}, r"unknown margin_form 'other': choose one of official, paper"),
        ({"accumulation": "other"}, r"unknown accumulation 'other': choose one of official, paper"),
        ({"other_choice": "other"}, r"unknown other_choice 'other': choose one of disjoint, any"),
        ({"alignment": "other"}, r"unknown alignment 'other'"),
        ({"precision": "other"}, r"unknown precision 'other'"),
        (
            {"learning_rate": 1e200, "margin": np.inf},
            r"the fine-tuning of image 1 of the batch ended in maps that are not finite: lower",
        ),
    ],
)
def test_what_does_not_fit_is_refused(compact, changes, message):
    ids = [np.array([], np.int64), np.array([1])]
    with pytest.raises(ValueError, match=message):
        rib.localize(compact, small_batch(2), ids, small_others(), **(OPTIONS | changes))


def test_images_that_do_not_fit_are_refused(compact):
    with pytest.raises(ValueError, match=r"classifier knows 0\.\.3"):
        rib.localize(compact, small_batch(1), [[4]], small_others(), **OPTIONS)


def test_no_option_is_left_out_or_made_up():
    recipe, looks = rib.parts_of(OPTIONS)
    assert recipe._asdict() | looks._asdict() == OPTIONS
    for name in OPTIONS:
        with pytest.raises((KeyError, TypeError), match=name):
            rib.parts_of({key: value for key, value in OPTIONS.items() if key != name})
    with pytest.raises(TypeError, match="stepps"):
        rib.parts_of(OPTIONS | {"stepps": 3})
