"""COCO's instance annotations: which images there are, and the objects on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from wsss.data.records import check_image_id

VOC_TO_COCO = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}


@dataclass(frozen=True)
class AnnotatedImage:
    """An annotated image; `labels` in the order of the classes, `objects` of the classes only."""

    path: Path
    size: tuple[int, int]
    labels: tuple[str, ...]
    objects: list[dict[str, Any]] = field(repr=False)


def read_annotations(
    path: Path, image_folder: Path, classes: Sequence[str]
) -> dict[str, AnnotatedImage]:
    """Return the annotated images by id, which is the file's name without suffix.

    Every object has gained its `class_name`.

    Raises:
        ValueError: The file or the folder is missing, the file is not in COCO's instance format,
            an annotation is of an image or a category that the file does not list, a class is no
            category, a file name leaves the folder, or two images have one id.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"annotations {path} do not exist; link COCO there") from None
    except (ValueError, RecursionError, OSError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ValueError(f"annotations {path} are no JSON ({reason}); fetch them again") from None
    if not image_folder.is_dir():
        raise ValueError(f"folder {image_folder} does not exist; link the images there")
    try:
        return _Annotations(content, image_folder, classes).images()
    except _FormatError as error:
        raise ValueError(
            f"annotations {path} are not in COCO's instance format ({error}); use an "
            "instances_*.json file"
        ) from None
    except ValueError as error:
        raise ValueError(f"annotations {path} {error}") from None


class _FormatError(ValueError):
    """What is missing or of another type."""


def _get(item: Any, key: str, *kinds: type, place: str) -> Any:
    """Return `item[key]`, which must be of one of the kinds."""
    if not isinstance(item, dict) or key not in item:
        raise _FormatError(f"{place} has no {key!r}")
    value = item[key]
    if not isinstance(value, kinds) or isinstance(value, bool):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise _FormatError(f"{key!r} of {place} is {_short(value)}, not of type {expected}")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


class _Annotations:
    """The content of an annotation file, checked while it is read."""

    def __init__(self, content: Any, image_folder: Path, classes: Sequence[str]) -> None:
        self.image_folder = image_folder
        self.classes = classes
        categories = _get(content, "categories", list, place="the file")
        self.class_of = _class_of_category(categories, classes)
        self.listed = _get(content, "images", list, place="the file")
        self.annotations = _get(content, "annotations", list, place="the file")

    def images(self) -> dict[str, AnnotatedImage]:
        """Return the images by their ids here."""
        objects = self._objects()
        found: dict[str, AnnotatedImage] = {}
        for number, item in enumerate(self.listed):
            image = self._image(item, objects, f"images[{number}]")
            image_id = image.path.stem
            if image_id in found:
                raise ValueError(
                    f"list two images {image_id} ({found[image_id].path} and {image.path}); rename "
                    "one, or keep one of them"
                )
            found[image_id] = image
        return found

    def _objects(self) -> dict[int | str, list[dict[str, Any]]]:
        """Return the objects of the classes by the file's own image ids."""
        objects: dict[int | str, list[dict[str, Any]]] = {}
        for number, item in enumerate(self.listed):
            image = _get(item, "id", int, str, place=f"images[{number}]")
            if image in objects:
                raise ValueError(f"list two images of id {_short(image)}; fetch them again")
            objects[image] = []
        for number, item in enumerate(self.annotations):
            place = f"annotations[{number}]"
            category = _get(item, "category_id", int, str, place=place)
            image = _get(item, "image_id", int, str, place=place)
            if category not in self.class_of or image not in objects:
                kind = "category" if category not in self.class_of else "image"
                unknown = category if kind == "category" else image
                raise ValueError(
                    f"hold an object, {place}, of the unknown {kind} {_short(unknown)}; take it "
                    f"out, or add the {kind}"
                )
            if name := self.class_of[category]:
                objects[image].append({**item, "class_name": name})
        return objects

    def _image(
        self, item: Any, objects: Mapping[int | str, list[dict[str, Any]]], place: str
    ) -> AnnotatedImage:
        name = PurePosixPath(_get(item, "file_name", str, place=place))
        if name.is_absolute() or ".." in name.parts:
            raise ValueError(
                f"name a file outside of the folder of images, {_short(str(name))} of {place}; "
                "name files in it"
            )
        check_image_id(name.stem, where=f"have {place}")
        height, width = (_get(item, key, int, place=place) for key in ("height", "width"))
        own = objects[item["id"]]
        shown = {found["class_name"] for found in own}
        labels = tuple(name for name in self.classes if name in shown)
        return AnnotatedImage(self.image_folder / name, (height, width), labels, own)


def _class_of_category(categories: Sequence[Any], classes: Sequence[str]) -> dict[int | str, str]:
    """Return our class name by COCO's category id, "" for a category that is no class.

    Raises:
        ValueError: A class is no category, or two have one category; a category occurs twice.
    """
    category_of: dict[str, int | str] = {}
    for number, item in enumerate(categories):
        place = f"categories[{number}]"
        name = _get(item, "name", str, place=place)
        category = _get(item, "id", int, str, place=place)
        if name in category_of or category in category_of.values():
            raise ValueError(f"list the category {_short(name)} or its id twice; keep one of them")
        category_of[name] = category
    # A file that has a class under VOC's own name keeps it.
    named = {name: name if name in category_of else VOC_TO_COCO.get(name, name) for name in classes}
    unknown = [name for name, category in named.items() if category not in category_of]
    if unknown:
        raise ValueError(f"have no class {', '.join(unknown)}; known are {', '.join(category_of)}")
    if len(set(named.values())) < len(named):
        raise ValueError(f"have one category for two of the classes {', '.join(classes)}; name one")
    none = dict.fromkeys(category_of.values(), "")
    return none | {category_of[category]: name for name, category in named.items()}
