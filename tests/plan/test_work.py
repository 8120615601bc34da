"""The amounts of work, computed by hand for 101 training images of 0.2 million pixels."""

import copy
import re
import subprocess
import sys

import pytest

from tests.plan.conftest import COUNTS, NAMES
from tests.source import workflow_rules
from wsss.data.index import shard_of
from wsss.localize import advcam
from wsss.models.backbones.backbone import backbone_names, build_backbone
from wsss.plan import amounts, work
from wsss.plan.amounts import Amount, set_size, shard_size
from wsss.plan.resources import UPPER
from wsss.plan.work import gpus_of, threads_of, work_of

# Rule, names beside NAMES, kind, images, million pixels of results, megapixel-passes.
BY_HAND = [
    # 101 x 0.2 + 41 x 0.1 + 30 x 0.2 + 400 x 0.5 million pixels.
    ("prepare_data", {}, "prepare_data:voc", 572, 230.3, 230.3),
    ("make_saliency", {}, "make_saliency:folder", 26, 5.2, 5.2),
    (
        "make_saliency",
        {"saliency": "opencv"},
        "make_saliency:opencv:spectral_residual",
        26,
        5.2,
        5.2,
    ),
    # 10 batches an epoch, 25 steps of 10 crops of 0.04.
    ("train_classifier", {}, "train_classifier:resnet50", 250, 10, 10),
    # 10 steps of 10 + 6 crops; the 6 pass twice, for their step up.
    ("train_wood", {"classifier": "wood"}, "train_wood:resnet50", 220, 8.8, 8.8),
    # 5 steps of the 40.
    ("train_wood", {"classifier": "wood_stopped"}, "train_wood:resnet50", 80, 3.2, 3.2),
    # 55 drawn images are 5 batches an epoch; 30 of the 50 OoD images.
    ("train_wood", {"classifier": "wood_drawn"}, "train_wood:resnet50", 110, 4.4, 4.4),
    ("cluster_ood", {"classifier": "wood_drawn"}, "features:resnet50", 30, 15, 15),
    # Shard 0 of 4 of 101 images has 26, shard 3 has 25.
    ("extract_features", {}, "features:resnet50", 26, 5.2, 5.2),
    ("extract_features", {"shard": None}, "features:resnet50", 101, 20.2, 20.2),
    ("score_ood", {}, "features:resnet50", 134, 67, 67),
    ("cluster_ood", {"classifier": "wood"}, "features:resnet50", 50, 25, 25),
    # Both flips at scales 1 and 1/2.
    ("erase_ood", {"ood_set": "erased"}, "localize:cam:resnet50", 20, 10, 25),
    # Results: 1.5 maps for each image.
    ("localize", {}, "localize:cam:resnet50", 26, 7.8, 13),
    ("localize", {"shard": "3"}, "localize:cam:resnet50", 25, 7.5, 12.5),
    # 11 steps at scale 1 are 21 passes, 5 at scale 1/2 are 9 of a quarter.
    ("localize", {"localizer": "advcam"}, "localize:advcam:resnet50", 26, 7.8, 362.7),
    # 4 looks at both flips of 1 and 1/4, 3 ways back of scale 1, 3 steps of 20 others of 0.04.
    ("localize", {"localizer": "rib"}, "localize:rib:resnet50", 26, 7.8, 26 * (3.2 + 4.8)),
    # 5 looks and 4 ways back; all 100 others of 0.123904, there and back, 4 times.
    (
        "localize",
        {"localizer": "rib_paper"},
        "localize:rib:resnet50",
        26,
        7.8,
        26 * (3.6 + 800 * 0.123904),
    ),
    # Both flips, and 600 choices for each, of which 400 count as one more look.
    (
        "localize",
        {"localizer": "ficklenet"},
        "localize:ficklenet:resnet50",
        26,
        7.8,
        26 * 0.4 * 2.5,
    ),
    # RIB's passes, and AdvCAM's.
    (
        "localize",
        {"localizer": "advcam_rib"},
        "localize:advcam_rib:resnet50",
        26,
        7.8,
        26 * (3.2 + 4.8) + 362.7,
    ),
    # 4 looks at both flips, 3 ways back; 4 climbs of 3 passes for 1.5 classes.
    (
        "localize",
        {"localizer": "advcam_ribs"},
        "localize:advcam_rib:resnet50",
        26,
        7.8,
        26 * 0.2 * 2 * (4 + 3 + 4 * 3 * 1.5),
    ),
    ("localize", {"localizer": "half"}, "localize:cam:resnet50:bfloat16", 26, 7.8, 78),
    ("choose_threshold", {"shard": None}, "choose_threshold", 101, 20.2, 20.2),
    ("evaluate_seeds", {"shard": None}, "evaluate_seeds", 101, 20.2, 20.2),
    ("refine_maps", {"refiner": "seed"}, "refine_maps:seed", 26, 5.2, 5.2),
    # 2.5 labels, 7 iterations; building the kernels counts as 20 iterations of one label.
    ("refine_maps", {"refiner": "crf"}, "crf", 26, 5.2, 5.2 * (20 + 17.5)),
    ("label_confident", {}, "crf", 26, 5.2, 5.2 * (20 + 15)),
    # 5 batches an epoch, 2 epochs and one more, of 20 crops of 0.01.
    ("train_irn", {}, "train_irn:resnet50", 300, 3, 3),
    # 5 batches an epoch, 2 epochs, of 20 crops of 0.010816.
    ("train_psa", {"refiner": "psa"}, "train_psa:resnet50", 200, 2.1632, 2.1632),
    ("walk_psa", {"refiner": "psa"}, "walk_psa:resnet50", 26, 5.2, 5.2),
    # Both flips, filled up to 512 x 512.
    ("walk_irn", {}, "walk_irn:resnet50", 26, 5.2, 26 * 2 * 0.262144),
    ("refine_by_saliency", {"refiner": "salient"}, "refine_by_saliency", 26, 5.2, 5.2),
    ("evaluate_pseudo_masks", {"shard": None}, "evaluate_masks", 101, 20.2, 20.2),
    # 1,000 crops of 0.09 at scales 1 and 1/2.
    ("train_segmenter", {}, "train_segmenter:resnet101_caffe", 1000, 90, 112.5),
    # 21 images; 2 flips x (1 + 1/4) x (1 + 1/4) views.
    ("predict", {}, "predict:resnet101_caffe", 21, 2.1, 2.1 * 3.125),
    ("predict_test", {"shard": "0"}, "predict:resnet101_caffe", 30, 6, 6 * 3.125),
    ("evaluate_segmentation", {}, "evaluate_masks", 41, 4.1, 8.2),
    # A table asks for boundaries and contours of these seeds, a figure for those of predictions.
    ("evaluate_seeds", {"localizer": "rib", "shard": None}, "evaluate_seeds", 101, 20.2, 8 * 20.2),
    ("evaluate_segmentation", {"localizer": "rib"}, "evaluate_masks", 41, 4.1, 2 * 8.2),
    # 10 images, 11 steps forward and backward.
    (
        "diagnose",
        {"localizer": "advcam", "name": "climbed"},
        "diagnose:pixel_amplification:resnet50",
        10,
        2,
        44,
    ),
    # Without a localizer, forward and backward once.
    (
        "diagnose_classifier",
        {"localizer": None, "name": "climbed"},
        "diagnose:pixel_amplification:resnet50",
        10,
        2,
        4,
    ),
    ("write_report", {}, "write_report", 0, 0, 0),
]


