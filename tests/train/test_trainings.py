"""Each training on a few small images: it learns, logs its terms, and spares what is frozen."""

import numpy as np
import pytest
import torch

from tests.train.small import (
    CLASSES,
    COMPUTING,
    PLAIN,
    equal_tensors,
    masked_stream_of,
    small_classifier,
    stream_of,
)
from wsss.models.deeplab import build_segmenter
from wsss.models.irn import IRNet
from wsss.models.psa import AffinityNet
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.inference import features_of
from wsss.train.irn import train_irn
from wsss.train.optimizer import classifier_optimizer
from wsss.train.psa import train_psa
from wsss.train.segmenter import train_segmenter
from wsss.train.wood import train_wood

RECIPE = {
    "epochs": 4, "learning_rate": 0.02, "head_multiplier": 10, "optimizer": "sgd",
    "momentum": 0.9, "weight_decay": 1e-4, "schedule": "poly", "batch_norm": "train",
    "frozen_stages": 0, "computing": COMPUTING, "objective": PLAIN,
}  # fmt: skip
WOOD = {
    "stop_after_epochs": None,
    "perturbation_step": 0.07, "lambda_": 0.1, "ood_coefficient": 1.0, "closest_fraction": 0.5,
    "metric": "euclidean", "distance_form": "official", "distance_parts": "both",
    "ood_form": "paper", "excluded_class": None, "local_ood_coefficient": 0.0,
}  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path):
    return running_checkpoint(tmp_path / "net.safetensors", options=0, inputs=[])


def falls(rows, name="loss"):
    return rows[-1][name] < 0.7 * rows[0][name]


def test_the_classifier_learns_the_colours(records, checkpoint):
    classifier = small_classifier()
    rows = train_classifier(classifier, stream_of(records), **RECIPE, checkpoint=checkpoint)
    assert falls(rows) and rows[-1]["step"] == 12 and rows[-1]["epoch"] == 4
    _, probs = features_of(classifier, records, batch_size=2)
    assert (probs.argmax(1) == [0, 1, 0, 1, 0, 1]).all()


def test_frozen_stages_and_statistics_stay(records, checkpoint):
    classifier = small_classifier()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    options = {**RECIPE, "epochs": 1, "frozen_stages": 4, "batch_norm": "frozen"}
    train_classifier(classifier, stream_of(records), **options, checkpoint=checkpoint)
    changed = {n for n, v in classifier.state_dict().items() if not torch.equal(v, before[n])}
    assert "head.weight" in changed
    assert not [name for name in changed if "running" in name or "num_batches" in name]
    first = classifier.backbone.stage_modules()[:4]
    frozen = {id(p) for modules in first for module in modules for p in module.parameters()}
    assert not [n for n, p in classifier.named_parameters() if id(p) in frozen and n in changed]


def test_less_than_an_epoch_is_at_least_a_step(records, checkpoint):
    options = {**RECIPE, "epochs": 0.01}
    rows = train_classifier(
        small_classifier(), stream_of(records), **options, checkpoint=checkpoint
    )
    assert [row["step"] for row in rows] == [1]


def wood(records, checkpoint, **changes):
    classifier = small_classifier()
    features, _ = features_of(classifier, records, batch_size=4)
    means = torch.from_numpy(np.stack([features[0::2].mean(0), features[1::2].mean(0)]))
    rows = train_wood(
        classifier, stream_of(records), stream_of(records[:3], batch_size=1),
        class_means=means, cluster_means=means + 0.1, checkpoint=checkpoint,
        **{**RECIPE, **WOOD, "epochs": 2, **changes},
    )  # fmt: skip
    return classifier, rows


def test_wood_logs_its_terms(records, checkpoint):
    _, rows = wood(records, checkpoint)
    terms = {"classification", "distance", "distance_in", "distance_ood", "ood"}
    assert terms <= set(rows[0]) and len(rows) == 6
    for row in rows:
        assert row["distance"] == pytest.approx(row["distance_in"] - row["distance_ood"], abs=1e-5)
        total = row["classification"] + 0.1 * row["distance"] + row["ood"]
        assert row["loss"] == pytest.approx(total, rel=1e-4)


def test_the_weights_of_wood_matter(records, tmp_path):
    def state(name, **changes):
        checkpoint = running_checkpoint(tmp_path / name, options=0, inputs=[])
        return wood(records, checkpoint, **changes)[0].state_dict()

    assert equal_tensors(state("a"), state("b"))
    for name, changes in {"c": {"lambda_": 0.0}, "d": {"excluded_class": 0}}.items():
        assert not equal_tensors(state("a2"), state(name, **changes)), changes


