"""COCO's instance annotations: which images there are, and the objects on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from wsss.data.records import check_image_id
from wsss.data.sets._coco_categories import Category, find_classes, read_categories
from wsss.data.sets._coco_json import FormatError, brief, get, read_json

USED = frozenset(
    {"categories", "images", "annotations", "id", "name", "supercategory", "file_name", "height"}
    | {"width", "image_id", "category_id", "iscrowd", "segmentation", "size", "counts"}
)


@dataclass(frozen=True)
class AnnotatedImage:
    """An annotated image.

    `number` is the file's own id of it. `labels` are in the order of the classes, `objects` those
    of the classes only.
    """

    number: int | str
    path: Path
    size: tuple[int, int]
    labels: tuple[str, ...]
    objects: list[dict[str, Any]] = field(repr=False)


class Annotations(NamedTuple):
    """What a file holds: its categories, and its images by id, the file's name without suffix."""

    categories: list[Category]
    images: dict[str, AnnotatedImage]


def read_annotations(path: Path, image_folder: Path, classes: Sequence[str]) -> Annotations:
    """Return what an annotation file holds.

    Raises:
        ValueError: The file or the folder is missing, the file is not in COCO's instance format,
            an annotation is of an image or a category that the file does not list, a class is no
            category, a file name leaves the folder, or two images have one id.
    """
    content = read_json(path, used=USED)
    if not image_folder.is_dir():
        raise ValueError(f"folder {image_folder} does not exist; link the images there")
    try:
        reader = _Reader(content, image_folder, classes)
        return Annotations(reader.categories, reader.images())
    except FormatError as error:
        raise ValueError(
            f"annotations {path} are not in COCO's instance format ({error}); use an "
            "instances_*.json file"
        ) from None
    except ValueError as error:
        raise ValueError(f"annotations {path} {error}") from None


class _Reader:
    """The content of an annotation file, checked while it is read."""

    def __init__(self, content: Any, image_folder: Path, classes: Sequence[str]) -> None:
        self.image_folder = image_folder
        self.classes = classes
        self.categories = read_categories(get(content, "categories", list, place="the file"))
        self.class_of = find_classes(self.categories, classes)
        self.listed = get(content, "images", list, place="the file")
        self.annotations = get(content, "annotations", list, place="the file")

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
        known = {category.id for category in self.categories}
        for number, item in enumerate(self.listed):
            image = get(item, "id", int, str, place=f"images[{number}]")
            if image in objects:
                raise ValueError(f"list two images of id {brief(image)}; fetch them again")
            objects[image] = []
        for number, item in enumerate(self.annotations):
            place = f"annotations[{number}]"
            category = get(item, "category_id", int, str, place=place)
            image = get(item, "image_id", int, str, place=place)
            if category not in known or image not in objects:
                kind = "category" if category not in known else "image"
                unknown = category if kind == "category" else image
                raise ValueError(
                    f"hold an object, {place}, of the unknown {kind} {brief(unknown)}; take it "
                    f"out, or add the {kind}"
                )
            if category in self.class_of:
                objects[image].append(item)
        return objects

    def _image(
        self, item: Any, objects: Mapping[int | str, list[dict[str, Any]]], place: str
    ) -> AnnotatedImage:
        name = PurePosixPath(get(item, "file_name", str, place=place))
        if name.is_absolute() or ".." in name.parts:
            raise ValueError(
                f"name a file outside of the folder of images, {brief(str(name))} of {place}; "
                "name files in it"
            )
        check_image_id(name.stem, where=f"have {place}")
        height, width = (get(item, key, int, place=place) for key in ("height", "width"))
        own = objects[item["id"]]
        shown = {self.class_of[found["category_id"]] for found in own}
        labels = tuple(name for name in self.classes if name in shown)
        path = self.image_folder / name
        return AnnotatedImage(item["id"], path, (height, width), labels, own)
