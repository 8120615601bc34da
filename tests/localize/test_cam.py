import numpy as np
import pytest
import torch
from torch import nn

from tests import golden
from tests.localize.official import classifier
from wsss.localize import cam
from wsss.localize._views import sampling_matrix, score_maps, view_pairs
from wsss.models.backbones.backbone import Backbone
from wsss.models.classifier import Classifier, build_classifier

torch.set_num_threads(1)
OPTIONS = {
    "scales": (1.0, 0.5, 1.5, 2.0),
    "map_stride": 4,
    "alignment": "official",
    "batch_size": 16,
    "precision": "full",
}


class Subsample(nn.Module):
    """Every eighth pixel of the first channel, from an offset on."""

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.gain * x[:, :1, self.offset :: 8, self.offset :: 8]


class Subsampled(Backbone):
    """Feature i is the brightness at pixel 8 i, or at 8 i + 5: the centre is known exactly."""

    stage_channels = (1, 1, 1, 1, 1)
    stage_strides = (8, 8, 8, 8, 8)
    pixel_mean = (0.0, 0.0, 0.0)
    pixel_std = (255.0, 255.0, 255.0)

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset
        self.subsample = Subsample(offset)

    def stage_modules(self):
        return (self.subsample,), (), (), (), ()

    def centre_offset(self, length: int) -> float:
        return float(self.offset)


def subsampled(offset: int) -> Classifier:
    model = Classifier(Subsampled(offset), 1).double()
    nn.init.ones_(model.head.weight)
    return model


def blob(height: int, width: int, row: float, column: float) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    bright = 250 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 12.0**2))
    return np.repeat(bright[:, :, None], 3, axis=2).round().astype(np.uint8)


def small_batch(count: int = 3, height: int = 40, width: int = 56) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def compact() -> Classifier:
    torch.manual_seed(0)
    return build_classifier("compact", num_classes=4).eval()


@pytest.mark.parametrize("name", ["cam_irn_a", "cam_wood_a"])
def test_official_network_and_maps(name):
    case = golden.load(name)
    model = classifier(name)
    image = case["in_image"]
    with torch.no_grad():
        for number, scale in enumerate(case.json["hyper"]["scales"]):
            pair = view_pairs(model, image[None], scale)[0]
            scores = score_maps(model, pair, precision="full")
            if scale == 1:
                golden.assert_close(case, "out_logits", scores.mean((2, 3)).numpy())
            maps = scores.relu()
            maps = maps[0] + maps[1].flip(-1)
            golden.assert_close(case, f"out_cam_scale{number}", maps.numpy())
    keys = case["out_keys"]
    (maps,) = cam.localize(model, image[None], [keys], **OPTIONS)
    golden.assert_close(case, "out_cam", maps)
    (maps,) = cam.localize(model, image[None], [keys], **(OPTIONS | {"map_stride": 1}))
    golden.assert_close(case, "out_high_res", maps)


@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_batching_changes_nothing(compact, alignment):
    images = small_batch()
    ids = [np.array([2]), np.array([], np.int64), np.array([0, 3])]
    options = OPTIONS | {"alignment": alignment}
    together = cam.localize(compact, images, ids, **options)
    assert [m.shape for m in together] == [(1, 10, 14), (0, 10, 14), (2, 10, 14)]
    assert all(m.dtype == np.float32 for m in together)
    for image, own, maps in zip(images, ids, together, strict=True):
        (alone,) = cam.localize(compact, image[None], [own], **(options | {"batch_size": 1}))
        np.testing.assert_allclose(maps, alone, atol=1e-5)
        if len(own):
            assert maps.min() >= 0
            assert maps.max() <= 1


def test_a_batch_without_classes_is_empty_maps(compact):
    maps = cam.localize(compact, small_batch(2, 41, 57), [np.array([], np.int64)] * 2, **OPTIONS)
    assert [m.shape for m in maps] == [(0, 11, 15)] * 2


