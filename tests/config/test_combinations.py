"""Options that are possible each, but not together."""

import copy

import pytest

from tests.config.test_resolve import SCHEMA, SMALL
from wsss.config.resolve import ConfigError, resolve_config

FULL = "scenes/wood/cam/seed/deeplab"


def changed(changes):
    """The small config with other values at dotted paths."""
    config = copy.deepcopy(SMALL)
    for path, value in changes.items():
        *groups, key = path.split(".")
        place = config
        for group in groups:
            place = place.setdefault(group, {})
        place[key] = copy.deepcopy(value)
    return config


def sentence(changes):
    with pytest.raises(ConfigError) as caught:
        resolve_config(changed(changes), SCHEMA)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# A refiner that takes saliency maps of the ground truth; nothing else needs OoD images.
KNOWN = {
    "saliency_maps.known": {"kind": "known"},
    "refiners.salient": {"method": "saliency", "start_from": "seed", "saliency": "known"},
    "tables": {"seeds": {"title": "t", "chains": {"a": "scenes/f_in/cam"}}},
    "figures": {},
    "panels": {"masks": {"panel": "masks", "title": "t", "chains": {"a": "scenes/f_in/cam/seed"}}},
}


def psa(**training):
    return {"method": "psa", "training": training}


def irn(**training):
    return {"method": "irn", "training": training}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"datasets.scenes.hard_fraction": 0.6, "datasets.scenes.mislabelled_fraction": 0.5},
         "config.datasets.scenes.hard_fraction is 0.6 and mislabelled_fraction 0.5, but together"),
        ({"datasets.coco": {"kind": "coco", "val_images": "val2017"}},
         "config.datasets.coco has only one of val_images and val_annotations"),
        ({"classifiers.f_in.images": {"resize_long": [640, 320]}},
         "config.classifiers.f_in.images.resize_long is [640, 320], but the smaller side comes"),
        ({"classifiers.f_in.feature_similarity": {"gate": "scores"}},
         "config.classifiers.f_in.feature_similarity.gate is scores, which have no complement"),
        ({"classifiers.f_in.initial_weights": "package"},
         "config.classifiers.f_in.initial_weights is package (the default), but no installed "
         "package carries weights for the backbone compact: write none, or a file"),
        ({"segmenters.deeplab": {"method": "deeplab_v2"}},
         "config.segmenters.deeplab.initial_weights is package (the default), but no installed"),
        ({"refiners.irn": {"method": "irn", "labels": {"background_threshold": 0.4}}},
         "config.refiners.irn.labels.background_threshold is 0.4, but allowed is at most"),
        ({"refiners.irn": irn(radius=9, images={"crop_size": 64})},
         "config.refiners.irn.training.images.crop_size is 64, but with radius 9 allowed is at "
         "least 68"),
        ({"refiners.psa": {"method": "psa", "labels": {"low_alpha": 40}}},
         "config.refiners.psa.labels.low_alpha is 40, but allowed is at most high_alpha, 32"),
        ({"refiners.psa": psa(radius=9, images={"crop_size": 64}),
          "tables.seeds.chains": {"a": "scenes/wood/cam/psa"}},
         "config.refiners.psa.training.images.crop_size is 64, but with radius 9 allowed is at "
         "least 68"),
        ({"evaluation.thresholds": [0.1, 0.3, 0.2]},
         "config.evaluation.thresholds has 0.3 before 0.2, but they must strictly increase"),
        ({"evaluation.thresholds": [0.1, 0.1]}, "config.evaluation.thresholds has 0.1 before 0.1"),
        ({"evaluation.thresholds": [0.1, 0.1 + 1e-12]}, "but they must strictly increase"),
        ({"localizers.cam.background_threshold": 0.15 + 1e-12},
         "config.localizers.cam.background_threshold is 0.150000000001, too close to 0.15 of"),
        ({"segmenters.deeplab": {"method": "deeplab_v2", "scales": [0.1],
                                 "inference": {"scales": [0.5, 1.0]}}},
         "config.segmenters.deeplab: the smallest of scales times the smallest of inference.scales "
         "is 0.05, but allowed is at least 0.1"),
        ({"segmenters.deeplab": {"method": "deeplab_v2", "scales": [0.5], "training": {
            "batch_norm": "train", "images": {"batch_size": 1, "crop_size": 32}}}},
         "config.segmenters.deeplab.training: batch_norm train needs more than one value, but the"),
        ({"gpus.train": 4, "segmenters.deeplab": {
            "method": "deeplab_v2", "scales": [0.5], "training": {
                "batch_norm": "train", "images": {"batch_size": 2, "crop_size": 32}}}},
         "but the batch_size is 2 on 4 GPUs and the smallest view has one feature: raise"),
        ({"gpus.train": 3},
         "config.classifiers.f_in.images.batch_size is 16, but its images are shared equally by "
         "GPUs, of which config.gpus.train is 3: make it a multiple of 3"),
        ({"gpus.train": 2, "classifiers.wood.ood_batch_size": 7},
         "config.classifiers.wood.ood_batch_size is 7, but its images are shared equally by"),
        ({"gpus.train": 2, "refiners.irn": irn(images={"batch_size": 31})},
         "config.refiners.irn.training.images.batch_size is 31, but its images are shared"),
        ({"gpus.train": 4,
          "segmenters.deeplab": {"method": "deeplab_v2", "initial_weights": "none"}},
         "config.segmenters.deeplab.training.images.batch_size is 5, but its images are shared "
         "equally by GPUs, of which config.gpus.train is 4: make it a multiple of 2"),
        ({"classifiers.wood.stop_after_epochs": 5.5},
         "config.classifiers.wood.stop_after_epochs is 5.5, but the training has 5 epochs: name"),
        ({"classifiers.wood.training_images": 801},
         "config.tables.seeds.chains.W-OoD: config.classifiers.wood.training_images is 801, but "
         "config.datasets.scenes.train is 800: name at most 800, or null for all of them"),
        ({"classifiers.f_in.training_images": 801},
         "config.tables.seeds.chains.W-OoD: config.classifiers.f_in.training_images is 801"),
        ({"datasets.scenes": {"kind": "openimages", "limit": 30, "labelled_limit": 20},
          "classifiers.f_in.training_images": 21, "tables.seeds.chains": {"a": "scenes/f_in/cam"},
          "figures": {}, "panels": {}},
         "but config.datasets.scenes.labelled_limit is 20: name at most 20"),
        ({"classifiers.wood.ood_images": 21, "ood_sets.hard.size": 20},
         "config.classifiers.wood.ood_images is 21, but config.ood_sets.hard.size is 20: name at"),
        ({"classifiers.other.ood_images": 21, "ood_sets.hard.size": 20,
          "tables.seeds.chains": {"a": "scenes/other/cam"}},
         "config.classifiers.other.ood_images is 21, but config.ood_sets.hard.size is 20: name at"),
        ({"classifiers.wood.ood_images": 601},
         "config.classifiers.wood.ood_images is 601, but config.datasets.scenes.ood is 600: name"),
        ({"tables.seeds.stage": "segmentation", "tables.seeds.chains": {"a": FULL}},
         "config.tables.seeds.split is 'train', but segmentation is scored on val: write `split: "),
        ({"tables.seeds.split": "val"},
         "config.tables.seeds.split is 'val', but seed is scored on train: write `split: train`"),
        ({"figures.curve.split": "val"}, "config.figures.curve.split is 'val', but seed is score"),
        ({"figures.way": {"figure": "stage_progress", "title": "t", "chains": {"a": FULL},
                          "stages": {"seed": "train", "segmentation": "train"}}},
         "config.figures.way.stages.segmentation is 'train', but segmentation is scored on val: "
         "write `segmentation: val`"),
        ({"tables.masks": {"title": "t", "stage": "pseudo_mask", "chains": {"a": FULL},
                           "metrics": ["miou", "seconds_per_image"]}},
         "config.tables.masks.metrics has seconds_per_image, which is the time of the maps: write "
         "`stage: seed`, or take it out"),
        ({"datasets.scenes": {"kind": "voc", "ood_list": "x"},
          "figures.pairs": {"figure": "confusion_pairs", "title": "t", "chains": {"a": FULL}}},
         "config.figures.pairs shows pairs of a class and its background, but "
         "config.datasets.scenes names none: set its spurious, or take another data set"),
        ({"tables.seeds.expected": {"W-OOD": {"miou": 0.5}}},
         "config.tables.seeds.expected.W-OOD is no row of the table, but allowed is one of W-OoD"),
        ({"tables.seeds.expected": {"W-OoD": {"mIoU": 0.5}}},
         "config.tables.seeds.expected.W-OoD.mIoU is no column of the table, but allowed is one"),
        ({"figures.curve.chains": {"a": "scenes/wood/cam", "b": "scenes/wood/cam"}},
         "config.figures.curve.chains names scenes/wood/cam twice: give it one label"),
        ({"tables.metrics": {"title": "t", "chains": {"a": FULL}}},
         "config.tables.metrics: the workflow has a table of that name itself"),
        ({"panels.curve": {"panel": "masks", "title": "t", "chains": {"a": FULL}}},
         "config.panels.curve.chains.a is"),
        ({"panels.curve": {"panel": "maps", "title": "t", "chains": {"a": FULL}}},
         "config.panels.curve: config.figures has that name; take another"),
        ({"panels.data_scenes": {"panel": "maps", "title": "t", "chains": {"a": FULL}}},
         "config.panels.data_scenes: a sheet of the report has that name; take another"),
        ({"panels.clusters": {"panel": "clusters", "title": "t", "chains": {"a": "scenes/f_in"}}},
         "config.panels.clusters.chains.a is 'scenes/f_in', but f_in is no W-OoD training and has "
         "no clusters; those that are: wood"),
        ({"panels.clusters": {"panel": "clusters", "title": "t",
                              "chains": {"a": "scenes/wood", "b": "scenes/f_in"}}},
         "config.panels.clusters.chains has 2 entries, but a panel of clusters shows one"),
        ({"datasets.scenes.ood": 0},
         "config.tables.seeds.chains.W-OoD: wood needs OoD images, but config.datasets.scenes has "
         "no candidates: set its ood"),
        ({"datasets.scenes": {"kind": "voc"}},
         "but config.datasets.scenes has no candidates: set its pool, ood_list or ood_folder"),
        ({"datasets.scenes": {"kind": "openimages"}, "tables.seeds.chains": {"a": FULL}},
         "config.datasets.scenes of kind openimages has none: end the chain at the localizer"),
        ({"datasets.scenes": {"kind": "openimages", "val_images": ["validation"]}},
         "config.datasets.scenes has only one of val_images and val_human_labels: name both"),
        ({"datasets.scenes": {"kind": "voc", "sbd": "data/SBD", "val_list": ""}},
         "config.datasets.scenes.sbd is set, but val_list is empty: name VOC's val_list"),
        ({"datasets.scenes": {"kind": "voc", "mask_classes": ["train"]}},
         "config.datasets.scenes.mask_classes lacks aeroplane, bicycle"),
        ({"datasets.scenes": {"kind": "coco", "spurious": {"boat": "water"}}},
         "config.datasets.scenes.spurious needs backgrounds: set masks to stuff or panoptic"),
        ({"datasets.scenes": {"kind": "coco", "masks": "panoptic", "train_masks": ["p"],
                              "spurious": {"ship": "water"}}},
         "config.datasets.scenes.spurious names ship: name classes"),
        ({"datasets.scenes": {"kind": "coco", "masks": "stuff"}},
         "config.datasets.scenes.train_masks and val_masks are folders of PNGs: name them with"),
        ({"datasets.scenes.val": 0, "tables.seeds.chains": {"a": FULL}},
         "config.tables.seeds.chains.a: segmentation is scored on val images, but "
         "config.datasets.scenes has none: set its val"),
        ({"segmenters.deeplab.initial_weights": "data/weights/deeplabv1_resnet101-COCO.pth"},
         "which was trained on masks: name ImageNet weights, or add initial_weights_saw_pixel"),
        ({"segmenters.deeplab.initial_weights": "none",
          "segmenters.deeplab.initial_weights_saw_pixel_labels": True},
         "_saw_pixel_labels is true, but initial_weights is none, which saw none: take it out"),
        ({"segmenters.deeplab.initial_weights": "classifier", "tables.seeds.chains": {"a": FULL}},
         "config.segmenters.deeplab.initial_weights is classifier, but wood has the backbone "
         "compact, not resnet101_caffe: name the same"),
        ({"datasets.scenes": {"kind": "openimages"}, **KNOWN,
          "tables.seeds.chains": {"a": "scenes/f_in/cam/salient"}},
         "config.tables.seeds.chains.a: saliency maps of kind known come from masks, but "
         "config.datasets.scenes has none: take saliency maps of kind folder or opencv"),
        ({"datasets.scenes": {"kind": "folder"}, **KNOWN,
          "panels.masks.chains": {"a": "scenes/f_in/cam/salient"}},
         "config.panels.masks.chains.a: saliency maps of kind known come from masks, but"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_are_named(changes, words):
    assert words in sentence(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"datasets.scenes.hard_fraction": 0.58, "datasets.scenes.mislabelled_fraction": 0.42},
        {"datasets.scenes.ood": 0, "tables": {}, "figures": {}, "panels": {}},
        {"datasets.scenes.val": 0},
        {"evaluation.thresholds": [0.5]},
        {**KNOWN, "tables.seeds.chains": {"a": "scenes/f_in/cam/salient"}},
        {**KNOWN, "datasets.scenes": {"kind": "folder", "masks": "masks"},
         "tables.seeds.chains": {"a": "scenes/f_in/cam/salient"}},
        {**KNOWN, "datasets.scenes": {"kind": "openimages"}},
        {"classifiers.f_in.images": {"resize_long": [320, 320]}},
        {"classifiers.f_in": {"method": "plain", "backbone": "efficientnet_lite0"}},
        {"refiners.irn": irn(radius=9, images={"crop_size": 68})},
        {"refiners.psa": psa(radius=9, images={"crop_size": 72}),
         "tables.seeds.chains": {"a": "scenes/wood/cam/psa"}},
        {"tables.seeds.expected": {"W-OoD": {"miou": 0.5}}},
        {"classifiers.wood.training_images": 800, "classifiers.wood.ood_images": 600},
        {"classifiers.wood.ood_images": 20, "ood_sets.hard.size": 20},
        # Of what a pool adds, and of a data set without limit, the config knows nothing.
        {"classifiers.wood.ood_images": 10**8, "datasets.scenes.pool": "other",
         "datasets.other": {"kind": "scenes"}},
        {"classifiers.f_in.training_images": 10**8, "datasets.scenes": {"kind": "coco"}},
        {"segmenters.deeplab": {"method": "deeplab_v2", "backbone": "compact",
                                "initial_weights": "classifier"},
         "tables.seeds.chains": {"a": FULL}},
        # The two batches that a step of the segmenter has are one for each GPU.
        {"gpus.train": 2, "segmenters.deeplab": {"method": "deeplab_v2", "backbone": "compact",
                                                 "initial_weights": "none"}},
    ],
)  # fmt: skip
def test_options_at_the_edge_pass(changes):
    assert resolve_config(changed(changes), SCHEMA)


def test_a_long_way_of_trainings_is_followed_once():
    """Each classifier needs the one before and a set that it ranks: 2^20 ways, if all are gone."""
    config = changed({})
    before = "f_in"
    for number in range(20):
        config["ood_sets"][f"set{number}"] = {"kind": "none", "ranked_by": before}
        wood = {"method": "wood", "start_from": before, "ood_set": f"set{number}"}
        config["classifiers"][f"wood{number}"] = wood
        before = f"wood{number}"
    assert len(resolve_config(config, SCHEMA)["classifiers"]) == 23


def test_an_endless_way_is_refused():
    config = changed({})
    for number in range(200):
        start = f"c{number + 1}" if number < 199 else None
        config["classifiers"][f"c{number}"] = {"method": "plain", "start_from": start}
    with pytest.raises(ConfigError, match=r"config\.classifiers\.c0 stands on more than 100 train"):
        resolve_config(config, SCHEMA)
