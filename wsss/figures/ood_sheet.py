"""Contact sheets of out-of-distribution (OoD) images: the pool, the hard ones, what was pruned."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from wsss.data.images import read_image
from wsss.data.index import GroundTruthRecord, ImageRecord
from wsss.figures.tiles import Tile, image_grid

KEPT = "#0072B2"
REJECTED = "#D55E00"
# Below a picture, where blue frames are the rule.
_REJECTED = {"reject": "rejected"}
KIND_TITLES = {
    "hard": "hard:\na scene without\nits object",
    "easy": "easy:\nnothing alike",
    "mislabelled": "mislabelled:\nholds an object\nafter all",
    "": "candidates",
}


def pool_sheet(
    candidates: Iterable[ImageRecord],
    ground_truth: Mapping[str, GroundTruthRecord],
    *,
    columns: int,
    width: float,
) -> Figure:
    """Return the first candidate images of each kind, one row per kind.

    Kinds are known for data sets that are drawn or fully annotated; else all stand in one row.

    Args:
        candidates: Of a data set; read once, and only the first of a kind are kept.
        ground_truth: Kinds by image id.
        columns: Images per kind.
        width: Width of the figure in inches.

    Raises:
        ValueError: The pool is empty.
    """
    kinds: dict[str, list[ImageRecord]] = {}
    counts: Counter[str] = Counter()
    for record in candidates:
        known = ground_truth.get(record.image_id)
        kind = known.kind if known else ""
        counts[kind] += 1
        if counts[kind] <= columns:
            kinds.setdefault(kind, []).append(record)
    names = sorted(kinds, key=lambda kind: (list(KIND_TITLES).index(kind), kind)
                   if kind in KIND_TITLES else (len(KIND_TITLES), kind))  # fmt: skip
    rows: list[list[Tile | None]] = [
        [Tile(read_image(record.path)) for record in kinds[name]] for name in names
    ]
    titles = [f"{KIND_TITLES.get(name, name)}\n({counts[name]})" for name in names]
    return image_grid(rows, column_titles=[], row_titles=titles, width=width, legend={})


def hard_sheet(
    paths: Mapping[str, Path],
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
        paths: The files of the ranked images by image id.
        ranking: Columns class_name, rank, image_id, score.
        decisions: Columns image_id, decision (keep, reject); images without one stay unframed.
        columns: Images per class.
        width: Width of the figure in inches.

    Raises:
        ValueError: The ranking is empty.
    """
    decided = dict(zip(decisions["image_id"], decisions["decision"], strict=True))
    rows, names = [], []
    for name, own in ranking.groupby("class_name", sort=False):
        best = own.sort_values("rank").head(columns)
        words = [decided.get(image_id, "") for image_id in best["image_id"]]
        rows.append(
            [
                _tile(paths[row.image_id], float(row.score), word, _REJECTED.get(word, ""))
                for row, word in zip(best.itertuples(index=False), words, strict=True)
            ]
        )
        names.append(f"{name}\n({len(own)})")
    return image_grid(rows, column_titles=[], row_titles=names, width=width, legend={})


def pruned_sheet(
    paths: Mapping[str, Path],
    ranking: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    columns: int,
    width: float,
) -> Figure:
    """Return the highest-scored kept and rejected candidates of each class side by side.

    Kept images have a blue frame and stand in the left half of a row, rejected ones have an orange
    frame and stand in the right one. A class that has fewer of a kind leaves places empty.

    Args:
        paths: The files of the decided images by image id.
        ranking: Columns class_name, rank, image_id, score.
        decisions: Columns image_id, decision (keep, reject).
        columns: Images per class, one at least of each kind.
        width: Width of the figure in inches.

    Raises:
        ValueError: No ranked image is decided.
    """
    half = max(1, columns // 2)
    decided = dict(zip(decisions["image_id"], decisions["decision"], strict=True))
    rows: list[list[Tile | None]] = []
    names = []
    for name, candidates in ranking.groupby("class_name", sort=False):
        own = candidates.sort_values("rank")
        words = own["image_id"].map(decided)
        row: list[Tile | None] = []
        for decision, word in (("keep", "kept"), ("reject", "rejected")):
            best = own[words == decision].head(half).itertuples(index=False)
            tiles = [
                _tile(paths[line.image_id], float(line.score), decision, word) for line in best
            ]
            row += [*tiles, *[None] * (half - len(tiles))]
        rows.append(row)
        counts = words.value_counts()
        names.append(f"{name}\n({counts.get('keep', 0)} + {counts.get('reject', 0)})")
    if not any(tile for row in rows for tile in row):
        raise ValueError("no ranked candidate is decided, so there is nothing to show")
    titles = ["kept", *[""] * (half - 1), "rejected"]
    return image_grid(rows, column_titles=titles, row_titles=names, width=width, legend={})


def _tile(path: Path, score: float, decision: str, word: str) -> Tile:
    frame = {"keep": KEPT, "reject": REJECTED}.get(decision, "")
    caption = f"{score:.2f} {word}".rstrip()
    return Tile(read_image(path), caption, frame)
