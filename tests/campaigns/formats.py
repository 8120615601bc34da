"""A small valid file of every format that the readers know, and how it is read."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from PIL import Image
from pycocotools import mask as rle_tools

from tests.data.sets.fake_sbd import write_sbd_mask
from tests.source import ROOT
from tests.store.mxnet_writer import params_bytes
from wsss.config.resolve import resolve_config
from wsss.data.candidates import read_candidates, write_candidates
from wsss.data.images import read_header, read_image
from wsss.data.index import (
    GroundTruthRecord,
    ImageRecord,
    Prepared,
    read_ground_truth,
    read_index,
    write_classes,
    write_ground_truth,
    write_index,
)
from wsss.data.sets import coco
from wsss.data.sets._folder_table import read_label_table
from wsss.data.sets._labels import ImageLabels, read_list
from wsss.data.sets._openimages_classes import Hierarchy
from wsss.data.sets._openimages_labels import read_label_rows
from wsss.data.sets._openimages_names import read_descriptions, read_hierarchy
from wsss.data.sets._sbd import read_sbd_mask
from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.maps import MapReader, write_maps
from wsss.store.masks import read_mask, write_mask
from wsss.store.mxnet_params import read_mxnet_params
from wsss.store.weights import load_torch_file, load_weights, save_weights

CLASSES = ("bird", "train")
RAILS = {"id": 65545, "category_id": 3, "iscrowd": 0, "area": 30}
Y, X = np.mgrid[:20, :30]
PIXELS = np.stack([12 * Y, 8 * X, 5 * (X + Y)], axis=-1).astype(np.uint8)
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))


class Format(NamedTuple):
    """A kind of file.

    `make` writes a valid one to a path; `read` returns what it holds, and `kind` is the type of
    that. `is_exact`: it carries checksums, so a damaged one may never read as anything else.
    """

    suffix: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    kind: type
    is_exact: bool = False


def _save_image(path: Path) -> None:
    Image.fromarray(PIXELS).save(path)


def _save_palette(path: Path) -> None:
    Image.fromarray(PIXELS).quantize(8).save(path)


def _read_pixels(path: Path) -> np.ndarray:
    pixels = read_image(path)
    if pixels.dtype != np.uint8 or pixels.shape != (*read_header(path).size, 3):
        raise AssertionError(f"read {pixels.dtype} {pixels.shape}, header {read_header(path)}")
    return pixels


def _read_png(path: Path) -> np.ndarray:
    if not path.read_bytes().startswith(b"\x89PNG"):
        # Images are known by their content, and other kinds have no checksums.
        raise ValueError(f"{path} is no PNG any more")
    return _read_pixels(path)


def _write_mask(path: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 3:20], mask[12:, 25:] = 2, 255
    write_mask(path, mask)


def _write_maps(path: Path) -> None:
    rng = np.random.default_rng(0)
    items = [
        (f"image {n}", np.arange(n), rng.random((n, 5, 8), dtype=np.float32), (20, 30))
        for n in range(4)
    ]
    write_maps(path, items, attributes={"map_stride": 4, "code": "abc"})


def _read_maps(path: Path) -> dict:
    with MapReader([path]) as reader:
        return {name: reader.read(name) for name in reader.image_ids} | reader.attributes


def _write_arrays(path: Path) -> None:
    arrays = {"a": np.arange(60.0).reshape(6, 10), "names": np.array(["é", "b"]), "one": 7}
    write_arrays(path, arrays, attributes={"random_seed": 3})


def _save_weights(path: Path) -> None:
    save_weights(path, {"a.w": torch.arange(40.0), "b": torch.ones(2, 3)}, metadata={"kind": "x"})


RECORDS = [
    ImageRecord("000123", Path("a/000123.jpg"), "train", 20, 30, ("bird",)),
    ImageRecord("é, b", Path("a/é, b.jpg"), "val", 20, 31, CLASSES),
    ImageRecord("7", Path("a/7.jpg"), "ood", 2, 3, ()),
]


def _write_index(path: Path) -> None:
    write_classes(path.with_name("classes.csv"), CLASSES, {"train": [("rails", 1)]})
    write_index(path, RECORDS)


def _write_classes(path: Path) -> None:
    write_classes(path, CLASSES, {"train": [("rails", 1)]})
    write_index(path.with_name("index.csv"), RECORDS)


def _write_truth(path: Path) -> None:
    write_ground_truth(path, [GroundTruthRecord("7", Path("m.png"), None, CLASSES, "easy")] * 1)


def _write_labels(path: Path) -> None:
    path.write_text("image_id,labels\n7,bird;train\n8,\n", encoding="utf-8")


def _write_xml(path: Path) -> None:
    names = "".join(f"<object><name>{name}</name></object>" for name in CLASSES)
    path.write_text(f'<?xml version="1.0"?>\n<annotation><size/>{names}</annotation>\n')


def _write_coco(path: Path, photos: str = "images") -> None:
    images = path.parent / photos
    images.mkdir()
    for name in ("1", "2", "3"):
        Image.new("RGB", (10, 8), (int(name), 0, 0)).save(images / f"{name}.png")
    code = rle_tools.encode(np.asfortranarray(np.eye(8, 10, dtype=np.uint8)))
    shapes = (
        [[2, 2, 5, 2, 5, 6.5]],
        {"size": [8, 10], "counts": [30, 20, 30]},
        {"size": [8, 10], "counts": code["counts"].decode()},
    )
    content = {
        "categories": [{"id": 1, "name": "bird"}, {"id": 2, "name": "train"}],
        "images": [{"id": n, "file_name": f"{n}.png", "height": 8, "width": 10} for n in (1, 2, 3)],
        "annotations": [
            {"id": n, "image_id": 1 + n % 2, "category_id": 1 + n % 2, "segmentation": shape}
            for n, shape in enumerate(shapes)
        ],
    }
    path.write_text(json.dumps(content))


def _write_panoptic(path: Path) -> None:
    # The PNGs' folder bears the JSON file's name.
    folder = path.with_suffix("")
    folder.mkdir()
    _write_coco(path.with_name("instances.json"), photos="photos")
    for number in (1, 2, 3):
        colours = np.zeros((8, 10, 3), np.uint8)
        colours[:4], colours[5:] = (number, 2, 0), (9, 0, 1)
        Image.fromarray(colours).save(folder / f"{number}.png")
    segments = [
        [{"id": number + 512, "category_id": 2, "iscrowd": 0, "area": 40}, RAILS]
        for number in (1, 2, 3)
    ]
    content = {
        "categories": [
            {"id": 1, "name": "bird", "supercategory": "animal", "isthing": 1},
            {"id": 2, "name": "train", "supercategory": "vehicle", "isthing": 1},
            {"id": 3, "name": "railroad", "supercategory": "ground", "isthing": 0},
        ],
        "annotations": [
            {"image_id": number, "file_name": f"{number}.png", "segments_info": found}
            for number, found in enumerate(segments, start=1)
        ],
    }
    path.write_text(json.dumps(content))


def _read_panoptic(path: Path) -> Prepared:
    options = {"masks": "panoptic", "train_masks": [path.stem], "spurious": {"train": "railroad"}}
    return _read_coco(path.with_name("instances.json"), train_images="photos", **options)


def _write_sbd(path: Path, *, compressed: bool) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 3:20] = 2
    write_sbd_mask(path, mask, compressed)


def _read_coco(path: Path, **changes: Any) -> Prepared:
    options: dict[str, Any] = {
        "train_images": "images",
        "train_annotations": path.name,
        "val_images": "",
        "val_annotations": "",
        "masks": "instances",
        "train_masks": (),
        "val_masks": (),
        "spurious": {},
        "classes": CLASSES,
        "val_fraction": 0.0,
        "limit": 0,
        "max_megapixels": 1.0,
        "random_seed": 0,
        "workers": 1,
    }
    return coco.prepare(path.parent / "out", root=str(path.parent), **(options | changes))


def _write_own_labels(path: Path) -> None:
    rows = ['a/1.jpg;"bird;train";train', "2;;val", "3.png;boat;ood"]
    path.write_text("\n".join(["image_id;labels;split", *rows]), encoding="utf-8")


def _write_openimages_labels(path: Path) -> None:
    rows = [f"{n * 0x9E3779B97F4A7C15:016x},verification,/m/0k4j,{n % 2}" for n in (0, 1)]
    path.write_text("\n".join(["ImageID,Source,LabelName,Confidence", *rows * 3, ""]))


def _write_hierarchy(path: Path) -> None:
    van = {"LabelName": "/m/0h2r6"}
    car = {"LabelName": "/m/0k4j", "Subcategory": [van], "Part": [{"LabelName": "/m/083wq"}]}
    path.write_text(json.dumps({"LabelName": "/m/0bl9f", "Subcategory": [car, van]}))


def _save_torch(path: Path) -> None:
    torch.save({"state_dict": {"a.w": torch.arange(9.0)}, "epoch": 3}, path)


def _save_old_torch(path: Path) -> None:
    torch.save({"a.w": torch.arange(9.0)}, path, _use_new_zipfile_serialization=False)


def _save_params(path: Path) -> None:
    arrays = {"arg:a_weight": np.arange(9.0, dtype=np.float32), "aux:b": np.ones((2, 3), np.int64)}
    path.write_bytes(params_bytes(arrays))


def _write_config(path: Path) -> None:
    path.write_bytes((ROOT / "config/tiny.yaml").read_bytes())


def _read_config(path: Path) -> dict:
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The engine reads the file itself.
        raise ValueError(f"{path} is no YAML: {type(error).__name__}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{path} is no group of keys")
    try:
        return resolve_config(config, SCHEMA)
    except ValueError as error:
        # It names keys, of whichever file.
        raise ValueError(f"{path.name}: {error}") from None


FORMATS = {
    "JPEG": Format("photo.jpg", _save_image, _read_pixels, np.ndarray),
    "PNG": Format("photo.png", _save_image, _read_png, np.ndarray, is_exact=True),
    "palette PNG": Format("photo.png", _save_palette, _read_png, np.ndarray, is_exact=True),
    "WebP": Format("photo.webp", _save_image, _read_pixels, np.ndarray),
    "TIFF": Format("photo.tif", _save_image, _read_pixels, np.ndarray),
    "BMP": Format("photo.bmp", _save_image, _read_pixels, np.ndarray),
    "GIF": Format("photo.gif", _save_palette, _read_pixels, np.ndarray),
    "mask": Format("mask.png", _write_mask, read_mask, np.ndarray, is_exact=True),
    "maps": Format("0.h5", _write_maps, _read_maps, dict, is_exact=True),
    "arrays": Format(
        "a.h5", _write_arrays, lambda p: read_arrays(p, ["a", "names", "one"]), tuple, is_exact=True
    ),
    "weights": Format("w.safetensors", _save_weights, load_weights, tuple, is_exact=True),
    "index": Format(
        "index.csv",
        _write_index,
        lambda p: read_index(p, p.with_name("classes.csv")).records,
        tuple,
        is_exact=True,
    ),
    "candidates": Format(
        "candidates.csv",
        lambda p: write_candidates(p, RECORDS[2:], RECORDS[:2]),
        lambda p: tuple(read_candidates(p)),
        tuple,
        is_exact=True,
    ),
    "classes": Format(
        "classes.csv",
        _write_classes,
        lambda p: read_index(p.with_name("index.csv"), p).classes,
        tuple,
        is_exact=True,
    ),
    "ground truth": Format("truth.csv", _write_truth, read_ground_truth, dict, is_exact=True),
    "checksum": Format(
        ".truth.csv.sha256",
        lambda p: _write_truth(p.with_name("truth.csv")),
        lambda p: read_ground_truth(p.with_name("truth.csv")),
        dict,
        is_exact=True,
    ),
    "labels": Format(
        "labels.csv", _write_labels, lambda p: ImageLabels(p.parent, CLASSES).of("7"), tuple
    ),
    "VOC XML": Format(
        "Annotations/7.xml", _write_xml, lambda p: ImageLabels(p.parents[1], CLASSES).of("7"), tuple
    ),
    "list": Format(
        "train.txt",
        lambda p: p.write_text("7\n8 1\n/a/9.jpg /b/9.png\n"),
        lambda p: read_list(p, {"7", "8", "9"}),
        list,
    ),
    "COCO": Format("instances.json", _write_coco, _read_coco, Prepared),
    "panoptic": Format("images.json", _write_panoptic, _read_panoptic, Prepared),
    "SBD": Format("7.mat", partial(_write_sbd, compressed=True), read_sbd_mask, np.ndarray),
    "plain SBD": Format("7.mat", partial(_write_sbd, compressed=False), read_sbd_mask, np.ndarray),
    "own labels": Format("own.csv", _write_own_labels, read_label_table, list),
    "OpenImages labels": Format(
        "human.csv", _write_openimages_labels, lambda p: list(read_label_rows(p, ["/m/0k4j"])), list
    ),
    "OpenImages names": Format(
        "names.csv",
        lambda p: p.write_text('LabelName,DisplayName\n/m/0k4j,Car\n/m/0h2r6,"Van, or so"\n'),
        read_descriptions,
        dict,
    ),
    "OpenImages hierarchy": Format("hierarchy.json", _write_hierarchy, read_hierarchy, Hierarchy),
    "PyTorch": Format("a.pth", _save_torch, load_torch_file, object),
    "old PyTorch": Format("b.pth", _save_old_torch, load_torch_file, object),
    "MXNet": Format("a.params", _save_params, read_mxnet_params, dict),
    "config": Format("config.yaml", _write_config, _read_config, dict),
}
