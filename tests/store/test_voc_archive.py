import tarfile
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from wsss.store.masks import read_mask, write_mask
from wsss.store.voc_archive import FOLDER, check_voc_archive, write_voc_archive

SIZES = {"2008_000006": (4, 6), "2008_000011": (5, 3)}


@pytest.fixture
def masks(tmp_path):
    for number, (name, size) in enumerate(SIZES.items()):
        write_mask(tmp_path / f"{name}.png", np.full(size, 20 * number, np.uint8))
    return {name: tmp_path / f"{name}.png" for name in SIZES}


def write(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return path


def test_the_archive_has_the_server_s_layout(tmp_path, masks):
    write_voc_archive(tmp_path / "a.tar.gz", masks, SIZES)
    with tarfile.open(tmp_path / "a.tar.gz", "r:gz") as archive:
        assert archive.getnames() == [
            "results/VOC2012/Segmentation/comp6_test_cls/2008_000006.png",
            "results/VOC2012/Segmentation/comp6_test_cls/2008_000011.png",
        ]
        archive.extractall(tmp_path / "out", filter="data")
    for name, size in SIZES.items():
        found = read_mask(tmp_path / "out" / FOLDER / f"{name}.png")
        assert found.shape == size
        np.testing.assert_array_equal(found, read_mask(masks[name]))


def test_equal_masks_give_equal_bytes(tmp_path, masks):
    write_voc_archive(tmp_path / "a.tar.gz", masks, SIZES)
    write_voc_archive(tmp_path / "b.tar.gz", dict(reversed(masks.items())), SIZES)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def grey(mask):
    file = BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files, names: files.pop(names[1]), "lacks 1 of 2 test images, the first 2008_0000"),
        (lambda files, names: files.update({"readme.txt": b""}), "readme.txt is no mask of a test"),
        (lambda files, names: files.update({names[0]: b"no PNG"}), "cannot be read"),
        (lambda files, names: files.update({names[0]: grey(np.zeros((4, 6), np.uint8))}),
         "2008_000006.png is no palette PNG in VOC's colours"),
    ],
)  # fmt: skip
def test_what_the_server_would_refuse_is_named(tmp_path, masks, change, words):
    names = [f"{FOLDER}/{name}.png" for name in SIZES]
    files = {n: path.read_bytes() for n, path in zip(names, masks.values(), strict=True)}
    change(files, names)
    with pytest.raises(ValueError, match=words):
        check_voc_archive(write(tmp_path / "a.tar.gz", files), SIZES)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((6, 4), np.uint8), r"is \(6, 4\), but its image is \(4, 6\)"),
        (np.full((4, 6), 21, np.uint8), "holds the value 21, but the server knows 20 classes"),
        (np.full((4, 6), 255, np.uint8), "holds the value 255"),
    ],
)
def test_a_mask_of_another_size_or_class_is_no_archive(tmp_path, masks, mask, words):
    write_mask(masks["2008_000006"], mask)
    with pytest.raises(ValueError, match=words):
        write_voc_archive(tmp_path / "a.tar.gz", masks, SIZES)
    assert not (tmp_path / "a.tar.gz").exists()


def test_half_an_archive_is_refused(tmp_path, masks):
    write_voc_archive(tmp_path / "a.tar.gz", masks, SIZES)
    content = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"is no whole \.tar\.gz"):
        check_voc_archive(tmp_path / "a.tar.gz", SIZES)
