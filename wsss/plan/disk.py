"""What the jobs write: bytes for each file of weights, image, or million pixels of results.

The formats (maps at the network's stride, palette PNGs, JPEGs) compress as well as the images let
them, so the numbers are measured in results folders, as the rates are. Tables and figures, next to
nothing, are left out.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from wsss.plan.amounts import Amount

SEED = "{dataset}/{classifier}/s{random_seed}"
REFINER = f"{SEED}/{{localizer}}/{{refiner}}"
SEGMENTER = f"{REFINER}/{{segmenter}}"


def _job(amount: Amount) -> float:
    return 1.0


def _image(amount: Amount) -> float:
    return float(amount.images)


def _megapixel(amount: Amount) -> float:
    return amount.megapixels


UNITS: Mapping[str, Callable[[Amount], float]] = {
    "job": _job,
    "image": _image,
    "megapixel": _megapixel,
}
# Unit, and the files or folders that a job writes, by rule.
OUTPUTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "prepare_data": ("megapixel", ("{dataset}/images",)),
    "make_saliency": ("megapixel", ("{dataset}/saliency/{saliency}/{shard}",)),
    "train_classifier": ("job", (f"{SEED}/classifier.safetensors",)),
    "train_wood": ("job", (f"{SEED}/classifier.safetensors",)),
    "extract_features": ("image", (f"{SEED}/features/{{shard}}.h5",)),
    "score_ood": ("image", (f"{SEED}/ood_scores/{{shard}}.h5",)),
    "erase_ood": ("megapixel", ("{dataset}/ood/{ood_set}/images",)),
    "localize": ("megapixel", (f"{SEED}/{{localizer}}/maps/{{shard}}.h5",)),
    "refine_maps": ("image", (f"{REFINER}/pseudo_masks/{{shard}}",)),
    "label_confident": ("image", (f"{REFINER}/confident_labels/{{shard}}",)),
    "train_irn": ("job", (f"{REFINER}/irn.safetensors",)),
    "walk_irn": ("image", (f"{REFINER}/pseudo_masks/{{shard}}",)),
    "refine_by_saliency": ("image", (f"{REFINER}/pseudo_masks/{{shard}}",)),
    "train_psa": ("job", (f"{REFINER}/psa.safetensors",)),
    "walk_psa": ("image", (f"{REFINER}/pseudo_masks/{{shard}}",)),
    "train_segmenter": ("job", (f"{SEGMENTER}/segmenter.safetensors",)),
    "predict": (
        "image",
        (f"{SEGMENTER}/predictions/{{shard}}", f"{SEGMENTER}/predictions_crf/{{shard}}"),
    ),
    "predict_test": (
        "image",
        (
            f"{SEGMENTER}/test_predictions/{{shard}}",
            f"{SEGMENTER}/test_predictions_crf/{{shard}}",
        ),
    ),
}


def disk_key(rule: str, kind: str) -> str:
    """Return the key of what a rule writes: the rule, and what its kind of work names besides."""
    return ":".join([rule, *kind.split(":")[1:]])


def bytes_written(rule: str, amount: Amount, each: float) -> float:
    """Return the bytes that a job writes.

    Args:
        rule: Name of its rule.
        amount: Of its work.
        each: Bytes for each unit of the rule.
    """
    unit, _ = OUTPUTS[rule]
    return UNITS[unit](amount) * each


def written(
    rule: str, wildcards: Mapping[str, str], amount: Amount, results: Path
) -> tuple[int, float] | None:
    """Return the bytes that a job wrote, and of how many units.

    None where it writes next to nothing, or where that is gone.

    Args:
        rule: Name of its rule.
        wildcards: The names in its paths.
        amount: Of its work.
        results: Folder in which it wrote.
    """
    if rule not in OUTPUTS:
        return None
    unit, patterns = OUTPUTS[rule]
    units = UNITS[unit](amount)
    try:
        sizes = [_size(results / pattern.format_map(wildcards)) for pattern in patterns]
    except KeyError:
        # A run of a version that had other paths.
        return None
    return (sum(sizes), units) if units and all(sizes) else None


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.is_file() else 0
