import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from wsss.cli import main
from wsss.commands.check import check, rules_of
from wsss.store.arrays import write_arrays
from wsss.store.maps import write_maps
from wsss.store.masks import write_mask
from wsss.store.saliency import write_saliency_maps
from wsss.store.tables import write_table
from wsss.store.weights import save_weights

FILES = {
    "scenes/index.csv": "prepare_data",
    "scenes/wood/s0/classifier.safetensors": "train_wood",
    "scenes/wood/s0/features/0.h5": "extract_features",
    "scenes/wood/s0/cam/maps/0.h5": "localize",
    "scenes/wood/s0/cam/irn/pseudo_masks/0/a.png": "walk_irn",
    "scenes/saliency/opencv/0/a.png": "make_saliency",
}


@pytest.fixture
def results(tmp_path):
    """A folder with a file of each kind that carries checksums, and the logs of two rules."""
    folder = tmp_path / "results"
    names = dict(zip(("table", "weights", "arrays", "maps", "mask", "map"), FILES, strict=True))
    write_table(folder / names["table"], pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"]}))
    save_weights(folder / names["weights"], {"w": torch.ones(40)}, metadata={})
    write_arrays(folder / names["arrays"], {"a": np.arange(99.0)}, attributes={})
    write_maps(
        folder / names["maps"],
        [("a", np.array([1]), np.ones((1, 4, 5), np.float32), (16, 20))],
        attributes={},
    )
    write_mask(folder / names["mask"], np.eye(20, dtype=np.uint8))
    levels = np.arange(0, 250, 10, dtype=np.uint8)[None]
    write_saliency_maps((folder / names["map"]).parent, [("a", levels)], source="OpenCV")
    for log in ("wood/s0/train_wood.log", "wood/s0/cam/irn/walk_irn/0.log"):
        path = folder / "logs/scenes" / log
        path.parent.mkdir(parents=True)
        path.write_text("")
    return folder


def written(content):
    """Positions of bytes that are not zero: HDF5 pads its blocks, and nobody reads that."""
    return np.flatnonzero(np.frombuffer(bytes(content), np.uint8))


def test_a_whole_folder_passes(results, capsys):
    assert main(["check", str(results)]) == 0
    assert capsys.readouterr().out == "6 files read, 0 broken\n"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign", "empty"])
def test_a_broken_file_is_named_with_the_rule_that_makes_it(results, name, damage, capsys):
    path = results / name
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[written(content)[-9]] ^= 16
    path.write_bytes(
        {"truncated": content[:-7], "flipped": content, "foreign": b"text\n" * 99, "empty": b""}[
            damage
        ]
    )
    assert main(["check", str(results)]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}: ") and first.endswith(f"{FILES[name]} makes it")
    assert last == "6 files read, 1 broken"


def test_flipped_bits_are_found(results):
    generator = np.random.default_rng(0)
    found = 0
    for name in FILES:
        path = results / name
        content = path.read_bytes()
        for position in generator.choice(written(content), 40):
            damaged = bytearray(content)
            damaged[position] ^= 1 << int(generator.integers(8))
            path.write_bytes(damaged)
            found += len(check(results)[1])
        path.write_bytes(content)
    # PNG's end mark is the only place where a bit means nothing.
    assert found >= 234, f"{found} of 240 flipped bits were found"


@pytest.mark.parametrize("suffix", [".csv", ".pdf", ""])
def test_what_a_killed_job_left_over_is_named(results, suffix):
    (results / f"scenes/.index.0123456789ab.tmp{suffix}").write_text("image_")
    _, (finding,) = check(results)
    assert "left over from a killed job" in finding.reason


def test_without_logs_every_rule_that_may_have_made_a_file_is_named(results):
    path = results / "scenes/f_in/s0/classifier.safetensors"
    assert rules_of(path, results) == ("train_classifier", "train_wood")


def test_pictures_and_texts_that_cannot_be_read_are_found(results):
    Image.new("RGB", (40, 40)).save(results / "a.jpg")
    (results / "a.jpg").write_bytes((results / "a.jpg").read_bytes()[:300])
    (results / "a.json").write_text("{")
    (results / "config.yaml").write_text("a: [")
    assert [finding.path.name for finding in check(results)[1]] == [
        "a.jpg", "a.json", "config.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_folder_without_results_is_an_error(tmp_path, name, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / name)]) == 1
    assert "name the results folder" in capsys.readouterr().err
