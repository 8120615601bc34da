"""Images of a few pixels, through every stage that sees an image."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
import yaml

from tests.source import ROOT
from wsss.config.thresholds import with_thresholds
from wsss.data.images import read_image, write_jpeg
from wsss.data.index import ImageRecord
from wsss.data.loading import ClassificationImages, SegmentationImages
from wsss.data.others import OtherImages
from wsss.localize import advcam, advcam_rib, cam, rib
from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.irn import IRNet, boundary_maps
from wsss.models.psa import AffinityNet, affinity_maps
from wsss.refine import crf, irn, psa, psa_labels, seed
from wsss.refine.affinity import neighbours
from wsss.refine.irn_labels import confident_labels
from wsss.store.maps import MapReader, write_maps
from wsss.store.mask_folders import find_masks, write_masks
from wsss.store.masks import read_mask

SIZES = [(1, 1), (1, 40), (33, 1), (2, 3)]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))["$defs"]


def defaults(name, *groups):
    """Return the defaults of a definition, or of a group of keys in it."""
    schema = SCHEMA[name]
    for group in groups:
        schema = schema["properties"][group]
    return {
        key: option["default"]
        for key, option in schema["properties"].items()
        if "default" in option
    }


@cache
def classifier():
    torch.manual_seed(0)
    return build_classifier("compact", num_classes=2)


@pytest.fixture
def record(tmp_path, request):
    height, width = request.param
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    write_jpeg(tmp_path / "a.jpg", image, quality=90)
    return ImageRecord("a", tmp_path / "a.jpg", "train", height, width, ("x", "y"))


@pytest.mark.parametrize("record", SIZES, indirect=True)
def test_views_of_a_few_pixels(record, tmp_path):
    options = {"crop_size": 24, "random_seed": 0}
    labelled = ClassificationImages(
        [record], np.ones((1, 2)), saliency=None, resize_long=(16, 40), **options
    )
    assert labelled[0, 0][0].shape == (3, 24, 24)
    write_masks(tmp_path, [("a", np.ones((record.height, record.width), np.uint8))])
    masked = SegmentationImages([record], [tmp_path / "a.png"], scales=(0.5, 2.0), **options)
    for draw in range(6):
        view, mask = masked[draw, 0]
        assert view.shape == (3, 24, 24) and (mask == 1).any()


@pytest.mark.slow
@pytest.mark.parametrize("alignment", ["official", "centres"])
@pytest.mark.parametrize("method", [cam, advcam, rib, advcam_rib])
@pytest.mark.parametrize("record", SIZES, indirect=True)
def test_maps_and_pseudo_masks_of_a_few_pixels(record, method, alignment, tmp_path):
    name = f"localize.{method.__name__.rsplit('.', maxsplit=1)[-1]}"
    options = {**defaults(name), "alignment": alignment}
    options.pop("background_threshold", None)
    if method is not cam:
        options["steps"] = 2
    if "other_choice" in options:
        options["other_choice"] = "any"
    image, class_ids = read_image(record.path), np.array([0, 1])
    others = OtherImages([record, replace(record, image_id="b")], lambda _: class_ids, 0)
    given = [others.beside([record])] if method in (rib, advcam_rib) else []
    (maps,) = method.localize(classifier(), image[None], [class_ids], *given, **options)
    assert np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1
    write_maps(tmp_path / "0.h5", [("a", class_ids, maps, image.shape[:2])], attributes={})
    with MapReader([tmp_path / "0.h5"]) as reader:
        small, full = reader.read("a").maps, reader.read_full("a").maps
    torch.manual_seed(0)
    irnet = IRNet(build_backbone("compact")).eval()
    (edge,) = boundary_maps(irnet, image[None], crop_size=None)
    affinity_net = AffinityNet(build_backbone("compact"), **defaults("refine.psa", "network"))
    along = defaults("refine.psa", "walk")
    (affinity,) = affinity_maps(affinity_net.eval(), image[None], neighbours(along["radius"]))
    of_seed, of_crf = (
        with_thresholds(defaults(f"refine.{refiner}"), {"otsu": 0.15})
        for refiner in ("seed", "crf")
    )
    masks = {
        "seed": seed.refine(image, full, class_ids, **of_seed),
        "crf": crf.refine(image, full, class_ids, **of_crf),
        "labels": confident_labels(image, full, class_ids, **defaults("refine.irn", "labels")),
        "walk": irn.refine(image, small, class_ids, edge, **defaults("refine.irn", "walk")),
        "psa_labels": psa_labels.confident_labels(
            image, full, class_ids, **defaults("refine.psa", "labels")
        ),
        "psa": psa.refine(image, full, class_ids, affinity, **along),
    }
    write_masks(tmp_path / "masks", masks.items())
    for path in find_masks([tmp_path / "masks"]).values():
        mask = read_mask(path)
        assert mask.shape == image.shape[:2] and set(mask.ravel().tolist()) <= {0, 1, 2, 255}
