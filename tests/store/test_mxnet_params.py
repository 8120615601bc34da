"""MXNet's parameter files: every version reads, and nothing else does."""

import random
import struct
import tracemalloc

import numpy as np
import pytest
import torch

from tests.store.mxnet_writer import KINDS, VERSIONS, array_bytes, params_bytes
from wsss.store.mxnet_params import read_mxnet_params
from wsss.store.weights import load_state_of_others

ARRAYS = {
    "arg:conv1a_weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "aux:bn7_moving_mean": np.array([1.5, -2.0], np.float32),
    "arg:é": np.array([7], np.int64),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_reads(tmp_path, version):
    path = tmp_path / "a.params"
    path.write_bytes(params_bytes(ARRAYS, version))
    for read in (read_mxnet_params, load_state_of_others):
        found = read(path)
        assert list(found) == list(ARRAYS)
        for name, array in ARRAYS.items():
            assert torch.equal(found[name], torch.from_numpy(array))
            assert found[name].dtype == torch.from_numpy(array).dtype


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_reads(tmp_path, kind):
    array = np.array([[1, 2], [3, 100]], kind)
    (tmp_path / "a").write_bytes(params_bytes({"x": array}))
    found = read_mxnet_params(tmp_path / "a")["x"]
    assert torch.equal(found, torch.from_numpy(array)) and str(found.dtype) == f"torch.{kind}"


def test_the_oldest_version_byte_by_byte(tmp_path):
    (tmp_path / "a").write_bytes(
        bytes.fromhex(
            "1201000000000000 0000000000000000 0100000000000000"  # the kind of file, one array
            "02000000 01000000 02000000"  # 2 dimensions, 1 x 2
            "01000000 00000000 00000000"  # on CPU 0, float32
            "0000803f 000000c0"  # 1 and -2
            "0100000000000000 0100000000000000 77"  # one name, of one letter: w
        )
    )
    found = read_mxnet_params(tmp_path / "a")
    assert torch.equal(found["w"], torch.tensor([[1.0, -2.0]]))


def sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.params is no MXNet parameter file") as caught:
        read_mxnet_params(path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith("; fetch it again")
    return str(caught.value)


def one(array):
    """A file of one array, given by its bytes."""
    return struct.pack("<QQQ", 0x112, 0, 1) + array + struct.pack("<QQ", 1, 1) + b"w"


WHOLE = params_bytes(ARRAYS)
FLOATS = array_bytes(np.zeros(2, np.float32), "oldest")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it ends 8 bytes early"),
        (b"PK\x03\x04" + WHOLE, "it begins as another kind of file"),
        (WHOLE[:-1], "it ends 1 bytes early"),
        (WHOLE + b"x", "it goes on for 1 bytes after its end"),
        (struct.pack("<QQQ", 0x112, 0, 2**63), "it ends 4 bytes early"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 3), "it has 0 arrays, but 3 names"),
        (one(FLOATS)[:-17] + struct.pack("<QQ", 1, 2**60), "bytes early"),
        (one(struct.pack("<IIiii", 1, 2**32 - 1, 1, 0, 0)), "bytes early"),
        (one(struct.pack("<II8qiii", 0xF993FAC8, 8, *[2**62] * 8, 1, 0, 0)), "bytes early"),
        (one(struct.pack("<IIqiii", 0xF993FAC8, 1, -4, 1, 0, 0)), r"the shape (-4,)"),
        (one(struct.pack("<I", 0)), "an array has 0 dimensions, not 1 to 8"),
        (one(struct.pack("<I", 0xF993FACA)), "an array has 4187224778 dimensions"),
        (one(struct.pack("<IIiii", 1, 2, 1, 0, 77)), "an array has the unknown type 77"),
        (one(struct.pack("<Ii", 0xF993FAC9, 1)), "an array is sparse"),
        (one(FLOATS)[:-1] + b"\xff", "the name of an array is no text"),
        (struct.pack("<QQQ", 0x112, 0, 2) + 2 * FLOATS + struct.pack("<QQsQs", 2, 1, b"w", 1, b"w"),
         "two of its arrays have one name"),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, content, words):
    assert words in sentence(tmp_path / "a.params", content)


def test_a_missing_file_and_a_folder(tmp_path):
    for read in (read_mxnet_params, load_state_of_others):
        with pytest.raises(ValueError, match=r"weights .*a\.params (cannot be|do not)"):
            read(tmp_path / "a.params")
        with pytest.raises(ValueError, match=r"weights .* (cannot be|do not)"):
            read(tmp_path)


def test_a_large_length_costs_no_memory(tmp_path):
    tracemalloc.start()
    sentence(tmp_path / "a.params", one(struct.pack("<IIIiii", 2, 2**31, 2**31, 1, 0, 1)))
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("version", VERSIONS)
def test_damaged_files_are_read_or_refused_in_a_sentence(tmp_path, version):
    whole, choice = params_bytes(ARRAYS, version), random.Random(0)
    path, refused = tmp_path / "a.params", 0
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(choice.choice((1, 2, 5))):
            damaged[choice.randrange(len(damaged))] = choice.choice((0, 255, choice.randrange(256)))
        path.write_bytes(damaged[: choice.randrange(1, len(damaged) * 3)])
        try:
            found = read_mxnet_params(path)
            assert all(isinstance(tensor, torch.Tensor) for tensor in found.values())
        except ValueError as error:
            refused += 1
            assert "a.params" in str(error) and "\n" not in str(error)
    assert refused > 500
