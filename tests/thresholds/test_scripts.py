"""The stages that choose a threshold and take it, run as the workflow runs them."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.source import ROOT
from wsss.config.thresholds import WAYS
from wsss.data.images import write_jpeg
from wsss.data.index import (
    GroundTruthRecord,
    ImageRecord,
    shard_of,
    write_classes,
    write_ground_truth,
    write_index,
)
from wsss.metrics.threshold import ThresholdSweep
from wsss.refine.seed import seed_from_maps
from wsss.store.maps import MapReader, write_maps
from wsss.store.masks import read_mask, write_mask
from wsss.store.rows import read_rows
from wsss.store.tables import read_table
from wsss.store.thresholds import read_thresholds

CLASSES = ("boat", "train")
SIZE = (24, 32)
CURVE = [0.1, 0.3, 0.5]
CRF = {"certainty": 0.7, "iterations": 2, "gaussian_sxy": 3, "gaussian_compat": 3,
       "bilateral_sxy": 10, "bilateral_srgb": 5, "bilateral_compat": 10}  # fmt: skip


class Wildcards(SimpleNamespace):
    """Names of a job's paths, as attributes and as items."""

    def __getitem__(self, key):
        return vars(self)[key]


def run(script, root, *, shard="0", **parts):
    wildcards = Wildcards(
        dataset="scenes", classifier="plain", localizer="cam", random_seed="3", shard=shard
    )
    named = {key: SimpleNamespace(**value) for key, value in parts.items()}
    fake = SimpleNamespace(
        wildcards=wildcards, log=[str(root / f"{script}.log")], threads=1, **named
    )
    runpy.run_path(str(ROOT / f"workflow/scripts/{script}.py"), init_globals={"snakemake": fake})


def maps_of(rng):
    """A bright box on a dim ground, at a quarter of the size."""
    maps = 0.3 * rng.random((1, 6, 8))
    maps[0, 1:4, 2:6] += 0.5 + 0.2 * rng.random()
    return maps.astype(np.float16)


@pytest.fixture
def project(tmp_path):
    """Index, masks, and the same maps in one file and in three."""
    rng = np.random.default_rng(1)
    records, truths, maps = [], [], {}
    for number in range(7):
        record = ImageRecord(f"i{number}", tmp_path / f"i{number}.jpg", "train", *SIZE, ("train",))
        mask = np.zeros(SIZE, np.uint8)
        mask[4:16, 8:24] = 2
        write_mask(tmp_path / f"i{number}.png", mask)
        write_jpeg(record.path, rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8), quality=90)
        records.append(record)
        truths.append(
            GroundTruthRecord(record.image_id, tmp_path / f"i{number}.png", None, ("train",), "")
        )
        maps[record.image_id] = maps_of(rng) if number else np.zeros((1, 6, 8))
    write_index(tmp_path / "index.csv", records)
    write_classes(tmp_path / "classes.csv", CLASSES, {})
    write_ground_truth(tmp_path / "truth.csv", truths)
    for shards in (1, 3):
        for shard in range(shards):
            items = [
                (r.image_id, np.array([1]), maps[r.image_id], SIZE)
                for r in shard_of(records, shard, shards)
            ]
            write_maps(tmp_path / f"{shards}/{shard}.h5", items, attributes={})
    return tmp_path


def tables(project):
    return {"index": project / "index.csv", "classes": project / "classes.csv"}


def choose(project, shards=1):
    path = project / f"thresholds{shards}.csv"
    files = sorted((project / str(shards)).glob("*.h5"))
    run("choose_threshold", project, input={**tables(project), "maps": files},
        output={"thresholds": path}, params={"ways": WAYS})  # fmt: skip
    return path


def evaluate(project, setting, thresholds, curve=CURVE):
    run("evaluate_seeds", project,
        input={**tables(project), "ground_truth": project / "truth.csv", "thresholds": thresholds,
               "maps": [project / "1/0.h5"]},
        output={"metrics": project / "metrics.csv", "curve": project / "curve.csv"},
        params={"background_threshold": setting, "thresholds": curve,
                "scores": dict.fromkeys(("contour", "boundary", "object_size"))})  # fmt: skip
    metrics = read_table(project / "metrics.csv", ["threshold_in_config"])
    whole = metrics[(metrics["class_name"] == "all") & (metrics["metric"] == "miou")]
    return whole.set_index("threshold_policy"), read_table(project / "curve.csv", ["threshold"])


