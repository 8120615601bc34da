"""Tests of multi-scale prediction."""

import numpy as np
import pytest
import torch

from wsss.models.deeplab import MultiScale, build_segmenter
from wsss.models.segmentation import images_per_pass, predict_probabilities


def _segmenter() -> MultiScale:
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2", "compact", num_classes=3, atrous_rates=(1, 2), scales=(0.5,)
    )
    return segmenter.eval()


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(9).integers(0, 256, (count, 40, 33, 3)).astype(np.uint8)


def _predict(segmenter, images, *, scales=(1.0,), flip=False, memory_gb=4.0) -> np.ndarray:
    options = {"scales": scales, "flip": flip, "memory_gb": memory_gb}
    return np.stack(list(predict_probabilities(segmenter, images, **options)))


def test_probabilities_have_the_size_of_the_image_and_sum_to_one() -> None:
    probabilities = _predict(_segmenter(), _images(2), scales=(0.5, 1.5), flip=True)
    assert probabilities.shape == (2, 3, 40, 33) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_images_pass_as_the_memory_allows_and_the_result_is_the_same() -> None:
    segmenter, images = _segmenter(), _images(5)
    seen = []
    segmenter.base.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    whole = _predict(segmenter, images, flip=True)
    assert set(seen) == {5}
    seen.clear()
    one = images_per_pass(segmenter, (40, 33), scale=1, memory_gb=1)
    parts = _predict(segmenter, images, flip=True, memory_gb=2.5 / one)
    assert seen == [2] * 8 + [1] * 4
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_large_images_scales_and_many_classes_need_more_memory() -> None:
    segmenter = _segmenter()

    def passing(network=segmenter, size=(400, 500), scale=1.0):
        return images_per_pass(network, size, scale=scale, memory_gb=4)

    channels, strides = segmenter.base.backbone.stage_channels, [2, 2, 4, 8, 8]
    assert list(segmenter.base.backbone.stage_strides) == strides
    values = sum(c / s**2 for c, s in zip(channels, strides, strict=True)) + 4 * 3
    assert passing() == int(4 * 2**30 / (values * 400 * 500 * 4))
    many = build_segmenter("deeplab_v2", "compact", num_classes=81, atrous_rates=[1], scales=[])
    assert passing(size=(800, 1000)) in range(passing() // 4 - 1, passing() // 4 + 1)
    assert passing(many) < passing() / 3 and passing(scale=2.0) < passing()
    assert passing(size=(10**5, 10**5)) == 1


def test_views_are_averaged() -> None:
    segmenter, images = _segmenter(), _images(1)
    views = [_predict(segmenter, images, scales=(scale,)) for scale in (1, 0.5)]
    both = _predict(segmenter, images, scales=(1, 0.5))
    np.testing.assert_allclose(both, np.mean(views, 0), atol=1e-6)


def test_the_mirrored_image_gives_mirrored_probabilities() -> None:
    segmenter, images = _segmenter(), _images(1)
    plain = _predict(segmenter, images, flip=True)
    mirrored = _predict(segmenter, images[:, :, ::-1].copy(), flip=True)
    np.testing.assert_allclose(mirrored[..., ::-1], plain, atol=1e-6)


def test_refuses() -> None:
    segmenter, images = _segmenter(), _images(1)
    with pytest.raises(TypeError, match="uint8"):
        _predict(segmenter, images / 255)
    with pytest.raises(ValueError, match=r"expected \(B,H,W,3\)"):
        _predict(segmenter, images[0])
    with pytest.raises(ValueError, match="positive numbers"):
        _predict(segmenter, images, scales=())
    with pytest.raises(ValueError, match="training mode"):
        _predict(segmenter.train(), images)
