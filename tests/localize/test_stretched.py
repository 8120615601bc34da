"""What the localizers of SEAM and EPS have in common."""

import numpy as np
import pytest
import torch

from tests.config.test_extremes import ends, schema_of
from tests.localize.test_cam import Subsampled, blob, small_batch
from wsss.localize import eps, seam
from wsss.localize._stretched import localize_stretched
from wsss.models.classifier import Classifier, build_classifier
from wsss.models.eps import build_classifier as build_eps_classifier
from wsss.models.seam import build_classifier as build_seam_classifier

torch.set_num_threads(1)
OPTIONS = {
    "scales": (1.0, 0.5, 1.5),
    "map_stride": 4,
    "alignment": "official",
    "batch_size": 16,
    "precision": "full",
}


def build(name, *, num_classes=4):
    """Return (localize, its classifier, its options)."""
    torch.manual_seed(0)
    if name == "seam":
        model = build_seam_classifier("compact", num_classes=num_classes, head_dropout=0.5)
        return seam.localize, model.eval(), OPTIONS | {"normalization": "maximum"}
    return eps.localize, build_eps_classifier("compact", num_classes=num_classes).eval(), OPTIONS


@pytest.fixture(params=["seam", "eps"], scope="module")
def method(request):
    return build(request.param)


@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_batching_changes_nothing(method, alignment):
    localize, model, options = method
    images, options = small_batch(), options | {"alignment": alignment}
    ids = [np.array([2]), np.array([], np.int64), np.array([0, 3])]
    together = localize(model, images, ids, **options)
    assert [m.shape for m in together] == [(1, 10, 14), (0, 10, 14), (2, 10, 14)]
    assert all(m.dtype == np.float32 for m in together)
    for image, own, maps in zip(images, ids, together, strict=True):
        (alone,) = localize(model, image[None], [own], **(options | {"batch_size": 1}))
        np.testing.assert_allclose(maps, alone, atol=1e-5)
        if len(own):
            assert maps.min() >= 0
            np.testing.assert_allclose(maps.max((1, 2)), 1, atol=1e-3)


def test_a_batch_without_classes_is_empty_maps(method):
    localize, model, options = method
    maps = localize(model, small_batch(2, 41, 57), [np.array([], np.int64)] * 2, **options)
    assert [m.shape for m in maps] == [(0, 11, 15)] * 2


@pytest.mark.parametrize("alignment", ["official", "centres"])
@pytest.mark.parametrize("map_stride", [1, 4])
def test_a_mirrored_image_has_mirrored_maps(method, alignment, map_stride):
    localize, model, options = method
    image = small_batch(1, 40, 57)
    options = options | {"alignment": alignment, "scales": (1.0,), "map_stride": map_stride}
    (maps,) = localize(model, image, [np.array([1])], **options)
    (mirrored,) = localize(model, image[:, :, ::-1], [np.array([1])], **options)
    np.testing.assert_allclose(maps, mirrored[:, :, ::-1], atol=1e-5)
    assert maps.shape == (1, -(-40 // map_stride), -(-57 // map_stride))


def test_the_model_comes_back_as_it_was(method):
    localize, model, options = method
    model.train()
    model.backbone.conv1.weight.requires_grad_(False)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    localize(model, small_batch(1), [np.array([0])], **options)
    assert model.training and model.head.weight.requires_grad
    assert not model.backbone.conv1.weight.requires_grad
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    model.backbone.conv1.weight.requires_grad_(True)
    model.eval()


def test_bfloat16_is_close(method):
    localize, model, options = method
    full, half = (
        localize(model, small_batch(1), [np.array([0, 1])], **(options | {"precision": precision}))
        for precision in ("full", "bfloat16")
    )
    np.testing.assert_allclose(half[0], full[0], atol=0.05)


@pytest.mark.parametrize(
    ("images", "class_ids", "change", "message"),
    [
        (small_batch().astype(np.float32), [[0]] * 3, {}, "must be uint8"),
        (small_batch(), [[0]], {}, "3 images came with class ids of 1"),
        (small_batch(1), [[4]], {}, r"classifier knows 0\.\.3"),
        (small_batch(1), [[0]], {"alignment": "none"}, "unknown alignment 'none'"),
        (small_batch(1), [[0]], {"precision": "half"}, "unknown precision 'half'"),
    ],
)
def test_what_does_not_fit_is_refused(method, images, class_ids, change, message):
    localize, model, options = method
    with pytest.raises(ValueError, match=message):
        localize(model, images, class_ids, **(options | change))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("seam", "refined maps need a classifier with pixel correlation, trained by SEAM"),
        ("eps", "probability maps need a classifier with a background output, trained by EPS"),
    ],
)
def test_a_plain_classifier_is_refused(name, message):
    localize, _, options = build(name)
    with pytest.raises(ValueError, match=message):
        localize(build_classifier("compact", num_classes=4), small_batch(1), [[0]], **options)


ENDS = [
    pytest.param(name, key, value, id=f"{name}.{key}={value}")
    for name in ("seam", "eps")
    for key, schema in schema_of(f"localize.{name}").items()
    if key not in ("background_threshold", "batch_size")
    for value in ends(schema)
]


@pytest.mark.parametrize(("name", "key", "value"), ENDS)
def test_the_ends_of_an_option_give_finite_maps(name, key, value):
    localize, model, _ = build(name, num_classes=2)
    schema = schema_of(f"localize.{name}")
    options = {k: s["default"] for k, s in schema.items() if k != "background_threshold"}
    images = small_batch(2, 33, 40)
    options |= {"batch_size": 4, key: value}
    for maps in localize(model, images, [np.array([0]), np.array([0, 1])], **options):
        assert maps.size and np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1


# The joining, on features whose places are known


def brightness(offset, image, **options):
    """The summed feature maps of an image, on its grid."""
    model = Classifier(Subsampled(offset), 1).double()
    torch.nn.init.ones_(model.head.weight)

    def maps_of(pairs, targets, scale):
        with torch.no_grad():
            return model.score_maps(pairs.flatten(0, 1)).unflatten(0, (-1, 2))[:, :, 0]

    (maps,) = localize_stretched(
        model, image[None], [np.array([0])], maps_of, lambda sums: sums, **options
    )
    return maps[0]


@pytest.mark.parametrize("offset", [0, 5])
@pytest.mark.parametrize(("row", "column"), [(40, 64), (52, 70)])
def test_centres_find_the_bright_pixel(offset, row, column):
    options = {"scales": (1.0, 0.5, 2.0), "map_stride": 1, "alignment": "centres"}
    maps = brightness(offset, blob(93, 122, row, column), **options)
    weights = np.where(maps > maps.max() / 2, maps, 0)
    rows, columns = np.mgrid[:93, :122]
    assert np.average(rows, weights=weights) == pytest.approx(row, abs=0.5)
    assert np.average(columns, weights=weights) == pytest.approx(column, abs=0.5)


def test_official_stretching_by_hand():
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, 8:] = 255
    options = {"scales": (1.0,), "map_stride": 1, "alignment": "official"}
    # Features of the image at columns 0 and 8: 0 and 1; of its mirror image: 1 and 0, mirrored
    # back 0 and 1. Two equal shares of twelve columns: their centres are 2.5 and 8.5.
    expected = 2 * np.clip((np.arange(12) - 2.5) / 6, 0, 1)
    found = brightness(0, image, **options)
    np.testing.assert_allclose(found, np.broadcast_to(expected, (8, 12)), atol=1e-6)
    # Not to a multiple of 16 and cropped, as class activation maps are.
    assert found.shape == (8, 12)