@pytest.mark.parametrize(("rule", "names", "kind", "images", "megapixels", "passes"), BY_HAND)
def test_work_by_hand(config, rule, names, kind, images, megapixels, passes):
    found = work_of(rule, NAMES | names, config, COUNTS)
    assert found.kind == kind
    assert found.amount.images == images
    assert found.amount.megapixels == pytest.approx(megapixels)
    assert found.amount.passes == pytest.approx(passes)


def test_predictions_have_a_crf_besides(config):
    # 21 labels, 4 iterations.
    found = work_of("predict", NAMES, config, COUNTS).amount
    assert found.crf_passes == pytest.approx(2.1 * (20 + 84))
    assert work_of("walk_irn", NAMES, config, COUNTS).amount.crf_passes == 0


def test_a_growing_seed_has_a_crf_besides(config):
    growing = copy.deepcopy(config)
    training = growing["segmenters"]["deeplab"]["training"]
    training["seed_growing"] = {
        "grown_by": "crf", "boundary_weight": 0, "crf": {"iterations": 4}
    }  # fmt: skip
    # 21 labels, 4 iterations, on maps of stride 8; three threads do not share it, two GPUs do.
    growing |= {"threads": {"train": 3}, "gpus": {"train": 2}}
    expected = 90 / 64 * (20 + 84) * 3 / 2
    found = work_of("train_segmenter", NAMES, growing, COUNTS).amount
    assert found.crf_passes == pytest.approx(expected) and found.passes == pytest.approx(112.5)
    training["seed_growing"]["grown_by"] = "network"
    assert work_of("train_segmenter", NAMES, growing, COUNTS).amount.crf_passes == 0
    training["seed_growing"]["boundary_weight"] = 1
    assert work_of("train_segmenter", NAMES, growing, COUNTS).amount.crf_passes == pytest.approx(
        expected
    )


