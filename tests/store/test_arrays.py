import numpy as np
import pytest

from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.maps import write_maps

ARRAYS = {
    "features": np.random.default_rng(0).standard_normal((40, 70)).astype(np.float32),
    "image_ids": np.array(["000001", "é", ""]),
    "objects": np.array(["a", "bc"], dtype=object),
    "counts": np.arange(12).reshape(3, 2, 2),
    "kept": np.array([True, False]),
    "empty": np.zeros((0, 5), dtype=np.float64),
    "no_text": np.zeros(0, dtype="<U3"),
    "no_columns": np.zeros((3, 0), dtype=np.float32),
    "scalar": np.float64(0.1),
    "word": np.array("rail"),
}


def test_arrays_and_attributes_read_back(tmp_path):
    attributes = {"random_seed": 3, "scales": [0.5, 1], "note": "é"}
    write_arrays(tmp_path / "a.h5", ARRAYS, attributes=attributes)
    arrays, read = read_arrays(tmp_path / "a.h5", list(ARRAYS))
    assert read == attributes and list(arrays) == list(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], values)
        assert arrays[name].shape == values.shape
        assert arrays[name].dtype.kind == ("U" if values.dtype == object else values.dtype.kind)


def test_equal_contents_give_equal_files(tmp_path):
    write_arrays(tmp_path / "a.h5", ARRAYS, attributes={"a": 1, "b": 2})
    backwards = dict(reversed(ARRAYS.items()))
    write_arrays(tmp_path / "b.h5", backwards, attributes={"b": 2, "a": 1})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_missing_name_is_told_with_those_there_are(tmp_path):
    write_arrays(tmp_path / "a.h5", {"score": np.zeros(2)}, attributes={})
    with pytest.raises(ValueError, match=r"a\.h5 lacks centre; it has score"):
        read_arrays(tmp_path / "a.h5", ["score", "centre"])


@pytest.mark.parametrize("values", [np.array([1, "a"], dtype=object), np.zeros(2, dtype=complex)])
def test_only_numbers_and_strings_are_written(tmp_path, values):
    with pytest.raises(
        ValueError, match=r"'x' for .*a\.h5 has type .*; make it numbers or strings"
    ):
        write_arrays(tmp_path / "a.h5", {"x": values}, attributes={})
    assert not list(tmp_path.iterdir())


def test_maps_are_no_arrays(tmp_path):
    write_maps(tmp_path / "a.h5", [], attributes={})
    with pytest.raises(ValueError, match=r"a\.h5 is no arrays file of this workflow; delete it"):
        read_arrays(tmp_path / "a.h5", [])
