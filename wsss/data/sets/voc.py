"""Data in the layout of PASCAL VOC: VOC 2012 itself, with or without SBD, or a set of one's own."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from wsss.data.images import image_files, image_size
from wsss.data.index import SEPARATOR, GroundTruthRecord, ImageRecord, Prepared
from wsss.data.selection import covering_order
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.store.tables import read_table

LABELS_CSV = "labels.csv"


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
    random_seed: int,
    workers: int,
) -> Prepared:
    """Return the images that the lists name, with labels, and the masks that exist.

    Reads JPEGImages/ and the lists; writes nothing. The image labels come from labels.csv
    (image_id, labels joined by ";") where root has one, else from Annotations/*.xml, where objects
    marked difficult count as well, as in the authors' code. Of OoD images nothing is known.

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
        random_seed: Of the choice that `limit` asks for.
        workers: Processes that read the sizes of the images.

    Raises:
        ValueError: A folder, list, image or label is missing, a label is unknown, no training image
            shows any class, or a mask and its image differ in size.
    """
    source = Path(root)
    images = {path.stem: path for path in image_files(source / "JPEGImages")}
    labels_of = _labels_csv(source / LABELS_CSV)
    chosen: list[tuple[str, Path, tuple[str, ...]]] = []
    for split, name in (("train", train_list), ("val", val_list)):
        labelled = {
            image_id: _labels(image_id, source, labels_of, classes)
            for image_id in _image_ids(source, name)
        }
        kept = covering_order(labelled, classes, random_seed=random_seed)[: limit or None]
        chosen += [(split, _file(i, images, source / name), labelled[i]) for i in sorted(kept)]
    candidates = [_file(i, images, source / ood_list) for i in _image_ids(source, ood_list)]
    candidates += image_files(Path(ood_folder)) if ood_folder else []
    kept = covering_order({str(path): () for path in candidates}, (), random_seed=random_seed)
    chosen += [("ood", Path(path), ()) for path in sorted(kept[: limit or None])]
    read = parallel_map(
        partial(_size_and_mask, masks=source / masks),
        [(split, path) for split, path, _ in chosen],
        workers=workers,
    )
    records, ground_truth = [], []
    sizes = progress(read, total=len(chosen), description="image sizes")
    for (split, path, labels), (size, mask) in zip(chosen, sizes, strict=True):
        records.append(ImageRecord(path.stem, path, split, *size, labels))
        if split != "ood":
            ground_truth.append(GroundTruthRecord(path.stem, mask, None, labels, ""))
    return Prepared(tuple(classes), tuple(records), tuple(ground_truth))


def _file(image_id: str, images: Mapping[str, Path], where: Path) -> Path:
    if image_id not in images:
        raise ValueError(
            f"image {image_id} of {where} is not in JPEGImages; complete the images or take it out "
            "of the list"
        )
    return images[image_id]


def _image_ids(source: Path, name: str) -> list[str]:
    """Return the ids of a list under `source`, none if it has no name."""
    if not name:
        return []
    path = source / name
    if not path.is_file():
        raise ValueError(f"image list {path} does not exist; link the data set there")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_stem(line.split()[0]) for line in lines if line.strip()]


def _stem(word: str) -> str:
    """Return a word without folder, and without the suffix of an image."""
    name = word.rsplit("/", maxsplit=1)[-1]
    return name.rsplit(".", maxsplit=1)[0] if name.lower().endswith((".jpg", ".png")) else name


def _labels_csv(path: Path) -> Mapping[str, tuple[str, ...]] | None:
    if not path.is_file():
        return None
    table = read_table(path, ["image_id", "labels"])
    return {
        image_id: tuple(labels.split(SEPARATOR)) if labels else ()
        for image_id, labels in zip(table["image_id"], table["labels"], strict=True)
    }


def _labels(
    image_id: str,
    source: Path,
    labels_of: Mapping[str, tuple[str, ...]] | None,
    classes: Sequence[str],
) -> tuple[str, ...]:
    """Return the class names of an image, in the order of `classes`."""
    if labels_of is None:
        where = source / "Annotations" / f"{image_id}.xml"
        names = _xml_labels(where)
    else:
        where = source / LABELS_CSV
        if image_id not in labels_of:
            raise ValueError(f"{where} has no row for image {image_id}; add its labels")
        names = labels_of[image_id]
    unknown = sorted(set(names) - set(classes))
    if unknown:
        raise ValueError(
            f"{where}: image {image_id} has the unknown class(es) {', '.join(unknown)}; known are "
            f"{', '.join(classes)}"
        )
    return tuple(name for name in classes if name in names)


def _xml_labels(path: Path) -> tuple[str, ...]:
    try:
        objects = ElementTree.parse(path).getroot().findall("object")
    except FileNotFoundError:
        raise ValueError(
            f"labels {path} do not exist; link the Annotations or write a {LABELS_CSV}"
        ) from None
    except ElementTree.ParseError as error:
        raise ValueError(f"labels {path} are no XML ({error}); replace the file") from None
    return tuple((item.findtext("name") or "").strip() for item in objects)


def _size_and_mask(job: tuple[str, Path], *, masks: Path) -> tuple[tuple[int, int], Path | None]:
    """Return an image's size and its mask, if it is no OoD image and has one.

    Raises:
        ValueError: The mask is of another size.
    """
    split, path = job
    size, mask = image_size(path), masks / f"{path.stem}.png"
    if split == "ood" or not mask.is_file():
        return size, None
    if image_size(mask) != size:
        raise ValueError(
            f"mask {mask} is {image_size(mask)}, but its image is {size}; make the mask again"
        )
    return size, mask
