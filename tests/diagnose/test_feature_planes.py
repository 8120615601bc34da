"""Which images' features are shown, and how far OoD images part from training images."""

import numpy as np
import pytest

from tests.diagnose import small
from wsss.diagnose.feature_planes import measure
from wsss.figures.feature_planes import draw, parted
from wsss.figures.style import arm_styles

# Red and green, and blue elsewhere; the last image shows two.
BACKGROUNDS = {"image0": {0: True}, "image3": {0: False}, "image1": {1: True}, "image4": {1: True}}
OOD_LABELS = {f"image{n}": np.array([n % 2]) for n in range(6)} | {"image6": np.array([], int)}


@pytest.fixture(scope="module")
def model():
    return small.model()


def rows(model, **changes):
    options = {"class_names": ["red", "green"], "per_class": 10, "example_seed": 0, **changes}
    ood = {f"ood{name}": 255 - image for name, image in small.images().items()}
    ood_labels = {f"ood{name}": ids for name, ids in OOD_LABELS.items()}
    return list(measure(
        model, small.images(), small.labels(), small.CLASSES, BACKGROUNDS, ood, ood_labels,
        **options,
    ))  # fmt: skip


def test_images_of_one_class_and_ood_images_that_were_taken_for_it(model):
    found = {}
    for row in rows(model):
        found.setdefault((row["class_name"], row["origin"]), set()).add(row["image_id"])
    assert found == {
        ("red", "training, own background"): {"image0"},
        ("red", "training, elsewhere"): {"image3"},
        ("red", "OoD"): {"oodimage0", "oodimage2", "oodimage4"},
        ("green", "training, own background"): {"image1", "image4"},
        ("green", "OoD"): {"oodimage1", "oodimage3", "oodimage5"},
    }


def test_without_known_backgrounds_training_images_are_one_set(model):
    found = list(measure(
        model, small.images(), small.labels(), small.CLASSES, {}, small.images(), OOD_LABELS,
        class_names=["red"], per_class=1, example_seed=0,
    ))  # fmt: skip
    assert [row["origin"] for row in found] == ["training", "OoD"]


def test_the_features_are_those_of_the_network(model):
    first = rows(model)[0]
    image = small.images()[first["image_id"]]
    features = model.pooled_features(small.pixels(model, image))[0].detach().numpy()
    own = [value for name, value in first.items() if name.startswith("z")]
    np.testing.assert_allclose(own, features, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["cat"], "'cat' is not a class of the data set: red, green, blue"),
        (["blue"], "there are 2 training images of blue alone and 0 OoD images that were taken"),
    ],
)
def test_a_class_without_images_is_told(model, names, words):
    with pytest.raises(ValueError, match=words):
        rows(model, class_names=names)


# The figure


def test_parted_by_hand():
    features = np.array([[0.0], [1.0], [3.0], [10.0], [11.5]])
    is_ood = np.array([False, False, True, True, True])
    # The third's nearest neighbour is a training image; all others have one of their kind.
    assert parted(features, is_ood) == 0.8
    with pytest.raises(ValueError, match="one point has no neighbour"):
        parted(features[:1], is_ood[:1])


def planes(**changes):
    from tests.figures.diagnostics import planes_table

    table = planes_table(1)
    labels = {"scenes/plain": "epoch 0", "scenes/wood": "epoch 1"}
    options = {"plane": "joint", "perplexity": 5, "embedding_seed": 0, **changes}
    table = options.pop("table", table)
    return draw(table, labels=labels, styles=arm_styles([]), **options)


def places(figure):
    return [
        np.concatenate([part.get_offsets() for part in axes.collections])
        for axes in figure.axes
    ]  # fmt: skip


def test_a_joint_plane_shares_its_axes_and_one_for_each_does_not():
    joint, each = planes(), planes(plane="each")
    assert joint.axes[0].get_xlim() == joint.axes[1].get_xlim()
    assert [len(own) for own in places(joint)] == [len(own) for own in places(each)] == [24, 24]
    assert not np.allclose(places(joint)[0], places(each)[0])
    assert [axes.get_xlabel() for axes in joint.axes] == [axes.get_xlabel() for axes in each.axes]


def test_what_has_no_plane_is_told():
    from tests.figures.diagnostics import planes_table

    table = planes_table(1)
    with pytest.raises(ValueError, match="perplexity is 48, but t-SNE has only 48 points"):
        planes(perplexity=48)
    table.loc[table["classifier"] == "wood", "z3"] = np.nan
    with pytest.raises(ValueError, match="set plane to each, or name chains of one backbone"):
        planes(table=table)
    planes(table=table, plane="each")
