"""Features of training and OoD images under a classifier (w-ood sec. 4.3.4, Fig. 7)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from wsss.diagnose._images import choose_images
from wsss.localize._views import inference
from wsss.models.classifier import Classifier

# Of a training image: whether it shows a background that goes with its class, where that is known.
ORIGINS = {None: "training", True: "training, own background", False: "training, elsewhere"}
OOD = "OoD"
DIGITS = 6


def measure(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    classes: Sequence[str],
    backgrounds: Mapping[str, Mapping[int, bool]],
    ood_images: Mapping[str, np.ndarray],
    ood_labels: Mapping[str, np.ndarray],
    *,
    class_names: Sequence[str],
    per_class: int,
    example_seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield the pooled features of images of some classes, and of OoD images taken for these.

    The training images show one class alone. The paper shows them as one set; where backgrounds are
    known, those with and without one that goes with the class are told apart here. The images are
    the same for every classifier.

    Args:
        model: Classifier.
        images: uint8 (H, W, 3) RGB by image id.
        labels: Zero-based classes (n,) by image id.
        classes: Names of all classes.
        backgrounds: By image id, for the classes of the image whose background is known, whether it
            shows one that goes with the class (ground truth, for evaluation only).
        ood_images: OoD images by image id.
        ood_labels: Of these, the class that F_in took each for, (1,) or none.
        class_names: Classes to show; empty for the first two.
        per_class: Images of each class and origin, at most.
        example_seed: Of their choice.

    Yields:
        image_id: Of the image.
        class_name: Its class, or the class that it was taken for.
        origin: "OoD", "training", "training, own background" or "training, elsewhere".
        z0, z1, ...: Its features.

    Raises:
        ValueError: A class is unknown, or has no training or no OoD image.
    """
    with inference(model):
        for name in class_names or classes[:2]:
            if name not in classes:
                raise ValueError(f"{name!r} is not a class of the data set: {', '.join(classes)}")
            number = classes.index(name)
            alone = {i: ids for i, ids in labels.items() if ids.tolist() == [number]}
            taken = {i: ids for i, ids in ood_labels.items() if ids.tolist() == [number]}
            if not (alone and taken):
                raise ValueError(
                    f"there are {len(alone)} training images of {name} alone and {len(taken)} OoD "
                    "images that were taken for it: show another of the classes, or collect more"
                )
            for origin, members in _by_background(alone, backgrounds, number).items():
                chosen = choose_images(
                    members, count=per_class, random_seed=example_seed, among=None
                )
                yield from _rows(model, images, chosen, name, origin)
            chosen = choose_images(taken, count=per_class, random_seed=example_seed, among=None)
            yield from _rows(model, ood_images, chosen, name, OOD)


def _by_background(
    alone: Mapping[str, np.ndarray], backgrounds: Mapping[str, Mapping[int, bool]], number: int
) -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    for image_id, class_ids in alone.items():
        origin = ORIGINS[backgrounds.get(image_id, {}).get(number)]
        found.setdefault(origin, {})[image_id] = class_ids
    return dict(sorted(found.items()))


@torch.no_grad()
def _rows(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    chosen: Sequence[str],
    class_name: str,
    origin: str,
) -> Iterator[dict[str, Any]]:
    for image_id in chosen:
        pixels = torch.from_numpy(images[image_id].transpose(2, 0, 1).copy())[None]
        features = model.pooled_features(model.normalize(pixels.to(model.head.weight.device)))
        values = {
            f"z{n}": float(f"{z:.{DIGITS}g}") for n, z in enumerate(features[0].float().tolist())
        }
        yield {"image_id": image_id, "class_name": class_name, "origin": origin, **values}
