"""HFPL's losses in the trainings: what is added, that it is logged, and that it can be repeated."""

import pytest
import torch

from tests.train.small import CLASSES, equal_tensors, small_classifier, stream_of
from tests.train.test_trainings import RECIPE, falls, wood
from wsss.losses.classification import classification_loss
from wsss.losses.fsl import feature_similarity_loss
from wsss.losses.fsl_gates import gate_predictions
from wsss.losses.isl import importance_sampling_loss
from wsss.train.additions import added_similarity, mixed_classification
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.objectives.step import load_objective

SAMPLING = {
    "loss_weight": 0.3, "posterior": "binomial", "num_samples": 5, "weight_offset": 1e-5
}  # fmt: skip
SIMILARITY = {
    "weight": 0.5, "mu": 2.5, "sigma": 2.0, "reach": 6.0, "gate": "max_official",
    "background": "complement",
}  # fmt: skip


def objective(sampling=None, similarity=None):
    """Plain classification with these additions."""
    return load_objective(
        "plain", {}, classes=CLASSES, importance_sampling=sampling, feature_similarity=similarity
    )


BOTH = objective(SAMPLING, SIMILARITY)


@pytest.fixture
def batch():
    draw = torch.Generator().manual_seed(0)
    score_maps = torch.randn(2, 3, 4, 6, generator=draw, dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    pixels = torch.randint(0, 256, (2, 3, 16, 24), generator=draw, dtype=torch.uint8)
    return score_maps, labels, pixels


def mixed(batch, options, *, background=None):
    score_maps, labels, _ = batch
    pooled = classification_loss(score_maps.mean((2, 3)), labels)
    return pooled, *mixed_classification(
        pooled, score_maps, labels, background=background, options=options
    )


def test_nothing_is_added_where_nothing_is_asked_for(batch):
    pooled, found, terms = mixed(batch, None)
    assert found is pooled and terms == {}
    assert added_similarity(*batch, options=None) == (0, {})


@pytest.mark.parametrize("posterior", ["binomial", "multinomial"])
def test_importance_sampling_takes_the_place_of_its_share(batch, posterior):
    score_maps, labels, _ = batch
    background = torch.randn(2, 1, 4, 6, dtype=torch.float64)
    torch.manual_seed(5)
    options = SAMPLING | {"posterior": posterior}
    pooled, found, terms = mixed(batch, options, background=background)
    maps = torch.cat([background, score_maps], 1) if posterior == "multinomial" else score_maps
    sampled = importance_sampling_loss(
        maps, labels, posterior=posterior, num_samples=5, weight_offset=1e-5,
        generator=torch.Generator().manual_seed(5),
    )  # fmt: skip
    assert found == pytest.approx(float(0.7 * pooled + 0.3 * sampled), rel=1e-12)
    assert terms == {"importance_sampling": sampled}


def test_multinomial_posteriors_need_a_background_output(batch):
    with pytest.raises(ValueError, match="needs a classifier with a background output"):
        mixed(batch, SAMPLING | {"posterior": "multinomial"})


def test_feature_similarity_sees_the_image_at_the_maps_size(batch):
    score_maps, labels, pixels = batch
    total, terms = added_similarity(*batch, options=SIMILARITY)
    images = torch.nn.functional.interpolate(
        pixels.double() / 255, (4, 6), mode="bilinear", align_corners=True
    )
    predictions = gate_predictions(score_maps, labels, gate="max_official", background="complement")
    expected = feature_similarity_loss(predictions, images, mu=2.5, sigma=2.0, reach=6.0)
    assert total == pytest.approx(0.5 * float(expected), rel=1e-12)
    assert terms["feature_similarity"] == expected and not terms["feature_similarity"].requires_grad


def train(records, tmp_path, name, seed=0, **changes):
    classifier = small_classifier()
    torch.manual_seed(seed)
    checkpoint = running_checkpoint(tmp_path / name, options=0, inputs=[])
    rows = train_classifier(
        classifier, stream_of(records), **{**RECIPE, **changes}, checkpoint=checkpoint
    )
    return classifier.state_dict(), rows


def test_a_classifier_learns_with_both_and_logs_them(records, tmp_path):
    _, rows = train(records, tmp_path, "net", objective=BOTH)
    assert falls(rows)
    for row in rows:
        pooled, sampled = row["classification"], row["importance_sampling"]
        total = 0.7 * pooled + 0.3 * sampled + 0.5 * row["feature_similarity"]
        assert row["loss"] == pytest.approx(total, abs=1e-5)


def test_draws_repeat_with_the_random_seed_and_matter(records, tmp_path):
    options = {"objective": objective(SAMPLING), "epochs": 1}
    first, _ = train(records, tmp_path, "a", **options)
    again, _ = train(records, tmp_path, "b", **options)
    other, _ = train(records, tmp_path, "c", seed=1, **options)
    assert equal_tensors(first, again) and not equal_tensors(first, other)


def test_an_addition_of_weight_zero_changes_rounding_only(records, tmp_path):
    none = objective(SAMPLING | {"loss_weight": 0.0}, SIMILARITY | {"weight": 0.0})
    with_none, _ = train(records, tmp_path, "a", epochs=1, objective=none)
    without, _ = train(records, tmp_path, "b", epochs=1)
    for name, value in without.items():
        assert torch.allclose(with_none[name].double(), value.double(), atol=1e-4), name


def test_wood_takes_both_beside_its_own(records, tmp_path):
    _, rows = wood(
        records, running_checkpoint(tmp_path / "w", options=0, inputs=[]), objective=BOTH
    )
    for row in rows:
        total = row["classification"] + 0.1 * row["distance"] + row["ood"]
        total += 0.3 * (row["importance_sampling"] - row["classification"])
        total += 0.5 * row["feature_similarity"]
        assert row["loss"] == pytest.approx(total, abs=1e-4)
