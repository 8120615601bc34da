"""What each kind of classifier learns from its training images, alone and under W-OoD."""

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from tests.train.small import CLASSES, NOTHING_ADDED, equal_tensors, small_classifier, stream_of
from tests.train.test_additions import SAMPLING, SIMILARITY
from tests.train.test_trainings import RECIPE, WOOD
from wsss.losses.classification import classification_loss
from wsss.losses.eps import eps_terms
from wsss.losses.seam import View, seam_terms, seam_total, second_view
from wsss.models.networks import build_network
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.objectives.step import load_objective, step_of
from wsss.train.wood import train_wood

SEAM = {
    "second_scale": 0.5, "hardest_fraction": 0.2, "pooling": "official", "minimum_weight": 1.0,
    "equivariance_weight": 1.0, "refinement_weight": 1.0,
}  # fmt: skip
EPS = {
    "foreground_weight": 0.5, "selection": "adaptive", "overlap": "official",
    "overlap_threshold": 0.4, "background_classes": [],
}  # fmt: skip
OPTIONS = {"seam": SEAM, "eps": EPS, "plain": {}, "ficklenet": {}}
NETWORK = {
    "seam": {"head_dropout": 0.5}, "eps": {}, "ficklenet": {"kernel_size": 3, "dropout_rate": 0.5},
}  # fmt: skip
# The sums of windows are larger than scores of one position.
CHANGES = {"ficklenet": {"learning_rate": 0.002}}
ADDED = {"importance_sampling": SAMPLING, "feature_similarity": SIMILARITY}


