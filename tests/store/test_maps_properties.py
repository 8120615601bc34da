"""Any localization maps read back, rounded to float16."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.data.test_round_trips import image_ids
from wsss.store.maps import LARGEST, MapReader, write_maps


@st.composite
def items(draw):
    """Draw one image's class ids, maps and size."""
    n = draw(st.integers(0, 3))
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    h, w = draw(st.integers(1, height)), draw(st.integers(1, width))
    largest = draw(st.sampled_from([1.0, LARGEST]))
    values = st.floats(0, largest, width=32)
    class_ids = draw(st.lists(st.integers(0, 253), min_size=n, max_size=n, unique=True))
    maps = draw(arrays(np.float32, (n, min(h, 9), min(w, 9)), elements=values))
    return np.array(sorted(class_ids), dtype=np.int64), maps, (height, width)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.dictionaries(image_ids, items(), max_size=4))
def test_any_maps(images):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "0.h5")
        write_maps(path, [(name, *item) for name, item in images.items()], attributes={})
        with MapReader([path]) as reader:
            assert reader.image_ids == tuple(images)
            for name, (class_ids, maps, size) in images.items():
                stored = reader.read(name)
                np.testing.assert_array_equal(stored.class_ids, class_ids)
                assert stored.image_size == size and stored.maps.shape == maps.shape
                # Half of the last of 11 bits, or of the smallest step near zero.
                rounding = np.maximum(np.abs(maps) * 2.0**-11, 2.0**-25)
                assert (np.abs(stored.maps - maps) <= rounding).all()
                full = reader.read_full(name)
                assert full.maps.shape == (len(maps), *size)
                if maps.size:
                    assert full.maps.min() >= 0 and full.maps.max() <= stored.maps.max() * 1.001
