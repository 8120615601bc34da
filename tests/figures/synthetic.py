"""Small made-up tables with the columns of the real ones."""

import numpy as np
import pandas as pd

CHAINS = {
    "F_in": ("scenes", "plain", "cam", "irn", "deeplab_v2"),
    "hard OoD, BCE to zero": ("scenes", "ood_bce", "cam", "irn", "deeplab_v2"),
    "W-OoD": ("scenes", "wood", "cam", "irn", "deeplab_v2"),
    "W-OoD, AdvCAM": ("scenes", "wood", "advcam", "irn", "deeplab_v2"),
}
QUALITY = {
    "F_in": 0.33,
    "hard OoD, BCE to zero": 0.381,
    "W-OoD": 0.379,
    "W-OoD, AdvCAM": 0.402,
}
CLASSES = ("background", "aeroplane", "bird", "boat", "bottle", "car", "train")
STAGES = {
    "seed": ("train", 3, 0.0),
    "pseudo_mask": ("train", 4, 0.12),
    "segmentation": ("val", 5, 0.15),
    "segmentation_crf": ("val", 5, 0.17),
}
# Policy, threshold, and whether the config names it.
POLICIES = [("fixed", 0.15, 1), ("otsu", 0.17, 0), ("ground_truth", 0.2, 0)]
PAIRS = {
    "aeroplane;contrail_sky": 0.2,
    "train;platform": 0.1,
    "boat;water": 0.9,
    "bird;branches": np.nan,
}
LABELS = {"/".join(chain): label for label, chain in CHAINS.items()}


def metrics_table(seeds: int = 3) -> pd.DataFrame:
    """Tidy metrics of four chains at every stage."""
    rng = np.random.default_rng(0)
    rows = []
    for label, chain in CHAINS.items():
        for seed in range(seeds):
            for stage, (split, depth, bonus) in STAGES.items():
                policies = POLICIES if stage == "seed" else [("", np.nan, np.nan)]
                for policy, threshold, in_config in policies:
                    level = QUALITY[label] + bonus + 0.012 * rng.standard_normal()
                    level += 0.01 * (policy == "ground_truth")
                    head = (
                        *chain[:depth],
                        *[""] * (5 - depth),
                        seed,
                        stage,
                        split,
                        policy,
                        threshold,
                        in_config,
                    )
                    values = {
                        "miou": level, "precision": level + 0.04, "recall": level + 0.15,
                        "f1": level + 0.08, "confusion_ratio": 1.4 - level, "num_classes": 7.0,
                        "num_images": 400.0,
                    }  # fmt: skip
                    values |= sizes(level)
                    rows += [(*head, "all", name, value) for name, value in values.items()]
                    spread = np.linspace(0.3, -0.2, len(CLASSES)) * (1 if label == "F_in" else 0.8)
                    rows += [
                        (*head, name, "iou", level + extra + 0.01 * rng.standard_normal())
                        for name, extra in zip(CLASSES, spread, strict=True)
                    ]
                    rows += [
                        (*head, pair, "confusion_ratio", factor * (1.4 - level))
                        for pair, factor in PAIRS.items()
                    ]
    names = ["dataset", "classifier", "localizer", "refiner", "segmenter", "random_seed", "stage",
             "split", "threshold_policy", "threshold", "threshold_in_config", "class_name",
             "metric", "value"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def sizes(level: float) -> dict[str, float]:
    """Scores by object size, of six classes, none of which is medium."""
    bonus = {"foreground": 0.0, "small": -0.1, "medium": np.nan, "large": 0.12}
    counts = {"foreground": 6.0, "small": 3.0, "medium": 0.0, "large": 3.0}
    found = {f"num_classes_{size}": count for size, count in counts.items()}
    for place, name in enumerate(("recall", "f1", "precision")):
        found |= {f"{name}_{size}": level + own + 0.05 * place for size, own in bonus.items()}
    return found


def curve_table(seeds: int = 3) -> pd.DataFrame:
    """Threshold curves of the four chains' seeds."""
    rng = np.random.default_rng(1)
    parts = []
    for label, chain in CHAINS.items():
        for seed in range(seeds):
            t = np.round(np.arange(0.02, 0.6, 0.02), 2)
            shift = 0.01 * rng.standard_normal()
            precision = 0.2 + 0.55 * t + QUALITY[label] / 2 + shift
            recall = 0.85 - 0.9 * t + QUALITY[label] / 5 + shift
            miou = QUALITY[label] + shift - 2.2 * (t - 0.2 - QUALITY[label] / 8) ** 2
            parts.append(
                pd.DataFrame(
                    {
                        "dataset": chain[0],
                        "classifier": chain[1],
                        "localizer": chain[2],
                        "random_seed": seed,
                        "split": "train",
                        "threshold": t,
                        "miou": miou,
                        "precision": precision,
                        "recall": recall,
                        "f1": 2 * precision * recall / (precision + recall),
                        "confusion_ratio": 1.3 - t - QUALITY[label],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def training_table(seeds: int = 3) -> pd.DataFrame:
    """Training logs of three classifiers; one has a term that the others lack."""
    rng = np.random.default_rng(2)
    parts = []
    for place, name in enumerate(("plain", "ood_bce", "wood")):
        for seed in range(seeds):
            step = np.arange(0, 500, 10)
            loss = 0.1 + (0.5 + 0.1 * place) * np.exp(-step / 150)
            parts.append(
                pd.DataFrame(
                    {
                        "dataset": "scenes",
                        "classifier": name,
                        "random_seed": seed,
                        "step": step,
                        "loss": loss * np.exp(0.08 * rng.standard_normal(len(step))),
                        "loss_distance": 0.2 * np.exp(-step / 90) if name == "wood" else np.nan,
                        "images_per_second": 300.0 + rng.standard_normal(len(step)),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
