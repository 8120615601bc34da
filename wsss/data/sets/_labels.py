"""Image labels and lists of image ids in PASCAL VOC's layout."""

import logging
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from wsss.data.images import SUFFIXES
from wsss.data.index import examples
from wsss.data.records import SEPARATOR, check_labels, shown
from wsss.store.rows import read_rows

log = logging.getLogger(__name__)

LABELS_CSV = "labels.csv"


def read_list(path: Path, known: Container[str]) -> list[str]:
    """Return the image ids of a list, each once.

    Of a line of several words the first counts, without folder and suffix, unless the whole line is
    the id of an image. Repeated ids are logged.

    Args:
        path: Text with one image per line.
        known: Ids of the images that there are.

    Raises:
        ValueError: The file is missing, no text, or names no image.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise ValueError(
            f"image list {path} does not exist; link the data set there, or fetch VOC "
            "(wsss fetch voc2012)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"image list {path} is no UTF-8 text ({error.__class__.__name__}); write one image id "
            "per line"
        ) from None
    named = [_image_id(line, known) for line in lines if line.strip()]
    if not named:
        raise ValueError(
            f"image list {path} names no image; fill it, or set val_list or ood_list to '' where "
            "there are none"
        )
    ids = list(dict.fromkeys(named))
    if len(ids) < len(named):
        log.warning(
            "image list %s has %d lines too many: an image named twice counts once",
            path,
            len(named) - len(ids),
        )
    return ids


def _image_id(line: str, known: Container[str]) -> str:
    words = line.split()
    whole = _stem(line.strip())
    return whole if "/" not in line and whole in known else _stem(words[0])


def _stem(word: str) -> str:
    """Return a word without folder, and without the suffix of an image."""
    name = word.rsplit("/", maxsplit=1)[-1]
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name


class ImageLabels:
    """Image labels from labels.csv under a folder, or else from Annotations/*.xml.

    Args:
        root: The folder.
        classes: Class names.

    Raises:
        ValueError: labels.csv has no columns image_id and labels, or two rows of one image.
    """

    def __init__(self, root: Path, classes: Sequence[str]) -> None:
        self.root = root
        self.classes = classes
        self.rows = _read_rows(root / LABELS_CSV)

    def of(self, image_id: str) -> tuple[str, ...]:
        """Return the class names of an image, in the order of the classes.

        Raises:
            ValueError: Nothing says them, the file is broken, or a name is no class.
        """
        if self.rows is None:
            where = self.root / "Annotations" / f"{image_id}.xml"
            names = _xml_labels(where)
        else:
            where = self.root / LABELS_CSV
            if image_id not in self.rows:
                raise ValueError(f"{where} has no row for image {image_id}; add its labels")
            names = self.rows[image_id]
        try:
            check_labels(image_id, sorted(set(names)), self.classes, str(where))
        except ValueError as error:
            raise ValueError(
                f"{error} (to look for some classes only, name all that there are as mask_classes)"
            ) from None
        return tuple(name for name in self.classes if name in names)

    def log_unused(self, image_ids: Container[str]) -> None:
        """Log how many rows belong to images that no list names."""
        unused = [image_id for image_id in self.rows or () if image_id not in image_ids]
        if unused:
            log.info(
                "%d rows of %s are of images that no list names (%s)",
                len(unused),
                self.root / LABELS_CSV,
                examples(unused),
            )


def _read_rows(path: Path) -> Mapping[str, tuple[str, ...]] | None:
    if not path.is_file():
        return None
    found: dict[str, tuple[str, ...]] = {}
    for image_id, labels in read_rows(path, ["image_id", "labels"]):
        if image_id in found:
            raise ValueError(
                f"{path} has several rows of image {shown(image_id)}; join its labels with "
                f"{SEPARATOR!r} in one row"
            )
        found[image_id] = tuple(labels.split(SEPARATOR)) if labels else ()
    return found


def _xml_labels(path: Path) -> tuple[str, ...]:
    try:
        content = path.read_bytes()
        # Entities can stand for more text than fits in memory, and annotations have none.
        if b"<!ENTITY" in content:
            raise ValueError("it declares entities")
        root = ElementTree.fromstring(content)
    except FileNotFoundError:
        raise ValueError(
            f"labels {path} do not exist; link the Annotations or write a {LABELS_CSV}"
        ) from None
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ValueError(f"labels {path} are no XML ({reason}); replace the file") from None
    if root.tag != "annotation":
        raise ValueError(
            f"labels {path} are no annotation of VOC, for they begin with {shown(root.tag)[:40]}; "
            "replace the file"
        )
    return tuple((item.findtext("name") or "").strip() for item in root.findall("object"))