@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_a_mirrored_image_has_mirrored_maps(compact, alignment):
    image = small_batch(1, 40, 57)
    options = OPTIONS | {"alignment": alignment, "scales": (1.0,)}
    (maps,) = cam.localize(compact, image, [np.array([1])], **options)
    (mirrored,) = cam.localize(compact, image[:, :, ::-1], [np.array([1])], **options)
    np.testing.assert_allclose(maps, mirrored[:, :, ::-1], atol=1e-5)


@pytest.mark.parametrize("offset", [0, 5])
@pytest.mark.parametrize(("row", "column"), [(40, 64), (37, 51), (52, 70)])
def test_centres_find_the_bright_pixel(offset, row, column):
    image = blob(93, 122, row, column)
    options = OPTIONS | {"map_stride": 1, "alignment": "centres"}
    (maps,) = cam.localize(subsampled(offset), image[None], [np.array([0])], **options)
    weights = np.where(maps[0] > 0.5, maps[0], 0)
    rows, columns = np.mgrid[:93, :122]
    assert np.average(rows, weights=weights) == pytest.approx(row, abs=0.5)
    assert np.average(columns, weights=weights) == pytest.approx(column, abs=0.5)


def test_official_maps_are_shifted_down_by_half_a_stride():
    image = blob(96, 128, 40, 64)
    for alignment, shift in (("centres", 0.0), ("official", 3.5)):
        options = OPTIONS | {"map_stride": 1, "alignment": alignment, "scales": (1.0,)}
        (maps,) = cam.localize(subsampled(0), image[None], [np.array([0])], **options)
        rows = np.average(np.arange(96), weights=np.where(maps[0] > 0.5, maps[0], 0).sum(1))
        assert rows == pytest.approx(40 + shift, abs=0.5)


def test_sampling_matrix_by_hand():
    matrix = sampling_matrix(
        subsampled(0).backbone, features=2, view_length=16, cells=4, mirrored=False
    )
    # Cell centres 1.5, 5.5, 9.5, 13.5; features at 0 and 8.
    expected = [[1 - 1.5 / 8, 1.5 / 8], [1 - 5.5 / 8, 5.5 / 8], [0, 1], [0, 1]]
    np.testing.assert_allclose(matrix.numpy(), expected)
    matrix = sampling_matrix(
        subsampled(0).backbone, features=2, view_length=16, cells=4, mirrored=True
    )
    expected = [[0, 1], [0, 1], [1 - 5.5 / 8, 5.5 / 8], [1 - 1.5 / 8, 1.5 / 8]]
    np.testing.assert_allclose(matrix.numpy(), expected)


def test_the_model_comes_back_as_it_was():
    model = build_classifier("compact", num_classes=2).train()
    model.backbone.conv1.weight.requires_grad_(False)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    cam.localize(model, small_batch(1), [np.array([0])], **OPTIONS)
    assert model.training
    assert not model.backbone.conv1.weight.requires_grad
    assert model.head.weight.requires_grad
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_bfloat16_is_close(compact):
    image = small_batch(1)
    (full,) = cam.localize(compact, image, [np.array([0, 1])], **OPTIONS)
    (half,) = cam.localize(
        compact, image, [np.array([0, 1])], **(OPTIONS | {"precision": "bfloat16"})
    )
    np.testing.assert_allclose(half, full, atol=0.05)


@pytest.mark.parametrize(
    ("images", "class_ids", "options", "message"),
    [
        (small_batch().astype(np.float32), [[0]] * 3, {}, "must be uint8"),
        (small_batch(), [[0]], {}, "3 images came with class ids of 1"),
        (small_batch(1), [[4]], {}, "classifier knows 0..3"),
        (small_batch(1), [[0]], {"alignment": "none"}, "unknown alignment 'none'"),
        (small_batch(1), [[0]], {"precision": "half"}, "unknown precision 'half'"),
    ],
)
def test_what_does_not_fit_is_refused(compact, images, class_ids, options, message):
    with pytest.raises(ValueError, match=message):
        cam.localize(compact, images, class_ids, **(OPTIONS | options))
