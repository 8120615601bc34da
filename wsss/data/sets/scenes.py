"""The built-in data set: drawn scenes in PASCAL VOC layout, with an OoD pool.

Each class but one stands mostly on one background, whose cue is itself written as a mask, so that
it can be measured how far a network takes a rail for a train (the confusion ratio).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2

from wsss.data.images import write_jpeg
from wsss.data.index import SEPARATOR, GroundTruthRecord, ImageRecord, Prepared
from wsss.data.scenes.compose import Scene, draw_scene
from wsss.data.scenes.names import BACKGROUND_OF_CLASS
from wsss.data.scenes.options import SceneOptions
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.store.atomic import atomic_path
from wsss.store.masks import write_mask
from wsss.store.rows import write_rows

LISTS = {
    "train": "ImageSets/Segmentation/train.txt",
    "val": "ImageSets/Segmentation/val.txt",
    "ood": "ImageSets/Main/ood.txt",
}


def prepare(
    folder: Path,
    *,
    size: tuple[int, int],
    train: int,
    val: int,
    ood: int,
    classes: Sequence[str],
    own_background_probability: float,
    other_spurious_probability: float,
    second_instance_probability: float,
    second_class_probability: float,
    object_scale: float,
    clutter: int,
    mislabelled_fraction: float,
    hard_fraction: float,
    jpeg_quality: int,
    random_seed: int,
    workers: int,
) -> Prepared:
    """Draw the data set into a folder and return its records.

    The folder then holds JPEGImages, SegmentationClass, SpuriousBackground (palette PNG files),
    ImageSets and labels.csv (image labels of train and val). Every image is a function of the
    options, `random_seed`, its split and its number alone: not of the counts, nor of `workers`.

    Args:
        folder: where to; made where it is missing.
        size: height and width of the images, pixels.
        train: number of training images.
        val: number of validation images.
        ood: number of images in the OoD pool.
        classes: foreground classes, in the order of the mask values.
        own_background_probability: see `SceneOptions`, as for the options that follow.
        other_spurious_probability: likewise.
        second_instance_probability: likewise.
        second_class_probability: likewise.
        object_scale: likewise.
        clutter: likewise.
        mislabelled_fraction: likewise.
        hard_fraction: likewise.
        jpeg_quality: 1 to 95.
        random_seed: likewise.
        workers: processes that draw.

    Raises:
        ValueError: An option is out of range, or a class cannot be drawn.
    """
    if min(train, val, ood) < 0:
        raise ValueError(f"scenes: train, val and ood are {train}, {val}, {ood}; use 0 or more")
    options = SceneOptions(
        height=size[0],
        width=size[1],
        classes=tuple(classes),
        own_background_probability=own_background_probability,
        other_spurious_probability=other_spurious_probability,
        second_instance_probability=second_instance_probability,
        second_class_probability=second_class_probability,
        object_scale=object_scale,
        clutter=clutter,
        mislabelled_fraction=mislabelled_fraction,
        hard_fraction=hard_fraction,
        random_seed=random_seed,
    )
    counts = {"train": train, "val": val, "ood": ood}
    keys = [(split, number) for split, count in counts.items() for number in range(count)]
    draw = partial(_draw_and_write, folder=folder, options=options, jpeg_quality=jpeg_quality)
    drawn = parallel_map(draw, keys, workers=workers)
    pairs = list(progress(drawn, total=len(keys), description="drawing scenes"))
    records = tuple(record for record, _ in pairs)
    ids = options.spurious_backgrounds
    names = {name: BACKGROUND_OF_CLASS[name] for name in classes if name in BACKGROUND_OF_CLASS}
    prepared = Prepared(
        classes=options.classes,
        records=records,
        ground_truth=tuple(truth for _, truth in pairs),
        spurious={name: ((background, ids[background]),) for name, background in names.items()},
    )
    _write_lists(folder, records)
    return prepared


def _draw_and_write(
    key: tuple[str, int], *, folder: Path, options: SceneOptions, jpeg_quality: int
) -> tuple[ImageRecord, GroundTruthRecord]:
    """Draw one image and write its files; the key is its split and number."""
    split, number = key
    # The processes share the cores already.
    cv2.setNumThreads(1)
    scene = draw_scene(options, split, number)
    image_id = f"{split}_{number:05d}"
    path = folder / "JPEGImages" / f"{image_id}.jpg"
    mask = folder / "SegmentationClass" / f"{image_id}.png"
    spurious = folder / "SpuriousBackground" / f"{image_id}.png"
    write_jpeg(path, scene.image, quality=jpeg_quality)
    write_mask(mask, scene.mask)
    write_mask(spurious, scene.spurious)
    labels = () if split == "ood" else scene.labels
    record = ImageRecord(image_id, path, split, options.height, options.width, labels)
    return record, GroundTruthRecord(image_id, mask, spurious, scene.labels, _kind(scene, split))


def _kind(scene: Scene, split: str) -> str:
    return scene.kind if split == "ood" else scene.background


def _write_lists(folder: Path, records: Sequence[ImageRecord]) -> None:
    """Write the lists of image ids and, as VOC's layout has no place for them, labels.csv."""
    for split, name in LISTS.items():
        ids = [record.image_id for record in records if record.split == split]
        with atomic_path(folder / name) as temporary:
            temporary.write_text("".join(f"{image_id}\n" for image_id in ids))
    rows = [
        (record.image_id, SEPARATOR.join(record.labels))
        for record in records
        if record.split != "ood"
    ]
    write_rows(folder / "labels.csv", ["image_id", "labels"], rows)
