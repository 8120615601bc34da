"""Data in the layout of PASCAL VOC: VOC 2012 itself, with or without SBD, or a set of one's own."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from wsss.data.checks import checked_together
from wsss.data.images import image_files
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.selection import covering_order
from wsss.data.sets._class_values import class_values
from wsss.data.sets._labels import ImageLabels, read_list
from wsss.data.sets._voc_lists import ImageFiles, Lists
from wsss.data.sets._voc_masks import ImageJob, read_image_and_mask
from wsss.parallel import parallel_map
from wsss.progress import progress

log = logging.getLogger(__name__)


def prepare(
    folder: Path,
    *,
    root: str,
    train_list: str,
    val_list: str,
    test_root: str,
    test_list: str,
    ood_list: str,
    ood_folder: str,
    sbd: str,
    masks: str,
    evaluate_train_on: str,
    classes: Sequence[str],
    mask_classes: Sequence[str],
    limit: int,
    max_megapixels: float,
    random_seed: int,
    workers: int,
) -> Prepared:
    """Return the images that the lists name, with labels, and the masks that exist.

    Reads JPEGImages/ and the lists. The image labels come from labels.csv (image_id, labels joined
    by ";") where root has one, else from Annotations/*.xml, where objects marked difficult count
    as well, as in the authors' code. Of OoD images nothing is known; those whose file is that of a
    train or val image are left out.

    With `sbd`, train are the images of train_list and of both lists of SBD, but for those of
    val_list: of VOC 2012, the 10,582 that are called train_aug. An image that JPEGImages lacks is
    used from SBD's img. The masks of SBD are rougher than VOC's; the papers evaluate on VOC's own.

    With `mask_classes`, train images that show none of the classes become OoD candidates that are
    known to show none, and such val images are left out.

    Of images only the header is read, for a hundred thousand would take long: one that is cut off
    behind it is named by the first stage that decodes it.

    Args:
        folder: Gets SegmentationClass/ with the masks that are not PNGs with the values of the
            classes; else nothing is written.
        root: The folder that holds JPEGImages.
        train_list: File under root with one image id per line; of several words, as in the lists of
            train_aug, the first counts, without folder and suffix.
        val_list: The same for validation, or "" for none.
        test_root: The folder that holds the JPEGImages of the test images, of which nothing is
            known but to VOC's server, or "" for none.
        test_list: The same as train_list, under test_root.
        ood_list: The same for candidate OoD images among JPEGImages, or "".
        ood_folder: Any other folder of candidate OoD images, or "".
        sbd: The folder "dataset" of SBD's release, with cls/*.mat and two lists, or "".
        masks: Folder under root of the masks; an image without one has no ground truth mask.
        evaluate_train_on: Which train images have a ground truth mask with sbd: "voc", those of
            train_list, or "all", with SBD's masks where there is none under `masks`.
        classes: Class names, in the order of the values in the masks, if not `mask_classes`.
        mask_classes: All classes that masks and labels know, in the order of the values in the
            masks, where classes are some of them or stand in another order; or none.
        limit: At most so many images per split, or 0 for all; every class keeps an image as
            long as the limit allows.
        max_megapixels: Million pixels that an image may have.
        random_seed: Of the choice that `limit` asks for.
        workers: Processes that read headers and masks.

    Raises:
        ValueError: A folder, list, image or label is missing or cannot be read, a label is unknown,
            no training image shows any class, an image is too large, a mask has another size
            than its image or a value that is no class, or the lists of VOC 2012 and SBD do not
            give the 10,582 images.
    """
    source = Path(root)
    known = mask_classes or classes
    read = partial(
        read_image_and_mask,
        values=None if list(known) == list(classes) else class_values(known, classes),
        num_classes=len(known) + 1,
        folder=folder / "SegmentationClass",
        max_megapixels=max_megapixels,
    )
    lists = Lists(source, {"train": train_list, "val": val_list}, masks, sbd, evaluate_train_on)
    labels = ImageLabels(source, known)
    own = {split: _labels_of(paths, labels, classes) for split, paths in lists.paths.items()}
    labels.log_unused({image_id for part in own.values() for image_id in part})
    empty = _without_class(own, lists) if mask_classes else set()
    chosen: list[tuple[ImageJob, tuple[str, ...]]] = []
    for split, shown in own.items():
        kept = covering_order(shown, classes, random_seed=random_seed)[: limit or None]
        chosen += [(lists.job(image_id, split), shown[image_id]) for image_id in sorted(kept)]
    tested = _test_images(Path(test_root), test_list) if test_root else []
    chosen += [(ImageJob("test", path, None), ()) for path in tested[: limit or None]]
    candidates = empty | _candidates(source, ood_list, ood_folder, lists.files)
    order = covering_order({str(path): () for path in candidates}, (), random_seed=random_seed)
    chosen += [(ImageJob("ood", Path(path), None), ()) for path in sorted(order[: limit or None])]
    jobs = [job for job, _ in chosen]
    found = parallel_map(read, jobs, workers=workers)
    found = progress(found, total=len(jobs), description="images and masks")
    records, headers, ground_truth = [], [], {}
    for (job, names), (header, mask) in zip(chosen, found, strict=True):
        record = ImageRecord(job.path.stem, job.path, job.split, *header.size, names)
        records.append(record)
        headers.append(header)
        if job.split in ("train", "val") or job.path in empty:
            ground_truth[record] = GroundTruthRecord(record.image_id, mask, None, names, "")
    kept_records = checked_together(records, headers)
    truths = tuple(ground_truth[record] for record in kept_records if record in ground_truth)
    return Prepared(tuple(classes), tuple(kept_records), truths)


def _labels_of(
    image_ids: Iterable[str], labels: ImageLabels, classes: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return which of the classes images show, by id.

    Raises:
        ValueError: Nothing says them, or a name is no class.
    """
    named = {image_id: labels.of(image_id) for image_id in image_ids}
    return {i: tuple(name for name in classes if name in names) for i, names in named.items()}


def _without_class(own: Mapping[str, dict[str, tuple[str, ...]]], lists: Lists) -> set[Path]:
    """Take the images that show no class out, and return the files of those of train."""
    files = set()
    for split, shown in own.items():
        empty = [image_id for image_id, names in shown.items() if not names]
        fate = "become OoD candidates" if split == "train" else "are left out"
        log.info(
            "%d of %d %s images show none of the classes and %s",
            *(len(empty), len(shown), split, fate),
        )
        if split == "train":
            files = {lists.paths[split][image_id] for image_id in empty}
        for image_id in empty:
            del shown[image_id]
    return files


def _test_images(root: Path, test_list: str) -> list[Path]:
    """Return the files of the test images, in the order of their ids.

    Raises:
        ValueError: The list is missing or names an image that is not there.
    """
    files = ImageFiles(root / "JPEGImages", None)
    listed = read_list(root / test_list, files.paths)
    return [files.file(image_id, root / test_list) for image_id in sorted(listed)]


def _candidates(root: Path, ood_list: str, ood_folder: str, files: ImageFiles) -> set[Path]:
    """Return the files of the candidate OoD images that a list or a folder names.

    Raises:
        ValueError: The list or the folder is missing, or the list names no image that there is.
    """
    ids = read_list(root / ood_list, files.paths) if ood_list else []
    listed = {files.file(image_id, root / ood_list) for image_id in ids}
    return listed | set(image_files(Path(ood_folder)) if ood_folder else ())
