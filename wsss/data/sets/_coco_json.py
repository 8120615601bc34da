"""COCO's JSON files, read into little memory and checked value by value."""

import json
from collections.abc import Container
from pathlib import Path
from typing import Any

from wsss.data.sets._coco_shapes import packed


class FormatError(ValueError):
    """What is missing or of another type."""


def read_json(path: Path, *, used: Container[str]) -> Any:
    """Return what a file holds, without the keys that nobody reads.

    Segmentations are packed (see `packed`) as soon as they are read: a file of 430 MB takes 1.1 GB
    while it is read, not 2.6 GB.

    Args:
        path: Of the file.
        used: The keys that are kept, of objects at any depth.

    Raises:
        ValueError: The file is missing or no JSON.
    """

    def slim(item: dict[str, Any]) -> dict[str, Any]:
        return {
            key: packed(value) if key == "segmentation" else value
            for key, value in item.items()
            if key in used
        }

    try:
        return json.loads(path.read_text("utf-8-sig"), object_hook=slim)
    except FileNotFoundError:
        raise ValueError(
            f"annotations {path} do not exist; fetch them (wsss fetch coco2017, coco2014 or "
            "coco2017_panoptic), or link COCO there"
        ) from None
    except (ValueError, RecursionError, OSError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ValueError(f"annotations {path} are no JSON ({reason}); fetch them again") from None


def get(item: Any, key: str, *kinds: type, place: str) -> Any:
    """Return `item[key]`.

    Args:
        item: Of the file.
        key: Of the item.
        kinds: Types of which the value must be one.
        place: Where the item stands, for the sentence.

    Raises:
        FormatError: The item has no such key, or its value another type.
    """
    if not isinstance(item, dict) or key not in item:
        raise FormatError(f"{place} has no {key!r}")
    value = item[key]
    if not isinstance(value, kinds) or isinstance(value, bool):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise FormatError(f"{key!r} of {place} is {brief(value)}, not of type {expected}")
    return value


def brief(value: Any) -> str:
    """Return a value's text, or the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
