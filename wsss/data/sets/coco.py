"""MS COCO, or another data set with annotations in its instance format."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsss.data.checks import check_image, checked_together
from wsss.data.images import Header, image_files
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.selection import covering_order
from wsss.data.sets._coco_annotations import AnnotatedImage, Annotations, read_annotations
from wsss.data.sets._coco_categories import Meaning, number_backgrounds
from wsss.data.sets._coco_masks import KINDS, Source, draw, mask_sources
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.store.masks import write_mask

log = logging.getLogger(__name__)


def prepare(
    folder: Path,
    *,
    root: str,
    train_images: str,
    train_annotations: str,
    val_images: str,
    val_annotations: str,
    masks: str,
    train_masks: Sequence[str],
    val_masks: Sequence[str],
    spurious: Mapping[str, str | Sequence[str]],
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
    without a class are left out. The image labels are those of the instance annotations, whatever
    the masks are made from.

    In a mask from instances the smaller object covers the larger; a crowd (iscrowd) is 255 where no
    single object covers it, and counts for the image labels. In one from panoptic PNGs crowds are
    255, too; in those and in one from COCO-Stuff's PNGs, where crowds are not told from objects,
    unlabelled pixels are 255. Objects of other classes, and stuff, are background.

    Candidates whose file is that of a train or val image are left out. Of images only the header
    is read: one that is cut off behind it is named by the first stage that decodes it.

    Args:
        folder: Gets SegmentationClass/ with one palette PNG per train and val image, and with
            `spurious` SpuriousBackground/ likewise.
        root: The folder that holds images and annotations.
        train_images: Folder under root.
        train_annotations: Instance annotations (JSON) of train_images, under root.
        val_images: Folder under root, or "" to take val from the train images.
        val_annotations: Instance annotations of val_images, or "".
        masks: What the masks are made from: "instances", "stuff" (the maps of COCO-Stuff) or
            "panoptic".
        train_masks: Folders under root of the PNGs of train_images, none with instances. Beside a
            folder of panoptic PNGs stands the JSON file of its name.
        val_masks: The same of val_images.
        spurious: By class, the background, or backgrounds, that go with it and are mistaken for
            it: categories of the masks, or groups of them (COCO's supercategory), as railroad and
            water.
        classes: Class names of COCO, or those of VOC for the same classes ("aeroplane").
        val_fraction: Share of the train images that become val where there is no val_annotations;
            in [0, 1). Every class that has an image keeps one for training.
        limit: At most so many images with a class, and as many without, or 0 for all; every
            class keeps an image as long as the limit allows.
        max_megapixels: Million pixels that an image may have.
        random_seed: Of the val images and of the choice that `limit` asks for.
        workers: Processes that draw the masks.

    Raises:
        ValueError: A folder, file or image is missing or cannot be read, a class or background is
            unknown, no training image shows any class, an image is too large or has another size
            than its annotation says, an annotation is broken or belongs to nothing.
    """
    source = Path(root)
    _check_options(source, val_images, val_annotations, val_fraction)
    pairs = number_backgrounds(spurious, classes)
    _check_masks(masks, pairs, train_masks, val_masks, has_val=bool(val_images))
    plan = partial(_jobs, folder=folder, kind=masks, classes=tuple(classes), pairs=pairs)
    annotated = read_annotations(source / train_annotations, source / train_images, classes)
    chosen = _chosen(annotated.images, classes, limit, random_seed)
    last = len(chosen) if val_annotations else len(chosen) - round(val_fraction * len(chosen))
    splits = dict.fromkeys(chosen[:last], "train") | dict.fromkeys(chosen[last:], "val")
    jobs = plan(annotated, splits, [source / name for name in train_masks])
    _log_others(annotated.images, "are OoD candidates", source / train_annotations)
    if val_annotations:
        val = read_annotations(source / val_annotations, source / val_images, classes)
        chosen = _chosen(val.images, classes, limit, random_seed)
        jobs += plan(val, dict.fromkeys(chosen, "val"), [source / name for name in val_masks])
        _log_others(val.images, "are left out", source / val_annotations)
    write = partial(_write, max_megapixels=max_megapixels)
    drawn = parallel_map(write, jobs, workers=workers)
    headers = list(progress(drawn, total=len(jobs), description="masks"))
    records = [ImageRecord(j.image_id, j.path, j.split, *j.size, j.labels) for j in jobs]
    ground_truth = [GroundTruthRecord(j.image_id, j.mask, j.spurious, j.labels, "") for j in jobs]
    candidates = _candidates(source / train_images, annotated.images, limit, random_seed)
    check = partial(check_image, max_megapixels=max_megapixels)
    read = parallel_map(check, candidates, workers=workers)
    headers += progress(read, total=len(candidates), description="OoD candidates")
    for path, header in zip(candidates, headers[len(records) :], strict=True):
        records.append(ImageRecord(path.stem, path, "ood", *header.size, ()))
    kept = checked_together(records, headers)
    ground_truth += [
        GroundTruthRecord(record.image_id, None, None, (), "")
        for record in kept
        if record.split == "ood" and record.image_id in annotated.images
    ]
    return Prepared(tuple(classes), tuple(kept), tuple(ground_truth), pairs)