def test_strides_are_those_of_the_backbones():
    found = {name: build_backbone(name).stage_strides[-1] for name in backbone_names()}
    assert found == amounts.STRIDES


def test_cues_take_the_time_of_a_seed(config):
    refiners = {**config["refiners"], "cues": {"method": "cues"}}
    found = work_of("refine_maps", NAMES | {"refiner": "cues"}, {**config, "refiners": refiners},
                    COUNTS)  # fmt: skip
    assert found == work_of("refine_maps", NAMES | {"refiner": "seed"}, config, COUNTS)


def test_every_rule_was_computed_by_hand():
    assert {row[0] for row in BY_HAND} >= set(work.RULES)


def test_every_rule_with_a_script_is_known_here():
    rules = workflow_rules().items()
    found = {name for name, text in rules if re.search(r"^    (script|shell):", text, re.MULTILINE)}
    assert len(found) > 25
    assert found == set(work.RULES) | work.NEGLIGIBLE
    assert set(UPPER) == found


def test_an_unprepared_data_set_is_unknown_work_of_a_known_kind(config):
    assert work_of("train_irn", NAMES, config, {}) == ("train_irn:resnet50", None)
    assert work_of("make_table", {}, config, {}).amount == Amount(0, 0.0, 0.0)


def test_a_split_that_is_not_there_is_no_work(config):
    found = work_of("predict", NAMES, config, {"voc": {"train": COUNTS["voc"]["train"]}})
    assert found.amount == (0, 0, 0, 0)


@pytest.mark.parametrize("images", [0, 1, 5, 12, 13])
@pytest.mark.parametrize("shards", [1, 3, 7])
def test_shards_have_as_many_images_as_the_stages_give_them(images, shards):
    for shard in range(shards):
        own = shard_of(list(range(images)), shard, shards)
        assert shard_size(images, {"shard": str(shard)}, shards) == len(own)


def test_set_sizes(config):
    splits = COUNTS["voc"]
    assert [set_size(name, config, splits) for name in ("hard", "equal", "many")] == [50, 50, 400]
    few = splits | {"ood": splits["ood"]._replace(images=30)}
    assert set_size("hard", config, few) == 30


@pytest.mark.parametrize("steps", [1, 5, 6, 10, 11, 27])
@pytest.mark.parametrize("scale", [0.5, 1.0])
@pytest.mark.parametrize("half_scale_steps", ["official", "same"])
def test_steps_are_those_of_advcam(steps, scale, half_scale_steps):
    options = {"steps": steps, "half_scale_steps": half_scale_steps}
    assert amounts.steps_at(scale, **options) == advcam.steps_at(scale, **options)


def test_threads(config):
    rules = (
        "train_classifier",
        "train_irn",
        "localize",
        "label_confident",
        "prepare_data",
        "make_table",
    )
    assert [threads_of(rule, NAMES, config) for rule in rules] == [5, 3, 2, 4, 4, 1]
    assert threads_of("train_wood", NAMES | {"classifier": "wood"}, config) == 3


def test_gpus(config):
    several = config | {"gpus": {"train": 4}}
    found = [gpus_of(rule, several) for rule in ("train_irn", "localize", "label_confident")]
    assert found == [4, 1, 0]


def test_the_engine_may_import_it_at_its_start():
    heavy = "{'torch', 'pandas', 'numpy', 'matplotlib', 'h5py'}"
    code = f"import sys, wsss.plan.limits, wsss.plan.telling; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
