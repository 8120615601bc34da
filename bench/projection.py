"""What the papers' PASCAL VOC experiment would take, from rates measured here."""

import pandas as pd

# VOC 2012 with SBD's masks left alone: images to train on and images to test (w-ood sec. 4).
TRAIN, VAL = 10_582, 1_449
EPOCHS = {"classifier": 5, "wood": 5, "irn": 3}
ADVCAM_STEPS = 27
DEEPLAB_IMAGES = 30_000 * 10
# Rows of throughput.csv, how many images pass through them, and what that is.
WORK = (
    ("Classifier training", EPOCHS["classifier"] * TRAIN, "F_in: 5 epochs"),
    ("W-OoD training, an OoD image each", EPOCHS["wood"] * TRAIN, "W-OoD: 5 epochs"),
    ("CAM, 4 scales and flips", TRAIN, "CAM of the training images"),
    ("IRN training", EPOCHS["irn"] * TRAIN, "IRN: 3 epochs"),
    ("DeepLab-v2 training", DEEPLAB_IMAGES, "DeepLab: 30,000 batches of 10"),
    ("DeepLab-v2 inference, 3 scales and flips", VAL, "Segmentation of the validation images"),
)


def project(throughput: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the hours of each stage on one such device, without what needs no network.

    AdvCAM is counted with its fastest row, and for one class per image, which is too few: many
    images have more. ResNet-50 stands for every network.

    Raises:
        KeyError: A rate was not measured.
    """
    rates = throughput.set_index("stage")["images_per_s"]
    rows = [
        {"what": what, "images": images, "hours": images / rates[stage] / 3600}
        for stage, images, what in WORK
    ]
    maps = comparisons.set_index("row")["ours"].filter(like="AdvCAM")
    if not len(maps):
        raise KeyError("no row of AdvCAM was measured: run `python -m bench comparisons`")
    hours = maps.min() * ADVCAM_STEPS * TRAIN / 3600
    rows.append({"what": "AdvCAM of the training images", "images": TRAIN, "hours": hours})
    return pd.DataFrame(rows)