def _check_options(root: Path, val_images: str, val_annotations: str, val_fraction: float) -> None:
    if not root.is_dir():
        raise ValueError(
            f"folder {root} does not exist; fetch it (wsss fetch coco2017, or coco2014), or link "
            "it there: "
            f"mkdir -p {root.parent} && ln -s FOLDER_OF_THE_DATA_SET {root}"
        )
    if not 0 <= val_fraction < 1 or bool(val_images) != bool(val_annotations):
        raise ValueError(
            f"val_fraction {val_fraction} must be in [0, 1), and val_images and val_annotations "
            "must both be named or both be empty"
        )


def _check_masks(
    masks: str,
    pairs: Mapping[str, Sequence[tuple[str, int]]],
    train_masks: Sequence[str],
    val_masks: Sequence[str],
    *,
    has_val: bool,
) -> None:
    if masks not in KINDS:
        raise ValueError(f"masks is {masks!r}, but allowed are {', '.join(KINDS)}")
    if masks == "instances" and pairs:
        names = [background for own in pairs.values() for background, _ in own]
        raise ValueError(
            f"spurious names {', '.join(names)}, but instances have no backgrounds; set masks to "
            "stuff or panoptic"
        )
    with_pngs = masks != "instances"
    if bool(train_masks) != with_pngs or bool(val_masks) != (with_pngs and has_val):
        raise ValueError(
            f"masks is {masks}, train_masks {list(train_masks)} and val_masks {list(val_masks)}, "
            "but folders of PNGs are named with stuff and panoptic only, and those of val where "
            "there are val_images"
        )


def _chosen(
    images: Mapping[str, AnnotatedImage], classes: Sequence[str], limit: int, random_seed: int
) -> list[str]:
    """Return the ids of the images with a class that `limit` keeps, in covering order."""
    shown = {image_id: image.labels for image_id, image in images.items() if image.labels}
    return covering_order(shown, classes, random_seed=random_seed)[: limit or None]


def _log_others(images: Mapping[str, AnnotatedImage], fate: str, where: Path) -> None:
    count = sum(not image.labels for image in images.values())
    log.info("%d of %d images that %s lists show no class and %s", count, len(images), where, fate)


class _Job(NamedTuple):
    """An image of train or val, and how its masks are made; `spurious` is None without one."""

    image_id: str
    split: str
    path: Path
    size: tuple[int, int]
    labels: tuple[str, ...]
    mask: Path
    spurious: Path | None
    source: Source
    meaning: Meaning


def _jobs(
    annotated: Annotations,
    splits: Mapping[str, str],
    png_folders: Sequence[Path],
    *,
    folder: Path,
    kind: str,
    classes: tuple[str, ...],
    pairs: Mapping[str, Sequence[tuple[str, int]]],
) -> list[_Job]:
    """Return the jobs of the images that have a split, train before val."""
    image_ids = sorted(splits, key=lambda image_id: (splits[image_id], image_id))
    images = [annotated.images[image_id] for image_id in image_ids]
    sources, meaning = mask_sources(
        kind,
        png_folders,
        images,
        categories=annotated.categories,
        classes=classes,
        spurious=pairs,
    )
    jobs = []
    for image_id, image, source in zip(image_ids, images, sources, strict=True):
        mask = folder / "SegmentationClass" / f"{image_id}.png"
        spurious = folder / "SpuriousBackground" / f"{image_id}.png" if pairs else None
        place = (image_id, splits[image_id], image.path, image.size, image.labels)
        jobs.append(_Job(*place, mask, spurious, source, meaning))
    return jobs


def _write(job: _Job, *, max_megapixels: float) -> Header:
    """Write the masks of an image, and return the image's header.

    Raises:
        ValueError: The image cannot be read, is too large or not as large as its annotation says,
            or its masks cannot be made.
    """
    header = check_image(job.path, max_megapixels=max_megapixels)
    if header.size != job.size:
        raise ValueError(
            f"image {job.path} is {header.size}, but its annotation says {job.size}; "
            "fetch images and annotations of one release"
        )
    mask, spurious = draw(job.source, job.path, job.size, job.meaning)
    write_mask(job.mask, mask)
    if job.spurious:
        write_mask(job.spurious, spurious)
    return header


def _candidates(
    folder: Path, images: Mapping[str, AnnotatedImage], limit: int, random_seed: int
) -> list[Path]:
    """Return the files, by name, that show no class or are not annotated; at most `limit`."""
    paths = [
        path
        for path in image_files(folder)
        if path.stem not in images or not images[path.stem].labels
    ]
    unknown = sum(path.stem not in images for path in paths)
    log.info("%d images of %s are not annotated and OoD candidates", unknown, folder.name)
    order = np.random.default_rng(random_seed).permutation(len(paths))[: limit or None]
    return [paths[position] for position in sorted(order)]