def masks_of(project, module, options, thresholds, function="refine"):
    run("refine_maps", project,
        input={**tables(project), "maps": project / "1/0.h5", "thresholds": thresholds},
        output={"masks": project / "masks"},
        params={"module": module, "function": function, "options": options,
                "shards": 1})  # fmt: skip
    return {path.stem: read_mask(path) for path in Path(project / "masks").glob("*.png")}


def test_shards_do_not_change_a_byte(project):
    one, three = choose(project, 1), choose(project, 3)
    assert one.read_bytes() == three.read_bytes()
    chosen = read_thresholds(one)
    assert set(chosen) == set(WAYS) and all(0.25 < value < 0.6 for value in chosen.values())
    # The image whose maps are zero tells nothing.
    assert set(read_rows(one, ["num_images", "random_seed"])) == {("6", "3")}
    log = (project / "choose_threshold.log").read_text()
    assert "from the maps of 6 images" in log


def test_seeds_are_scored_at_every_threshold(project):
    path = choose(project)
    chosen = read_thresholds(path)
    found, curve = evaluate(project, "otsu", path)
    assert list(found.index) == ["otsu", "expected_iou", "ground_truth"]
    assert found["threshold_in_config"].tolist() == [1, 0, 0]
    sweep = ThresholdSweep(3, [chosen["otsu"]], ignore_index=255)
    with MapReader([project / "1/0.h5"]) as reader:
        for image_id in reader.image_ids:
            maps = reader.read_full(image_id)
            sweep.update(read_mask(project / f"{image_id}.png"), maps.class_ids, maps.maps)
    assert found.loc["otsu", "threshold"] == chosen["otsu"]
    assert found.loc["otsu", "value"] == sweep.curve()[0]["miou"]
    assert found.loc["ground_truth", "value"] == found["value"].max()
    assert curve["threshold"].tolist() == CURVE

    found, curve = evaluate(project, 0.2, path)
    assert list(found.index) == ["fixed", *read_thresholds(path), "ground_truth"]
    assert found["threshold_in_config"].tolist() == [1, 0, 0, 0]
    assert curve["threshold"].tolist() == [0.1, 0.2, 0.3, 0.5]


def test_a_threshold_that_is_in_the_curve_counts_once(project):
    path = choose(project)
    chosen = read_thresholds(path)["otsu"]
    found, curve = evaluate(project, "otsu", path, curve=[0.1, chosen + 1e-12, 0.5])
    assert found.loc["otsu", "threshold"] == chosen
    assert curve["threshold"].tolist() == [0.1, chosen, 0.5]


def test_pseudo_masks_take_what_the_maps_tell(project):
    path = choose(project)
    threshold = read_thresholds(path)["expected_iou"]
    masks = masks_of(project, "seed", {"background_threshold": "expected_iou"}, path)
    with MapReader([project / "1/0.h5"]) as reader:
        for image_id, mask in masks.items():
            maps = reader.read_full(image_id)
            expected = seed_from_maps(maps.maps, maps.class_ids, background_threshold=threshold)
            np.testing.assert_array_equal(mask, expected)
    assert len(masks) == 7
    fixed = masks_of(project, "seed", {"background_threshold": threshold}, [])
    assert all(np.array_equal(fixed[name], masks[name]) for name in masks)


def test_confident_labels_may_be_relative(project):
    path = choose(project)
    threshold = read_thresholds(path)["otsu"]
    relative = {"foreground_threshold": "otsu + 0.1", "background_threshold": "otsu - 0.1"}
    numbers = {"foreground_threshold": threshold + 0.1, "background_threshold": threshold - 0.1}
    found, expected = (
        masks_of(project, "irn_labels", CRF | thresholds, chosen, function="confident_labels")
        for thresholds, chosen in ((relative, path), (numbers, []))
    )
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert any((mask == 2).any() for mask in found.values())


def test_maps_without_contrast_stop_only_who_asks_them(project):
    dull = [(f"i{number}", np.array([1]), np.zeros((1, 6, 8)), SIZE) for number in range(7)]
    write_maps(project / "1/0.h5", dull, attributes={})
    path = choose(project)
    assert read_thresholds(path) == {}
    assert set(read_rows(path, ["num_images", "score", "chosen"])) == {("0", "", "0")}
    found, _ = evaluate(project, 0.2, path)
    assert list(found.index) == ["fixed", "ground_truth"]
    with pytest.raises(ValueError, match=r"no background threshold follows .* by otsu"):
        evaluate(project, "otsu", path)
    with pytest.raises(ValueError, match=r"no background threshold follows .* by otsu"):
        masks_of(project, "seed", {"background_threshold": "otsu"}, path)
