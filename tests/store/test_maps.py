import numpy as np
import pytest

from wsss.store.maps import MapReader, write_maps

SIZES = [(37, 50), (64, 64), (1, 1), (375, 500), (5, 9)]


def maps_of(image_size, classes, stride=4, random_seed=0):
    height, width = (-(-side // stride) for side in image_size)
    maps = np.random.default_rng(random_seed).random((classes, height, width))
    return maps.astype(np.float32)


def items():
    for number, size in enumerate(SIZES):
        ids = np.arange(number % 3) * 2 + 1
        yield f"{number:06d}", ids, maps_of(size, len(ids), random_seed=number), size


def test_maps_read_back_as_float16(tmp_path):
    write_maps(tmp_path / "0.h5", items(), attributes={"map_stride": 4})
    with MapReader([tmp_path / "0.h5"]) as reader:
        assert reader.image_ids == tuple(name for name, *_ in items())
        assert reader.attributes == {"map_stride": 4}
        for image_id, ids, maps, size in reversed(list(items())):
            stored = reader.read(image_id)
            np.testing.assert_array_equal(stored.class_ids, ids)
            np.testing.assert_array_equal(stored.maps, maps.astype(np.float16))
            assert stored.image_size == size and stored.maps.dtype == np.float32


def test_an_image_without_classes_has_no_maps(tmp_path):
    write_maps(tmp_path / "0.h5", items(), attributes={})
    with MapReader([tmp_path / "0.h5"]) as reader:
        assert reader.read("000000").maps.shape == (0, 10, 13)
        assert reader.read_full("000000").maps.shape == (0, 37, 50)


def test_upsampling_is_that_of_torch(tmp_path):
    torch = pytest.importorskip("torch")
    write_maps(tmp_path / "0.h5", items(), attributes={})
    with MapReader([tmp_path / "0.h5"]) as reader:
        for image_id in reader.image_ids[1:]:
            stored, full = reader.read(image_id), reader.read_full(image_id)
            if len(stored.maps) == 0:
                continue
            expected = torch.nn.functional.interpolate(
                torch.from_numpy(stored.maps)[None],
                full.image_size,
                mode="bilinear",
                align_corners=False,
            )
            np.testing.assert_allclose(full.maps, expected[0].numpy(), atol=1e-5, rtol=0)


def test_several_files_read_as_one(tmp_path):
    everything = list(items())
    paths = [tmp_path / "0.h5", tmp_path / "1.h5", tmp_path / "2.h5"]
    write_maps(paths[0], everything[:3], attributes={"map_stride": 4, "shard": 0})
    write_maps(paths[1], everything[3:], attributes={"map_stride": 4, "shard": 1})
    write_maps(paths[2], [], attributes={"map_stride": 4, "shard": 2})
    with MapReader(paths) as reader:
        assert reader.image_ids == tuple(name for name, *_ in everything)
        assert reader.attributes == {"map_stride": 4}
        for image_id, _, maps, _ in everything:
            np.testing.assert_array_equal(reader.read(image_id).maps, maps.astype(np.float16))


def test_an_image_in_two_files_is_refused(tmp_path):
    for name in ("0.h5", "1.h5"):
        write_maps(tmp_path / name, items(), attributes={})
    with pytest.raises(ValueError, match=r"000000 stand in .*0\.h5 and in .*1\.h5"):
        MapReader([tmp_path / "0.h5", tmp_path / "1.h5"])


def test_an_unknown_image_is_refused(tmp_path):
    write_maps(tmp_path / "0.h5", items(), attributes={})
    with MapReader([tmp_path / "0.h5"]) as reader, pytest.raises(KeyError, match="image 9 among"):
        reader.read("9")


def test_equal_maps_give_equal_files(tmp_path):
    for name in ("0.h5", "1.h5"):
        write_maps(tmp_path / name, items(), attributes={"b": [1, None], "a": 0.5})
    assert (tmp_path / "0.h5").read_bytes() == (tmp_path / "1.h5").read_bytes()


def test_the_file_is_thirty_times_smaller_than_full_float32_arrays(tmp_path):
    images = [(str(i), np.array([1, 4]), maps_of((375, 500), 2, random_seed=i), (375, 500))
              for i in range(4)]  # fmt: skip
    write_maps(tmp_path / "0.h5", images, attributes={})
    full_bytes = 4 * 2 * 375 * 500 * 4
    assert (tmp_path / "0.h5").stat().st_size * 30 <= full_bytes


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-3, 1e5])
def test_values_that_are_no_localization_map_are_refused(tmp_path, value):
    maps = maps_of((8, 8), 1)
    maps[0, 1, 1] = value
    with pytest.raises(ValueError, match=r"maps of image 7: values must be in 0 \.\. 65504"):
        write_maps(tmp_path / "0.h5", [("7", np.array([0]), maps, (8, 8))], attributes={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("ids", "shape", "message"),
    [
        ([0, 1], (1, 2, 2), "expected one .* map per class"),
        ([0], (2, 2), "expected one .* map per class"),
        ([0], (1, 9, 2), "exceed the image's"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(tmp_path, ids, shape, message):
    with pytest.raises(ValueError, match=f"maps of image 7: .*{message}"):
        write_maps(
            tmp_path / "0.h5", [("7", np.array(ids), np.zeros(shape), (8, 8))], attributes={}
        )


def test_an_image_twice_is_refused(tmp_path):
    twice = [("7", np.array([0]), np.zeros((1, 2, 2)), (8, 8))] * 2
    with pytest.raises(ValueError, match=r"0\.h5: image 7 occurs twice"):
        write_maps(tmp_path / "0.h5", twice, attributes={})


def test_maps_that_fail_in_the_middle_leave_the_old_file_only(tmp_path):
    def broken():
        yield from items()
        raise RuntimeError

    write_maps(tmp_path / "0.h5", [], attributes={})
    old = (tmp_path / "0.h5").read_bytes()
    with pytest.raises(RuntimeError):
        write_maps(tmp_path / "0.h5", broken(), attributes={})
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [old]


def test_a_flipped_bit_in_the_values_is_refused(tmp_path):
    path = tmp_path / "0.h5"
    write_maps(path, [("7", np.array([0]), maps_of((200, 200), 1), (200, 200))], attributes={})
    content = bytearray(path.read_bytes())
    # A byte that is not zero is no padding, and most of them are values.
    written = np.flatnonzero(np.frombuffer(content, np.uint8))
    content[written[len(written) // 2]] ^= 4
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"0\.h5 cannot be read"), MapReader([path]) as reader:
        reader.read("7")
