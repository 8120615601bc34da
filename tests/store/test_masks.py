import numpy as np
import pytest
from PIL import Image

from wsss.store.masks import read_mask, voc_palette, write_mask

MASK = np.array([[0, 1, 2], [20, 255, 0]], dtype=np.uint8)


def test_palette_has_the_colours_of_voc():
    palette = voc_palette()
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    assert palette[[0, 1, 2, 15, 20, 255]].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [192, 128, 128],
        [0, 64, 128],
        [224, 224, 192],
    ]
    assert len(np.unique(palette, axis=0)) == 256


@pytest.mark.parametrize("mask", [MASK, np.zeros((1, 1), np.uint8), MASK[:, ::-1]])
def test_a_mask_reads_back(tmp_path, mask):
    write_mask(tmp_path / "a.png", mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), mask)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.array(image.convert("RGB")), voc_palette()[mask])


def test_equal_masks_give_equal_files(tmp_path):
    for name in ("a.png", "b.png"):
        write_mask(tmp_path / name, MASK)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_mask_may_be_changed_after_reading(tmp_path):
    write_mask(tmp_path / "a.png", MASK)
    read_mask(tmp_path / "a.png")[0, 0] = 3


def test_a_grey_png_of_indices_reads(tmp_path):
    Image.fromarray(MASK).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), MASK)


@pytest.mark.parametrize(
    "mask", [MASK.astype(np.int64), MASK[None], MASK > 0, np.zeros((0, 3), np.uint8)]
)
def test_only_two_dimensional_uint8_is_written(tmp_path, mask):
    with pytest.raises(ValueError, match=r"a\.png: expected \(H, W\) uint8, got"):
        write_mask(tmp_path / "a.png", mask)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "1", "I;16"])
def test_colours_are_refused(tmp_path, mode):
    Image.new(mode, (3, 2)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png has mode .*, not class indices"):
        read_mask(tmp_path / "a.png")


def test_missing_truncated_and_other_files_are_refused(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(ValueError, match=r"a\.png does not exist"):
        read_mask(path)
    write_mask(path, np.random.default_rng(0).integers(0, 20, (50, 50), dtype=np.uint8))
    content = path.read_bytes()
    for broken in (content[: len(content) // 2], content[:20], b"", b"not an image"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"a\.png cannot be read as PNG"):
            read_mask(path)
    Image.fromarray(MASK).save(path, format="JPEG")
    with pytest.raises(ValueError, match=r"a\.png cannot be read as PNG"):
        read_mask(path)


def test_a_flipped_bit_is_refused_or_harmless(tmp_path):
    path = tmp_path / "a.png"
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 4:20] = 3
    write_mask(path, mask)
    content = path.read_bytes()
    refused = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(read_mask(path), mask)
        except ValueError:
            refused += 1
    assert refused > 0.95 * 8 * len(content)
