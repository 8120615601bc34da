"""Tests of multi-scale prediction."""

import numpy as np
import pytest
import torch

from wsss.models.deeplab import MultiScale, build_segmenter
from wsss.models.segmentation import predict_probabilities


def _segmenter() -> MultiScale:
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2", "compact", num_classes=3, atrous_rates=(1, 2), scales=(0.5,)
    )
    return segmenter.eval()


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(9).integers(0, 256, (count, 40, 33, 3)).astype(np.uint8)


def test_probabilities_have_the_size_of_the_image_and_sum_to_one() -> None:
    probabilities = predict_probabilities(_segmenter(), _images(1)[0], scales=(0.5, 1.5), flip=True)
    assert probabilities.shape == (3, 40, 33) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-6)


def test_a_batch_equals_its_images() -> None:
    segmenter, images = _segmenter(), _images(2)
    batch = predict_probabilities(segmenter, images, scales=(1.0,), flip=True)
    single = [predict_probabilities(segmenter, i, scales=(1.0,), flip=True) for i in images]
    np.testing.assert_allclose(batch, np.stack(single), atol=1e-6)


def test_views_are_averaged() -> None:
    segmenter, image = _segmenter(), _images(1)[0]
    views = [
        predict_probabilities(segmenter, image, scales=(scale,), flip=False) for scale in (1, 0.5)
    ]
    both = predict_probabilities(segmenter, image, scales=(1, 0.5), flip=False)
    np.testing.assert_allclose(both, np.mean(views, 0), atol=1e-6)


def test_the_mirrored_image_gives_mirrored_probabilities() -> None:
    segmenter, image = _segmenter(), _images(1)[0]
    plain = predict_probabilities(segmenter, image, scales=(1.0,), flip=True)
    mirrored = predict_probabilities(segmenter, image[:, ::-1].copy(), scales=(1.0,), flip=True)
    np.testing.assert_allclose(mirrored[:, :, ::-1], plain, atol=1e-6)


def test_refuses() -> None:
    segmenter, image = _segmenter(), _images(1)[0]
    with pytest.raises(TypeError, match="uint8"):
        predict_probabilities(segmenter, image / 255, scales=(1.0,), flip=False)
    with pytest.raises(ValueError, match=r"expected \(H,W,3\)"):
        predict_probabilities(segmenter, image[..., 0], scales=(1.0,), flip=False)
    with pytest.raises(ValueError, match="positive numbers"):
        predict_probabilities(segmenter, image, scales=(), flip=False)
    with pytest.raises(ValueError, match="training mode"):
        predict_probabilities(segmenter.train(), image, scales=(1.0,), flip=False)
