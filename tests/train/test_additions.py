"""HFPL's losses in the trainings: what is added, that it is logged, and that it can be repeated."""

import pytest
import torch

from tests.train.small import NOTHING_ADDED, equal_tensors, small_classifier, stream_of
from tests.train.test_trainings import RECIPE, falls, wood
from wsss.losses.classification import classification_loss
from wsss.losses.fsl import feature_similarity_loss
from wsss.losses.fsl_gates import gate_predictions
from wsss.losses.isl import importance_sampling_loss
from wsss.train.additions import added_losses
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier

SAMPLING = {"loss_weight": 0.3, "num_samples": 5, "weight_offset": 1e-5}
SIMILARITY = {
    "weight": 0.5, "mu": 2.5, "sigma": 2.0, "reach": 6.0, "gate": "max_official",
    "background": "complement",
}  # fmt: skip
BOTH = {"importance_sampling": SAMPLING, "feature_similarity": SIMILARITY}


@pytest.fixture
def batch():
    draw = torch.Generator().manual_seed(0)
    score_maps = torch.randn(2, 3, 4, 6, generator=draw, dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    pixels = torch.randint(0, 256, (2, 3, 16, 24), generator=draw, dtype=torch.uint8)
    return score_maps, labels, pixels


def test_nothing_is_added_where_nothing_is_asked_for(batch):
    total, terms = added_losses(*batch, **NOTHING_ADDED)
    assert total == 0 and terms == {}


def test_importance_sampling_takes_the_place_of_its_share(batch):
    score_maps, labels, _ = batch
    torch.manual_seed(5)
    total, terms = added_losses(*batch, importance_sampling=SAMPLING, feature_similarity=None)
    sampled = importance_sampling_loss(
        score_maps, labels, posterior="binomial", num_samples=5, weight_offset=1e-5,
        generator=torch.Generator().manual_seed(5),
    )  # fmt: skip
    pooled = classification_loss(score_maps.mean((2, 3)), labels)
    assert pooled + total == pytest.approx(float(0.7 * pooled + 0.3 * sampled), rel=1e-12)
    assert terms == {"importance_sampling": sampled}


def test_feature_similarity_sees_the_image_at_the_maps_size(batch):
    score_maps, labels, pixels = batch
    total, terms = added_losses(*batch, importance_sampling=None, feature_similarity=SIMILARITY)
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
    _, rows = train(records, tmp_path, "net", **BOTH)
    assert falls(rows)
    for row in rows:
        pooled, sampled = row["classification"], row["importance_sampling"]
        total = 0.7 * pooled + 0.3 * sampled + 0.5 * row["feature_similarity"]
        assert row["loss"] == pytest.approx(total, abs=1e-5)


def test_draws_repeat_with_the_random_seed_and_matter(records, tmp_path):
    options = {"importance_sampling": SAMPLING, "epochs": 1}
    first, _ = train(records, tmp_path, "a", **options)
    again, _ = train(records, tmp_path, "b", **options)
    other, _ = train(records, tmp_path, "c", seed=1, **options)
    assert equal_tensors(first, again) and not equal_tensors(first, other)


def test_an_addition_of_weight_zero_changes_rounding_only(records, tmp_path):
    none = {"importance_sampling": SAMPLING | {"loss_weight": 0.0},
            "feature_similarity": SIMILARITY | {"weight": 0.0}}  # fmt: skip
    with_none, _ = train(records, tmp_path, "a", epochs=1, **none)
    without, _ = train(records, tmp_path, "b", epochs=1)
    for name, value in without.items():
        assert torch.allclose(with_none[name].double(), value.double(), atol=1e-4), name


def test_wood_takes_both_beside_its_own(records, tmp_path):
    _, rows = wood(records, running_checkpoint(tmp_path / "w", options=0, inputs=[]), **BOTH)
    for row in rows:
        total = row["classification"] + 0.1 * row["distance"] + row["ood"]
        total += 0.3 * (row["importance_sampling"] - row["classification"])
        total += 0.5 * row["feature_similarity"]
        assert row["loss"] == pytest.approx(total, abs=1e-4)
