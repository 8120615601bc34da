"""One's own data: images in a folder, one table of their labels, and masks where there are any."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from wsss.data.checks import checked_together
from wsss.data.images import Header
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.sets._folder_images import FolderImages
from wsss.data.sets._folder_labels import choose_classes, match_rows, split_images
from wsss.data.sets._folder_masks import (
    FileJob,
    Masks,
    arrange_masks,
    check_files,
    find_masks,
    warn_of_masks,
)
from wsss.data.sets._folder_table import read_label_table
from wsss.parallel import parallel_map
from wsss.progress import progress


def prepare(
    folder: Path,
    *,
    root: str,
    images: str,
    labels: str,
    masks: str,
    classes: Sequence[str],
    mask_classes: Sequence[str],
    val_fraction: float,
    limit: int,
    max_megapixels: float,
    random_seed: int,
    workers: int,
) -> Prepared:
    """Return the images of a folder with the labels of a table, and masks where there are any.

    Images may stand in folders within the folder: birds/a.jpg has the id birds__a. The table names
    them by path, with or without suffix, or by id. Labels that are not among the classes do not
    count; images for training without any that does become OoD candidates, whose true labels are
    known to be none. So do images without a row, of which nothing is known. Rows without an image
    are left out. All three are counted in the log.

    A column "split" (train, val, test, ood) decides over each image; val and test images stay such
    without any class. Without the column, val is drawn at random from the images with a class.

    Of images only the header is read: one that is cut off behind it is named by the first stage
    that decodes it.

    Args:
        folder: Gets SegmentationClass/ with one palette PNG per mask, if their values must change.
        root: The folder that holds everything.
        images: Folder under root, or "." for root itself.
        labels: CSV under root: image_id, labels joined by ";", and perhaps split.
        masks: Folder under root of PNG files named as the images (0 background, 255 ignored), or
            "".
        classes: Class names; none takes all labels of the table, sorted.
        mask_classes: What 1, 2, 3 ... stand for in the masks, or none where that is `classes`.
            Those that are no classes become background.
        val_fraction: Share of the images with a class that become val, in [0, 1), where the table
            has no splits. Every class keeps an image for training.
        limit: At most so many images per split, or 0 for all; every class keeps an image as
            long as the limit allows.
        max_megapixels: Million pixels that an image may have.
        random_seed: Of the val images and of the choice that `limit` asks for.
        workers: Processes that read headers and masks.

    Raises:
        ValueError: A folder, file or image is missing or cannot be read, the table is none or
            contradicts itself, no training image shows any class, an image is too large, or a mask
            has another size than its image or a value that is no class.
    """
    source = Path(root)
    _check_options(source, images, masks, val_fraction)
    table = source / labels
    found = FolderImages(source / images, leave_out=source / masks if masks else None)
    rows = match_rows(read_label_table(table), found, where=table)
    names = choose_classes(classes, rows.values(), where=table)
    labels_of = {
        image_id: tuple(name for name in names if name in rows[image_id].labels)
        if image_id in rows
        else ()
        for image_id in found.paths
    }
    splits = split_images(
        labels_of, rows, names, val_fraction=val_fraction, limit=limit, random_seed=random_seed
    )
    masked = find_masks(source / masks, found.paths, source / images) if masks else {}
    evaluated = {i: masked[i] for i in splits["train"] + splits["val"] if i in masked}
    drawn = arrange_masks(evaluated, names, mask_classes, folder=folder / "SegmentationClass")
    records: list[ImageRecord] = []
    headers: list[Header] = []
    shown_in: dict[str, list[str]] = {}
    chosen = [(split, image_id) for split, ids in splits.items() for image_id in ids]
    jobs = [drawn.job(image_id, found.paths[image_id]) for _, image_id in chosen]
    read = _read_files(jobs, drawn, max_megapixels, workers)
    for (split, image_id), (header, numbers) in zip(chosen, read, strict=True):
        own = () if split == "ood" else labels_of[image_id]
        records.append(ImageRecord(image_id, found.paths[image_id], split, *header.size, own))
        headers.append(header)
        if drawn.of(image_id):
            shown_in[image_id] = [names[number] for number in numbers]
    warn_of_masks(shown_in, labels_of)
    kept = checked_together(records, headers)
    truth = [
        GroundTruthRecord(name, drawn.of(name), None, labels_of[name], "")
        for name in (record.image_id for record in kept)
        if name in rows
    ]
    return Prepared(names, tuple(kept), tuple(truth))


def _read_files(
    jobs: Sequence[FileJob], masks: Masks, max_megapixels: float, workers: int
) -> Iterator[tuple[Header, tuple[int, ...]]]:
    check = partial(
        check_files,
        values=masks.values,
        num_classes=masks.num_classes,
        max_megapixels=max_megapixels,
    )
    read = parallel_map(check, jobs, workers=workers)
    return progress(read, total=len(jobs), description="images and masks")


def _check_options(source: Path, images: str, masks: str, val_fraction: float) -> None:
    if not source.is_dir():
        raise ValueError(
            f"folder {source} does not exist; link the data set there: "
            f"mkdir -p {source.parent} && ln -s FOLDER_OF_THE_DATA_SET {source}"
        )
    if not 0 <= val_fraction < 1:
        raise ValueError(f"val_fraction {val_fraction} must be in [0, 1)")
    if masks and (source / masks).resolve() == (source / images).resolve():
        raise ValueError(
            f"images and masks both stand in {source / masks}; move the masks to a folder of "
            "their own"
        )
