"""COCO's panoptic annotations: one PNG per image whose colours are segments, and a JSON file."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from wsss.data.images import read_image
from wsss.data.sets._coco_categories import Category, Meaning, read_categories
from wsss.data.sets._coco_json import FormatError, brief, get, read_json
from wsss.store.masks import IGNORE_INDEX

USED = frozenset(
    {"categories", "annotations", "segments_info", "id", "name", "supercategory", "file_name"}
    | {"image_id", "category_id", "iscrowd"}
)


class Segment(NamedTuple):
    """A segment: its number in the PNG, its category, and whether it is a crowd."""

    number: int
    category: int | str
    is_crowd: bool


class PanopticImage(NamedTuple):
    """The annotation of an image."""

    png: Path
    segments: tuple[Segment, ...]


class Panoptic(NamedTuple):
    """The categories, and the annotations by COCO's own image ids."""

    categories: list[Category]
    images: dict[int | str, PanopticImage]


def read_panoptic(folders: Sequence[Path]) -> Panoptic:
    """Return the panoptic annotations of folders of PNGs, whose JSON file stands beside each.

    The PNGs of annotations/panoptic_val2017/ belong to annotations/panoptic_val2017.json, as in
    COCO's release.

    Raises:
        ValueError: A JSON file is missing or not in COCO's panoptic format, or the files do not
            go together.
    """
    found = [_read_file(folder) for folder in folders]
    images: dict[int | str, PanopticImage] = {}
    for folder, part in zip(folders, found, strict=True):
        if part.categories != found[0].categories:
            raise ValueError(
                f"annotations {json_of(folder)} have other categories than {json_of(folders[0])};"
                " name files of one release"
            )
        images |= part.images
    return Panoptic(found[0].categories, images)


def json_of(folder: Path) -> Path:
    """Return the JSON file of a folder of panoptic PNGs."""
    return folder.with_name(f"{folder.name}.json")


def _read_file(folder: Path) -> Panoptic:
    path = json_of(folder)
    content = read_json(path, used=USED)
    if not folder.is_dir():
        raise ValueError(f"folder {folder} does not exist; unpack the PNGs of {path.name} there")
    try:
        categories = read_categories(get(content, "categories", list, place="the file"))
        known = {category.id for category in categories}
        images: dict[int | str, PanopticImage] = {}
        for number, item in enumerate(get(content, "annotations", list, place="the file")):
            place = f"annotations[{number}]"
            image = get(item, "image_id", int, str, place=place)
            if image in images:
                raise ValueError(f"annotate image {brief(image)} twice; fetch them again")
            images[image] = _image(item, folder, known, place)
    except FormatError as error:
        raise ValueError(
            f"annotations {path} are not in COCO's panoptic format ({error}); use a "
            "panoptic_*.json file"
        ) from None
    except ValueError as error:
        raise ValueError(f"annotations {path} {error}") from None
    return Panoptic(categories, images)


def _image(item: Any, folder: Path, known: set[int | str], place: str) -> PanopticImage:
    name = PurePosixPath(get(item, "file_name", str, place=place))
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(
            f"name a file outside of their folder, {brief(str(name))} of {place}; fetch them again"
        )
    segments = get(item, "segments_info", list, place=place)
    found = tuple(
        _segment(segment, known, f"segments_info[{number}] of {place}")
        for number, segment in enumerate(segments)
    )
    if len({segment.number for segment in found}) < len(found):
        raise ValueError(f"number two segments of {place} alike; fetch them again")
    return PanopticImage(folder / name, found)


def _segment(item: Any, known: set[int | str], place: str) -> Segment:
    number = get(item, "id", int, place=place)
    category = get(item, "category_id", int, str, place=place)
    crowd = item.get("iscrowd", 0)
    if not 0 < number < 2**24 or category not in known or crowd not in (0, 1):
        raise ValueError(
            f"hold {place} with number {brief(number)}, category {brief(category)} and iscrowd "
            f"{brief(crowd)}, of which one is impossible; fetch them again"
        )
    return Segment(number, category, crowd == 1)


def draw_panoptic(
    annotation: PanopticImage, size: tuple[int, int], meaning: Meaning
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask and the spurious mask of an annotation, (H, W) uint8 each.

    A colour is the segment R + 256 G + 65536 B (cocodataset.org, format of panoptic data). What
    belongs to no segment is 255, and so is a crowd of a class.

    Raises:
        ValueError: The PNG cannot be read, has another size, or a colour is no segment.
    """
    colours = read_image(annotation.png).astype(np.int32)
    if colours.shape[:2] != size:
        raise ValueError(
            f"mask {annotation.png} is {colours.shape[:2]}, but its image is {size}; fetch masks "
            "and images of one release"
        )
    numbers = colours @ np.array([1, 256, 65536], dtype=np.int32)
    segments = sorted(annotation.segments)
    known = np.array([0, *(segment.number for segment in segments)], dtype=np.int32)
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    if (wrong := numbers[known[places] != numbers]).size:
        raise ValueError(
            f"mask {annotation.png} has the segment {wrong[0]}, which "
            f"{json_of(annotation.png.parent).name} does not list; fetch both again"
        )
    values = [_value(segment, meaning.classes) for segment in segments]
    backgrounds = [meaning.backgrounds.get(segment.category, 0) for segment in segments]
    mask = np.array([IGNORE_INDEX, *values], dtype=np.uint8)[places]
    return mask, np.array([0, *backgrounds], dtype=np.uint8)[places]


def _value(segment: Segment, classes: Mapping[int | str, int]) -> int:
    value = classes.get(segment.category, 0)
    return IGNORE_INDEX if value and segment.is_crowd else value
