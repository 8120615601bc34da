"""MS COCO, or another data set with annotations in its instance format."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wsss.data.checks import check_image, checked_together
from wsss.data.images import Header, image_files
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.selection import covering_order
from wsss.data.sets._coco_annotations import AnnotatedImage, read_annotations
from wsss.data.sets._coco_shapes import object_pixels
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.store.masks import IGNORE_INDEX, write_mask


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
    max_megapixels: float,
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

    Candidates whose file is that of a train or val image are left out. Of images only the header
    is read: one that is cut off behind it is named by the first stage that decodes it.

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
        max_megapixels: Million pixels that an image may have.
        random_seed: Of the val images and of the choice that `limit` asks for.
        workers: Processes that draw the masks.

    Raises:
        ValueError: A folder, file or image is missing or cannot be read, a class is unknown, no
            training image shows any class, an image is too large or has another size than its
            annotation says, an annotation is broken or belongs to nothing.
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
    images = read_annotations(source / train_annotations, source / train_images, classes)
    chosen = _chosen(images, classes, limit, random_seed)
    if val_annotations:
        val = read_annotations(source / val_annotations, source / val_images, classes)
        parts = [("train", images, chosen)]
        parts.append(("val", val, _chosen(val, classes, limit, random_seed)))
    else:
        last = len(chosen) - round(val_fraction * len(chosen))
        parts = [("train", images, chosen[:last]), ("val", images, chosen[last:])]
    records: list[ImageRecord] = []
    headers: list[Header] = []
    ground_truth = []
    write = partial(_write, classes=tuple(classes), max_megapixels=max_megapixels)
    for split, part, unsorted in parts:
        image_ids = sorted(unsorted)
        masks = [folder / "SegmentationClass" / f"{image_id}.png" for image_id in image_ids]
        found = [part[image_id] for image_id in image_ids]
        drawn = parallel_map(write, zip(masks, found, strict=True), workers=workers)
        headers += progress(drawn, total=len(masks), description=f"{split} masks")
        for image_id, mask, image in zip(image_ids, masks, found, strict=True):
            records.append(ImageRecord(image_id, image.path, split, *image.size, image.labels))
            ground_truth.append(GroundTruthRecord(image_id, mask, None, image.labels, ""))
    candidates = _candidates(source / train_images, images, limit, random_seed)
    check = partial(check_image, max_megapixels=max_megapixels)
    read = parallel_map(check, candidates, workers=workers)
    headers += progress(read, total=len(candidates), description="OoD candidates")
    for path, header in zip(candidates, headers[len(records) :], strict=True):
        records.append(ImageRecord(path.stem, path, "ood", *header.size, ()))
    kept = checked_together(records, headers)
    ground_truth += [
        GroundTruthRecord(record.image_id, None, None, (), "")
        for record in kept
        if record.split == "ood" and record.image_id in images
    ]
    return Prepared(tuple(classes), tuple(kept), tuple(ground_truth))


def _chosen(
    images: Mapping[str, AnnotatedImage], classes: Sequence[str], limit: int, random_seed: int
) -> list[str]:
    """Return the ids of the images with a class that `limit` keeps, in covering order."""
    shown = {image_id: image.labels for image_id, image in images.items() if image.labels}
    return covering_order(shown, classes, random_seed=random_seed)[: limit or None]


def _candidates(
    folder: Path, images: Mapping[str, AnnotatedImage], limit: int, random_seed: int
) -> list[Path]:
    """Return the files, by name, that show no class or are not annotated; at most `limit`."""
    paths = [
        path
        for path in image_files(folder)
        if path.stem not in images or not images[path.stem].labels
    ]
    order = np.random.default_rng(random_seed).permutation(len(paths))[: limit or None]
    return [paths[position] for position in sorted(order)]


def _write(
    job: tuple[Path, AnnotatedImage], *, classes: tuple[str, ...], max_megapixels: float
) -> Header:
    """Write the mask of an image, and return the image's header.

    Raises:
        ValueError: The image cannot be read, is too large or not as large as its annotation says.
    """
    path, image = job
    header = check_image(image.path, max_megapixels=max_megapixels)
    if header.size != image.size:
        raise ValueError(
            f"image {image.path} is {header.size}, but its annotation says {image.size}; "
            "fetch images and annotations of one release"
        )
    write_mask(path, _draw(image, classes))
    return header


def _draw(image: AnnotatedImage, classes: Sequence[str]) -> np.ndarray:
    """Return the mask: crowds first, then the objects from the largest to the smallest."""
    mask = np.zeros(image.size, dtype=np.uint8)
    shapes = [(_pixels(item, image), item) for item in image.objects]
    shapes.sort(key=lambda pair: (not pair[1].get("iscrowd", 0), -int(pair[0].sum())))
    for shape, item in shapes:
        value = classes.index(item["class_name"]) + 1
        mask[shape] = IGNORE_INDEX if item.get("iscrowd", 0) else value
    return mask


def _pixels(item: Mapping[str, Any], image: AnnotatedImage) -> np.ndarray:
    """Return an object's pixels, (H, W) bool.

    Raises:
        ValueError: The segmentation or the mark of a crowd cannot be read.
    """
    try:
        if item.get("iscrowd", 0) not in (0, 1):
            raise ValueError("iscrowd is neither 0 nor 1")
        return object_pixels(item.get("segmentation"), image.size)
    except ValueError as error:
        raise ValueError(
            f"object {item.get('id')} of image {image.path} has no readable mask ({error}); "
            "fetch the annotations again"
        ) from None
