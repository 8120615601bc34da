"""COCO's categories, of things and stuff, and which of them are classes or their backgrounds."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from wsss.data.sets._coco_json import brief, get

VOC_TO_COCO = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
FIRST_STUFF, LAST_STUFF = 92, 182
"""Ids of COCO-Stuff's categories, whose names are in alphabetical order."""
STUFF = {
    "building": "bridge building-other house roof skyscraper tent",
    "ceiling": "ceiling-other ceiling-tile",
    "floor": "carpet floor-marble floor-other floor-stone floor-tile floor-wood",
    "food-stuff": "food-other fruit salad vegetable",
    "furniture-stuff": "cabinet counter cupboard desk-stuff door-stuff furniture-other light "
    "mirror-stuff shelf stairs table",
    "ground": "dirt gravel ground-other mud pavement platform playingfield railroad road sand snow",
    "plant": "branch bush flower grass leaves moss plant-other straw tree",
    "raw-material": "cardboard metal paper plastic",
    "sky": "clouds sky-other",
    "solid": "hill mountain rock solid-other stone wood",
    "structural": "cage fence net railing structural-other",
    "textile": "banner blanket cloth clothes curtain mat napkin pillow rug textile-other towel",
    "wall": "wall-brick wall-concrete wall-other wall-panel wall-stone wall-tile wall-wood",
    "water": "fog river sea water-other waterdrops",
    "window": "window-blind window-other",
}
"""COCO-Stuff's categories by supercategory (Caesar et al., COCO-Stuff, CVPR 2018)."""


class Category(NamedTuple):
    """A category of a file; `group` is what COCO calls its supercategory, "" for none."""

    id: int | str
    name: str
    group: str


@dataclass(frozen=True)
class Meaning:
    """What the categories stand for: by category id, values in masks and in spurious masks.

    A category in neither is background.
    """

    classes: Mapping[int | str, int]
    backgrounds: Mapping[int | str, int]


def read_categories(items: Iterable[Any]) -> list[Category]:
    """Return the categories that a file lists.

    Raises:
        FormatError: One has no id or name.
        ValueError: One occurs twice.
    """
    found: list[Category] = []
    names: set[str] = set()
    ids: set[int | str] = set()
    for number, item in enumerate(items):
        place = f"categories[{number}]"
        name = get(item, "name", str, place=place)
        category = get(item, "id", int, str, place=place)
        if name in names or category in ids:
            raise ValueError(f"list the category {brief(name)} or its id twice; keep one of them")
        names.add(name)
        ids.add(category)
        group = item.get("supercategory", "")
        found.append(Category(category, name, group if isinstance(group, str) else ""))
    return found


def stuff_categories() -> list[Category]:
    """Return the categories of COCO-Stuff's stuff."""
    group_of = {name: group for group, names in STUFF.items() for name in names.split()}
    return [
        Category(number, name, group_of[name])
        for number, name in enumerate(sorted(group_of), start=FIRST_STUFF)
    ]


def find_classes(categories: Sequence[Category], classes: Sequence[str]) -> dict[int | str, str]:
    """Return the classes by category id.

    Raises:
        ValueError: A class is no category, or two have one category.
    """
    id_of = {category.name: category.id for category in categories}
    # A file that has a class under VOC's own name keeps it.
    named = {name: name if name in id_of else VOC_TO_COCO.get(name, name) for name in classes}
    unknown = [name for name, category in named.items() if category not in id_of]
    if unknown:
        raise ValueError(f"have no class {', '.join(unknown)}; known are {', '.join(id_of)}")
    if len(set(named.values())) < len(named):
        raise ValueError(f"have one category for two of the classes {', '.join(classes)}; name one")
    return {id_of[category]: name for name, category in named.items()}


def number_backgrounds(
    spurious: Mapping[str, str | Sequence[str]], classes: Sequence[str]
) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return, by class, the backgrounds that go with it and their values in the spurious masks.

    Raises:
        ValueError: The background of no class is named.
    """
    unknown = [name for name in spurious if name not in classes]
    if unknown:
        raise ValueError(
            f"spurious names backgrounds of {', '.join(unknown)}, but the classes are "
            f"{', '.join(classes)}; name classes"
        )
    named = {name: [own] if isinstance(own, str) else own for name, own in spurious.items()}
    numbers: dict[str, int] = {}
    return {
        name: tuple((found, numbers.setdefault(found, len(numbers) + 1)) for found in own)
        for name, own in named.items()
    }


def find_meaning(
    categories: Sequence[Category],
    classes: Sequence[str],
    spurious: Mapping[str, Sequence[tuple[str, int]]],
) -> Meaning:
    """Return what the categories of masks stand for.

    Args:
        categories: Of the masks.
        classes: In the order of the values in our masks.
        spurious: As of `number_backgrounds`; a background is a category or a group of them.

    Raises:
        ValueError: A class or background is no category, two classes have one, or a background
            has a category in common with a class or with another background.
    """
    class_of = find_classes(categories, classes)
    values = {category: list(classes).index(name) + 1 for category, name in class_of.items()}
    backgrounds: dict[int | str, int] = {}
    for background, value in chain.from_iterable(spurious.values()):
        for category in _members(background, categories):
            if category.id in values or backgrounds.get(category.id, value) != value:
                raise ValueError(
                    f"have {category.name} in the spurious background {background} and in a class "
                    "or another background; name backgrounds without a category in common"
                )
            backgrounds[category.id] = value
    return Meaning(values, backgrounds)


def _members(background: str, categories: Sequence[Category]) -> list[Category]:
    """Return the category of a name, or else those of a group of that name."""
    found = [category for category in categories if category.name == background]
    found = found or [category for category in categories if category.group == background != ""]
    if not found:
        names = [category.name for category in categories]
        groups = list(dict.fromkeys(category.group for category in categories if category.group))
        close = difflib.get_close_matches(background, names, n=5) or names[-5:]
        raise ValueError(
            f"have no spurious background {brief(background)}; known are the groups "
            f"{', '.join(groups)} and their categories, as {', '.join(close)}"
        )
    return found
