"""What became of an image when several people decided on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from wsss.ood.pruning import agreements
from wsss.review.annotator import Annotator
from wsss.review.names import SETTLES

LETTERS = {"keep": "k", "reject": "r", "": "-"}
DISAGREE = "d"


@dataclass(frozen=True)
class Outcome:
    """The decision that all annotators' ones come to.

    Attributes:
        decision: "keep", "reject", or nothing: undecided, or people disagree.
        decided_by: Whose decision it is, names joined by ", ".
        disagree: Whether people differ, settled or not.
        settled_by: Who settled it, or nothing.
    """

    decision: str
    decided_by: str
    disagree: bool
    settled_by: str

    @property
    def letter(self) -> str:
        """The decision as one letter: k, r, - (undecided) or d (people disagree)."""
        if self.disagree and not self.decision:
            return DISAGREE
        return LETTERS[self.decision]


def outcome_of(image_id: str, annotators: Mapping[str, Annotator]) -> Outcome:
    """Return what all annotators' decisions on an image come to.

    One decision is enough; where people differ, the last word of who settled it counts, and
    without any the image is undecided.
    """
    words = {
        name: own.decisions[image_id]
        for name, own in annotators.items()
        if image_id in own.decisions
    }
    disagree = len(set(words.values())) > 1
    settlements = [
        (own.settled[image_id].time, name, own.settled[image_id].decision)
        for name, own in annotators.items()
        if image_id in own.settled
    ]
    _, settler, last_word = max(settlements, default=(0.0, "", ""))
    if last_word:
        return Outcome(last_word, settler, disagree, settler)
    decision = "" if disagree else next(iter(words.values()), "")
    return Outcome(decision, ", ".join(sorted(words)), disagree, "")


def votes_of(image_id: str, annotators: Mapping[str, Annotator]) -> str:
    """Return who said what of an image, as in the decisions file (`wsss.ood.votes`).

    The seconds are all that an annotator spent on the image, with changes of mind.
    """
    votes = []
    for name, own in sorted(annotators.items()):
        if image_id not in own.seconds:
            continue
        settles = image_id in own.settled
        words = [own.decisions[image_id]] if image_id in own.decisions else []
        # Time stands once: with the first of an annotator's votes.
        seconds = own.seconds[image_id]
        if words or not settles:
            votes.append(f"{name}: {(words or ['-'])[0]} ({seconds:.1f} s)")
            seconds = 0.0
        if settles:
            word = own.settled[image_id].decision or "-"
            votes.append(f"{name}{SETTLES}: {word} ({seconds:.1f} s)")
    return "; ".join(votes)


def agreement(annotators: Mapping[str, Annotator]) -> list[dict[str, str | int | float | None]]:
    """Return, for each pair of annotators, on how many images both decided, and how alike.

    `kappa` is Cohen's; None where it is not defined, as when both said the same of all images.
    """
    words = {name: own.decisions for name, own in annotators.items()}
    return [
        {
            "first": pair.first,
            "second": pair.second,
            "both": pair.both,
            "differ": len(pair.differ),
            "kappa": pair.kappa,
        }
        for pair in agreements(words)
    ]
