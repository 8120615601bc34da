"""The table of the OoD images that a classifier is trained with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from wsss.data.candidates import find_candidates
from wsss.data.records import ImageRecord
from wsss.store.tables import read_table

COLUMNS = ("image_id", "path", "height", "width", "class_name", "score")


def selected_records(selected: pd.DataFrame) -> list[ImageRecord]:
    """Return the records of the selected OoD images, in the table's order.

    Args:
        selected: Table with the columns image_id, path, height and width.

    Raises:
        ValueError: An image comes twice or has no path, or the table is empty.
    """
    twice = selected["image_id"][selected["image_id"].duplicated()]
    if len(twice):
        raise ValueError(f"the OoD image {twice.iloc[0]} is selected twice: select it once")
    if selected.empty:
        raise ValueError("no OoD image is selected: lower the score threshold or add candidates")
    nowhere = selected["image_id"][selected["path"] == ""]
    if len(nowhere):
        raise ValueError(f"the selected OoD image {nowhere.iloc[0]} has no path: select again")
    return [
        ImageRecord(row.image_id, Path(row.path), "ood", int(row.height), int(row.width), ())
        for row in selected.itertuples(index=False)
    ]


def selected_labels(selected: pd.DataFrame, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return by image id the zero-based class that a selected OoD image was ranked for.

    Args:
        selected: Table with the columns image_id and class_name, which is empty of random images.
        classes: Names of all classes.

    Returns:
        int64 (1,), or (0,) where no class is known.
    """
    return {
        image_id: np.array([classes.index(name)] if name else [], np.int64)
        for image_id, name in zip(selected["image_id"], selected["class_name"], strict=True)
    }


def with_paths(candidates_csv: Path, selection: pd.DataFrame) -> pd.DataFrame:
    """Return a selection (image_id, class_name, score) with the images' files, as `COLUMNS`.

    Raises:
        ValueError: An image is not a candidate of this data set.
    """
    found = find_candidates(candidates_csv, selection["image_id"].tolist())
    records = [found[image_id] for image_id in selection["image_id"]]
    return selection.assign(
        path=[record.path.as_posix() for record in records],
        height=[record.height for record in records],
        width=[record.width for record in records],
    )[list(COLUMNS)]


def set_size(size: int | None, equal_set: Sequence[str] | str | None) -> int | None:
    """Return how many images to select: as many as another set's file has, or else `size`.

    Sets that are compared with each other need equal sizes (dissertation Table 4.6).
    """
    return len(read_table(str(equal_set), COLUMNS)) if equal_set else size
