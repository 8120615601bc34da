"""A resolved config with one variant of everything, and results folders of runs that never ran."""

from pathlib import Path

import pytest
import yaml

from tests.source import ROOT
from wsss.config.resolve import resolve_config
from wsss.plan.counts import Split

CONFIG = """
inference_batch_size: 8
shards: {train: 4, val: 2, ood: 3}
threads: {train: 3, infer: 2, crf: 4}
datasets:
  voc: {kind: voc, ood_folder: data/openimages}
ood_sets:
  hard: {kind: oracle, ranked_by: f_in, size: 50}
  many: {kind: none, ranked_by: f_in}
  equal: {kind: random, same_size_as: hard}
  erased: {kind: erase, ranked_by: f_in, size: 20, maps: {scales: [1.0, 0.5]}}
saliency_maps:
  others: {kind: folder}
  opencv: {kind: opencv, method: spectral_residual}
classifiers:
  f_in:
    method: plain
    threads: 5
    initial_weights: none
    images: {batch_size: 10, crop_size: 200}
    epochs: 2.5
  wood:
    method: wood
    start_from: f_in
    ood_set: hard
    images: {batch_size: 10, crop_size: 200}
    ood_batch_size: 6
    epochs: 1
  wood_equal: {method: wood, start_from: f_in, ood_set: equal, perturbation_step: 0}
  wood_stopped: {method: wood, start_from: f_in, ood_set: equal, perturbation_step: 0,
    epochs: 4, stop_after_epochs: 0.5, images: {batch_size: 10, crop_size: 200}, ood_batch_size: 6}
  wood_many: {method: wood, start_from: f_in, ood_set: many}
  wood_drawn: {method: wood, start_from: f_in, ood_set: hard, training_images: 55, ood_images: 30,
    epochs: 1, images: {batch_size: 10, crop_size: 200}, ood_batch_size: 6}
localizers:
  cam: {method: cam, scales: [1.0, 0.5], batch_size: 4}
  advcam: {method: advcam, scales: [1.0, 0.5], steps: 11}
  half: {method: cam, precision: bfloat16}
  ficklenet: {method: ficklenet, scales: [1.0], passes: 600}
  rib: {method: rib, scales: [1.0, 0.5], steps: 4, other_size: 200, batch_size: 4}
  advcam_rib:
    {method: advcam_rib, scales: [1.0, 0.5], steps: 4, other_size: 200, batch_size: 4,
     climb_steps: 11}
  advcam_ribs:
    {method: advcam_rib, scales: [1.0], steps: 4, other_images: 0, climb_steps: 2,
     climbed_states: all}
  rib_paper: {method: rib, scales: [1.0], steps: 4, accumulation: paper, other_images: 400}
refiners:
  seed: {method: seed}
  crf: {method: crf, iterations: 7}
  irn: {method: irn, crop_size: 512, labels: {iterations: 3},
        training: {epochs: 2, images: {batch_size: 20, crop_size: 100}, radius: 5}}
  salient: {method: saliency, start_from: irn, saliency: others}
  psa: {method: psa, labels: {iterations: 3},
        training: {epochs: 2, images: {batch_size: 20, crop_size: 104}, radius: 5}}
diagnostics:
  climbed: {diagnostic: pixel_amplification, title: t, num_images: 10, chains: {a: voc/f_in/advcam}}
segmenters:
  deeplab:
    method: deeplab_v2
    initial_weights: none
    scales: [0.5]
    training: {iterations: 100, iter_size: 2, images: {batch_size: 5, crop_size: 300}}
    inference: {scales: [0.5, 1.0], flip: true, crf: {iterations: 4}}
tables:
  outlines: {title: t, metrics: [contour_f, boundary_f1], chains: {rib: voc/f_in/rib}}
figures:
  bars:
    figure: metric_bars
    title: t
    stage: segmentation
    split: val
    metrics: [boundary_recall]
    chains: {rib: voc/f_in/rib/irn/deeplab}
"""
COUNTS = {
    "voc": {
        "train": Split(images=101, megapixels=0.2, largest=0.25, labels=1.5),
        "test": Split(images=30, megapixels=0.2, largest=0.25, labels=0.0),
        "val": Split(images=41, megapixels=0.1, largest=0.25, labels=1.0),
        "ood": Split(images=400, megapixels=0.5, largest=1.0, labels=0.0),
    }
}
NAMES = {
    "dataset": "voc",
    "classifier": "f_in",
    "random_seed": "0",
    "localizer": "cam",
    "refiner": "irn",
    "segmenter": "deeplab",
    "ood_set": "hard",
    "saliency": "others",
    "shard": "0",
    "name": "climbed",
}


def resolved(text):
    """Return a config of YAML text with the defaults of the schema."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    return resolve_config(yaml.safe_load(text), schema)


@pytest.fixture(scope="session")
def config():
    return resolved(CONFIG)


SCENES = """
threads: {train: 2, infer: 1, crf: 1}
datasets: {s: {kind: scenes, size: [100, 200], train: 40, val: 10, ood: 20, classes: [boat, car]}}
classifiers:
  f_in: {method: plain, backbone: compact, initial_weights: none, epochs: 2,
         images: {batch_size: 10, crop_size: 100}}
localizers: {cam: {method: cam, scales: [1.0]}}
refiners: {seed: {method: seed}}
"""


class Results:
    """A results folder that a test fills with benchmarks and logs."""

    def __init__(self, folder: Path, config: str = SCENES):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(resolved(config)))

    def job(self, place, seconds, *, peak="700.5", log="", **cells):
        """Add the benchmark, and the log, of a job that took some seconds."""
        path = self.folder / "benchmarks" / f"{place}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ["s", "h:m:s", "max_rss", *cells]
        values = [f"{seconds:.4f}", "0:00:01", peak, *cells.values()]
        path.write_text("\t".join(names) + "\n" + "\t".join(map(str, values)) + "\n")
        if log:
            beside = self.folder / "logs" / f"{place}.log"
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(f"2026-11-22 03:00:00,123 INFO {log}\n")

    def file(self, place, size):
        """Add an artifact of some bytes."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "results")
