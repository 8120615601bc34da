"""The command `wsss`."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from tests import golden
from tests.data.test_odd_images import BAD
from tests.models.official_deeplab import official_shapes
from tests.models.official_irn import assert_evaluates_as_official
from wsss.cli import main
from wsss.commands.import_weights import VOC_CLASSES
from wsss.commands.predict import CRF
from wsss.data.images import read_image
from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.deeplab import build_segmenter
from wsss.models.irn import IRNet
from wsss.store.masks import read_mask, voc_palette
from wsss.store.tables import read_table
from wsss.store.weights import save_weights
from wsss.train.networks import (
    load_classifier,
    load_refiner_network,
    load_segmenter,
    save_segmenter,
)

CLASSES = ("cat", "dining table")
RECIPE = {"network": "deeplab_v2", "backbone": "compact", "atrous_rates": [1, 2], "scales": [0.5]}
SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    """Return the file of a segmenter with random weights, large enough to find all classes."""
    torch.manual_seed(1)
    network = build_segmenter(**RECIPE, num_classes=3)
    for branch in network.base.head.branches:
        torch.nn.init.normal_(branch.weight, std=1.0)
    path = tmp_path_factory.mktemp("segmenter") / "segmenter.safetensors"
    save_segmenter(path, network, recipe=RECIPE, classes=CLASSES)
    return path


def noise(height, width, channels=3):
    # Large patches: over single pixels a network's votes would cancel out.
    small = np.random.default_rng(height + width).integers(0, 256, (4, 5, channels), dtype=np.uint8)
    image = small.repeat(-(-height // 4), 0).repeat(-(-width // 5), 1)[:height, :width]
    return image[..., 0] if channels == 1 else image


@pytest.fixture
def photos(tmp_path):
    """Return a folder with images of every kind and size."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(noise(48, 64)).save(folder / "plain.jpg")
    Image.fromarray(noise(48, 64)).save(folder / "same_size.png")
    Image.fromarray(noise(50, 70, 1)).save(folder / "grey.png")
    Image.fromarray(noise(40, 90, 4), mode="CMYK").save(folder / "print.tif")
    Image.fromarray(noise(90, 40, 4), mode="RGBA").save(folder / "see through.webp")
    Image.fromarray(noise(1, 3)).save(folder / "tiny.bmp")
    return folder


