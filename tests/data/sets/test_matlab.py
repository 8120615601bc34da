"""The MATLAB files of SBD's masks: as scipy reads them, and damaged."""

import re
import struct
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tests.data.sets.fake_sbd import write_sbd_mask
from wsss.data.sets._matlab import LARGEST, read_bytes_field
from wsss.data.sets._sbd import read_sbd_mask


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 1), (5, 8), (37, 50)])
def test_masks_are_those_that_scipy_reads(tmp_path, size, compressed):
    mask = np.random.default_rng(0).integers(0, 21, size).astype(np.uint8)
    write_sbd_mask(tmp_path / "a.mat", mask, compressed)
    found = read_sbd_mask(tmp_path / "a.mat")
    np.testing.assert_array_equal(found, mask)
    independent = loadmat(tmp_path / "a.mat")["GTcls"]["Segmentation"][0, 0]
    np.testing.assert_array_equal(found, independent)


def test_a_variable_among_others_is_found(tmp_path):
    mask = np.arange(6, dtype=np.uint8).reshape(2, 3)
    other = {"Segmentation": mask + 1}
    savemat(tmp_path / "a.mat", {"x": 1.0, "GTinst": other, "GTcls": {"Segmentation": mask}})
    np.testing.assert_array_equal(read_sbd_mask(tmp_path / "a.mat"), mask)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": 1}, "it has no struct GTcls"),
        ({"GTcls": np.ones((4, 5), np.uint8)}, "it has no struct GTcls"),
        ({"GTcls": {"Boundaries": 1}}, r"it has no field Segmentation, but \['Boundaries'\]"),
        ({"GTcls": {"Segmentation": np.ones((4, 5))}}, r"class 6 and size \(4, 5\), not one of"),
        ({"GTcls": {"Segmentation": np.ones((2, 2, 2), np.uint8)}}, r"size \(2, 2, 2\)"),
        ({"GTcls": {"Segmentation": np.ones((0, 5), np.uint8)}}, r"size \(0, 5\)"),
        ({"GTcls": {"Segmentation": "text"}}, "class 4 and size"),
    ],
)
def test_files_without_such_a_mask_are_refused(tmp_path, content, message):
    savemat(tmp_path / "a.mat", content)
    with pytest.raises(ValueError, match=rf"a\.mat is no mask of SBD \(.*{message}.*; fetch SBD"):
        read_sbd_mask(tmp_path / "a.mat")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, {"GTcls": np.ones((2, 2))}, format="4")
    contents = [path.read_bytes(), b"", b"MATLAB 5.0", b"\x89HDF\r\n\x1a\n" + bytes(200)]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.mat is no mask of SBD \(not a MATLAB file of v"):
            read_sbd_mask(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match=r"a\.mat is no mask of SBD \(Is a directory\)"):
        read_sbd_mask(path)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, compressed):
    mask = np.random.default_rng(0).integers(0, 21, (5, 6)).astype(np.uint8)
    write_sbd_mask(tmp_path / "a.mat", mask, compressed)
    content = (tmp_path / "a.mat").read_bytes()
    for length in range(len(content)):
        with pytest.raises(ValueError, match=r"^(it|not) "):
            read_bytes_field(content[:length], "GTcls", "Segmentation")


def header():
    return b"MATLAB 5.0".ljust(124) + b"\0\1IM"


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def test_a_file_that_would_grow_beyond_memory_is_refused_at_once():
    bomb = zlib.compress(bytes(LARGEST + 1))
    with pytest.raises(ValueError, match="it is cut off, or has more than 64 MB"):
        read_bytes_field(header() + struct.pack("<II", 15, len(bomb)) + bomb, "GTcls", "x")


def test_sizes_that_lie_are_refused():
    def matrix(kind, size, rest, name=b""):
        flags = element(6, struct.pack("<II", kind, 0))
        return element(14, flags + element(5, struct.pack("<ii", *size)) + element(1, name) + rest)

    def struct_of(values):
        names = element(5, struct.pack("<i", 4)) + element(1, b"x\0\0\0")
        return header() + matrix(2, (1, 1), names + values, b"GTcls")

    whole = struct_of(matrix(9, (2, 3), element(2, bytes(range(6)))))
    np.testing.assert_array_equal(read_bytes_field(whole, "GTcls", "x"), [[0, 2, 4], [1, 3, 5]])
    for size in ((2**31 - 1, 2**31 - 1), (-2, -3), (3, 3), (1, 5)):
        content = struct_of(matrix(9, size, element(2, bytes(range(6)))))
        with pytest.raises(ValueError, match=r"^it has "):
            read_bytes_field(content, "GTcls", "x")
    for place in range(128, len(whole) - 4):
        content = whole[:place] + b"\xff\xff\xff\x7f" + whole[place + 4 :]
        try:
            found = read_bytes_field(content, "GTcls", "x")
        except ValueError as error:
            assert re.match("it ", str(error))
        else:
            assert found.shape == (2, 3)
