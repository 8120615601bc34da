"""A small data set with candidates, and the OoD stages' scripts run on it as the engine would."""

import os
import runpy
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import torch

from tests.source import ROOT
from tests.train.small import CLASSES, COMPUTING, NOTHING_ADDED, write_images
from wsss.data.candidates import write_candidates
from wsss.data.index import write_classes, write_index
from wsss.models.classifier import build_classifier
from wsss.store.tables import read_table, write_table
from wsss.train.networks import save_classifier

RANKING = {"score_threshold": 0.0, "keep_per_class": 100}
DECIDING = {"wanted_per_class": None, "undecided": "stop"}
CLUSTERS = {"clustering": "kmeans", "clusters": 50, "iterations": 3, "initialization": "first"}
ALL_IMAGES = {"training_images": None, "ood_images": None}
PLAIN = {
    "backbone": "compact", "initial_weights": "none",
    "images": {"batch_size": 2, "resize_long": [32, 40], "crop_size": 32},
    "epochs": 1, "learning_rate": 0.01, "head_multiplier": 1, "optimizer": "sgd", "momentum": 0.9,
    "weight_decay": 0.0, "schedule": "poly", "batch_norm": "frozen", "frozen_stages": 0,
    "computing": COMPUTING, "training_images": None,
}  # fmt: skip
WOOD = {
    "images": {"batch_size": 2, "resize_long": [32, 40], "crop_size": 32},
    "ood_batch_size": 5, "epochs": 1, "stop_after_epochs": None, "learning_rate": 0.01,
    "head_multiplier": 1,
    "optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.0, "schedule": "poly",
    "batch_norm": "frozen", "frozen_stages": 0, "computing": COMPUTING, "lambda": 0.1,
    "closest_fraction": 0.2,
    "distance_form": "official",
    "distance_parts": "both", "metric": "euclidean", "ood_coefficient": 0.25,
    "ood_form": "official", "local_ood_coefficient": 0, "perturbation_step": 0.07,
    "excluded_class": None, **ALL_IMAGES,
}  # fmt: skip
MAPS = {"scales": [1.0], "alignment": "official", "batch_size": 4, "precision": "full"}


class Named(dict):
    """Items by name as attributes, and their values in turn, as the engine hands them over."""

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __iter__(self):
        return iter(self.values())


