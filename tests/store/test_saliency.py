import numpy as np
import pytest
from PIL import Image

from wsss.store.saliency import (
    SOURCE,
    find_saliency_maps,
    read_saliency_map,
    write_saliency_maps,
)

LEVELS = np.array([[0, 1, 127], [128, 254, 255]], dtype=np.uint8)


def test_a_map_reads_back_and_says_where_it_comes_from(tmp_path):
    write_saliency_maps(tmp_path / "0", [("a", LEVELS)], source="PIXEL LABELS")
    np.testing.assert_array_equal(read_saliency_map(tmp_path / "0/a.png"), LEVELS)
    with Image.open(tmp_path / "0/a.png") as image:
        assert image.mode == "L" and image.text == {SOURCE: "PIXEL LABELS"}


def test_equal_maps_give_equal_files(tmp_path):
    write_saliency_maps(tmp_path, [("a", LEVELS), ("b", LEVELS)], source="one")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_maps_are_found_by_image_id(tmp_path):
    for shard, image_id in enumerate(("a.b", "c")):
        write_saliency_maps(tmp_path / str(shard), [(image_id, LEVELS)], source="one")
    folders = [tmp_path / "0", tmp_path / "1"]
    assert find_saliency_maps(folders) == {"a.b": folders[0] / "a.b.png", "c": folders[1] / "c.png"}
    write_saliency_maps(folders[1], [("a.b", LEVELS)], source="one")
    with pytest.raises(ValueError, match=r"image a\.b has two saliency maps: .*0/a\.b.*1/a\.b"):
        find_saliency_maps(folders)


def test_an_empty_shard_has_a_folder(tmp_path):
    write_saliency_maps(tmp_path / "0", [], source="one")
    assert find_saliency_maps([tmp_path / "0"]) == {} and (tmp_path / "0").is_dir()


@pytest.mark.parametrize("levels", [LEVELS / 255, LEVELS[None], np.zeros((0, 3), np.uint8)])
def test_only_two_dimensional_uint8_is_written(tmp_path, levels):
    with pytest.raises(ValueError, match=r"a\.png: expected \(H, W\) uint8, got"):
        write_saliency_maps(tmp_path, [("a", levels)], source="one")
    assert not list(tmp_path.iterdir())


def test_what_is_no_map_is_refused_by_name(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(ValueError, match=r"^saliency map .*a\.png does not exist; run the step"):
        read_saliency_map(path)
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"^saliency map .*a\.png cannot be read as PNG \(not a"):
        read_saliency_map(path)
    Image.new("RGB", (3, 2)).save(path)
    with pytest.raises(ValueError, match=r"^saliency map .*a\.png has mode RGB, not 8-bit grey"):
        read_saliency_map(path)
