"""What the report must know of a table or picture, in a JSON file of the same name beside it.

`results/tables/seed.csv` has `seed.json`, `results/figures/bars.png` has `bars.json`, with the keys

    section   part of the report: one of `SECTIONS`
    title     short title
    caption   what it shows and how to read it
    notes     list of sentences: the protocol
    alt       (pictures) what someone who cannot see the picture should know

so that the report needs no knowledge of the rule that made a file.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss.store.atomic import atomic_path

SECTIONS = ("data", "ood", "results", "classes", "maps", "segmentation", "training")
KEYS = frozenset({"section", "title", "caption", "notes", "alt"})


def write_sidecar(
    path: Path, *, section: str, title: str, caption: str, notes: Sequence[str], alt: str
) -> None:
    """Write the sidecar of a table or picture, atomically.

    Raises:
        ValueError: The section is unknown.
    """
    content = {
        "section": section, "title": title, "caption": caption, "notes": list(notes), "alt": alt,
    }  # fmt: skip
    _check(path, content)
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_sidecar(path: Path) -> Mapping[str, Any]:
    """Return the sidecar of a table or picture, given the path of that table or picture.

    Raises:
        ValueError: The sidecar is missing, no JSON, or lacks a key.
    """
    beside = Path(path).with_suffix(".json")
    try:
        content = json.loads(beside.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path} has no {beside.name} beside it; make it again") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{beside} is no JSON ({error}); make it again") from None
    _check(beside, content)
    return dict(content)


def _check(path: Path, content: Mapping[str, Any]) -> None:
    if set(content) != KEYS:
        raise ValueError(
            f"{path}: expected the keys {', '.join(sorted(KEYS))}, got {', '.join(sorted(content))}"
        )
    if content["section"] not in SECTIONS:
        raise ValueError(
            f"{path}: unknown section {content['section']!r}; known are {', '.join(SECTIONS)}"
        )