def run(capsys, *arguments):
    """Return (exit status, standard output, standard error) of the command."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def predict(capsys, segmenter, *arguments):
    return run(capsys, "predict", segmenter, *arguments, "--threads", 1)


def test_images_of_every_kind_and_size_are_segmented(capsys, segmenter, photos, tmp_path):
    out = tmp_path / "out"
    status, _, errors = predict(capsys, segmenter, photos, "--output", out)
    assert status == 0 and f"6 images segmented into {out}" in errors
    for path in photos.iterdir():
        image, mask = read_image(path), read_mask(out / "masks" / f"{path.stem}.png")
        assert mask.shape == image.shape[:2] and mask.max() <= 2
        overlay = read_image(out / "overlays" / f"{path.stem}.jpg")
        assert overlay.shape[0] > image.shape[0] and overlay.shape[1] >= 320
    table = read_table(out / "predictions.csv", ["image", "mask", "class_name", "pixels", "share"])
    for image, own in table.groupby("image"):
        mask = read_mask(out / own["mask"].iloc[0])
        assert own["pixels"].sum() == mask.size and own["share"].sum() == pytest.approx(1)
        named = ["background", *CLASSES]
        assert {named[value] for value in np.unique(mask)} == set(own["class_name"]), image
    assert set(table["class_name"]) == {"background", *CLASSES}
    legend = read_table(out / "legend.csv", ["value", "class_name", "colour"])
    assert legend.values.tolist() == [
        [0, "background", "#000000"],
        [1, "cat", "#800000"],
        [2, "dining table", "#008000"],
    ]
    with Image.open(out / "masks" / "plain.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.reshape(picture.getpalette(), (-1, 3)), voc_palette())


def test_an_image_gets_the_same_mask_alone_and_in_a_batch(capsys, segmenter, photos, tmp_path):
    options = ("--no-crf", "--no-overlay", "--scales", "0.5,1", "--flip")
    predict(capsys, segmenter, photos, "--output", tmp_path / "all", *options)
    one = photos / "same_size.png"
    # Named twice, it is segmented once.
    status, _, _ = predict(capsys, segmenter, one, one, "--output", tmp_path / "one", *options)
    assert status == 0 and not (tmp_path / "one" / "overlays").exists()
    name = "masks/same_size.png"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "all" / name).read_bytes()


def test_a_large_image_is_seen_smaller_and_its_mask_keeps_the_size(
    capsys, segmenter, tmp_path, monkeypatch
):
    from wsss.commands import predict as module

    seen = []
    original = module.predict_probabilities
    monkeypatch.setattr(
        module,
        "predict_probabilities",
        lambda network, views, **options: (
            seen.append(views.shape) or original(network, views, **options)
        ),
    )
    Image.fromarray(noise(200, 300)).save(tmp_path / "large.png")
    predict(
        capsys, segmenter, tmp_path / "large.png",
        "--output", tmp_path / "out", "--longest-side", 96, "--no-crf",
    )  # fmt: skip
    assert seen == [(1, 64, 96, 3)]
    assert read_mask(tmp_path / "out/masks/large.png").shape == (200, 300)


def test_a_photograph_is_turned_upright(capsys, segmenter, tmp_path):
    image = Image.fromarray(noise(40, 60))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    image.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "upright.png")
    out = tmp_path / "out"
    predict(capsys, segmenter, tmp_path / "turned.png", tmp_path / "upright.png", "--output", out)
    masks = [read_mask(out / "masks" / f"{name}.png") for name in ("turned", "upright")]
    assert masks[0].shape == (60, 40)
    np.testing.assert_array_equal(*masks)


def test_broken_images_are_named_and_the_others_segmented(capsys, segmenter, photos, tmp_path):
    (photos / "broken.jpg").write_text("this is no image")
    whole = (photos / "plain.jpg").read_bytes()
    (photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(photos / "deep.png")
    (photos / "bomb.png").write_bytes(BAD["bomb.png"][0])
    (photos / "strip.png").write_bytes(BAD["strip.png"][0])
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "folder.jpg").mkdir()
    (photos / "link.jpg").symlink_to(tmp_path / "nowhere")
    frames = [Image.fromarray(noise(9, 9)), Image.fromarray(noise(9, 9)).rotate(90)]
    frames[0].save(photos / "moving.jpg", format="GIF", save_all=True, append_images=frames[1:])
    out = tmp_path / "out"
    status, _, errors = predict(capsys, segmenter, photos, "--output", out, "--no-crf")
    assert status == 1 and "Traceback" not in errors
    assert "9 images could not be segmented" in errors
    for name, reason in (
        ("broken", "cannot be read"),
        ("cut", "cannot be read"),
        ("deep", "convert it to 8 bits"),
        ("bomb", "are the most that is read"),
        ("strip", "65,500 on a side"),
        ("empty", "cannot be read"),
        ("folder", "Is a directory"),
        ("link", "a link to nothing"),
        ("moving", "several pictures"),
    ):
        assert any(f"{name}." in line and reason in line for line in errors.splitlines()), name
    assert len(list((out / "masks").iterdir())) == 6
    assert len(set(read_table(out / "predictions.csv", ["image"])["image"])) == 6


@pytest.mark.slow
def test_a_photograph_of_48_million_pixels_is_segmented(capsys, segmenter, tmp_path):
    Image.fromarray(noise(60, 80)).resize((8000, 6000)).save(tmp_path / "large.jpg")
    arguments = (tmp_path / "large.jpg", "--output", tmp_path / "out", "--longest-side", 80)
    assert predict(capsys, segmenter, *arguments)[0] == 0
    with Image.open(tmp_path / "out/masks/large.png") as mask:
        assert mask.size == (8000, 6000)
    with Image.open(tmp_path / "out/overlays/large.jpg") as overlay:
        assert overlay.width == 8000 and overlay.height > 6000


@pytest.mark.parametrize("size", [(3, 9000), (9000, 3), (1, 1)])
def test_images_of_odd_shapes_are_segmented(capsys, segmenter, tmp_path, size):
    Image.new("RGB", size, (200, 30, 99)).save(tmp_path / "odd.png")
    arguments = (tmp_path / "odd.png", "--output", tmp_path / "out", "--longest-side", 64)
    assert predict(capsys, segmenter, *arguments)[0] == 0
    assert read_mask(tmp_path / "out/masks/odd.png").shape == size[::-1]
    assert (tmp_path / "out/overlays/odd.jpg").is_file()


def test_images_may_be_named_as_files_may(capsys, segmenter, tmp_path):
    names = ["two words", "a;b,c", 'say "rail"', "e\u0301", "\u00e9", "列車", "n" * 240, "v1.2"]
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in names:
        Image.fromarray(noise(9, 9)).save(folder / f"{name}.png")
    out = tmp_path / "out"
    assert predict(capsys, segmenter, folder, "--output", out, "--no-crf")[0] == 0
    assert {path.stem for path in (out / "masks").iterdir()} == set(names)
    table = read_table(out / "predictions.csv", ["image"])
    assert set(table["image"]) == {str(folder / f"{name}.png") for name in names}


@pytest.mark.parametrize("name", ["two\nlines", "\udce9", "n" * 245])
def test_an_image_whose_name_no_mask_can_have_is_refused(capsys, segmenter, tmp_path, name):
    Image.fromarray(noise(9, 9)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / f"{name}.png")
    status, _, errors = predict(capsys, segmenter, tmp_path, "--output", tmp_path / "out")
    assert (status, errors.count("\n")) == (1, 1) and "rename the image" in errors
    assert not (tmp_path / "out").exists()


def test_two_images_with_one_stem_are_refused(capsys, segmenter, photos, tmp_path):
    Image.fromarray(noise(8, 8)).save(photos / "plain.png")
    status, _, errors = predict(capsys, segmenter, photos, "--output", tmp_path / "out")
    assert status == 1 and not (tmp_path / "out").exists()
    assert "plain.jpg and" in errors and "would both get the mask plain.png" in errors


def test_sources_that_are_not_there_are_refused(capsys, segmenter, tmp_path):
    out = ("--output", tmp_path / "out")
    status, _, errors = predict(capsys, segmenter, tmp_path / "none", *out)
    assert (status, errors.count("\n")) == (1, 1) and "none does not exist: name an image" in errors
    (tmp_path / "empty").mkdir()
    status, _, errors = predict(capsys, segmenter, tmp_path / "empty", *out)
    assert status == 1 and "empty holds no images" in errors


def test_no_output_of_others_is_overwritten(capsys, segmenter, photos, tmp_path):
    out = tmp_path / "out"
    arguments = (segmenter, photos / "plain.jpg", "--no-crf", "--output")
    assert predict(capsys, *arguments, out)[0] == 0
    (out / "masks" / "old.png").write_bytes(b"")
    status, _, errors = predict(capsys, *arguments, out)
    assert status == 1 and "holds an earlier output: name a new folder, or add --over" in errors
    assert predict(capsys, *arguments, out, "--overwrite")[0] == 0
    assert [path.name for path in (out / "masks").iterdir()] == ["plain.png"]

    status, _, errors = predict(capsys, *arguments, photos, "--overwrite")
    assert status == 1 and "holds other files (grey.png): name a new folder" in errors
    status, _, errors = predict(capsys, *arguments, photos / "plain.jpg")
    assert status == 1 and "plain.jpg is a file: name a folder" in errors
    inside = out / "masks" / "plain.png"
    status, _, errors = predict(capsys, segmenter, inside, "--output", out, "--overwrite")
    assert status == 1 and "lies in the output folder" in errors and inside.exists()


def test_a_file_that_is_no_segmenter_is_refused(capsys, photos, tmp_path):
    out = ("--output", tmp_path / "out")
    save_weights(tmp_path / "other.safetensors", {}, metadata={"kind": "classifier"})
    for name, reason in (
        ("other.safetensors", "is not a segmenter of this project but 'classifier'"),
        ("photos/plain.jpg", "is no safetensors file"),
        ("none", "do not exist"),
    ):
        status, _, errors = predict(capsys, tmp_path / name, photos, *out)
        assert (status, errors.count("\n")) == (1, 1) and reason in errors
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_processes_give_the_same_masks(capsys, segmenter, photos, tmp_path):
    predict(capsys, segmenter, photos, "--output", tmp_path / "one")
    run(capsys, "predict", segmenter, photos, "--output", tmp_path / "two", "--threads", 2)
    for path in (tmp_path / "one/masks").iterdir():
        assert path.read_bytes() == (tmp_path / "two/masks" / path.name).read_bytes()


def test_wrong_uses_are_told_with_exit_status_2(capsys):
    for arguments in (
        [],
        ["predict", "a.safetensors", "b.jpg"],
        ["predict", "a", "b", "--output", "c", "--scales", "0,1"],
        ["predict", "a", "b", "--output", "c", "--batch-size", "0"],
        ["import-weights", "classifier", "a.pth", "--output", "b", "--classes", "cat,cat"],
        ["import-weights", "detector", "a.pth", "--output", "b"],
    ):
        status, _, errors = run(capsys, *arguments)
        assert status == 2 and "usage: wsss" in errors, arguments


@pytest.mark.parametrize("command", [[], ["predict"], ["import-weights"]])
def test_help_explains(capsys, command):
    status, text, _ = run(capsys, *command, "--help")
    assert status == 0 and "usage: wsss" in text and max(map(len, text.splitlines())) <= 100


def test_help_and_version_need_no_heavy_library():
    code = (
        "import sys; from wsss.cli import build_parser; build_parser().format_help();"
        "sys.exit(bool({'torch', 'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_version(capsys):
    assert run(capsys, "--version")[:2] == (0, "wsss 0.1.0\n")


def test_debug_shows_the_traceback(capsys, segmenter, tmp_path):
    arguments = (segmenter, tmp_path / "none", "--output", tmp_path / "out")
    assert "Traceback" not in predict(capsys, *arguments)[2]
    assert "Traceback" in predict(capsys, *arguments, "--debug")[2]


def test_constants_are_the_defaults_of_the_schema():
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    inference = definitions["segment.deeplab_v2"]["properties"]["inference"]["properties"]
    crf = inference["crf"]["properties"]
    assert {name: option["default"] for name, option in crf.items()} == CRF
    recipe = definitions["segment.deeplab_v2"]["properties"]
    from wsss.commands.import_weights import RECIPE as OFFICIAL

    for name in ("backbone", "atrous_rates", "scales"):
        assert recipe[name]["default"] == OFFICIAL[name]
    voc = definitions["dataset.voc"]["properties"]["classes"]["default"]
    assert tuple(voc) == VOC_CLASSES


# ------------------------------------------------------------------------------- import-weights


def save(path, content):
    torch.save(content, path)
    return path


def import_file(capsys, network, path, *arguments):
    out = path.with_suffix(".safetensors")
    return out, run(capsys, "import-weights", network, path, "--output", out, *arguments)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_files_that_are_no_checkpoints_are_refused(capsys, tmp_path):
    trap = tmp_path / "trap.pth"
    trap.write_bytes(pickle.dumps({"weights": Trap(tmp_path / "sprung")}))
    torch.save({"weights": Trap(tmp_path / "sprung")}, tmp_path / "zipped_trap.pth")
    (tmp_path / "text.pth").write_text("not a checkpoint")
    save(tmp_path / "list.pth", [torch.zeros(2)])
    save(tmp_path / "mixed.pth", {"epoch": 3, "weight": torch.zeros(2)})
    for name, reason in (
        ("trap", "hold more than tensors, which could run code"),
        ("zipped_trap", "hold more than tensors, which could run code"),
        ("text", "refused|cannot be read"),
        ("list", "holds no state dict .* but a list"),
        ("mixed", "holds no state dict"),
        ("none", "do not exist"),
    ):
        out, (status, _, errors) = import_file(
            capsys, "classifier", tmp_path / f"{name}.pth", "--voc"
        )
        assert status == 1 and errors.count("\n") == 1 and not out.exists()
        assert pd.Series([errors]).str.contains(reason).all(), errors
    assert not (tmp_path / "sprung").exists()


def test_output_and_classes_are_checked_first(capsys, tmp_path):
    path = save(tmp_path / "a.pth", {"weight": torch.zeros(2)})
    status, _, errors = run(capsys, "import-weights", "segmenter", path, "--output", tmp_path / "b")
    assert status == 1 and "must end with .safetensors" in errors
    _, (status, _, errors) = import_file(capsys, "segmenter", path)
    assert status == 1 and "needs its class names: add --classes a,b,c or --voc" in errors
    path.with_suffix(".safetensors").write_text("")
    _, (status, _, errors) = import_file(capsys, "segmenter", path, "--voc")
    assert status == 1 and "exists: name another file, or add --overwrite" in errors


def segmenter_state(num_classes=21):
    """Return the official names with tensors that take no memory in the file."""
    return {
        name: torch.zeros(1).expand(shape) for name, shape in official_shapes(num_classes).items()
    }


def refused(capsys, tmp_path, network, state, *arguments):
    path = save(tmp_path / "a.pth", state)
    out, (status, _, errors) = import_file(capsys, network, path, *arguments)
    assert status == 1 and errors.count("\n") == 1 and not out.exists()
    return errors


def test_segmenters_that_do_not_fit_are_refused(capsys, tmp_path):
    state = segmenter_state()
    errors = refused(capsys, tmp_path, "segmenter", state, "--classes", "cat,dog")
    assert "knows 20 foreground classes, but 2 are named" in errors
    odd = state | {"base.layer1.extra": torch.zeros(1)}
    errors = refused(capsys, tmp_path, "segmenter", odd, "--voc")
    assert "base.layer1.extra" in errors and "'1 tensors" not in errors
    short = {name: tensor for name, tensor in state.items() if "layer3" not in name}
    assert "lacks 65 tensors" in refused(capsys, tmp_path, "segmenter", short, "--voc")
    other = state | {"base.layer1.conv1.conv.weight": torch.zeros(64, 3, 3, 3)}
    errors = refused(capsys, tmp_path, "segmenter", other, "--voc")
    assert "has shape (64, 3, 3, 3), expected (64, 3, 7, 7)" in errors
    backbone = {name: tensor for name, tensor in state.items() if "aspp" not in name}
    assert "has no head" in refused(capsys, tmp_path, "segmenter", backbone, "--voc")


def classifier_state(num_classes):
    with torch.device("meta"):
        ours = build_classifier("resnet50", num_classes=num_classes)
    names = {
        name: name.replace("backbone.", "resnet50.").replace("head.", "classifier.")
        for name in ours.state_dict()
    }
    return {names[n]: tensor.shape for n, tensor in ours.state_dict().items() if tensor.ndim}


def test_classifiers_that_do_not_fit_are_refused(capsys, tmp_path):
    state = {n: torch.zeros(1).expand(shape) for n, shape in classifier_state(3).items()}
    errors = refused(capsys, tmp_path, "classifier", state, "--voc")
    assert "knows 3 foreground classes, but 20 are named" in errors
    errors = refused(capsys, tmp_path, "classifier", state | {"fc.weight": torch.zeros(1)}, "--voc")
    assert "tensor 'fc.weight' does not belong" in errors
    del state["resnet50.conv1.weight"]
    assert "lacks 1 tensors" in refused(capsys, tmp_path, "classifier", state, "--voc")
    assert "does not belong" in refused(capsys, tmp_path, "irn", state)


def official_file(path, case, shapes):
    """Save the golden weights under their official names, nested as some scripts do."""
    filled = golden.fill_weights(shapes, case.json["weights"])
    assert len(filled) == case.json["weights"]["tensors_filled"]
    return save(path, {"state_dict": {n: torch.from_numpy(v) for n, v in filled.items()}})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cam_irn_a", "cam_wood_a"])
def test_an_imported_classifier_equals_the_official_one(capsys, tmp_path, name):
    case = golden.load(name)
    path = official_file(tmp_path / "cam.pth", case, classifier_state(20))
    out, (status, text, _) = import_file(capsys, "classifier", path, "--voc")
    assert status == 0 and "266 tensors" in text
    classifier, backbone, classes = load_classifier(out)
    assert (backbone, classes) == ("resnet50", VOC_CLASSES)
    image = torch.from_numpy(case["in_image"]).permute(2, 0, 1)
    with torch.inference_mode():
        x = classifier.normalize(torch.stack([image, image.flip(2)]))
        golden.assert_close(case, "out_logits", classifier(x).numpy())


@pytest.mark.slow
def test_an_imported_boundary_network_equals_the_official_one(capsys, tmp_path):
    case = golden.load("irn_net_a")
    with torch.device("meta"):
        names = IRNet(build_backbone("resnet50")).state_dict()
    shapes = {
        name.replace("backbone.", "resnet50."): tensor.shape for name, tensor in names.items()
    }
    path = official_file(tmp_path / "irn.pth", case, shapes)
    out, (status, _, errors) = import_file(capsys, "irn", path)
    assert status == 0, errors
    assert_evaluates_as_official(case, load_refiner_network(out, method="irn"))


@pytest.mark.slow
def test_an_imported_segmenter_equals_the_official_one(capsys, tmp_path):
    case = golden.load("deeplab_net_a")
    path = official_file(tmp_path / "deeplab.pth", case, official_shapes())
    out, (status, _, errors) = import_file(capsys, "segmenter", path, "--voc")
    assert status == 0, errors
    segmenter, classes = load_segmenter(out)
    assert classes == VOC_CLASSES
    with torch.inference_mode():
        x = segmenter.normalize(torch.from_numpy(case["in_image"][None]).permute(0, 3, 1, 2))
        golden.assert_close(case, "out_base", segmenter.base(x))
        golden.assert_close(case, "out_msc", segmenter(x))
    Image.fromarray(case["in_image"]).save(tmp_path / "image.png")
    status, _, _ = predict(
        capsys, out, tmp_path / "image.png", "--no-crf", "--output", tmp_path / "o"
    )
    assert status == 0
    mask = read_mask(tmp_path / "o/masks/image.png")
    golden.assert_close(case, "out_label", mask)