class WithSaliency(Dataset):
    """Samples with a square of saliency behind."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, key):
        pixels, labels = self.images[key]
        saliency = torch.zeros(pixels.shape[1:])
        saliency[8:24, 8:24] = 1
        return pixels, labels, saliency


def salient_stream(records):
    stream = stream_of(records)
    return BatchStream(WithSaliency(stream.images), *list(vars(stream).values())[1:])


def network(name, seed=0):
    torch.manual_seed(seed)
    return build_network(name, "compact", num_classes=len(CLASSES), **NETWORK[name])


def objective(name, **added):
    return load_objective(name, OPTIONS[name], classes=CLASSES, **{**NOTHING_ADDED, **added})


def train(name, records, tmp_path, **added):
    classifier = network(name)
    stream = salient_stream(records) if name == "eps" else stream_of(records)
    rows = train_classifier(
        classifier, stream,
        **{**RECIPE, "objective": objective(name, **added), "epochs": 8, **CHANGES.get(name, {})},
        checkpoint=running_checkpoint(tmp_path / "net", options=0, inputs=[]),
    )  # fmt: skip
    return classifier, rows


def learns(rows):
    """Whether the classification of the last four steps is well below that of the first four."""
    told = [row["classification"] for row in rows]
    return sum(told[-4:]) < 0.9 * sum(told[:4])


def batch_of(images=3):
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, 32, 32), generator=draw, dtype=torch.uint8)
    labels = torch.eye(len(CLASSES))[[0, 1, 0]]
    return pixels, labels, torch.rand(images, 32, 32, generator=draw)


@pytest.mark.parametrize("name", ["seam", "eps", "ficklenet"])
def test_it_learns_logs_its_terms_and_trains_all_of_its_layers(records, tmp_path, name):
    fresh = network(name).state_dict()
    classifier, rows = train(name, records, tmp_path)
    assert learns(rows)
    own = {
        "seam": ("minimum", "equivariance", "refinement"), "eps": ("saliency",),
        "ficklenet": ("classification",),
    }[name]  # fmt: skip
    assert all(np.isfinite([row[term] for term in own]).all() for row in rows)
    assert max(row[own[-1]] for row in rows) > 0
    same = [key for key, value in classifier.state_dict().items() if torch.equal(value, fresh[key])]
    assert same == []


@pytest.mark.parametrize("name", ["seam", "eps", "ficklenet"])
def test_hfpl_is_added_to_it(records, tmp_path, name):
    _, rows = train(name, records, tmp_path, **ADDED)
    assert all(row["importance_sampling"] > 0 for row in rows)
    # Of maps without a score above zero, it is zero.
    assert any(row["feature_similarity"] != 0 for row in rows)
    assert learns(rows)


def test_seam_is_the_sum_of_its_terms():
    classifier = network("seam").eval()
    pixels, labels, _ = batch_of()
    x = classifier.normalize(pixels)
    found = objective("seam")(
        classifier, step_of((pixels, labels), x, classifier.backbone.stages(x))
    )
    smaller = second_view(x, scale=0.5)
    views = View(*classifier.seam_maps(x), (32, 32)), View(*classifier.seam_maps(smaller), (16, 16))
    terms = seam_terms(*views, labels, hardest_fraction=0.2, pooling="official")
    weights = {"minimum_weight": 1, "equivariance_weight": 1, "refinement_weight": 1}
    torch.testing.assert_close(found["loss"], seam_total(terms, **weights))


def test_sampling_takes_its_share_of_the_first_views_classification():
    classifier = network("seam").eval()
    pixels, labels, _ = batch_of()
    x = classifier.normalize(pixels)
    step = step_of((pixels, labels), x, classifier.backbone.stages(x))
    plain = objective("seam")(classifier, step)
    torch.manual_seed(0)
    first = seam_terms(
        View(*classifier.seam_maps(x), (32, 32)),
        View(*classifier.seam_maps(x), (32, 32)),
        labels, hardest_fraction=0.2, pooling="official",
    )["classification_1"]  # fmt: skip
    found = objective("seam", importance_sampling=SAMPLING)(classifier, step)
    moved = 0.5 * SAMPLING["loss_weight"] * (found["importance_sampling"] - first)
    torch.testing.assert_close(found["loss"], plain["loss"] + moved, rtol=1e-5, atol=1e-6)


def test_eps_is_the_sum_of_its_terms_and_needs_saliency():
    classifier = network("eps")
    pixels, labels, saliency = batch_of()
    x = classifier.normalize(pixels)
    stages = classifier.backbone.stages(x)
    found = objective("eps")(classifier, step_of((pixels, labels, saliency), x, stages))
    options = {**EPS, "lambda_": EPS["foreground_weight"]}
    del options["foreground_weight"]
    terms = eps_terms(classifier.maps_of_features(stages[-1]), saliency, labels, **options)
    torch.testing.assert_close(found["loss"], terms["classification"] + terms["saliency"])
    with pytest.raises(ValueError, match="EPS learns from saliency maps: name some"):
        objective("eps")(classifier, step_of((pixels, labels), x, stages))


def test_ficklenet_draws_from_the_generator_of_the_training():
    classifier = network("ficklenet")
    pixels, labels, _ = batch_of()
    x = classifier.normalize(pixels)
    step = step_of((pixels, labels), x, classifier.backbone.stages(x))

    def loss(seed, **added):
        torch.manual_seed(seed)
        return objective("ficklenet", **added)(classifier, step)["loss"]

    torch.manual_seed(1)
    features = step.stages[-1]
    choice = classifier.draw_choice(3, features, torch.default_generator)
    logits = classifier.chosen_score_maps(features, choice).mean((2, 3))
    torch.testing.assert_close(loss(1), classification_loss(logits, labels))
    assert loss(1) == loss(1) != loss(2)
    # What HFPL's losses take from it is of the same choice.
    none = {"importance_sampling": SAMPLING | {"loss_weight": 0.0}}
    torch.testing.assert_close(loss(1, **none), loss(1))


def test_classes_are_named_by_the_data_set():
    options = {**EPS, "selection": "predefined", "background_classes": ["green"]}
    loaded = load_objective("eps", options, classes=CLASSES, **NOTHING_ADDED)
    assert loaded.keywords["background_classes"] == [1]
    with pytest.raises(ValueError, match="background_classes names 'sofa', but the classes of the"):
        load_objective(
            "eps", {**options, "background_classes": ["sofa"]}, classes=CLASSES, **NOTHING_ADDED
        )


@pytest.mark.parametrize("name", ["seam", "eps", "ficklenet"])
def test_wood_goes_on_with_the_whole_loss(records, tmp_path, name):
    def run(place):
        classifier = network(name)
        channels = classifier.head.in_channels
        torch.manual_seed(0)
        stream = salient_stream(records) if name == "eps" else stream_of(records)
        rows = train_wood(
            classifier, stream, stream_of(records[:3], batch_size=1),
            class_means=torch.rand(2, channels), cluster_means=torch.rand(3, channels),
            **{**RECIPE, **WOOD, "epochs": 1, "objective": objective(name)},
            checkpoint=running_checkpoint(tmp_path / place, options=0, inputs=[]),
        )  # fmt: skip
        return classifier.state_dict(), rows

    state, rows = run("a")
    assert equal_tensors(state, run("b")[0])
    for row in rows:
        own = row["loss"] - 0.1 * row["distance"] - row["ood"]
        assert own > row["classification"] - 1e-4
        assert {"classification", "distance", "ood"} <= row.keys()


def test_batches_with_further_images_behind_give_the_step_of_the_first():
    classifier = small_classifier()
    pixels, labels, _ = batch_of()
    x = classifier.normalize(torch.cat([pixels, pixels.flip(0)]))
    stages = classifier.backbone.stages(x)
    step = step_of((pixels, labels), x, stages)
    assert step.x.shape[0] == 3 and all(len(stage) == 3 for stage in step.stages)
    assert torch.equal(step.stages[-1], stages[-1][:3]) and step.saliency is None
