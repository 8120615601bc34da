"""MS COCO, or another data set with annotations in its instance format."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle_tools

from wsss.data.images import image_files, image_size
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.selection import covering_order
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.store.masks import write_mask

IGNORE_INDEX = 255
VOC_TO_COCO = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}


@dataclass(frozen=True)
class _Image:
    """An annotated image; `labels` in the order of the classes, `objects` of the classes only."""

    path: Path
    size: tuple[int, int]
    labels: tuple[str, ...]
    objects: list[dict[str, Any]] = field(repr=False)


def prepare(
    folder: Path,
    *,
    root: str,
    train_images: str,
    train_annotations: str,
    val_images: str,
    val_annotations: str,
    classes: Sequence[str],
    val_fraction: float,
    limit: int,
    random_seed: int,
    workers: int,
) -> Prepared:
    """Return the images that show a class, with labels and masks, and the others as OoD candidates.

    Annotated images with at least one object of the classes become train and val. Train images
    without one, and images of the train folder that the annotations do not name, become OoD
    candidates; of the latter nothing is known, so they have no ground truth. Val images
    without a class are left out.

    In a mask the smaller object covers the larger; a crowd (iscrowd) is 255 where no single object
    covers it, and counts for the image labels. Objects of other classes are background.

    Args:
        folder: Gets SegmentationClass/ with one palette PNG per train and val image.
        root: The folder that holds images and annotations.
        train_images: Folder under root.
        train_annotations: Instance annotations (JSON) of train_images, under root.
        val_images: Folder under root, or "" to take val from the train images.
        val_annotations: Instance annotations of val_images, or "".
        classes: Class names of COCO, or those of VOC for the same classes ("aeroplane").
        val_fraction: Share of the train images that become val where there is no val_annotations;
            in [0, 1). Every class that has an image keeps one for training.
        limit: At most so many images with a class, and as many without, or 0 for all; every
            class keeps an image as long as the limit allows.
        random_seed: Of the val images and of the choice that `limit` asks for.
        workers: Processes that draw the masks.

    Raises:
        ValueError: A folder, file or image is missing, a class is unknown, no training image shows
            any class, an image has another size than its annotation says.
    """
    source = Path(root)
    if not source.is_dir():
        raise ValueError(
            f"folder {source} does not exist; link the data set there: "
            f"mkdir -p {source.parent} && ln -s FOLDER_OF_THE_DATA_SET {source}"
        )
    if not 0 <= val_fraction < 1 or bool(val_images) != bool(val_annotations):
        raise ValueError(
            f"val_fraction {val_fraction} must be in [0, 1), and val_images and val_annotations "
            "must both be named or both be empty"
        )
    images = _read_annotations(source / train_annotations, source / train_images, classes)
    chosen = _chosen(images, classes, limit, random_seed)
    if val_annotations:
        val = _read_annotations(source / val_annotations, source / val_images, classes)
        parts = [("train", images, chosen)]
        parts.append(("val", val, _chosen(val, classes, limit, random_seed)))
    else:
        last = len(chosen) - round(val_fraction * len(chosen))
        parts = [("train", images, chosen[:last]), ("val", images, chosen[last:])]
    records, ground_truth = [], []
    for split, part, unsorted in parts:
        image_ids = sorted(unsorted)
        masks = [folder / "SegmentationClass" / f"{image_id}.png" for image_id in image_ids]
        found = [part[image_id] for image_id in image_ids]
        drawn = parallel_map(
            partial(_write, classes=tuple(classes)), zip(masks, found, strict=True), workers=workers
        )
        for _ in progress(drawn, total=len(masks), description=f"{split} masks"):
            pass
        for image_id, mask, image in zip(image_ids, masks, found, strict=True):
            records.append(ImageRecord(image_id, image.path, split, *image.size, image.labels))
            ground_truth.append(GroundTruthRecord(image_id, mask, None, image.labels, ""))
    for path in _candidates(source / train_images, images, limit, random_seed):
        records.append(ImageRecord(path.stem, path, "ood", *image_size(path), ()))
        if path.stem in images:
            ground_truth.append(GroundTruthRecord(path.stem, None, None, (), ""))
    return Prepared(tuple(classes), tuple(records), tuple(ground_truth))


def _read_annotations(path: Path, image_folder: Path, classes: Sequence[str]) -> dict[str, _Image]:
    """Return the annotated images by id, which is the file's name without suffix."""
    try:
        content = json.loads(path.read_bytes())
        class_of = _class_of_category(content["categories"], classes, path)
        objects: dict[int, list[dict[str, Any]]] = {item["id"]: [] for item in content["images"]}
        for item in content["annotations"]:
            if item["category_id"] in class_of:
                name = class_of[item["category_id"]]
                objects[item["image_id"]].append({**item, "class_name": name})
        return {
            Path(item["file_name"]).stem: _Image(
                image_folder / item["file_name"],
                (item["height"], item["width"]),
                _ordered({found["class_name"] for found in objects[item["id"]]}, classes),
                objects[item["id"]],
            )
            for item in content["images"]
        }
    except FileNotFoundError:
        raise ValueError(f"annotations {path} do not exist; link COCO there") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"annotations {path} are no JSON ({error}); fetch them again") from None
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"annotations {path} are not in COCO's instance format ({error!r} is missing or "
            "unexpected); use an instances_*.json file"
        ) from None


