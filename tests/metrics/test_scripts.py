"""The stages that score seeds and masks, run as the workflow runs them."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.source import ROOT
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
from wsss.store.tables import read_table
from wsss.store.thresholds import write_thresholds

CLASSES = ("boat", "train")
SPURIOUS = {"boat": [("water", 3)], "train": [("rail", 1), ("platform", 2)]}
SIZE = (40, 60)
NOTHING = dict.fromkeys(("contour", "boundary", "object_size"))
ALL = {
    "contour": {"tolerance": 0.008, "absent_classes": "left_out"},
    "boundary": {"tolerance": 0.0075},
    "object_size": {"group_size": None},
}


class Wildcards(dict):
    """Names of a job's paths, as attributes and as items."""

    __getattr__ = dict.__getitem__


def run(script, root, *, wildcards, **parts):
    named = {key: SimpleNamespace(**value) for key, value in parts.items() if key != "input"}
    fake = SimpleNamespace(
        wildcards=Wildcards(wildcards), log=[str(root / f"{script}.log")], threads=1,
        input=Wildcards(parts["input"]), **named
    )  # fmt: skip
    runpy.run_path(str(ROOT / f"workflow/scripts/{script}.py"), init_globals={"snakemake": fake})


@pytest.fixture
def project(tmp_path):
    """A train beside rail and platform, and a boat beside water; maps that take some of these."""
    truths, companions = np.zeros((2, 2, *SIZE), np.uint8)
    truths[0, 10:30, 10:30], truths[1, 16:24, 20:40] = 2, 1
    companions[0, 30:34], companions[0, :, 50:], companions[1, 24:] = 1, 2, 3
    # The train's map reaches over its rail (2 rows), the boat's is exact and weak.
    maps = np.zeros((2, *SIZE), np.float32)
    maps[0, 10:32, 10:30], maps[1, 16:24, 20:40] = 0.8, 0.4
    predictions = np.zeros((2, *SIZE), np.uint8)
    predictions[0, 10:32, 10:30], predictions[1, 16:24, 20:40] = 2, 1
    records, known = [], []
    for number, name in enumerate(("train", "boat")):
        image_id = f"i{number}"
        places = [tmp_path / kind / f"{image_id}.png" for kind in ("truth", "spurious", "masks")]
        for path, mask in zip(places, (truths, companions, predictions), strict=True):
            write_mask(path, mask[number])
        records.append(ImageRecord(image_id, tmp_path / f"{image_id}.jpg", "train", *SIZE, (name,)))
        write_jpeg(records[-1].path, np.zeros((*SIZE, 3), np.uint8), quality=90)
        known.append(GroundTruthRecord(image_id, places[0], places[1], (name,), ""))
    write_index(tmp_path / "index.csv", records)
    write_classes(tmp_path / "classes.csv", CLASSES, SPURIOUS)
    write_ground_truth(tmp_path / "truth.csv", known)
    items = [(f"i{n}", np.array([1 - n]), maps[n : n + 1], SIZE) for n in range(2)]
    write_maps(tmp_path / "maps.h5", items, attributes={})
    write_thresholds(
        tmp_path / "thresholds.csv", {"otsu": np.ones(1)}, thresholds=[0.5],
        chosen={"otsu": 0.5}, place={},
    )  # fmt: skip
    return tmp_path


def tables(project):
    return {"index": project / "index.csv", "classes": project / "classes.csv",
            "ground_truth": project / "truth.csv"}  # fmt: skip


CHAIN = {"dataset": "d", "classifier": "plain", "localizer": "cam", "random_seed": "0"}


def seeds(project, scores, setting=0.2):
    out = {"metrics": project / "seed.csv", "curve": project / "curve.csv"}
    more = {"thresholds": project / "thresholds.csv", "maps": [project / "maps.h5"]}
    run("evaluate_seeds", project, wildcards=CHAIN, input=tables(project) | more, output=out,
        params={"background_threshold": setting, "thresholds": [0.1, 0.5],
                "scores": scores})  # fmt: skip
    return read_table(out["metrics"], ["value"])


