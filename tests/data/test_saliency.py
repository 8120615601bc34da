"""Saliency maps of every kind."""

import importlib

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image

from tests.source import ROOT
from wsss.data.images import write_jpeg
from wsss.data.index import GroundTruthRecord, ImageRecord, write_ground_truth
from wsss.data.saliency import folder, known, opencv
from wsss.data.scenes.compose import draw_scene
from wsss.data.scenes.options import SceneOptions
from wsss.store.masks import write_mask

DEFS = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))["$defs"]
KINDS = sorted(
    path.stem for path in (ROOT / "wsss/data/saliency").glob("*.py") if path.stem[0] != "_"
)
SIZES = [(20, 30), (30, 20), (1, 1), (1, 40)]
METHODS = ("fine_grained", "spectral_residual")
OPTIONS = {"spectral_side": 64, "scaling": "otsu"}
# A dark and a bright side, with a bright spot on the dark one.
MAP = np.zeros((20, 30), np.uint8)
MAP[5:9, 20:25] = 255


@pytest.fixture
def records(tmp_path):
    """Images of several sizes, with masks and maps of others beside them, and the ground truth."""
    rng = np.random.default_rng(0)
    records, truths = [], []
    for number, (height, width) in enumerate(SIZES):
        path = tmp_path / f"i{number}.jpg"
        write_jpeg(path, rng.integers(0, 256, (height, width, 3), dtype=np.uint8), quality=90)
        levels = rng.choice(np.array([0, 1, 2, 255], np.uint8), (height, width))
        write_mask(tmp_path / f"masks/i{number}.png", levels)
        (tmp_path / "maps").mkdir(exist_ok=True)
        Image.fromarray(levels).save(tmp_path / f"maps/i{number}.png")
        records.append(ImageRecord(f"i{number}", path, "train", height, width, ("a",)))
        truths.append(
            GroundTruthRecord(f"i{number}", tmp_path / f"masks/i{number}.png", None, ("a",), "")
        )
    write_ground_truth(tmp_path / "truth.csv", truths)
    return records


def options_of(kind, tmp_path):
    given = {"folder": {"root": str(tmp_path / "maps")},
             "known": {"ground_truth": tmp_path / "truth.csv"}}  # fmt: skip
    schema = DEFS[f"saliency.{kind}"]["properties"]
    return {key: sub["default"] for key, sub in schema.items()} | given.get(kind, {})


def drawn(number, size=96):
    fields = DEFS["dataset.scenes"]["properties"]
    own = {name: fields[name]["default"] for name in fields
           if name in SceneOptions.__dataclass_fields__}  # fmt: skip
    own["classes"] = tuple(own["classes"])
    scene = draw_scene(SceneOptions(height=size, width=size, **own), "train", number)
    return scene.image, scene.mask


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_a_map_of_every_image(kind, records, tmp_path):
    module = importlib.import_module(f"wsss.data.saliency.{kind}")
    assert f"saliency.{kind}" in DEFS and module.SOURCE
    found = list(module.saliency_maps(records, **options_of(kind, tmp_path)))
    assert [image_id for image_id, _ in found] == [record.image_id for record in records]
    for (_, levels), size in zip(found, SIZES, strict=True):
        assert levels.shape == size and levels.dtype == np.uint8
    again = list(module.saliency_maps(records, **options_of(kind, tmp_path)))
    for (_, one), (_, other) in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert list(module.saliency_maps([], **options_of(kind, tmp_path))) == []


def test_pixel_labels_are_handed_to_one_kind_alone():
    assert ("PIXEL LABELS" in known.SOURCE) > any("LABELS" in m.SOURCE for m in (folder, opencv))


# Of others


def test_maps_of_others_are_taken_as_they_are(records, tmp_path):
    for _, levels in folder.saliency_maps(records, root=str(tmp_path / "maps")):
        assert set(np.unique(levels)) <= {0, 1, 2, 255}
    # Grey in three channels, of one bit, as JPEG.
    one = records[:1]
    for image, name in (
        (Image.fromarray(np.repeat(MAP[..., None], 3, axis=2)), "i0.png"),
        (Image.fromarray(MAP).convert("1"), "i0.png"),
        (Image.fromarray(MAP), "i0.jpg"),
        (Image.fromarray(np.repeat(MAP[..., None], 3, axis=2)), "i0.jpeg"),
    ):
        for path in (tmp_path / "maps").glob("i0.*"):
            path.unlink()
        image.save(tmp_path / "maps" / name)
        ((_, levels),) = folder.saliency_maps(one, root=str(tmp_path / "maps"))
        np.testing.assert_array_equal(levels > 127, MAP > 127)


