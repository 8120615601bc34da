"""Images and masks by their ids, read when they are asked for: what a diagnostic looks at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from wsss.data.index import GroundTruthRecord, ImageRecord, Spurious
from wsss.data.loading import read_record
from wsss.store.masks import read_class_mask


class ImageFiles(Mapping[str, np.ndarray]):
    """Images, (H, W, 3) uint8 RGB, by image id; reading one raises as `read_record`.

    Args:
        records: The images, in whose order the ids come.
    """

    def __init__(self, records: Sequence[ImageRecord]) -> None:
        self.records = {record.image_id: record for record in records}

    def __getitem__(self, image_id: str) -> np.ndarray:
        return read_record(self.records[image_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def own_backgrounds(
    records: Iterable[ImageRecord],
    ground_truth: Mapping[str, GroundTruthRecord],
    *,
    classes: Sequence[str],
    spurious: Spurious,
) -> dict[str, dict[int, bool]]:
    """Return whether images show a background that goes with their class.

    For evaluation only.

    Args:
        records: The images.
        ground_truth: Tells the background of an image.
        classes: Names of all classes.
        spurious: The backgrounds that go with a class.

    Returns:
        By image id, of its zero-based classes that have backgrounds; images whose background is
        not known are missing.
    """
    found: dict[str, dict[int, bool]] = {}
    for record in records:
        truth = ground_truth.get(record.image_id)
        if truth is None or not truth.kind:
            continue
        for name in record.labels:
            if name in spurious:
                names = {background for background, _ in spurious[name]}
                own = found.setdefault(record.image_id, {})
                own[classes.index(name)] = truth.kind in names
    return found


class MaskFiles(Mapping[str, np.ndarray]):
    """Ground truth masks, (H, W) uint8, by image id, of those images that have one.

    For evaluation only. Reading one raises as `read_class_mask`.

    Args:
        records: The images.
        ground_truth: What is known of them.
        num_classes: Of the masks, background included.
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        ground_truth: Mapping[str, GroundTruthRecord],
        *,
        num_classes: int,
    ) -> None:
        known = ((r.image_id, ground_truth.get(r.image_id)) for r in records)
        self.paths = {i: truth.mask for i, truth in known if truth and truth.mask}
        self.num_classes = num_classes

    def __getitem__(self, image_id: str) -> np.ndarray:
        return read_class_mask(self.paths[image_id], num_classes=self.num_classes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)
