import pytest
import torch

from tests.train.small import CLASSES, equal_tensors, small_classifier
from wsss.models.deeplab import build_segmenter
from wsss.models.irn import IRNet
from wsss.models.psa import AffinityNet
from wsss.store.weights import save_weights
from wsss.train.networks import (
    load_classifier,
    load_refiner_network,
    load_segmenter,
    save_classifier,
    save_refiner_network,
    save_segmenter,
    start_classifier,
    start_refiner_network,
    start_segmenter,
)

RECIPE = {"network": "deeplab_v2", "backbone": "compact", "atrous_rates": [1], "scales": [0.5]}


@pytest.fixture
def saved(tmp_path):
    """A classifier's file, and the classifier."""
    classifier = small_classifier(random_seed=5)
    save_classifier(tmp_path / "net", classifier, backbone="compact", classes=CLASSES)
    return tmp_path / "net", classifier


def start(
    path=None, *, classes=CLASSES, backbone="compact", initial_weights="none", random_seed=0,
    network="classifier", **network_options,
):  # fmt: skip
    return start_classifier(
        path, classes=classes, network=network, network_options=network_options,
        backbone=backbone, initial_weights=initial_weights, random_seed=random_seed,
    )  # fmt: skip


def test_a_classifier_comes_back(saved):
    path, classifier = saved
    loaded, backbone, classes = load_classifier(path)
    assert (backbone, classes) == ("compact", CLASSES)
    assert equal_tensors(loaded.state_dict(), classifier.state_dict())
    assert not loaded.training


def test_equal_networks_are_equal_files(saved, tmp_path):
    path, classifier = saved
    save_classifier(tmp_path / "again", classifier, backbone="compact", classes=CLASSES)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("method", "kind", "options"),
    [("irn", IRNet, {}), ("psa", AffinityNet, {"distance": "sum", "group_norm": True})],
)
def test_the_network_of_a_refiner_comes_back(saved, tmp_path, method, kind, options):
    path, classifier = saved
    network, recipe, classes = start_refiner_network(method, path, options=options, random_seed=0)
    assert isinstance(network, kind) and recipe == {"backbone": "compact", **options}
    assert equal_tensors(network.backbone.state_dict(), classifier.backbone.state_dict())
    out = tmp_path / method
    save_refiner_network(out, network, method=method, recipe=recipe, classes=classes)
    loaded = load_refiner_network(out, method=method)
    assert equal_tensors(loaded.state_dict(), network.state_dict()) and not loaded.training
    assert getattr(loaded, "distance", None) == options.get("distance")
    other = {"irn": "psa", "psa": "irn"}[method]
    with pytest.raises(
        ValueError, match=f"{method} is not a {other} of this project but '{method}'"
    ):
        load_refiner_network(out, method=other)


def test_a_segmenter_comes_back(tmp_path):
    segmenter = build_segmenter(**RECIPE, num_classes=3)
    save_segmenter(tmp_path / "net", segmenter, recipe=RECIPE, classes=CLASSES)
    loaded, classes = load_segmenter(tmp_path / "net")
    assert equal_tensors(loaded.state_dict(), segmenter.state_dict())
    assert classes == CLASSES and not loaded.training


def test_a_network_of_another_kind_is_refused(saved, tmp_path):
    path, _ = saved
    with pytest.raises(ValueError, match="net is not a segmenter of this project but 'classifier'"):
        load_segmenter(path)
    with pytest.raises(ValueError, match="net is not a irn of this project but 'classifier'"):
        load_refiner_network(path, method="irn")
    save_weights(tmp_path / "other", {"x": torch.zeros(1)}, metadata={})
    with pytest.raises(ValueError, match=r"other is not a classifier .* 'unmarked weights'"):
        load_classifier(tmp_path / "other")


def test_a_new_classifier_depends_on_its_random_seed(saved):
    one, backbone = start()
    assert backbone == "compact"
    assert equal_tensors(one.state_dict(), start()[0].state_dict())
    assert not torch.equal(one.head.weight, start(random_seed=1)[0].head.weight)