def masks(project, scores):
    out = {"metrics": project / "masks.csv"}
    run("evaluate_masks", project, wildcards=CHAIN | {"refiner": "crf"}, output=out,
        input=tables(project) | {"predictions": [project / "masks"]},
        params={"stages": {"predictions": "pseudo_mask"}, "split": "train",
                "scores": scores})  # fmt: skip
    return read_table(out["metrics"], ["value"])


def values(table, class_name="all"):
    own = table[table["class_name"] == class_name]
    return dict(zip(own["metric"], own["value"], strict=True))


def test_masks_by_hand(project):
    """Two rows of rail beside a train of 20 x 20; the boat is exact."""
    found = masks(project, ALL)
    every = values(found)
    assert values(found, "train;rail") == {"confusion_ratio": 40 / 400}
    assert values(found, "train;platform") == values(found, "boat;water") == {"confusion_ratio": 0}
    assert every["confusion_ratio"] == pytest.approx(0.1 / 3) and every["num_pairs"] == 3
    assert every["precision_large"] == pytest.approx(400 / 440) and every["recall_large"] == 1
    assert every["precision_small"] == every["recall_small"] == every["num_classes_small"] == 1
    assert np.isnan(every["recall_medium"]) and every["num_classes_medium"] == 0
    assert every["f1_foreground"] == pytest.approx((1 + 800 / 840) / 2)
    assert every["j_and_f"] == pytest.approx((every["miou"] + every["contour_f"]) / 2)
    # One pixel of tolerance: the lower edge, two pixels off, finds only its outer half, and a
    # column of it at each side.
    assert 0.7 < every["boundary_recall"] < 1 and 0.7 < every["boundary_precision"] < 1
    assert {"contour_f", "boundary_f1"} <= set(every)


def test_what_nobody_asks_for_leaves_the_other_rows_as_they_are(project):
    for score in (masks, seeds):
        few, all_rows = score(project, NOTHING), score(project, ALL)
        metrics = set(few["metric"])
        assert not {"contour_f", "j_and_f", "boundary_f1", "recall_small"} & metrics
        same = all_rows[all_rows["metric"].isin(metrics)].reset_index(drop=True)
        assert same.equals(few)


def test_seeds_are_scored_at_every_policy(project):
    found = seeds(project, ALL)
    assert list(dict.fromkeys(found["threshold_policy"])) == ["fixed", "otsu", "ground_truth"]
    by_policy = {policy: values(own) for policy, own in found.groupby("threshold_policy")}
    fixed = by_policy["fixed"]
    # At 0.2, and at the lowest threshold, the seeds are the masks; at 0.5 the boat is lost.
    of_masks = values(masks(project, ALL))
    assert {name: fixed[name] for name in of_masks} == pytest.approx(of_masks, nan_ok=True)
    assert by_policy["ground_truth"] == pytest.approx(fixed, nan_ok=True)
    lost = by_policy["otsu"]
    assert lost["recall_small"] == 0 and lost["recall_large"] == 1
    assert lost["contour_f"] < fixed["contour_f"]
    assert lost["boundary_recall"] < fixed["boundary_recall"]
    assert lost["boundary_precision"] < 1
    pairs = found[found["class_name"] == "boat;water"].set_index("threshold_policy")["value"]
    assert pairs["fixed"] == 0 and np.isnan(pairs["otsu"])


def test_the_log_tells_a_second_pass_only_where_it_is_asked_for(project):
    for scores, passes in ((NOTHING, 1), (NOTHING | {"boundary": ALL["boundary"]}, 2)):
        seeds(project, scores)
        text = Path(project / "evaluate_seeds.log").read_text("utf-8")
        assert text.count("2 of 2 images") == passes
