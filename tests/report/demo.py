"""A small made-up project folder: everything that the report's scripts read."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tests.figures.synthetic import curve_table, metrics_table, training_table
from wsss.data.candidates import write_candidates
from wsss.data.images import write_jpeg
from wsss.data.index import (
    GroundTruthRecord,
    ImageRecord,
    write_classes,
    write_ground_truth,
    write_index,
)
from wsss.store.maps import write_maps
from wsss.store.masks import write_mask
from wsss.store.tables import write_table

CLASSES = ("boat", "train")
SIZE = (40, 48)


def make_project(root: Path) -> SimpleNamespace:
    """Write index, masks, maps, rankings and metrics below `root`; return their paths."""
    rng = np.random.default_rng(0)
    paths = SimpleNamespace(
        index=root / "index.csv",
        candidates=root / "candidates.csv",
        classes=root / "classes.csv",
        truth=root / "ground_truth.csv",
        ranking=root / "ranking.csv",
        summary=root / "ranking_summary.csv",
        decisions=root / "decisions.csv",
        decisions_summary=root / "decisions_summary.csv",
        annotators=root / "annotators.csv",
        agreement=root / "agreement.csv",
        metrics=root / "metrics.csv",
        curves=root / "curves.csv",
        training=root / "training.csv",
        maps=root / "maps.h5",
        masks=root / "masks",
        config=root / "config.yaml",
        benchmarks=root / "benchmarks",
    )
    records, truth = [], []
    for split, count in (("train", 6), ("val", 2), ("ood", 6)):
        for number in range(count):
            image_id = f"{split}{number}"
            name = CLASSES[number % 2]
            mask = _write_image(root, image_id, CLASSES.index(name) + 1, rng)
            labels = () if split == "ood" else (name,)
            records.append(ImageRecord(image_id, root / f"{image_id}.jpg", split, *SIZE, labels))
            kind = ("easy", "hard", "mislabelled")[number % 3] if split == "ood" else "water"
            known = None if split == "ood" else mask
            truth.append(GroundTruthRecord(image_id, known, known, labels, kind))
    write_index(paths.index, records)
    write_candidates(paths.candidates, [r for r in records if r.split == "ood"], records[:8])
    write_classes(paths.classes, CLASSES, {"train": [("rail", 1)]})
    write_ground_truth(paths.truth, truth)
    write_maps(
        paths.maps,
        [
            (r.image_id, np.array([CLASSES.index(r.labels[0])]), rng.random((1, 5, 6)), SIZE)
            for r in records
            if r.split == "train"
        ],
        attributes={},
    )
    _write_tables(paths, [r.image_id for r in records if r.split == "ood"])
    return paths


def _write_image(root: Path, image_id: str, value: int, rng: np.random.Generator) -> Path:
    write_jpeg(root / f"{image_id}.jpg", rng.integers(0, 255, (*SIZE, 3), np.uint8), quality=90)
    mask = np.zeros(SIZE, np.uint8)
    mask[10:30, 8:30] = value
    mask[30:33, 8:30] = 255
    for folder in ("truth", "masks/0"):
        write_mask(root / folder / f"{image_id}.png", mask)
    return root / "truth" / f"{image_id}.png"


def _write_tables(paths: SimpleNamespace, ood: list[str]) -> None:
    ranking = [
        {"class_name": name, "rank": rank, "image_id": image_id, "score": 0.99 - 0.1 * rank}
        for name in CLASSES
        for rank, image_id in enumerate(ood[:4])
    ]
    write_table(paths.ranking, pd.DataFrame(ranking))
    summary: dict[str, Any] = {"class_name": CLASSES, "num_candidates": 6, "num_above_threshold": 4}
    write_table(paths.summary, pd.DataFrame(summary))
    decisions = {"image_id": ood[:4], "decision": ["keep", "keep", "reject", "keep"]}
    write_table(
        paths.decisions, pd.DataFrame(decisions).assign(decided_by="oracle (true image labels)")
    )
    counts: dict[str, Any] = {
        "class_name": ["all", *CLASSES], "num_ranked": 4, "num_checked": 4, "num_rejected": 1,
        "positive_rate": 0.25, "positive_rate_low": 0.04559, "positive_rate_high": 0.69936,
        "annotation_cost": 4.0,
    }  # fmt: skip
    write_table(paths.decisions_summary, pd.DataFrame(counts))
    people: dict[str, Any] = {
        "annotator": ["anna", "ben", "<carol>"], "num_checked": [1200, 120, 0],
        "num_rejected": [400, 30, 0], "positive_rate": [1 / 3, 0.25, None],
        "num_settled": [0, 0, 2], "seconds": [3729.6, None, 5.0],
    }  # fmt: skip
    write_table(paths.annotators, pd.DataFrame(people))
    pair = {"first": ["anna"], "second": ["ben"], "num_both": 120, "num_differ": 3,
            "num_settled": 2, "kappa": 0.934}  # fmt: skip
    write_table(paths.agreement, pd.DataFrame(pair))
    write_table(paths.metrics, metrics_table())
    write_table(paths.curves, curve_table())
    write_table(paths.training, training_table())
    paths.config.write_text("random_seeds: [0, 1, 2]\nnote: <b>&\n", "utf-8")
    for shard in range(2):
        file = paths.benchmarks / "scenes" / "localize" / f"{shard}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t310.2\n", "utf-8")
