"""config/photos.yaml in a reduced form: the whole chain on real photographs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wsss.data.index import read_index
from wsss.store.tables import read_table

PROJECT = Path(__file__).resolve().parents[2]
COCO128 = PROJECT.parent / "shared" / "data" / "coco128"
CHAIN = "coco128/wood/advcam/irn/deeplab"
ABSENT = {"cow", "sheep", "tvmonitor"}


def reduced(config):
    """Return the config with few images and steps, and one chain in every table and picture."""
    config["results"] = "results"
    config["datasets"]["coco128"] |= {"limit": 6, "val_fraction": 0.34}
    config["ood_sets"] = {
        "oracle": {"kind": "oracle", "ranked_by": "f_in", "ranking": {"score_threshold": 0}}
    }
    del config["classifiers"]["wood_unpruned"]
    for classifier in config["classifiers"].values():
        classifier |= {"epochs": 1}
        classifier["images"] = {"batch_size": 2, "resize_long": [64, 80], "crop_size": 64}
    config["classifiers"]["wood"] |= {"ood_batch_size": 2, "clusters": {"clusters": 2}}
    config["localizers"]["advcam"] |= {"scales": [0.125, 0.25], "steps": 1}
    irn = config["refiners"]["irn"]
    irn["labels"] |= {"iterations": 1}
    irn["training"] |= {"epochs": 1, "radius": 4}
    irn["training"]["images"] = {"batch_size": 2, "scales": [0.25], "crop_size": 64}
    irn["walk"] = {"exp_times": 2}
    segmenter = config["segmenters"]["deeplab"]
    segmenter["training"] |= {"iterations": 2}
    segmenter["training"]["images"] = {"batch_size": 2, "scales": [0.25], "crop_size": 64}
    segmenter["inference"] = {"scales": [0.25], "crf": {"iterations": 1}}
    for group in ("tables", "figures", "panels"):
        for options in config[group].values():
            depth = max(chain.count("/") + 1 for chain in options["chains"].values())
            options["chains"] = {"W-OoD": "/".join(CHAIN.split("/")[:depth])}
    return config


@pytest.mark.very_slow
def test_the_whole_chain_runs_on_photographs(tmp_path):
    if not COCO128.is_dir():
        pytest.skip("needs ../shared/data/coco128, which is not here")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "coco128").symlink_to(COCO128)
    config = reduced(yaml.safe_load((PROJECT / "config/photos.yaml").read_text()))
    (tmp_path / "photos.yaml").write_text(yaml.safe_dump(config))
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", "2"),
        *("--snakefile", str(PROJECT / "Snakefile"), "--configfile", "photos.yaml"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = tmp_path / "results"
    data = results / "coco128"

    index = read_index(data / "index.csv", data / "classes.csv")
    shown = {name for record in index.records for name in record.labels}
    assert len(index.classes) == 20 and not ABSENT & shown
    assert "cow" in (results / "logs/coco128/prepare_data.log").read_text()

    decisions = read_table(data / "ood/oracle/decisions.csv", ["image_id", "decision"])
    ranked = set(read_table(data / "ood/oracle/ranking.csv", ["image_id"])["image_id"])
    # Nobody annotated the others, so the oracle cannot know.
    assert 0 < len(decisions) < len(ranked) and set(decisions["decision"]) == {"keep"}

    metrics = read_table(results / "tables/metrics.csv", ["stage", "class_name", "metric", "value"])
    assert set(metrics["stage"]) == {"seed", "pseudo_mask", "segmentation", "segmentation_crf"}
    iou = metrics[(metrics["metric"] == "iou") & (metrics["stage"] == "pseudo_mask")]
    assert iou[iou["class_name"].isin(ABSENT)]["value"].isna().all()
    assert iou[iou["class_name"] == "background"]["value"].notna().all()
    assert (results / "report.html").stat().st_size > 100_000
