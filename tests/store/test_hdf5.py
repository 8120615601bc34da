import resource

import h5py
import numpy as np
import pytest

from wsss.disk import WriteError
from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.hdf5 import create_hdf5, open_hdf5, verify_hdf5
from wsss.store.maps import write_maps

REMEDY = "delete it and run the workflow again"


@pytest.fixture
def path(tmp_path):
    values = {"x": np.random.default_rng(0).random(500), "y": np.array(["rail", "train"])}
    write_arrays(tmp_path / "a.h5", values, attributes={"map_stride": 4})
    return tmp_path / "a.h5"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.h5 does not exist; run the step"):
        open_hdf5(tmp_path / "a.h5", "arrays")


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"a\.h5 cannot be read as HDF5 .*; {REMEDY}"):
        read_arrays(path, ["x"])


def test_a_flipped_bit_is_refused_or_harmless(path):
    content = path.read_bytes()
    whole, attributes = read_arrays(path, ["x", "y"])
    refused = 0
    for position in range(0, len(content), max(1, len(content) // 400)):
        broken = bytearray(content)
        broken[position] ^= 1 << position % 8
        path.write_bytes(broken)
        try:
            arrays, read = read_arrays(path, ["x", "y"])
        except ValueError as error:
            assert REMEDY in str(error) and "a.h5" in str(error)
            refused += 1
        else:
            assert read == attributes
            for name, values in whole.items():
                np.testing.assert_array_equal(arrays[name], values)
    assert refused > 100


def test_every_byte_that_is_not_padding_is_under_a_checksum(path):
    content = path.read_bytes()
    for position in np.flatnonzero(np.frombuffer(content, np.uint8)):
        broken = bytearray(content)
        broken[position] ^= 16
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=REMEDY):
            verify_hdf5(path)


def test_a_foreign_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match=r"a\.h5 is no arrays file of this workflow"):
        open_hdf5(tmp_path / "a.h5", "arrays")


@pytest.mark.parametrize("complete", [None, False])
def test_an_incomplete_file_is_refused(path, complete):
    with h5py.File(path, "a") as file:
        del file.attrs["complete"]
        if complete is not None:
            file.attrs["complete"] = complete
    with pytest.raises(ValueError, match=rf"a\.h5 is not complete; {REMEDY}"):
        read_arrays(path, ["x"])


def test_a_refused_file_is_closed(path):
    with pytest.raises(ValueError, match="is no maps file"):
        open_hdf5(path, "maps")
    with h5py.File(path, "a") as file:
        file.attrs["kind"] = "maps"


def test_a_write_that_fails_leaves_the_old_file_only(path):
    old = path.read_bytes()
    with pytest.raises(RuntimeError), create_hdf5(path, "arrays", {}) as file:
        file["x"] = np.zeros(5)
        raise RuntimeError
    assert path.read_bytes() == old and list(path.parent.iterdir()) == [path]


def test_attributes_that_json_cannot_hold_are_refused(tmp_path):
    with pytest.raises(TypeError), create_hdf5(tmp_path / "a.h5", "arrays", {"x": object()}):
        pass
    assert not list(tmp_path.iterdir())


@pytest.fixture
def limit():
    """Set the size in bytes above which this process cannot write a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 10, 2000, 3000, 100_000, 400_000])
def test_a_write_that_fails_is_one_sentence_wherever_it_fails(path, limit, size):
    """The library would end the process when it closes a file after a write that failed."""
    old = path.read_bytes()
    values = {"a": np.random.default_rng(0).random(60_000)}
    limit(size)
    with pytest.raises(WriteError, match=r"a\.h5 cannot be written: it would be larger than"):
        write_arrays(path, values, attributes={})
    assert path.read_bytes() == old and list(path.parent.iterdir()) == [path]


def test_maps_for_a_full_disk_are_not_computed_to_the_end(tmp_path, limit):
    made = []

    def items():
        for number in range(100):
            made.append(number)
            maps = np.random.default_rng(number).random((1, 300, 300))
            yield f"{number}", np.zeros(1), maps, (300, 300)

    limit(100_000)
    with pytest.raises(WriteError, match=r"maps\.h5 cannot be written: it would be larger than"):
        write_maps(tmp_path / "maps.h5", items(), attributes={})
    # The library holds some megabytes back.
    assert len(made) < 90 and not list(tmp_path.iterdir())


def test_a_file_of_an_older_version_is_refused(tmp_path):
    path = tmp_path / "old.h5"
    write_arrays(path, {"x": np.zeros(3)}, attributes={})
    with h5py.File(path, "a") as file:
        file.attrs["attributes"] = "{}"
    with pytest.raises(ValueError, match=r"old.h5 is no .* of this workflow; delete it and run"):
        read_arrays(path, ["x"])
