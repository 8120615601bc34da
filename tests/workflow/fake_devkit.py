"""The data and weights that the presets ask for, in their real layout, with few drawn pictures."""

import json

import numpy as np
import torch

from tests.data.sets.fake_openimages import image_id, write_table
from tests.data.sets.fake_sbd import write_sbd
from wsss.data.images import write_jpeg
from wsss.models.backbones.backbone import build_backbone
from wsss.store.masks import IGNORE_INDEX, write_mask

WEIGHTS = {
    "resnet50-0676ba61.pth": "resnet50",
    "deeplabv1_resnet101-imagenet.pth": "resnet101_caffe",
    "ilsvrc-cls_rna-a1_cls1000_ep-0001.params": "wide_resnet38",
}
# As VOC's and COCO's.
VOC_SIZES = ((375, 500), (500, 375), (333, 500), (500, 334))
COCO_SIZES = ((480, 640), (640, 480), (427, 640))
VOC_TRAIN, VOC_VAL, SBD_ONLY = range(12), range(12, 20), range(20, 36)
CANDIDATES = 40
COCO_TRAIN, COCO_VAL, COCO_EMPTY = 32, 6, 3
# Numbers that COCO's 80 categories leave out.
COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
OBJECT = """  <object>
    <name>{name}</name>
    <pose>Unspecified</pose>
    <truncated>0</truncated>
    <difficult>{difficult}</difficult>
    <bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>
  </object>
"""
ANNOTATION = """<annotation>
  <folder>VOC2012</folder>
  <filename>{image_id}.jpg</filename>
  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>
  <segmented>1</segmented>
{objects}</annotation>
"""


