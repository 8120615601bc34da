"""Candidates of two classes, and a review of them whose clock a test turns."""

from pathlib import Path

from wsss.review.ranked import Ranked, ranked_from
from wsss.review.session import Review
from wsss.store.rows import read_rows

# c is ranked for both classes. Numbers: a 0, b 1, c 2, d 3, e 4.
ROWS = [
    ("train", "a", 0.9), ("train", "b", 0.8), ("train", "c", 0.7), ("train", "d", 0.6),
    ("boat", "c", 0.95), ("boat", "e", 0.5),
]  # fmt: skip
CLASSES = ("aeroplane", "boat", "train")
BOAT, TRAIN = 0, 1


def candidates() -> Ranked:
    return ranked_from(ROWS, CLASSES)


class Desk:
    """A review, and annotators who act on it."""

    def __init__(self, folder: Path, *, wanted: int | None = None) -> None:
        self.file = folder / "decisions.csv"
        self.wanted = wanted
        self.time, self.count = 1000.0, 0
        self.review: Review
        self.open()

    def open(self) -> None:
        """Start as a server does, from what is on the disk."""
        self.review = Review(candidates(), self.file, wanted=self.wanted, now=lambda: self.time)

    def act(self, name: str, action: str, *images: int, decision: str = "", after=2.0, **rest):
        self.time += after
        self.count += 1
        return self.review.act(
            name, action_id=f"{self.count}", action=action, images=images, decision=decision,
            **{"class_id": TRAIN, **rest},
        )  # fmt: skip

    def keep(self, name: str, *images: int):
        return self.act(name, "decide", *images, decision="keep")

    def reject(self, name: str, *images: int):
        return self.act(name, "decide", *images, decision="reject")

    def rows(self) -> dict[str, tuple[str, ...]]:
        """What the decisions file says, by image."""
        found = read_rows(self.file, ("image_id", "decision", "decided_by", "votes"))
        return {row[0]: row[1:] for row in found}

    def words(self) -> dict[str, str]:
        return {image_id: row[0] for image_id, row in self.rows().items()}