def _class_of_category(
    categories: list[dict[str, Any]], classes: Sequence[str], path: Path
) -> dict[int, str]:
    """Return our class name by COCO's category id.

    Raises:
        ValueError: A class is no category.
    """
    category_of = {category["name"]: category["id"] for category in categories}
    # A file that has a class under VOC's own name keeps it.
    named = {name: name if name in category_of else VOC_TO_COCO.get(name, name) for name in classes}
    unknown = [name for name, category in named.items() if category not in category_of]
    if unknown:
        raise ValueError(
            f"annotations {path} have no class {', '.join(unknown)}; known are "
            f"{', '.join(category_of)}"
        )
    return {category_of[category]: name for name, category in named.items()}


def _ordered(names: set[str], classes: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in classes if name in names)


def _chosen(
    images: Mapping[str, _Image], classes: Sequence[str], limit: int, random_seed: int
) -> list[str]:
    """Return the ids of the images with a class that `limit` keeps, in covering order."""
    shown = {image_id: image.labels for image_id, image in images.items() if image.labels}
    return covering_order(shown, classes, random_seed=random_seed)[: limit or None]


def _candidates(
    folder: Path, images: Mapping[str, _Image], limit: int, random_seed: int
) -> list[Path]:
    """Return the files, by name, that show no class or are not annotated; at most `limit`."""
    paths = [
        path
        for path in image_files(folder)
        if path.stem not in images or not images[path.stem].labels
    ]
    order = np.random.default_rng(random_seed).permutation(len(paths))[: limit or None]
    return [paths[position] for position in sorted(order)]


def _write(job: tuple[Path, _Image], *, classes: tuple[str, ...]) -> None:
    """Write the mask of an image.

    Raises:
        ValueError: The image is not as large as its annotation says.
    """
    path, image = job
    found = image_size(image.path)
    if found != image.size:
        raise ValueError(
            f"image {image.path} is {found}, but its annotation says {image.size}; "
            "fetch images and annotations of one release"
        )
    write_mask(path, _draw(image, classes))


def _draw(image: _Image, classes: Sequence[str]) -> np.ndarray:
    """Return the mask: crowds first, then the objects from the largest to the smallest."""
    mask = np.zeros(image.size, dtype=np.uint8)
    shapes = [(_decode(item, image), item) for item in image.objects]
    shapes.sort(key=lambda pair: (not pair[1].get("iscrowd", 0), -int(pair[0].sum())))
    for shape, item in shapes:
        value = classes.index(item["class_name"]) + 1
        mask[shape] = IGNORE_INDEX if item.get("iscrowd", 0) else value
    return mask


def _decode(item: Mapping[str, Any], image: _Image) -> np.ndarray:
    """Return an object's pixels, (H, W) bool, from polygons or from either form of RLE.

    Raises:
        ValueError: The segmentation has another size than the image, or no known form.
    """
    shape = item["segmentation"]
    height, width = image.size
    try:
        if isinstance(shape, list):
            # pycocotools would take four numbers for a box.
            if not all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in shape):
                raise ValueError("a polygon needs at least three points")
            shape = rle_tools.merge(rle_tools.frPyObjects(shape, height, width))
        elif isinstance(shape["counts"], list):
            shape = rle_tools.frPyObjects(shape, *shape["size"])
        pixels = rle_tools.decode(shape).astype(bool)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f"object {item.get('id')} of image {image.path} has no readable mask ({error}); "
            "fetch the annotations again"
        ) from None
    if pixels.shape != image.size:
        raise ValueError(
            f"object {item.get('id')} of image {image.path} has a mask of {pixels.shape}, but the "
            f"image is {image.size}; fetch the annotations again"
        )
    return pixels