def test_going_on_from_a_classifier(saved):
    path, classifier = saved
    found, backbone = start(path, backbone="resnet50")
    assert backbone == "compact"
    assert equal_tensors(found.state_dict(), classifier.state_dict())
    with pytest.raises(ValueError, match=r"net knows the classes .*red.*, the data set has .*blue"):
        start(path, classes=("red", "blue"))


def test_initial_weights_from_a_file(saved):
    path, classifier = saved
    found, _ = start(initial_weights=str(path))
    assert equal_tensors(found.state_dict(), classifier.state_dict())
    other, _ = start(initial_weights=str(path), classes=("a", "b", "c"))
    assert other.head.weight.shape[0] == 3
    assert equal_tensors(other.backbone.state_dict(), classifier.backbone.state_dict())
    with pytest.raises(ValueError, match="net holds a compact, but the config asks for resnet50"):
        start(initial_weights=str(path), backbone="resnet50")


def test_initial_weights_that_no_package_has():
    with pytest.raises(ValueError, match="no installed package carries weights"):
        start(initial_weights="package")


def start_deeplab(initial_weights, path=None, recipe=RECIPE, *, saw_pixel_labels=False):
    return start_segmenter(
        recipe, classes=CLASSES, initial_weights=initial_weights,
        saw_pixel_labels=saw_pixel_labels, start=path, random_seed=0,
    )  # fmt: skip


def test_a_segmenter_starts_at_random_or_from_the_classifier(saved):
    path, classifier = saved
    random = start_deeplab("none")
    assert equal_tensors(random.state_dict(), start_deeplab("none").state_dict())
    found = start_deeplab("classifier", path)
    assert equal_tensors(found.base.backbone.state_dict(), classifier.backbone.state_dict())
    assert not equal_tensors(random.base.backbone.state_dict(), classifier.backbone.state_dict())
    with pytest.raises(ValueError, match="net has a compact, the segmenter needs a resnet50"):
        start_deeplab("classifier", path, {**RECIPE, "backbone": "resnet50"})
    # A classifier's file, as `wsss import-weights` makes it, does as well.
    imported = start_deeplab(str(path), path)
    assert equal_tensors(imported.base.backbone.state_dict(), classifier.backbone.state_dict())


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("seam", {"head_dropout": 0.25}),
        ("eps", {}),
        ("ficklenet", {"kernel_size": 3, "dropout_rate": 0.5}),
    ],
)
def test_a_network_of_its_own_comes_back_whole(tmp_path, network, options):
    classifier, backbone = start(network=network, random_seed=3, **options)
    save_classifier(tmp_path / "net", classifier, backbone=backbone, classes=CLASSES)
    loaded, _, _ = load_classifier(tmp_path / "net")
    assert type(loaded) is type(classifier) and loaded.network_options() == options
    assert equal_tensors(loaded.state_dict(), classifier.state_dict())
    again, _ = start(network=network, initial_weights=tmp_path / "net", **options)
    assert equal_tensors(again.state_dict(), classifier.state_dict())


def test_another_network_takes_backbone_and_head_from_a_plain_file(saved):
    path, plain = saved
    taken, _ = start(network="seam", initial_weights=path, head_dropout=0.5)
    assert equal_tensors(taken.backbone.state_dict(), plain.backbone.state_dict())
    assert torch.equal(taken.head.weight, plain.head.weight)


def test_a_head_of_another_shape_is_new(saved):
    path, plain = saved
    windows = {"network": "ficklenet", "kernel_size": 3, "dropout_rate": 0.5}
    taken, new = (start(initial_weights=own, **windows)[0] for own in (path, "none"))
    assert equal_tensors(taken.backbone.state_dict(), plain.backbone.state_dict())
    assert torch.equal(taken.head.weight, new.head.weight)


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="unknown network 'siamese': choose one of classifier"):
        start(network="siamese")
