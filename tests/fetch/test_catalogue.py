"""The catalogue: every entry of it, whatever is added."""

import re
from pathlib import Path, PurePosixPath

import pytest
from jsonschema import Draft202012Validator

from wsss.config.files import read_config_file
from wsss.fetch.catalogue import (
    CATALOGUE,
    entry_of,
    entry_with,
    names_in_catalogue,
    read_catalogue,
)

SCHEMA = read_config_file(CATALOGUE.with_name("catalogue.schema.yaml"))
ENTRIES = read_catalogue()
FILES = [(name, file) for name, entry in ENTRIES.items() for file in entry.files]
LABELS = [f"{name}:{file.name}" for name, file in FILES]


def test_every_key_is_known_and_none_comes_twice():
    Draft202012Validator.check_schema(SCHEMA)
    errors = Draft202012Validator(SCHEMA).iter_errors(read_config_file(CATALOGUE))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "0" * 63}, "does not match"),
        ({"adresses": []}, "unexpected"),
        ({"addresses": ["file:///etc/passwd"]}, "does not match"),
        ({"unpack": {"a": "../b"}, "unpacked": 1}, "does not match"),
        ({"unpack": {"/a": "b"}, "unpacked": 1}, "does not match"),
        ({"unpack": {"a": "b"}}, "'unpacked' is a dependency"),
        ({"by_hand": "for it is so"}, "valid under each of"),
    ],
)
def test_the_schema_finds_what_is_wrong(change, words):
    file = {"name": "a.tar", "addresses": ["https://a.org/a.tar"]}
    entry = {"title": "A data set", "licence": "none named", "folder": "data/a"}
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid({"a": entry | {"files": [file]}})
    errors = list(validator.iter_errors({"a": entry | {"files": [file | change]}}))
    assert any(words in error.message for error in errors)


def test_the_quick_list_of_names_is_that_of_the_entries():
    assert names_in_catalogue() == list(ENTRIES)


def test_the_data_sets_and_weights_that_configs_need_are_there():
    assert {
        "voc2012",
        "sbd",
        "coco2014",
        "coco2017",
        "coco2017_panoptic",
        "openimages",
        "openimages_images",
    } <= set(ENTRIES)
    assert {"weights_resnet50", "weights_resnet101", "weights_vgg16"} <= set(ENTRIES)


@pytest.mark.parametrize(("name", "file"), FILES, ids=LABELS)
def test_every_file_has_what_it_needs(name, file):
    if file.unpack:
        assert file.name.endswith((".zip", ".tar", ".tgz", ".tar.gz"))
        assert file.size and file.checksums, "an archive is verified before it is opened"
        if file.name.endswith((".zip", ".tar")):
            # Photographs hardly get smaller: a bound far above would be none.
            assert file.size <= file.unpacked <= 10 * file.size
    for address in file.addresses:
        # What one finds in the folder has its own name.
        assert PurePosixPath(address).name == file.name
    if not file.checksums:
        assert file.by_hand or file.addresses[0].startswith("https://storage.googleapis.com/")


@pytest.mark.parametrize(("name", "file"), FILES, ids=LABELS)
def test_torchvisions_names_tell_the_first_digits_of_a_checksum(name, file):
    if found := re.fullmatch(r"\w+-([0-9a-f]{8})\.pth", file.name):
        assert file.sha256.startswith(found[1])


def test_no_two_entries_write_one_place():
    places = [
        entry.folder / place
        for entry in ENTRIES.values()
        for file in entry.files
        for place in (file.unpack.values() or [file.name])
    ]
    assert len(places) == len(set(places))


def test_a_file_is_found_by_where_it_goes():
    assert entry_with(Path("data/weights/resnet50-0676ba61.pth")) == "weights_resnet50"
    assert entry_with(Path("data/VOC2012/JPEGImages")) == "voc2012"
    assert entry_with(Path("data/weights/mine.pth")) is None


def test_torchvision_says_the_same():
    datasets = pytest.importorskip("torchvision.datasets")
    voc = datasets.voc.DATASET_YEAR_DICT["2012"]
    own = ENTRIES["voc2012"].files[0]
    assert (own.md5, own.addresses[0]) == (voc["md5"], voc["url"])
    own = ENTRIES["sbd"].files[0]
    assert (own.md5, own.addresses[0]) == (datasets.SBDataset.md5, datasets.SBDataset.url)


def test_torchvision_says_the_same_of_weights():
    models = pytest.importorskip("torchvision.models")
    for name, weights in (
        ("resnet50", models.ResNet50_Weights), ("resnet101", models.ResNet101_Weights),
        ("vgg16", models.VGG16_Weights),
    ):  # fmt: skip
        (own,) = ENTRIES[f"weights_{name}"].files
        assert own.addresses == (weights.IMAGENET1K_V1.url,)
        # Theirs is in units of 2^20 bytes, with three digits.
        size = own.size or own.about_mb * 10**6
        tolerance = 600 if own.size else 500_000
        assert abs(size - weights.IMAGENET1K_V1.meta["_file_size"] * 2**20) < tolerance


def test_an_unknown_name_gets_a_guess():
    with pytest.raises(ValueError, match=r"^voc2021 cannot be fetched; did you mean voc2012\? "):
        entry_of("voc2021", ENTRIES)
