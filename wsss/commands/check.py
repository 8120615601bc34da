"""Read every file of a results folder; say which are broken, and what makes them again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml
from PIL import Image

from wsss.progress import progress
from wsss.store.atomic import TEMPORARY
from wsss.store.hdf5 import verify_hdf5
from wsss.store.tables import read_table
from wsss.store.weights import load_weights

# Which rules may make a file, by patterns of its path's end; the first pattern that fits counts.
RULES = (
    ("ood/*/images/*", ("erase_ood",)),
    ("ood/*/ranking*.csv", ("rank_ood",)),
    ("ood/*/review.json", ("prepare_review",)),
    ("ood/*/decisions*.csv", ("decide_oracle", "decide_none", "decide_manual")),
    ("ood/*/annotators.csv", ("decide_manual",)),
    ("ood/*/agreement.csv", ("decide_manual",)),
    (
        "ood/*/selected.csv",
        ("select_hard", "select_random", "select_random_hard", "erase_ood"),
    ),
    ("saliency/*/*/*.png", ("make_saliency",)),
    ("images/*/*", ("prepare_data",)),
    ("images/*", ("prepare_data",)),
    ("index.csv", ("prepare_data",)),
    ("candidates.csv", ("prepare_data",)),
    ("classes.csv", ("prepare_data",)),
    ("ground_truth.csv", ("prepare_data",)),
    ("ood_scores/*.h5", ("score_ood",)),
    ("features/*.h5", ("extract_features",)),
    ("clusters.h5", ("cluster_ood",)),
    ("classifier.safetensors", ("train_classifier", "train_wood")),
    ("maps/*.h5", ("localize",)),
    ("background_threshold.csv", ("choose_threshold",)),
    ("seed_metrics.csv", ("evaluate_seeds",)),
    ("threshold_curve.csv", ("evaluate_seeds",)),
    ("confident_labels/*/*.png", ("label_confident",)),
    ("irn.safetensors", ("train_irn",)),
    ("psa.safetensors", ("train_psa",)),
    ("pseudo_masks/*/*.png", ("refine_maps", "walk_irn", "walk_psa", "refine_by_saliency")),
    ("segmenter.safetensors", ("train_segmenter",)),
    ("predictions*/*/*.png", ("predict",)),
    ("test_predictions*/*/*.png", ("predict_test",)),
    (
        "train.csv",
        ("train_classifier", "train_wood", "train_irn", "train_psa", "train_segmenter"),
    ),
    ("diagnostics/s*/*.csv", ("diagnose_toy",)),
    ("diagnostics/*.csv", ("diagnose", "diagnose_classifier")),
    ("tables/metrics.csv", ("collect_metrics",)),
    ("tables/curves.csv", ("collect_metrics",)),
    ("tables/training.csv", ("collect_metrics",)),
    ("tables/*", ("make_table",)),
    ("figures/data_*", ("draw_data_sheet",)),
    ("figures/ood_*", ("draw_ood_sheet",)),
    (
        "figures/*",
        (
            "draw_figure",
            "draw_map_panel",
            "draw_chain_panel",
            "draw_cluster_panel",
            "draw_diagnostic",
        ),
    ),
    ("tiles/*/dataset.png", ("draw_data_sheet",)),
    ("tiles/*/*/ood.png", ("draw_ood_sheet",)),
    ("tiles/*/*.png", ("draw_map_panel", "draw_chain_panel")),
    ("metrics.csv", ("evaluate_pseudo_masks", "evaluate_segmentation")),
    ("config.yaml", ("write_config",)),
    ("report.html", ("write_report",)),
)


class Finding(NamedTuple):
    """A broken file: where, why, and the rules that may make it."""

    path: Path
    reason: str
    rules: tuple[str, ...]


def check(folder: Path) -> tuple[int, list[Finding]]:
    """Return how many files were read, and the broken ones.

    HDF5, safetensors, CSV and PNG files carry checksums, so that any damage shows; of JPEG, JSON
    and YAML it shows if they cannot be read. Logs, benchmarks and other files are not read.

    Raises:
        ValueError: The folder does not exist or holds nothing to check.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; name the results folder of a run, as results/")
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and (path.suffix in READERS or TEMPORARY.fullmatch(path.name))
        and path.relative_to(folder).parts[0] not in ("logs", "benchmarks")
    ]
    if not paths:
        raise ValueError(f"{folder} holds no artifact; name the results folder of a run")
    broken = []
    for path in progress(paths, total=len(paths), description="check", unit="files"):
        if TEMPORARY.fullmatch(path.name):
            broken.append(Finding(path, "is left over from a killed job: delete it", ()))
            continue
        try:
            READERS[path.suffix](path)
        except (ValueError, OSError, SyntaxError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split()).replace(str(path), "it")
            broken.append(Finding(path, reason, rules_of(path, folder)))
    return len(paths), broken


def rules_of(path: Path, folder: Path) -> tuple[str, ...]:
    """Return the rules that may make a file; of several, those that left a log nearest to it."""
    inside = path.relative_to(folder)
    rules = next((names for pattern, names in RULES if inside.match(pattern)), ())
    for parent in inside.parents:
        logs = folder / "logs" / parent
        names = [f"{{rule}}/{name}.log" for name in (path.stem, path.parent.name)]
        made = tuple(
            rule
            for rule in rules
            if any((logs / name.format(rule=rule)).is_file() for name in ("{rule}.log", *names))
        )
        if made:
            return made
    return rules


def _read_picture(path: Path) -> None:
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        image.load()


READERS: dict[str, Callable[[Path], object]] = {
    ".h5": verify_hdf5,
    ".safetensors": load_weights,
    ".csv": lambda path: read_table(path, []),
    ".png": _read_picture,
    ".jpg": _read_picture,
    ".json": lambda path: json.loads(path.read_text("utf-8")),
    ".yaml": lambda path: yaml.safe_load(path.read_text("utf-8")),
}
