"""Data in the layout of PASCAL VOC: VOC 2012 itself, with or without SBD, or a set of one's own."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wsss.data.checks import check_image, check_mask, checked_together
from wsss.data.images import Header, image_files
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.selection import covering_order
from wsss.data.sets._labels import ImageLabels, read_list
from wsss.parallel import parallel_map
from wsss.progress import progress


def prepare(
    folder: Path,
    *,
    root: str,
    train_list: str,
    val_list: str,
    ood_list: str,
    ood_folder: str,
    masks: str,
    classes: Sequence[str],
    limit: int,
    max_megapixels: float,
    random_seed: int,
    workers: int,
) -> Prepared:
    """Return the images that the lists name, with labels, and the masks that exist.

    Reads JPEGImages/ and the lists; writes nothing. The image labels come from labels.csv
    (image_id, labels joined by ";") where root has one, else from Annotations/*.xml, where objects
    marked difficult count as well, as in the authors' code. Of OoD images nothing is known; those
    whose file is that of a train or val image are left out.

    Of images only the header is read, for a hundred thousand would take long: one that is cut off
    behind it is named by the first stage that decodes it.

    Args:
        folder: For what a data set writes; left alone.
        root: The folder that holds JPEGImages.
        train_list: File under root with one image id per line; of several words, as in the lists of
            train_aug, the first counts, without folder and suffix.
        val_list: The same for validation, or "" for none.
        ood_list: The same for candidate OoD images among JPEGImages, or "".
        ood_folder: Any other folder of candidate OoD images, or "".
        masks: Folder under root of the masks; an image without one has no ground truth mask.
        classes: Class names, in the order of the values in the masks.
        limit: At most so many images per split, or 0 for all; every class keeps an image as
            long as the limit allows.
        max_megapixels: Million pixels that an image may have.
        random_seed: Of the choice that `limit` asks for.
        workers: Processes that read headers and masks.

    Raises:
        ValueError: A folder, list, image or label is missing or cannot be read, a label is unknown,
            no training image shows any class, an image is too large, or a mask has another size
            than its image or a value that is no class.
    """
    source = Path(root)
    images = _Images(source / "JPEGImages")
    labels = ImageLabels(source, classes)
    chosen: list[tuple[str, Path, tuple[str, ...]]] = []
    named: set[str] = set()
    for split, name in (("train", train_list), ("val", val_list)):
        image_ids = read_list(source / name, images.paths) if name else []
        files = {image_id: images.file(image_id, source / name) for image_id in image_ids}
        labelled = {image_id: labels.of(image_id) for image_id in image_ids}
        kept = covering_order(labelled, classes, random_seed=random_seed)[: limit or None]
        chosen += [(split, files[i], labelled[i]) for i in sorted(kept)]
        named.update(image_ids)
    labels.log_unused(named)
    image_ids = read_list(source / ood_list, images.paths) if ood_list else []
    candidates = [images.file(image_id, source / ood_list) for image_id in image_ids]
    candidates += image_files(Path(ood_folder)) if ood_folder else []
    kept = covering_order({str(path): () for path in candidates}, (), random_seed=random_seed)
    chosen += [("ood", Path(path), ()) for path in sorted(kept[: limit or None])]
    check = partial(
        _check,
        masks=source / masks,
        num_classes=len(classes) + 1,
        max_megapixels=max_megapixels,
    )
    jobs = [(split, path) for split, path, _ in chosen]
    read = progress(
        parallel_map(check, jobs, workers=workers),
        total=len(chosen),
        description="images and masks",
    )
    records, ground_truth, headers = [], [], []
    for (split, path, names), (header, mask) in zip(chosen, read, strict=True):
        records.append(ImageRecord(path.stem, path, split, *header.size, names))
        headers.append(header)
        if split != "ood":
            ground_truth.append(GroundTruthRecord(path.stem, mask, None, names, ""))
    kept_records = checked_together(records, headers)
    return Prepared(tuple(classes), tuple(kept_records), tuple(ground_truth))


class _Images:
    """The image files of a folder by id, which is the name without suffix."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[str, Path] = {}
        self.others: dict[str, Path] = {}
        for path in image_files(folder):
            (self.others if path.stem in self.paths else self.paths)[path.stem] = path

    def file(self, image_id: str, where: Path) -> Path:
        """Return the file of an image that a list names.

        Raises:
            ValueError: There is none, or there are several.
        """
        if image_id not in self.paths:
            raise ValueError(
                f"image {image_id} of {where} is not in JPEGImages; complete the images or take it "
                "out of the list"
            )
        if image_id in self.others:
            raise ValueError(
                f"image {image_id} of {where} is {self.paths[image_id]} or "
                f"{self.others[image_id]}; take one away"
            )
        return self.paths[image_id]


def _check(
    job: tuple[str, Path], *, masks: Path, num_classes: int, max_megapixels: float
) -> tuple[Header, Path | None]:
    """Return an image's header and its mask, if it is no OoD image and has one.

    Raises:
        ValueError: The image is unreadable or too large, or the mask does not fit it.
    """
    split, path = job
    header, mask = check_image(path, max_megapixels=max_megapixels), masks / f"{path.stem}.png"
    if split == "ood" or not mask.is_file():
        return header, None
    check_mask(mask, header, num_classes=num_classes)
    return header, mask
