"""The ranked candidates of an OoD set as the page numbers them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True)
class Ranked:
    """Candidates by class in ranking order. Pages and addresses name them by number only.

    Attributes:
        image_ids: Each image once, in the order in which the ranking names it first.
        classes: Names of the classes that have candidates.
        members: By class the numbers of its images, the best-ranked first.
        scores: By class the score of each of them.
        classes_of: By image the numbers of the classes it is ranked for.
    """

    image_ids: tuple[str, ...]
    classes: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    scores: tuple[tuple[float, ...], ...]
    classes_of: tuple[tuple[int, ...], ...]

    @property
    def version(self) -> str:
        """A short text that changes with the numbers' meaning."""
        return blake2b("\n".join(self.image_ids).encode(), digest_size=6).hexdigest()


def ranked_from(rows: Sequence[tuple[str, str, float]], classes: Sequence[str]) -> Ranked:
    """Return the candidates of a ranking.

    Args:
        rows: (class name, image id, score), best first within each class.
        classes: Names of the data set's classes, whose order the page takes over.

    Raises:
        ValueError: Nothing is ranked, or a class is none of the data set's.
    """
    if not rows:
        raise ValueError(
            "the ranking is empty: no candidate reached the score threshold; lower the OoD set's "
            "ranking.score_threshold, or offer more candidates"
        )
    own: dict[str, list[tuple[str, float]]] = {name: [] for name in classes}
    for class_name, image_id, score in rows:
        if class_name not in own:
            raise ValueError(f"the ranking names the class {class_name}, which the data set lacks")
        own[class_name].append((image_id, score))
    number_of = {image_id: n for n, image_id in enumerate(dict.fromkeys(row[1] for row in rows))}
    found = {name: images for name, images in own.items() if images}
    classes_of: list[list[int]] = [[] for _ in number_of]
    for class_id, images in enumerate(found.values()):
        for image_id, _ in images:
            classes_of[number_of[image_id]].append(class_id)
    return Ranked(
        tuple(number_of),
        tuple(found),
        tuple(tuple(number_of[image_id] for image_id, _ in images) for images in found.values()),
        tuple(tuple(score for _, score in images) for images in found.values()),
        tuple(map(tuple, classes_of)),
    )
