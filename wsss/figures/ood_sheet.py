"""Contact sheets of out-of-distribution (OoD) images: the pool, and the hard ones of each class."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from wsss.data.images import read_image
from wsss.data.index import GroundTruthRecord, ImageRecord, Index
from wsss.figures.tiles import Tile, image_grid

KEPT = "#0072B2"
REJECTED = "#D55E00"
KIND_TITLES = {
    "hard": "hard:\na scene without\nits object",
    "easy": "easy:\nnothing alike",
    "mislabelled": "mislabelled:\nholds an object\nafter all",
    "": "candidates",
}


def pool_sheet(
    index: Index,
    ground_truth: Mapping[str, GroundTruthRecord],
    *,
    columns: int,
    width: float,
) -> Figure:
    """Return the first candidate images of each kind, one row per kind.

    Kinds are known for data sets that are drawn or fully annotated; else all stand in one row.

    Args:
        index: The data set; its split `ood` is the pool.
        ground_truth: Kinds by image id.
        columns: Images per kind.
        width: Width of the figure in inches.

    Raises:
        ValueError: The pool is empty.
    """
    kinds: dict[str, list[ImageRecord]] = {}
    for record in index.split("ood"):
        known = ground_truth.get(record.image_id)
        kinds.setdefault(known.kind if known else "", []).append(record)
    names = sorted(kinds, key=lambda kind: (list(KIND_TITLES).index(kind), kind)
                   if kind in KIND_TITLES else (len(KIND_TITLES), kind))  # fmt: skip
    rows: list[list[Tile | None]] = [
        [Tile(read_image(record.path)) for record in kinds[name][:columns]] for name in names
    ]
    titles = [f"{KIND_TITLES.get(name, name)}\n({len(kinds[name])})" for name in names]
    return image_grid(rows, column_titles=[], row_titles=titles, width=width, legend={})


def hard_sheet(
    index: Index,
    ranking: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    columns: int,
    width: float,
) -> Figure:
    """Return the highest-scored candidates of each class, framed by the decision on each.

    The caption is the score p(c) that the classifier gave to the class. Kept images have a blue
    frame; rejected ones an orange frame and the word; undecided ones have none (W-OoD, sec. 3.1).

    Args:
        index: The data set.
        ranking: Columns class_name, rank, image_id, score.
        decisions: Columns image_id, decision (keep, reject); images without one stay unframed.
        columns: Images per class.
        width: Width of the figure in inches.

    Raises:
        ValueError: The ranking is empty or names an image that the index lacks.
    """
    paths = {record.image_id: record.path for record in index.records}
    unknown = sorted(set(ranking["image_id"]) - set(paths))
    if unknown:
        raise ValueError(
            f"the ranking names image {unknown[0]!r}, which the index lacks; "
            "rank the candidates again"
        )
    decided = dict(zip(decisions["image_id"], decisions["decision"], strict=True))
    rows, names = [], []
    for name, own in ranking.groupby("class_name", sort=False):
        best = own.sort_values("rank").head(columns)
        rows.append(
            [
                _tile(paths[row.image_id], float(row.score), decided.get(row.image_id, ""))
                for row in best.itertuples(index=False)
            ]
        )
        names.append(f"{name}\n({len(own)})")
    return image_grid(rows, column_titles=[], row_titles=names, width=width, legend={})


def _tile(path: Path, score: float, decision: str) -> Tile:
    frame = {"keep": KEPT, "reject": REJECTED}.get(decision, "")
    caption = f"{score:.2f}" + (" rejected" if decision == "reject" else "")
    return Tile(read_image(path), caption, frame)
