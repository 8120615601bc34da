"""Features of images on their climb among those of their classes (dissertation 3.3.4, Fig. 3.9)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from wsss.diagnose._climbs import climb_image
from wsss.diagnose._images import choose_images
from wsss.localize._views import inference
from wsss.metrics.plane import tsne_plane
from wsss.models.classifier import Classifier


class Point(NamedTuple):
    """An image of a class, or the image that a climb made of it after `step` moves."""

    image_id: str
    class_name: str
    climbs: int
    step: int
    features: np.ndarray


def measure(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    classes: Sequence[str],
    advcam: Mapping[str, Any],
    *,
    class_names: Sequence[str],
    per_class: int,
    trajectories: int,
    example_seed: int,
    perplexity: float,
) -> Iterator[dict[str, Any]]:
    """Yield the places of features in a t-SNE plane, of images and of some that climb.

    The images show one class alone, for which their score is highest. The features are pooled, as
    the classification layer gets them. Images and climbs are embedded together, from a start by
    principal components.

    Args:
        model: Classifier.
        images: uint8 (H, W, 3) RGB by image id.
        labels: Zero-based classes (n,) by image id.
        classes: Names of all classes.
        advcam: Options of the localizer; its `steps` count the start, too.
        class_names: Classes to show; empty for the first two.
        per_class: Images of each class, at most.
        trajectories: How many of each class's images climb; the first of its choice.
        example_seed: Of the choice of images and of t-SNE.
        perplexity: Of t-SNE: about how many neighbours a point has; below the number of points.

    Yields:
        image_id, class_name: Of the image.
        climbs: 1 on a trajectory, else 0.
        step: How often the image was moved.
        x, y: Its place; the units mean nothing.

    Raises:
        ValueError: A class is unknown or has no such image, or the points are too few.
    """
    points: list[Point] = []
    with inference(model):
        for name in class_names or classes[:2]:
            own = _own_images(labels, classes, name, example_seed)
            found = _recognised(model, images, own, classes.index(name), per_class)
            if not found:
                raise ValueError(
                    f"the classifier puts no image of {name} alone before all other classes: train "
                    "it longer, or take other classes for class_names"
                )
            points += [Point(i, name, 0, 0, features) for i, features in found.items()]
            for image_id in list(found)[:trajectories]:
                points += _trajectory(
                    model, images[image_id], labels[image_id], image_id, name, advcam
                )
    features = np.stack([point.features for point in points])
    places = tsne_plane(features, perplexity=perplexity, random_seed=example_seed)
    for point, (x, y) in zip(points, places.tolist(), strict=True):
        row = point._asdict()
        del row["features"]
        yield {**row, "x": x, "y": y}


def _own_images(
    labels: Mapping[str, np.ndarray], classes: Sequence[str], name: str, random_seed: int
) -> list[str]:
    """Return the ids of all images with this class alone, in random order."""
    if name not in classes:
        raise ValueError(f"{name!r} is not a class of the data set: {', '.join(classes)}")
    own = {i: ids for i, ids in labels.items() if ids.tolist() == [classes.index(name)]}
    return choose_images(own, count=len(own), random_seed=random_seed, among=None)


@torch.no_grad()
def _recognised(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    image_ids: Sequence[str],
    class_id: int,
    count: int,
) -> dict[str, np.ndarray]:
    """Return the features (D,) of the first `count` images whose highest score is their class's."""
    found: dict[str, np.ndarray] = {}
    for image_id in image_ids:
        pixels = torch.from_numpy(images[image_id].transpose(2, 0, 1).copy())[None]
        features = model.features(model.normalize(pixels.to(model.head.weight.device)))
        if int(model.logits_of(features).argmax()) == class_id:
            found[image_id] = features.mean((2, 3))[0].float().cpu().numpy()
        if len(found) == count:
            break
    return found


def _trajectory(
    model: Classifier,
    image: np.ndarray,
    class_ids: np.ndarray,
    image_id: str,
    name: str,
    advcam: Mapping[str, Any],
) -> Iterator[Point]:
    (steps,) = climb_image(model, image, class_ids, advcam, scale=1)
    for number, step in enumerate(steps):
        with torch.no_grad():
            features = model.pooled_features(step.pairs[:, 0])
        yield Point(image_id, name, 1, number, features[0].float().cpu().numpy())
