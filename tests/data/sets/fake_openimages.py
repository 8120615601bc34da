"""A tiny OpenImages: its tables and hierarchy in the real form, pictures of one colour."""

import json

import numpy as np

from wsss.data.images import write_jpeg

# As in the real hierarchy: a television is a part of a building, and two labels are called Sheep.
MIDS = {
    "Vehicle": "/m/07yv9",
    "Car": "/m/0k4j",
    "Van": "/m/0h2r6",
    "Wheel": "/m/083wq",
    "Person": "/m/01g317",
    "Woman": "/m/03bt1vf",
    "Human body": "/m/02p0tk3",
    "Human face": "/m/0dzct",
    "Building": "/m/0cgh4",
    "Television": "/m/07c52",
    "Computer monitor": "/m/02522",
    "Rail": "/g/11c5m1",
    "Sheep": "/m/07bgp",
    "sheep": "/m/08hhz2",
}
KINDS = {
    "Vehicle": ["Car"],
    "Car": ["Van"],
    "Person": ["Woman"],
}
PARTS = {
    "Vehicle": ["Wheel"],
    "Person": ["Human body"],
    "Human body": ["Human face"],
    "Building": ["Television"],
}
HUMAN = "train-annotations-human-imagelabels.csv"
MACHINE = "train-annotations-machine-imagelabels.csv"
VAL = "validation-annotations-human-imagelabels.csv"
OPTIONS = {
    "train_images": ["train"],
    "train_human_labels": [HUMAN],
    "train_machine_labels": [MACHINE],
    "val_images": [],
    "val_human_labels": [],
    "class_descriptions": "class-descriptions.csv",
    "hierarchy": "bbox_labels_600_hierarchy.json",
    "classes": {"tvmonitor": ["Television", "Computer monitor"], "car": ["Car"]},
    "machine_confidence": 0.5,
    "unannotated": False,
    "limit": 0,
    "labelled_limit": 0,
    "max_megapixels": 4.0,
    "random_seed": 0,
    "workers": 1,
}


def image_id(number):
    """An id that begins with a zero, or with the highest bit."""
    return f"{number * 0x0F0E_D0C0_B0A0_9081 % 2**64:016x}"


def tree(name):
    """The part of the hierarchy below a label."""
    node = {"LabelName": MIDS[name]}
    for key, below in (("Subcategory", KINDS), ("Part", PARTS)):
        if name in below:
            node[key] = [tree(other) for other in below[name]]
    return node


def write_table(path, rows, *, is_machine=False):
    """Write a table of labels from rows (number of the image, name of the label, confidence)."""
    source = "machine" if is_machine else "verification"
    lines = [f"{image_id(n)},{source},{MIDS.get(name, name)},{c}" for n, name, c in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["ImageID,Source,LabelName,Confidence", *lines, ""]))


def write_images(folder, numbers, *, height=6, width=8):
    for number in numbers:
        image = np.full((height, width, 3), number * 7 % 256, np.uint8)
        write_jpeg(folder / f"{image_id(number)}.jpg", image, quality=90)


def write_openimages(root, human, machine=(), *, images, header=True):
    """Write everything; `human` and `machine` are rows of `write_table`, `images` numbers."""
    write_table(root / HUMAN, human)
    write_table(root / MACHINE, machine, is_machine=True)
    write_images(root / "train", images)
    names = [f"{mid},{name}" for name, mid in MIDS.items()]
    top = ["LabelName,DisplayName"] if header else []
    (root / OPTIONS["class_descriptions"]).write_text("\n".join([*top, *names, ""]))
    below = {name for group in (KINDS, PARTS) for names in group.values() for name in names}
    entity = {"LabelName": "/m/0bl9f", "Subcategory": [tree(n) for n in MIDS if n not in below]}
    (root / OPTIONS["hierarchy"]).write_text(json.dumps(entity))
