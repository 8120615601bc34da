"""Index records of the images that a table selects."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from wsss.data.index import ImageRecord, Index
from wsss.store.tables import read_table

COLUMNS = ("image_id", "path", "class_name", "score")


def selected_records(index: Index, selected: pd.DataFrame) -> list[ImageRecord]:
    """Return the records of the selected OoD images, in the table's order.

    The table's path counts, not the index': erased images stand elsewhere, with the same size.

    Args:
        index: Of the data set.
        selected: Table with the columns image_id and path.

    Raises:
        ValueError: An image is not a candidate of this data set, comes twice or has no path, or the
            table is empty.
    """
    candidates = _candidates(index, selected["image_id"])
    twice = selected["image_id"][selected["image_id"].duplicated()]
    if len(twice):
        raise ValueError(f"the OoD image {twice.iloc[0]} is selected twice: select it once")
    if selected.empty:
        raise ValueError("no OoD image is selected: lower the score threshold or add candidates")
    nowhere = selected["image_id"][selected["path"] == ""]
    if len(nowhere):
        raise ValueError(f"the selected OoD image {nowhere.iloc[0]} has no path: select again")
    return [
        replace(candidates[image_id], path=Path(path))
        for image_id, path in zip(selected["image_id"], selected["path"], strict=True)
    ]


def with_paths(index: Index, selection: pd.DataFrame) -> pd.DataFrame:
    """Return a selection (image_id, class_name, score) with the images' paths, as `COLUMNS`.

    Raises:
        ValueError: An image is not a candidate of this data set.
    """
    candidates = _candidates(index, selection["image_id"])
    paths = {image_id: str(record.path) for image_id, record in candidates.items()}
    return selection.assign(path=selection["image_id"].map(paths))[list(COLUMNS)]


def _candidates(index: Index, image_ids: Iterable[str]) -> dict[str, ImageRecord]:
    """Return the OoD candidates by id, once all image ids have been found among them."""
    candidates = {record.image_id: record for record in index.split("ood")}
    unknown = [image_id for image_id in image_ids if image_id not in candidates]
    if unknown:
        raise ValueError(
            f"the selected image {unknown[0]} is not an OoD candidate of the data set: rank and "
            "select again"
        )
    return candidates


def set_size(size: int | None, equal_set: Sequence[str] | str | None) -> int | None:
    """Return how many images to select: as many as another set's file has, or else `size`.

    Sets that are compared with each other need equal sizes (dissertation Table 4.6).
    """
    return len(read_table(str(equal_set), COLUMNS)) if equal_set else size
