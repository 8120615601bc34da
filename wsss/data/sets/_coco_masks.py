"""Masks of COCO's images, drawn from their objects, or from COCO-Stuff's or panoptic PNGs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wsss.data.sets._coco_annotations import AnnotatedImage
from wsss.data.sets._coco_categories import (
    LAST_STUFF,
    Category,
    Meaning,
    find_meaning,
    stuff_categories,
)
from wsss.data.sets._coco_panoptic import (
    PanopticImage,
    draw_panoptic,
    json_of,
    read_panoptic,
)
from wsss.data.sets._coco_shapes import object_pixels
from wsss.store.masks import IGNORE_INDEX, read_mask


class Shapes(NamedTuple):
    """The objects of an image's annotation."""

    objects: list[dict[str, Any]]


class StuffMap(NamedTuple):
    """The places where the PNG of an image may stand."""

    paths: tuple[Path, ...]


Source = Shapes | StuffMap | PanopticImage
Found = tuple[list[Source], Sequence[Category], str]
"""Sources, their categories, and the name of where these stand."""


def mask_sources(
    kind: str,
    folders: Sequence[Path],
    images: Sequence[AnnotatedImage],
    *,
    categories: Sequence[Category],
    classes: Sequence[str],
    spurious: Mapping[str, Sequence[tuple[str, int]]],
) -> tuple[list[Source], Meaning]:
    """Return what images' masks are drawn from, and what the categories there mean.

    Args:
        kind: A key of `KINDS`.
        folders: Of the PNGs; none with instances.
        images: Which they are.
        categories: Of the instance annotations.
        classes: Class names, in the order of the values in the masks.
        spurious: By class, its backgrounds and their values in spurious masks.

    Raises:
        ValueError: A file is missing or broken, or an image, class or background is not in it.
    """
    sources, known, where = KINDS[kind](images, folders, categories)
    try:
        return sources, find_meaning(known, classes, spurious)
    except ValueError as error:
        raise ValueError(f"{where} {error}") from None


def _of_instances(
    images: Sequence[AnnotatedImage], folders: Sequence[Path], categories: Sequence[Category]
) -> Found:
    return [Shapes(image.objects) for image in images], categories, "the instance annotations"


def _of_stuff(
    images: Sequence[AnnotatedImage], folders: Sequence[Path], categories: Sequence[Category]
) -> Found:
    """Return where the maps may stand; they bear the names of 2017's images."""
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(
                f"folder {folder} does not exist; unpack COCO-Stuff's maps there "
                "(stuffthingmaps_trainval2017.zip of its authors)"
            )
    sources: list[Source] = []
    for image in images:
        names = [f"{image.path.stem}.png"]
        if isinstance(image.number, int):
            names.append(f"{image.number:012d}.png")
        places = dict.fromkeys(folder / name for folder in folders for name in names)
        sources.append(StuffMap(tuple(places)))
    return sources, [*categories, *stuff_categories()], "the maps of COCO-Stuff"


def _of_panoptic(
    images: Sequence[AnnotatedImage], folders: Sequence[Path], categories: Sequence[Category]
) -> Found:
    found = read_panoptic(folders)
    where = ", ".join(str(json_of(folder)) for folder in folders)
    for image in images:
        if image.number not in found.images:
            raise ValueError(
                f"image {image.path} has no panoptic annotation in {where}; name the folders of "
                "all parts, or fetch the annotations of its release"
            )
    sources: list[Source] = [found.images[image.number] for image in images]
    return sources, found.categories, f"annotations {where}"


KINDS: dict[str, Callable[[Sequence[AnnotatedImage], Sequence[Path], Sequence[Category]], Found]]
KINDS = {"instances": _of_instances, "stuff": _of_stuff, "panoptic": _of_panoptic}


def draw(
    source: Source, image: Path, size: tuple[int, int], meaning: Meaning
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask and the spurious mask of an image, (H, W) uint8 each.

    Args:
        source: Of the masks.
        image: The image's file, for sentences.
        size: Its height and width, pixels.
        meaning: What the categories stand for.

    Raises:
        ValueError: The source is missing, cannot be read, or does not fit the image.
    """
    if isinstance(source, Shapes):
        mask = _draw_shapes(source, image, size, meaning)
        return mask, np.zeros_like(mask)
    if isinstance(source, StuffMap):
        return _draw_stuff(source, image, size, meaning)
    return draw_panoptic(source, size, meaning)


def _draw_shapes(
    source: Shapes, image: Path, size: tuple[int, int], meaning: Meaning
) -> np.ndarray:
    """Return the mask: crowds first, then the objects from the largest to the smallest."""
    mask = np.zeros(size, dtype=np.uint8)
    shapes = [(_pixels(item, image, size), item) for item in source.objects]
    shapes.sort(key=lambda pair: (not pair[1].get("iscrowd", 0), -int(pair[0].sum())))
    for shape, item in shapes:
        value = meaning.classes[item["category_id"]]
        mask[shape] = IGNORE_INDEX if item.get("iscrowd", 0) else value
    return mask


def _pixels(item: Mapping[str, Any], image: Path, size: tuple[int, int]) -> np.ndarray:
    """Return an object's pixels, (H, W) bool.

    Raises:
        ValueError: The segmentation or the mark of a crowd cannot be read.
    """
    try:
        if item.get("iscrowd", 0) not in (0, 1):
            raise ValueError("iscrowd is neither 0 nor 1")
        return object_pixels(item.get("segmentation"), size)
    except ValueError as error:
        raise ValueError(
            f"object {item.get('id')} of image {image} has no readable mask ({error}); "
            "fetch the annotations again"
        ) from None


def _draw_stuff(
    source: StuffMap, image: Path, size: tuple[int, int], meaning: Meaning
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask and the spurious mask of a map of COCO-Stuff.

    In its PNGs of things and stuff the value is the category's id - 1, and 255 where nothing is
    labelled (nightrome/cocostuff, README).
    """
    path = next((path for path in source.paths if path.is_file()), None)
    if path is None:
        raise ValueError(
            f"image {image} has no map of COCO-Stuff, which would be "
            f"{' or '.join(map(str, source.paths))}; name the folders of all parts"
        )
    values = read_mask(path)
    if values.shape != size:
        raise ValueError(
            f"mask {path} is {values.shape}, but its image is {size}; fetch masks and images of "
            "one release"
        )
    wrong = values[(values >= LAST_STUFF) & (values != IGNORE_INDEX)]
    if wrong.size:
        raise ValueError(
            f"mask {path} holds the value {wrong.max()}, but those of COCO-Stuff end at "
            f"{LAST_STUFF - 1}; use its maps of things and stuff (stuffthingmaps)"
        )
    classes = np.array([meaning.classes.get(value + 1, 0) for value in range(256)], dtype=np.uint8)
    classes[IGNORE_INDEX] = IGNORE_INDEX
    stuff = [meaning.backgrounds.get(value + 1, 0) for value in range(256)]
    return classes[values], np.array(stuff, dtype=np.uint8)[values]
