"""A small valid file of every format that the readers know, and how it is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import yaml
from PIL import Image
from pycocotools import mask as rle_tools

from tests.source import ROOT
from wsss.config.resolve import resolve_config
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
from wsss.data.sets._labels import ImageLabels, read_list
from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.maps import MapReader, write_maps
from wsss.store.masks import read_mask, write_mask
from wsss.store.weights import load_torch_file, load_weights, save_weights

CLASSES = ("bird", "train")
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
    write_classes(path.with_name("classes.csv"), CLASSES, {"train": ("rails", 1)})
    write_index(path, RECORDS)


def _write_classes(path: Path) -> None:
    write_classes(path, CLASSES, {"train": ("rails", 1)})
    write_index(path.with_name("index.csv"), RECORDS)


def _write_truth(path: Path) -> None:
    write_ground_truth(path, [GroundTruthRecord("7", Path("m.png"), None, CLASSES, "easy")] * 1)


def _write_labels(path: Path) -> None:
    path.write_text("image_id,labels\n7,bird;train\n8,\n", encoding="utf-8")


def _write_xml(path: Path) -> None:
    names = "".join(f"<object><name>{name}</name></object>" for name in CLASSES)
    path.write_text(f'<?xml version="1.0"?>\n<annotation><size/>{names}</annotation>\n')


def _write_coco(path: Path) -> None:
    images = path.parent / "images"
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


def _read_coco(path: Path) -> Prepared:
    return coco.prepare(
        path.parent / "out",
        root=str(path.parent),
        train_images="images",
        train_annotations=path.name,
        val_images="",
        val_annotations="",
        classes=CLASSES,
        val_fraction=0.0,
        limit=0,
        max_megapixels=1.0,
        random_seed=0,
        workers=1,
    )


def _save_torch(path: Path) -> None:
    torch.save({"state_dict": {"a.w": torch.arange(9.0)}, "epoch": 3}, path)


def _save_old_torch(path: Path) -> None:
    torch.save({"a.w": torch.arange(9.0)}, path, _use_new_zipfile_serialization=False)


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
    "PyTorch": Format("a.pth", _save_torch, load_torch_file, object),
    "old PyTorch": Format("b.pth", _save_old_torch, load_torch_file, object),
    "config": Format("config.yaml", _write_config, _read_config, dict),
}
