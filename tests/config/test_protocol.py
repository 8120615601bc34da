"""What a config says of a table's rows."""

import copy

import pytest

from tests.config.test_resolve import SMALL, resolved
from wsss.config.protocol import row_protocol
from wsss.report.table import ROW_TITLES

IRN_CRF = "10 iterations on hard labels of certainty 0.7, smoothness sxy 3 weight 3, appearance sxy"


def protocol(chain, stage, **changes):
    config = copy.deepcopy(SMALL)
    config["refiners"] |= {
        "crf": {"method": "crf", "background_threshold": 0.2, "bilateral_sxy": 67.5},
        "irn": {"method": "irn", "walk": {"background_threshold": 0.22}},
        "psa": {"method": "psa", "walk": {"alpha": 12}},
    }
    config["segmenters"]["deeplab"] |= changes
    return row_protocol(resolved(config), chain, stage)


def test_the_columns_are_those_of_the_tables():
    assert set(protocol("scenes/wood/cam", "seed")) == set(ROW_TITLES)


def test_seeds():
    found = protocol("scenes/wood/cam/irn/deeplab", "seed")
    assert found["initial_weights"] == "compact from random weights"
    assert found["scales"] == "maps at 1, 0.5, 1.5, 2, each also mirrored"
    assert found["crf"] == "none" and found["refiner_thresholds"] == ""
    assert found["checkpoint"].startswith("the last one")


@pytest.mark.parametrize(
    ("refiner", "crf", "thresholds"),
    [
        ("seed", "none", "background_threshold otsu"),
        ("crf", f"{IRN_CRF} 67.5 srgb 5 weight 10", "background_threshold 0.2"),
        ("irn", f"none on the masks; on the labels that irn learns from, {IRN_CRF} 50 srgb 5 "
         "weight 10", "labels.foreground_threshold 0.3; labels.background_threshold 0.05; "
         "walk.background_threshold 0.22"),
        ("psa", "none on the masks; on the labels that psa learns from, 10 iterations, smoothness "
         "sxy 3 weight 3, appearance sxy 80 srgb 13 weight 10",
         "labels.low_alpha 4; labels.high_alpha 32; walk.alpha 12"),
    ],
)  # fmt: skip
def test_pseudo_masks(refiner, crf, thresholds):
    found = protocol(f"scenes/wood/cam/{refiner}", "pseudo_mask")
    assert found["crf"] == crf and found["refiner_thresholds"] == thresholds
    assert found["initial_weights"] == "compact from random weights"


def test_segmentation():
    chain = "scenes/f_in/advcam/irn/deeplab"
    weights = "data/weights/deeplabv1_resnet101-imagenet.pth"
    found = protocol(chain, "segmentation", initial_weights=weights)
    assert found["initial_weights"] == (
        "compact from random weights; deeplab_v2 on resnet101_caffe from "
        "deeplabv1_resnet101-imagenet.pth"
    )
    assert found["scales"] == "images at 1, not mirrored, in the network also 0.5, 0.75 (maximum)"
    assert found["crf"] == "none" and "walk.background_threshold" in found["refiner_thresholds"]
    after = protocol(chain, "segmentation_crf", initial_weights="package",
                     backbone="efficientnet_lite0", scales=[],
                     inference={"scales": [0.5, 1.25], "flip": True})  # fmt: skip
    assert after["scales"] == "images at 0.5, 1.25, each also mirrored"
    assert after["crf"] == (
        "10 iterations, smoothness sxy 1 weight 3, appearance sxy 67 srgb 3 weight 4"
    )
    assert after["initial_weights"].endswith("from an installed package's ImageNet weights")


def test_images_that_are_drawn():
    config = copy.deepcopy(SMALL)
    config["classifiers"] |= {
        "few": {**config["classifiers"]["f_in"], "training_images": 200},
        "fewer": {**config["classifiers"]["wood"], "start_from": "few", "training_images": 100,
                  "ood_images": 20},
        "again": {**config["classifiers"]["wood"], "start_from": "few"},
    }  # fmt: skip
    own = resolved(config)
    found = {
        name: row_protocol(own, f"scenes/{name}/cam", "seed")["drawn_images"]
        for name in ("wood", "few", "fewer", "again")
    }
    few, others = "few with 200 of the training images", "every random seed draws others"
    assert found == {
        "wood": "",
        "few": f"{few}; {others}",
        "fewer": f"{few}; fewer with 100 of the training images and 20 of the OoD images; {others}",
        "again": f"{few}; {others}",
    }