def test_wood_stops_amid_its_schedule(records, checkpoint, tmp_path):
    _, whole = wood(records, checkpoint)
    other = running_checkpoint(tmp_path / "stopped", options=0, inputs=[])
    _, part = wood(records, other, stop_after_epochs=1)
    assert part == whole[:3] and len(whole) == 6


def test_irn_learns_branches_and_leaves_the_backbone(records, checkpoint):
    irnet = IRNet(small_classifier().backbone)
    before = {n: v.clone() for n, v in irnet.backbone.state_dict().items()}
    mean = irnet.mean_shift.running_mean.clone()
    rows = train_irn(
        irnet, masked_stream_of(records, batch_size=2), epochs=3, radius=3, learning_rate=0.05,
        displacement_factor=10, momentum=0.9, weight_decay=1e-4, schedule="poly",
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    assert len(rows) == 9 and all(np.isfinite(list(row.values())).all() for row in rows)
    assert equal_tensors(before, irnet.backbone.state_dict())
    assert not torch.equal(irnet.mean_shift.running_mean, mean)


def test_affinity_net_learns_and_leaves_what_rests(records, checkpoint):
    torch.manual_seed(0)
    network = AffinityNet(small_classifier().backbone, distance="mean", group_norm=False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rows = train_psa(
        network, masked_stream_of(records, batch_size=6), epochs=12, radius=3, learning_rate=0.05,
        head_multiplier=10, momentum=0.9, weight_decay=1e-4, schedule="poly", frozen_stages=1,
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    # The masked squares have the colour of what is around them; only their place can be learnt.
    assert len(rows) == 12 and np.mean([r["loss"] for r in rows[8:]]) < 0.95 * rows[0]["loss"]
    for row in rows:
        same = row["background_affinity"] + row["foreground_affinity"]
        total = same / 4 + row["negative_affinity"] / 2
        assert row["loss"] == pytest.approx(total, rel=1e-4)
    changed = {n for n, v in network.state_dict().items() if not torch.equal(v, before[n])}
    assert {"f8_3.weight", "f9.weight", "backbone.layer1.conv1.weight"} <= changed
    assert not [name for name in changed if "bn" in name or name.startswith("backbone.conv1")]


@pytest.mark.parametrize("loss", ["cross_entropy", "balanced_cross_entropy"])
def test_the_segmenter_learns(records, checkpoint, loss):
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2", "compact", num_classes=len(CLASSES) + 1, atrous_rates=[1], scales=[0.5]
    )
    rows = train_segmenter(
        segmenter, masked_stream_of(records, batch_size=6), iterations=12, iter_size=2,
        learning_rate=0.003, head_multiplier=5, momentum=0.9, weight_decay=5e-4,
        schedule="poly", loss=loss, seed_growing=None, batch_norm="train", computing=COMPUTING,
        checkpoint=checkpoint,
    )  # fmt: skip
    assert falls(rows) and len(rows) == 12
    assert set(rows[0]) == {"step", "epoch", "learning_rate", "loss"}


def test_adam_is_torchs_and_an_unknown_optimizer_is_refused(records, tmp_path):
    options = {"frozen_stages": 0, "head_multiplier": 3.0, "momentum": 0.8, "weight_decay": 0.0}
    adam = classifier_optimizer(small_classifier(), optimizer="adam", **options)
    assert isinstance(adam, torch.optim.Adam)
    assert {group["betas"] for group in adam.param_groups} == {(0.8, 0.999)}
    assert [group["multiplier"] for group in adam.param_groups] == [1.0, 3.0]
    with pytest.raises(ValueError, match="unknown optimizer 'lion': choose one of sgd, adam"):
        classifier_optimizer(small_classifier(), optimizer="lion", **options)


def test_adam_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(records, tmp_path):
    def state(steps, checkpoint):
        classifier = small_classifier()
        optimizer = classifier_optimizer(
            classifier, optimizer="adam", frozen_stages=0, head_multiplier=1.0, momentum=0.9,
            weight_decay=0.0,
        )  # fmt: skip
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        done, rows = checkpoint.load(classifier, optimizer)
        for step in range(done, steps):
            optimizer.zero_grad()
            (classifier.head.weight.square().sum() * (step + 1)).backward()
            optimizer.step()
        checkpoint.save(classifier, optimizer, step=steps, log_rows=rows)
        return classifier.state_dict()

    at = {n: running_checkpoint(tmp_path / n, options=0, inputs=[]) for n in ("whole", "parts")}
    state(2, at["parts"])
    assert equal_tensors(state(4, at["parts"]), state(4, at["whole"]))
