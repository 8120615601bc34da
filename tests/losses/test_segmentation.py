"""Tests of the segmentation losses; the official case is in tests/models/test_deeplab.py."""

import numpy as np
import pytest
import torch
from PIL import Image

from wsss.losses.segmentation import (
    balanced_cross_entropy,
    cross_entropy,
    multi_scale_losses,
    shrink_labels,
)


def _logits_and_labels() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(6)
    logits = torch.from_numpy(rng.standard_normal((2, 4, 5, 6)).astype(np.float32))
    labels = torch.from_numpy(rng.choice([0, 0, 1, 3, 255], (2, 5, 6)))
    return logits, labels


def _pixel_losses(logits: torch.Tensor, labels: torch.Tensor) -> list[tuple[int, int, float]]:
    """Return (image, label, -log softmax) of every labelled pixel, one by one."""
    found = []
    for (image, row, column), label in np.ndenumerate(labels.numpy()):
        if label != 255:
            scores = logits[image, :, row, column].double().numpy()
            loss = np.log(np.exp(scores).sum()) - scores[label]
            found.append((image, int(label), float(loss)))
    return found


def test_cross_entropy_equals_the_definition() -> None:
    logits, labels = _logits_and_labels()
    expected = np.mean([loss for _, _, loss in _pixel_losses(logits, labels)])
    assert float(cross_entropy(logits, labels, ignore_index=255)) == pytest.approx(
        expected, rel=1e-5
    )


def test_balanced_cross_entropy_equals_the_definition() -> None:
    logits, labels = _logits_and_labels()
    labels[1][labels[1] == 0] = 255  # the second image has no background
    pixels = _pixel_losses(logits, labels)
    expected = 0.0
    for image in (0, 1):
        for foreground in (False, True):
            side = [loss for i, label, loss in pixels if i == image and (label > 0) == foreground]
            expected += np.mean(side) / 2 if side else 0.0
    assert float(balanced_cross_entropy(logits, labels, ignore_index=255)) == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize("loss", ["cross_entropy", "balanced_cross_entropy"])
def test_without_labelled_pixels_the_loss_is_zero(loss: str) -> None:
    logits = torch.ones(1, 3, 4, 4, requires_grad=True)
    labels = torch.full((1, 8, 8), 255, dtype=torch.uint8)
    losses = multi_scale_losses([logits, logits], labels, loss=loss, ignore_index=255)
    losses.sum().backward()
    assert losses.tolist() == [0.0, 0.0]
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize(
    ("length", "target"), [(81, 6), (321, 41), (10, 5), (8, 6), (7, 7), (63, 64)]
)
def test_shrink_equals_pillow(length: int, target: int) -> None:
    labels = np.random.default_rng(7).integers(0, 256, (length, 12)).astype(np.uint8)
    expected = np.asarray(Image.fromarray(labels).resize((5, target), Image.Resampling.NEAREST))
    shrunk = shrink_labels(torch.from_numpy(labels)[None], (target, 5))
    np.testing.assert_array_equal(shrunk[0].numpy(), expected)


def test_refuses() -> None:
    logits, labels = _logits_and_labels()
    with pytest.raises(KeyError, match="known: cross_entropy, balanced_cross_entropy"):
        multi_scale_losses([logits], labels, loss="dice", ignore_index=255)
    with pytest.raises(ValueError, match="one label map per image"):
        multi_scale_losses([logits], labels[:1], loss="cross_entropy", ignore_index=255)