class OodProject:
    """The files of one data set and one OoD set.

    Args:
        folder: Where to.
        candidates: How many of the six images are candidates; the others train.
        classes: Of the data set and of the classifier.
    """

    def __init__(self, folder: Path, *, candidates: int, classes=CLASSES) -> None:
        self.folder = folder
        records = write_images(folder)
        self.records = [
            replace(record, split="ood", labels=())
            if number >= len(records) - candidates
            else replace(record, labels=tuple(n for n in record.labels if n in classes))
            for number, record in enumerate(records)
        ]
        write_index(self.path("index.csv"), self.records)
        candidates = [record for record in self.records if record.split == "ood"]
        write_candidates(self.path("candidates.csv"), candidates, ())
        write_classes(self.path("classes.csv"), classes, {})
        torch.manual_seed(0)
        classifier = build_classifier("compact", num_classes=len(classes))
        save_classifier(
            self.path("f_in.safetensors"), classifier, backbone="compact", classes=classes
        )

    @property
    def candidates(self) -> list[str]:
        return [record.image_id for record in self.records if record.split == "ood"]

    def path(self, name: str) -> Path:
        return self.folder / name

    def write(self, name: str, table: pd.DataFrame) -> None:
        write_table(self.path(name), table)

    def read(self, name: str) -> pd.DataFrame:
        return read_table(self.path(name), ())

    def log(self, script: str) -> str:
        return self.path(f"{script}.log").read_text("utf-8")

    def run(self, script: str, inputs: Mapping, outputs: Mapping, **rest: Any) -> None:
        params = {"code": "", "batch_size": 4, "shards": 1, "options": {}, **rest}
        data = {
            "index": "index.csv", "candidates": "candidates.csv", "classes": "classes.csv",
            "classifier": "f_in.safetensors",
        }  # fmt: skip
        paths = {name: str(self.path(file)) for name, file in {**data, **inputs}.items()}
        if script.startswith("train_"):
            params["objective"] = {"name": "plain", "options": {}, **NOTHING_ADDED}
        fake = SimpleNamespace(
            input=Named(paths),
            output=Named({name: str(self.path(file)) for name, file in outputs.items()}),
            params=Named(params),
            wildcards=Named(
                shard="0", random_seed="0", classifier="wood", dataset="two", ood_set="hard"
            ),
            config={"threads": {"train": 1, "infer": 1}, "gpus": {"train": 1},
                    "classifiers": {"wood": {"threads": None}}},
            log=[str(self.path(f"{script}.log"))],
            threads=1,
        )  # fmt: skip
        if script == "rank_ood":
            fake.input["scores"] = [paths["scores"]]
        if script == "cluster_ood":
            fake.input["features"] = [paths["features"]]
        # Else a run of the tests that the engine started would bind itself to that engine.
        os.environ.pop("WSSS_ENGINE", None)
        runpy.run_path(
            str(ROOT / f"workflow/scripts/{script}.py"), init_globals={"snakemake": fake}
        )

    def keep(self, file: str, image_ids: Collection[str]) -> None:
        """Leave the other images out of a table."""
        table = self.read(file)
        self.write(file, table[table["image_id"].isin(image_ids)])

    # The stages in their order, with small options

    def train_f_in(self, **options: Any) -> None:
        self.run(
            "train_classifier",
            {},
            {"classifier": "f_in.safetensors", "train": "train_f_in.csv"},
            network="classifier",
            network_options={},
            options={**PLAIN, **options},
        )

    def rank(self, **options: Any) -> None:
        self.run("score_ood", {}, {"scores": "scores.h5"})
        self.run(
            "rank_ood",
            {"scores": "scores.h5"},
            {"ranking": "ranking.csv", "summary": "ranking_summary.csv"},
            options={**RANKING, **options},
        )

    def decide(self, kind: str = "none", **options: Any) -> None:
        files = {"ranking": "ranking.csv"}
        # As the workflow: without the file nobody has decided anything.
        files |= {"decisions": "by_hand.csv"} if self.path("by_hand.csv").exists() else {}
        self.run(
            f"decide_{kind}",
            files,
            {
                "decisions": "decisions.csv",
                "summary": "decisions_summary.csv",
                "annotators": "annotators.csv",
                "agreement": "agreement.csv",
            },
            options={**DECIDING, **options},
        )

    def prepare_review(self, **options: Any) -> None:
        self.run(
            "prepare_review",
            {"ranking": "ranking.csv"},
            {"card": "review.json"},
            options={**DECIDING, "decisions": "by_hand.csv", **options},
        )

    def select(self, kind: str = "hard", *, size: int | None = None, like: str = "") -> None:
        files = {"ranking": "ranking.csv", "decisions": "decisions.csv"}
        files |= {"equal_set": like} if like else {}
        options = {"size": size, "random_seed": 0}
        self.run(f"select_{kind}", files, {"selected": "selected.csv"}, options=options)

    def erase(self) -> None:
        self.run(
            "erase_ood",
            {"ranking": "ranking.csv", "decisions": "decisions.csv"},
            {"selected": "selected.csv", "images": "erased"},
            options={"size": None, "threshold": 0.3, "fill": "mean", "maps": MAPS},
        )

    def cluster(self, *, drawn: Mapping = ALL_IMAGES, **options: Any) -> None:
        self.run("extract_features", {}, {"features": "features.h5"})
        self.run(
            "cluster_ood",
            {"features": "features.h5", "selected": "selected.csv"},
            {"clusters": "clusters.h5"},
            options={**CLUSTERS, **options},
            **drawn,
        )

    def train(self, **options: Any) -> None:
        self.run(
            "train_wood",
            {"start": "f_in.safetensors", "selected": "selected.csv", "clusters": "clusters.h5"},
            {"classifier": "wood.safetensors", "train": "train.csv"},
            options={**WOOD, **options},
        )
