"""One image of a data set, and what must hold for it and for all of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "val", "test", "ood")
SEPARATOR = ";"
# File systems take names of 255 bytes, and an image id gets suffixes.
LONGEST_ID = 240
# Control characters, separators of lines, and what stands for bytes that are no UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class ImageRecord:
    """One image: its key, file, split (one of `SPLITS`), size in pixels and class names."""

    image_id: str
    path: Path
    split: str
    height: int
    width: int
    labels: tuple[str, ...]


def shown(name: str) -> str:
    """Return a name for a sentence: quoted where one could not see what it is."""
    return name if name.isprintable() and name.strip() == name != "" else repr(name)


def check_image_id(image_id: str, *, where: str) -> None:
    """Check that an image id can be the name of a file, a cell of a table and a key.

    Spaces, quotes, commas, a leading dot and letters of any script can.

    Raises:
        ValueError: It is empty, "." or "..", longer than 240 bytes, or holds a path separator, a
            control character or bytes that are no UTF-8.
    """
    if image_id in ("", ".", ".."):
        reason = "is no name"
    elif _UNPRINTABLE.search(image_id):
        reason = "holds control characters or bytes that are no UTF-8"
    elif "/" in image_id or "\\" in image_id:
        reason = "holds a path separator"
    elif len(image_id.encode()) > LONGEST_ID:
        reason = f"takes more than {LONGEST_ID} bytes"
    else:
        return
    short = image_id if len(image_id) <= 60 else f"{image_id[:60]}..."
    raise ValueError(
        f"{where}: image id {short!r} {reason}, so no result can bear its name; rename the image"
    )


def check_records(records: Iterable[ImageRecord], classes: Sequence[str], *, where: str) -> None:
    """Check that ids are usable and unique, splits and labels known, and that there is a label.

    Raises:
        ValueError: Something is wrong; the sentence starts with `where`.
    """
    check_class_names(classes, where)
    seen: dict[str, ImageRecord] = {}
    trained = False
    for record in records:
        check_record(record, classes, where=where)
        if record.image_id in seen:
            raise ValueError(_twice(seen[record.image_id], record, where))
        seen[record.image_id] = record
        trained = trained or (record.split == "train" and bool(record.labels))
    if not trained:
        raise ValueError(
            f"{where}: no training image shows any of the classes {', '.join(classes)}; "
            "add images, or name the classes that there are"
        )


def _twice(first: ImageRecord, second: ImageRecord, where: str) -> str:
    return (
        f"{where}: image id {first.image_id} occurs twice, in {first.split} ({first.path}) and in "
        f"{second.split} ({second.path}); take one out of its list or folder, or rename it"
    )


def check_record(record: ImageRecord, classes: Sequence[str], *, where: str) -> None:
    """Check that an id is usable, the split known, and the labels are classes.

    Raises:
        ValueError: Something is wrong; the sentence starts with `where`.
    """
    check_image_id(record.image_id, where=where)
    if _UNPRINTABLE.search(str(record.path)):
        raise ValueError(
            f"{where}: image {record.image_id} has a path with control characters or bytes that "
            f"are no UTF-8, {str(record.path)!r}; rename its folder"
        )
    if record.split not in SPLITS:
        raise ValueError(
            f"{where}: image {record.image_id} has the unknown split {record.split!r}; "
            f"the splits are {', '.join(SPLITS)}"
        )
    if record.height < 1 or record.width < 1:
        raise ValueError(f"{where}: image {record.image_id} has no pixels; remove it")
    if record.split == "ood" and record.labels:
        raise ValueError(
            f"{where}: image {record.image_id} of split ood has labels; remove them (what it "
            "truly shows belongs to the ground truth) or move it to train"
        )
    check_labels(record.image_id, record.labels, classes, where)


def check_class_names(classes: Sequence[str], where: str) -> None:
    """Check that there are 1 to 254 different class names, which tables and labels can hold.

    Raises:
        ValueError: They are not; the sentence starts with `where`.
    """
    bad = [
        name
        for name in classes
        if not name.strip() or SEPARATOR in name or _UNPRINTABLE.search(name)
    ]
    if bad or not classes:
        raise ValueError(
            f"{where}: class names {bad} are empty or contain {SEPARATOR!r} or control characters"
            if bad
            else f"{where}: there are no classes; name at least one"
        )
    if len(set(classes)) != len(classes):
        raise ValueError(f"{where}: a class name occurs twice in {', '.join(classes)}")
    if len(classes) > 254:
        raise ValueError(f"{where}: {len(classes)} classes do not fit a mask; at most 254 do")


def check_labels(image_id: str, labels: Sequence[str], classes: Sequence[str], where: str) -> None:
    """Check that an image's labels are classes, each named once.

    Raises:
        ValueError: They are not; the sentence starts with `where`.
    """
    unknown = [name for name in labels if name not in classes]
    if unknown:
        raise ValueError(
            f"{where}: image {image_id} has the unknown class(es) "
            f"{', '.join(map(shown, unknown))}; known are {', '.join(classes)}"
        )
    if len(set(labels)) != len(labels):
        raise ValueError(f"{where}: image {image_id} names a class twice; name it once")