def save(image, tmp_path, name="i0.png"):
    image.save(tmp_path / "maps" / name)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda p: (p / "maps/i1.png").unlink(),
         r"^saliency map \S*i1\.png does not exist, nor as \.jpg or \.jpeg \(1 of 4 images have "
         r"none\); put there a map of every training image$"),
        (lambda p: save(Image.fromarray(MAP), p, "i0.jpg"),
         r"image i0 has two saliency maps, \S*i0\.png and \S*i0\.jpg; remove one$"),
        (lambda p: save(Image.fromarray(MAP[:9]), p),
         r"^saliency map \S*i0\.png is \(9, 30\), but image i0 is \(20, 30\); resize the map"),
        (lambda p: save(Image.new("RGB", (30, 20), (9, 9, 8)), p),
         r"^saliency map \S*i0\.png has colours; save it as 8-bit grey"),
        (lambda p: save(Image.new("I;16", (30, 20)), p), r"i0\.png has mode I;16 of more than 8 b"),
        (lambda p: (p / "maps/i0.png").write_bytes(b"text"), r"i0\.png cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_map_of_others_is_refused_in_a_sentence(records, tmp_path, harm, words):
    harm(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        list(folder.saliency_maps(records, root=str(tmp_path / "maps")))
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_refused(records, tmp_path):
    with pytest.raises(ValueError, match=r"folder \S*none of saliency maps does not exist; link"):
        list(folder.saliency_maps(records, root=str(tmp_path / "none")))


def test_maps_of_zeros_and_ones_are_warned_of(records, tmp_path, caplog):
    list(folder.saliency_maps(records, root=str(tmp_path / "maps")))
    assert not caplog.records
    for record in records:
        own = np.ones((record.height, record.width), np.uint8)
        save(Image.fromarray(own), tmp_path, f"{record.image_id}.png")
    list(folder.saliency_maps(records, root=str(tmp_path / "maps")))
    assert "no saliency map of 4 images" in caplog.text and "multiply them by 255" in caplog.text


# Of the image alone


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scaling", ["min_max", "otsu"])
def test_a_map_reaches_from_0_to_255(method, scaling):
    levels = opencv.saliency_map(drawn(0)[0], method=method, spectral_side=64, scaling=scaling)
    assert levels.min() == 0 and levels.max() == 255


@pytest.mark.parametrize("method", METHODS)
def test_otsus_threshold_comes_to_one_half(method):
    for number in range(4):
        image, _ = drawn(number)
        plain, halved = (
            opencv.saliency_map(image, method=method, spectral_side=64, scaling=scaling)
            for scaling in ("min_max", "otsu")
        )
        threshold, _ = cv2.threshold(plain, 0, 255, cv2.THRESH_OTSU)
        np.testing.assert_array_equal(halved > 127.5, plain > threshold)
        # The order of pixels stays.
        table = dict(zip(plain.ravel().tolist(), halved.ravel().tolist(), strict=True))
        assert [table[key] for key in sorted(table)] == sorted(table.values())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("colour", [0, 7, 128, 255])
def test_nothing_stands_out_of_a_plain_image(method, colour):
    image = np.full((40, 50, 3), colour, np.uint8)
    assert not opencv.saliency_map(image, method=method, **OPTIONS).any()


def test_a_disc_on_a_plain_ground_stands_out():
    image = np.full((64, 64, 3), 60, np.uint8)
    disc = np.hypot(*(np.mgrid[:64, :64] - 31.5)) < 6
    image[disc] = (250, 240, 90)
    for method in METHODS:
        levels = opencv.saliency_map(image, method=method, **OPTIONS)
        assert levels[disc].mean() > 2 * levels[~disc].mean()


def test_colours_count_by_their_brightness_alone():
    disc = np.hypot(*(np.mgrid[:64, :64] - 31.5)) < 6
    red, blue = (
        np.where(disc[..., None], colour, np.full(3, 60, np.uint8)).astype(np.uint8)
        for colour in ((255, 60, 60), (60, 60, 255))
    )
    for one in (red, blue):
        grey = np.repeat(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        np.testing.assert_array_equal(
            *(opencv.saliency_map(i, method="fine_grained", **OPTIONS) for i in (one, grey))
        )


def test_fine_grained_saliency_of_scenes_is_more_than_chance():
    """Objects are brighter in the map than the rest, in most scenes."""
    for method in METHODS:
        pairs = [(opencv.saliency_map(i, method=method, **OPTIONS), m > 0) for i, m in
                 map(drawn, range(12))]  # fmt: skip
        brighter = [levels[m].mean() > levels[~m].mean() for levels, m in pairs]
        assert sum(brighter) >= 8, method


def test_spectral_residual_sees_the_image_at_another_size():
    image, _ = drawn(1)
    options = {"method": "spectral_residual", "scaling": "min_max"}
    small, large = (
        opencv.saliency_map(image, spectral_side=side, **options) for side in (16, 64)
    )  # fmt: skip
    # Fewer, larger blobs.
    assert (small > 127).mean() > (large > 127).mean()
    for side in (16, 64):
        fine = {"method": "fine_grained", "scaling": "otsu", "spectral_side": side}
        assert (
            opencv.saliency_map(image, **fine).tobytes()
            == opencv.saliency_map(image, **fine | {"spectral_side": 9}).tobytes()
        )


def test_an_unknown_scaling_or_method_is_refused():
    image, _ = drawn(0)
    with pytest.raises(ValueError, match="scaling is 'max', but must be min_max or otsu"):
        opencv.saliency_map(image, method="fine_grained", spectral_side=64, scaling="max")
    with pytest.raises(KeyError, match="coarse"):
        opencv.saliency_map(image, method="coarse", **OPTIONS)


# Of the ground truth


def test_known_saliency_is_an_object_of_any_class(records, tmp_path):
    found = dict(known.saliency_maps(records, ground_truth=tmp_path / "truth.csv"))
    for record in records:
        with Image.open(tmp_path / f"masks/{record.image_id}.png") as image:
            mask = np.array(image)
        expected = np.isin(mask, [1, 2]) * 255
        np.testing.assert_array_equal(found[record.image_id], expected)


def test_known_saliency_needs_a_mask_of_the_images_size(records, tmp_path):
    write_mask(tmp_path / "masks/i0.png", np.ones((9, 9), np.uint8))
    with pytest.raises(ValueError, match=r"i0\.png is \(9, 9\), but image i0 is \(20, 30\)"):
        list(known.saliency_maps(records, ground_truth=tmp_path / "truth.csv"))
    write_ground_truth(tmp_path / "truth.csv", [GroundTruthRecord("i0", None, None, ("a",), "")])
    with pytest.raises(ValueError, match="image i0 has no ground truth mask to take its saliency"):
        list(known.saliency_maps(records[:1], ground_truth=tmp_path / "truth.csv"))
