"""OpenImages' two small files: the names of its labels, and which stands below which."""

import csv
import difflib
import io
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss.data.records import shown
from wsss.data.sets._openimages_classes import Hierarchy

log = logging.getLogger(__name__)

BELOW = ("Subcategory", "Part")


def read_hierarchy(path: Path) -> Hierarchy:
    """Return the hierarchy of OpenImages' JSON file.

    Raises:
        ValueError: The file is missing or not in the form of OpenImages.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"hierarchy {path} does not exist; link it there") from None
    except (ValueError, RecursionError, OSError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ValueError(f"hierarchy {path} is no JSON ({reason}); fetch it again") from None
    graphs: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in BELOW}
    waiting = [(content, _label_name(content, path))]
    while waiting:
        item, mid = waiting.pop()
        for name in BELOW:
            below = item.get(name, [])
            if not isinstance(below, list):
                raise ValueError(_no_hierarchy(path, f"{name} of {mid} is no list"))
            labelled = [(other, _label_name(other, path)) for other in below]
            graphs[name][mid].update(other for _, other in labelled)
            waiting += labelled
    return Hierarchy(*graphs.values())


def _label_name(item: Any, path: Path) -> str:
    name = item.get("LabelName") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError(_no_hierarchy(path, f"{repr(item)[:40]} has no LabelName"))
    return name


def _no_hierarchy(path: Path, reason: str) -> str:
    return (
        f"hierarchy {path} is not OpenImages' ({reason}): use bbox_labels_600_hierarchy.json, "
        "whose labels have a LabelName and lists Subcategory and Part"
    )


def read_descriptions(path: Path) -> dict[str, str]:
    """Return the display names of the labels, from a CSV with or without header.

    Raises:
        ValueError: The file is missing, no text or no such table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except FileNotFoundError:
        raise ValueError(f"class descriptions {path} do not exist; link them there") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"class descriptions {path} are no CSV ({reason}); fetch them") from None
    first = 0 if rows and rows[0][0].startswith("/") else 1
    for number, row in enumerate(rows[first:], start=first + 1):
        if len(row) < 2 or not row[0].startswith("/"):
            raise ValueError(
                f"class descriptions {path} are not OpenImages': row {number} is "
                f"{shown(','.join(row))[:60]}, not a label and its name as /m/0k4j,Car"
            )
    if not rows[first:]:
        raise ValueError(f"class descriptions {path} are empty; fetch them again")
    return {row[0]: row[1].strip() for row in rows[first:]}


def labels_of_classes(
    classes: Mapping[str, Sequence[str]], descriptions: Mapping[str, str], *, where: Path
) -> list[set[str]]:
    """Return, per class, the labels that its names stand for, whatever their case.

    A name that several labels bear stands for all of them; a label itself ("/m/0k4j") for it alone.

    Args:
        classes: Display names, or labels, by class.
        descriptions: Display name by label.
        where: The file of the descriptions.

    Raises:
        ValueError: A class has no name, or a name is nobody's.
    """
    bearing: dict[str, set[str]] = defaultdict(set)
    for mid, name in descriptions.items():
        bearing[name.casefold()].add(mid)
    found = []
    for class_name, names in classes.items():
        if not names:
            raise ValueError(f"class {class_name} has no name in OpenImages; give it one")
        own: set[str] = set()
        for name in names:
            mids = {name} if name in descriptions else bearing.get(name.strip().casefold(), set())
            if not mids:
                raise ValueError(_unknown_name(class_name, name, bearing, where))
            if len(mids) > 1:
                log.info(
                    "class %s: %r stands for the labels %s; write one of them if it alone is meant",
                    class_name,
                    name,
                    ", ".join(sorted(mids)),
                )
            own |= mids
        found.append(own)
    return found


def _unknown_name(class_name: str, name: str, known: Iterable[str], where: Path) -> str:
    close = difflib.get_close_matches(name.casefold(), known, n=3)
    hint = f"; close are {', '.join(close)}" if close else ""
    return f"class {class_name} is to be {shown(name)}, but {where} has no such label{hint}"