def boxes(size, count):
    """Rows, columns and ends of boxes side by side, (top, left, bottom, right) each."""
    height, width = size
    part = width // max(1, count)
    return [
        (height // 5, i * part + part // 6, height * 4 // 5, (i + 1) * part - part // 6)
        for i in range(count)
    ]


def draw(size, values, rng):
    """A picture with one box per value, whose colour tells the value, and the boxes' mask."""
    height, width = size
    coarse = rng.integers(60, 190, (height // 25 + 1, width // 25 + 1, 3))
    image = np.kron(coarse, np.ones((25, 25, 1), int))[:height, :width].astype(np.uint8)
    mask = np.zeros(size, np.uint8)
    for value, (top, left, bottom, right) in zip(values, boxes(size, len(values)), strict=True):
        mask[top - 3 : bottom + 3, left - 3 : right + 3] = IGNORE_INDEX
        mask[top:bottom, left:right] = value
        colour = np.array([value * 37 % 256, value * 91 % 256, value * 151 % 256])
        image[top:bottom, left:right] = image[top:bottom, left:right] // 4 + colour * 3 // 4
    return image, mask


def write_voc(root, sbd, classes):
    """VOC 2012's devkit and SBD's release, each of which has images of the other's val."""
    rng = np.random.default_rng(0)
    image_ids = [f"{2007 + number % 5}_{100 + number * 137:06d}" for number in range(36)]
    sizes = {}
    for number, name in enumerate(image_ids):
        sizes[name] = size = VOC_SIZES[number % len(VOC_SIZES)]
        # The training images show every class, 12 of VOC's and 16 more of SBD's.
        first = (number - 8 if number in SBD_ONLY else number) % 20
        shown = sorted({first, number * 7 % 20} if number % 3 == 0 else {first})
        image, mask = draw(size, [value + 1 for value in shown], rng)
        write_jpeg(root / f"JPEGImages/{name}.jpg", image, quality=90)
        write_annotation(root / f"Annotations/{name}.xml", name, size, [classes[i] for i in shown])
        if number not in SBD_ONLY:
            write_mask(root / f"SegmentationClass/{name}.png", mask)
    parts = {"train": VOC_TRAIN, "val": VOC_VAL, "trainval": [*VOC_TRAIN, *VOC_VAL]}
    for part, numbers in parts.items():
        path = root / f"ImageSets/Segmentation/{part}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{image_ids[number]}\n" for number in numbers))
    half = len(SBD_ONLY) // 2
    train = [*VOC_TRAIN[:3], *VOC_VAL[:3], *SBD_ONLY[:half]]
    val = [*VOC_TRAIN[3:5], *VOC_VAL[3:5], *SBD_ONLY[half:]]
    write_sbd(sbd, [image_ids[i] for i in train], [image_ids[i] for i in val], sizes)


def write_annotation(path, name, size, names):
    objects = "".join(
        OBJECT.format(name=one, difficult=place % 2, xmin=left, ymin=top, xmax=right, ymax=bottom)
        for place, (one, (top, left, bottom, right)) in enumerate(
            zip(names, boxes(size, len(names)), strict=True)
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    path.write_text(ANNOTATION.format(image_id=name, height=height, width=width, objects=objects))


def write_openimages(root, labels):
    """OpenImages: tables, names and hierarchy; images of the labels, and images of other things."""
    names = [*labels, "Rail transport", "Tree", "Sky"]
    mids = {name: f"/m/0{number:04x}" for number, name in enumerate(names)}
    root.mkdir(parents=True, exist_ok=True)
    # Version 4 has no header.
    lines = [f'{mid},"{name}"' for name, mid in mids.items()]
    (root / "class-descriptions.csv").write_text("\n".join([*lines, ""]))
    entity = {"LabelName": "/m/0bl9f", "Subcategory": [{"LabelName": mid} for mid in mids.values()]}
    (root / "bbox_labels_600_hierarchy.json").write_text(json.dumps(entity))
    rng = np.random.default_rng(1)
    human, machine = [], []
    for number in range(len(labels) + CANDIDATES):
        shown = names[number] if number < len(labels) else names[-1 - number % 3]
        human.append((number, mids[shown], 1))
        human.append((number, mids[names[(number + 1) % len(labels)]], 0))
        machine.append((number, mids[names[(number + 2) % len(labels)]], 0.1))
        image, _ = draw((341, 512), [number % 20 + 1] * (1 + number % 2), rng)
        write_jpeg(root / f"train/{image_id(number + 1)}.jpg", image, quality=90)
    tables = {"train-annotations-human-imagelabels.csv": human,
              "train-annotations-machine-imagelabels.csv": machine}  # fmt: skip
    for name, rows in tables.items():
        shifted = [(number + 1, mid, confidence) for number, mid, confidence in rows]
        write_table(root / name, shifted, is_machine=rows is machine)


def write_coco(root, classes):
    """COCO 2014: images with polygons and a crowd, and some without any object."""
    numbers = [number for number in range(1, 91) if number not in COCO_GAPS]
    categories = [
        {"supercategory": "thing", "id": number, "name": name}
        for number, name in zip(numbers, classes, strict=True)
    ]
    rng = np.random.default_rng(2)
    for part, count in (("train", COCO_TRAIN), ("val", COCO_VAL)):
        images, annotations = [], []
        for place in range(count + COCO_EMPTY):
            number = 9 + place * 577 + (part == "val")
            name = f"COCO_{part}2014_{number:012d}.jpg"
            size = COCO_SIZES[place % len(COCO_SIZES)]
            shown = [(3 * place + i) % 80 for i in range(3)] if place < count else []
            image, _ = draw(size, [value + 1 for value in shown], rng)
            write_jpeg(root / f"{part}2014/{name}", image, quality=90)
            images.append({"license": 1, "file_name": name, "height": size[0], "width": size[1],
                           "date_captured": "2013-11-14 17:02:52", "id": number})  # fmt: skip
            for value, box in zip(shown, boxes(size, len(shown)), strict=True):
                annotations.append(coco_object(box, size, number, numbers[value], len(annotations)))
        content = {"info": {"year": 2014}, "images": images, "licenses": [{"id": 1}],
                   "annotations": annotations, "categories": categories}  # fmt: skip
        path = root / f"annotations/instances_{part}2014.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def coco_object(box, size, image, category, number):
    """An object as a polygon; every tenth as a crowd, in uncompressed run lengths by columns."""
    top, left, bottom, right = box
    crowd = number % 10 == 9
    height, tall, wide = size[0], bottom - top, right - left
    runs = [left * height + top, *[tall, height - tall] * (wide - 1), tall]
    runs.append(size[0] * size[1] - sum(runs))
    polygon = [left, top, right, top, right, bottom, left, bottom]
    return {
        "segmentation": {"counts": runs, "size": list(size)} if crowd else [polygon],
        "area": float(tall * wide), "iscrowd": int(crowd), "image_id": image,
        "bbox": [left, top, wide, tall], "category_id": category, "id": 1 + number,
    }  # fmt: skip


def write_data(folder, datasets):
    """Write what data sets of a resolved config read, under a project's folder."""
    for options in datasets.values():
        root = folder / options["root"]
        if options["kind"] == "voc":
            write_voc(root, folder / options["sbd"], options["classes"])
        elif options["kind"] == "coco":
            write_coco(root, options["classes"])
        else:
            labels = dict.fromkeys(n for names in options["classes"].values() for n in names)
            write_openimages(root, list(labels))


def write_weights(folder, *, names=tuple(WEIGHTS)):
    """Write random weights under the names of the files of ImageNet's, which a training takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        torch.manual_seed(0)
        state = build_backbone(WEIGHTS[name]).state_dict()
        for tensor_name, tensor in state.items():
            # Frozen statistics normalise nothing that is random: each block must add little.
            if tensor.ndim == 1 and tensor_name.endswith("weight"):
                tensor.mul_(0.5)
        torch.save(state, folder / name)


def touch_weights(folder):
    """Write empty files under those names, which is all that planning asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in WEIGHTS:
        (folder / name).touch()
