"""The classification loss around images, along its gradient and a random vector.

Lee et al. 2021, dissertation 3.3.2 and Fig. 3.4, after Moosavi-Dezfooli et al. 2019.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from wsss.diagnose._images import choose_images
from wsss.localize._views import inference
from wsss.losses.classification import soft_margin
from wsss.models.classifier import Classifier


def measure(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    *,
    num_images: int,
    example_seed: int,
    extent: float,
    points: int,
    batch_size: int,
) -> Iterator[dict[str, Any]]:
    """Yield the mean loss of images that are moved by a n + b r, for a and b in -extent..extent.

    n is the gradient of an image's loss to its normalised pixels with the sign that lowers the loss
    (climbing), r has independent normal entries; both are scaled to a mean square of 1, so that a
    and b are root mean square changes of a pixel value. a > 0 is the half in which AdvCAM climbs,
    a < 0 that of an attack by gradient ascent. Moved images are not clamped.

    Args:
        model: Classifier.
        images: uint8 (H, W, 3) RGB by image id.
        labels: Zero-based classes (n,) by image id.
        num_images: How many images, at most.
        example_seed: Of their choice, and of r.
        extent: Largest change to each side, above 0.
        points: To each side of the image, along n and along r.
        batch_size: Moved images in one pass.

    Yields:
        climb, random: a and b.
        loss: Mean over the images of the soft margin loss.
        num_images: How many images.
    """
    chosen = choose_images(labels, count=num_images, random_seed=example_seed, among=None)
    axis = np.linspace(-extent, extent, 2 * points + 1)
    moves = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    total = np.zeros(len(moves))
    with inference(model):
        for number, image_id in enumerate(chosen):
            pixels = torch.from_numpy(images[image_id].transpose(2, 0, 1).copy())[None]
            image = model.normalize(pixels.to(model.head.weight.device))
            image_labels = torch.zeros(1, model.head.out_channels, device=image.device)
            image_labels[0, torch.from_numpy(labels[image_id]).to(image.device)] = 1
            drawn = np.random.default_rng([example_seed, number]).standard_normal(image.shape)
            random = torch.from_numpy(drawn).to(image)
            plane = torch.cat([_descent(model, image, image_labels), random / _size(random)])
            steps = torch.from_numpy(moves).to(image)
            total += _losses(model, image, image_labels, plane, steps, batch_size)
    for (along, aside), loss in zip(moves.tolist(), total / len(chosen), strict=True):
        yield {"climb": along, "random": aside, "loss": float(loss), "num_images": len(chosen)}


def _descent(model: Classifier, image: torch.Tensor, image_labels: torch.Tensor) -> torch.Tensor:
    """Return the direction (1, 3, H, W) that lowers the loss, with a mean square of 1."""
    with torch.enable_grad():
        moved = image.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(soft_margin(model(moved), image_labels).sum(), moved)
    size = _size(gradient)
    return -gradient / torch.where(size > 0, size, 1)


def _size(direction: torch.Tensor) -> torch.Tensor:
    return direction.square().mean().sqrt()


@torch.no_grad()
def _losses(
    model: Classifier,
    image: torch.Tensor,
    image_labels: torch.Tensor,
    plane: torch.Tensor,
    moves: torch.Tensor,
    batch_size: int,
) -> np.ndarray:
    """Return the loss (M,) of the image moved in the plane (2, 3, H, W) by each of moves (M, 2)."""
    found = [
        soft_margin(
            model(image + torch.einsum("mp,pchw->mchw", part, plane)),
            image_labels.expand(len(part), -1),
        )
        for part in moves.split(batch_size)
    ]
    return torch.cat(found).double().cpu().numpy()
