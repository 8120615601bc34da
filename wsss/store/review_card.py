"""The card of an OoD set that a person decides on: where all is that the page needs."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from wsss.store.atomic import atomic_path

NAME = "review.json"
UNDECIDED = ("stop", "leave_out")


@dataclass(frozen=True)
class ReviewCard:
    """What the page of a set needs to know. Paths are as the workflow has them, in its folder.

    Attributes:
        dataset: Name of the data set.
        ood_set: Name of the OoD set.
        decisions: File that the decisions are written to.
        wanted_per_class: Images to keep for each class; None if every candidate wants a decision.
        undecided: What becomes of undecided candidates: "stop" or "leave_out".
        ranking: Table of the ranked candidates.
        candidates: Table of all candidates.
        classes: Table of the classes.
        classifier: Weights of the classifier that ranked them.
    """

    dataset: str
    ood_set: str
    decisions: str
    wanted_per_class: int | None
    undecided: str
    ranking: str
    candidates: str
    classes: str
    classifier: str


def write_review_card(path: Path | str, card: ReviewCard) -> None:
    """Write a card as JSON, atomically."""
    with atomic_path(path) as temporary:
        text = json.dumps(asdict(card), indent=2, ensure_ascii=False)
        temporary.write_text(f"{text}\n", "utf-8")


def read_review_card(folder: Path | str) -> ReviewCard:
    """Return the card of an OoD set, given its folder.

    Raises:
        ValueError: The folder has none, or it is damaged.
    """
    path = Path(folder) / NAME
    make = f"`snakemake --cores 1 {path}`"
    try:
        content = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"{folder} is no folder of an OoD set that a person decides on (kind: manual): {path} "
            f"does not exist; make it with {make}"
        ) from None
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); make it a file that you may read"
        ) from None
    # Text of thousands of brackets, too.
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no JSON ({error}); delete it and make it again with {make}"
        ) from None
    if problem := _problem(content):
        raise ValueError(f"{path} is damaged ({problem}); delete it and make it again with {make}")
    return ReviewCard(**content)


def _problem(content: object) -> str:
    """Say what keeps JSON from being a card; nothing if it is one."""
    names = [field.name for field in fields(ReviewCard)]
    if not isinstance(content, dict) or set(content) != set(names):
        found = ", ".join(content)[:200] if isinstance(content, dict) else type(content).__name__
        return f"expected the keys {', '.join(names)}, got {found or 'none'}"
    wanted = content["wanted_per_class"]
    if wanted is not None and (type(wanted) is not int or wanted < 1):
        return f"wanted_per_class is {wanted!r}, but a number from 1 on or null is needed"
    for name in names:
        if name != "wanted_per_class" and not (isinstance(content[name], str) and content[name]):
            return f"{name} is {content[name]!r}, but text is needed"
    if content["undecided"] not in UNDECIDED:
        return f"undecided is {content['undecided']!r}, but known are {', '.join(UNDECIDED)}"
    return ""
