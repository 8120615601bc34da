"""What is written reads back equal, whatever it holds."""

import string
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from wsss.data.candidates import read_candidates, write_candidates
from wsss.data.images import read_image
from wsss.data.index import (
    GroundTruthRecord,
    ImageRecord,
    Index,
    read_ground_truth,
    read_index,
    write_classes,
    write_ground_truth,
    write_index,
)
from wsss.data.records import LONGEST_ID, check_image_id
from wsss.store.mask_folders import find_masks, write_masks
from wsss.store.masks import read_mask, write_mask
from wsss.store.tables import read_table, write_table

few = settings(deadline=None, derandomize=True, max_examples=60)
# Letters of all scripts, signs and spaces; no control characters and no halves of a pair.
printable = st.characters(exclude_categories=["C", "Zl", "Zp"])
texts = st.text(printable, max_size=12)
image_ids = st.one_of(
    st.text(printable, min_size=1, max_size=40),
    st.text(st.sampled_from("a.é ;,'\"0"), min_size=1, max_size=8),
    st.sampled_from(
        ["000123", "1e5", "nan", "NA", "-0", "x" * LONGEST_ID, "列" * (LONGEST_ID // 3)]
    ),
).filter(lambda text: text not in (".", "..") and not set(text) & set("/\\"))
class_names = st.lists(
    texts.map(lambda text: text.replace(";", "")).filter(str.strip),
    min_size=1,
    max_size=5,
    unique=True,
)


@st.composite
def data_sets(draw):
    """Draw classes and records, the first of which shows a class."""
    classes = draw(class_names)
    records = []
    for number, image_id in enumerate(
        draw(st.lists(image_ids, min_size=1, max_size=5, unique=True))
    ):
        split = "train" if number == 0 else draw(st.sampled_from(["train", "val", "ood"]))
        shown = draw(st.lists(st.sampled_from(classes), unique=True, min_size=int(number == 0)))
        labels = tuple(name for name in classes if name in shown and split != "ood")
        path = Path(draw(texts.filter(lambda text: "/" not in text)), f"{image_id}.jpg")
        height, width = draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))
        records.append(ImageRecord(image_id, path, split, height, width, labels))
    return tuple(classes), tuple(records)


@few
@given(data_sets())
def test_an_index_of_any_names(data_set):
    classes, records = data_set
    truths = [GroundTruthRecord(r.image_id, r.path, None, r.labels, "x") for r in records]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_classes(folder / "classes.csv", classes, {})
        write_index(folder / "index.csv", records)
        write_ground_truth(folder / "truth.csv", truths)
        indexed = tuple(record for record in records if record.split != "ood")
        candidates = [record for record in records if record.split == "ood"]
        write_candidates(folder / "candidates.csv", candidates, indexed)
        assert read_index(folder / "index.csv", folder / "classes.csv") == Index(classes, indexed)
        assert list(read_candidates(folder / "candidates.csv")) == candidates
        assert list(read_ground_truth(folder / "truth.csv").values()) == truths


@few
@given(st.lists(image_ids, min_size=1, max_size=4, unique=True))
def test_masks_of_images_of_any_name(names):
    masks = {name: np.full((2, 3), number, np.uint8) for number, name in enumerate(names)}
    with tempfile.TemporaryDirectory() as folder:
        write_masks(folder, masks.items())
        found = find_masks([folder])
        assert set(found) == set(names)
        for name, mask in masks.items():
            check_image_id(name, where="here")
            np.testing.assert_array_equal(read_mask(found[name]), mask)


@few
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_mask(mask):
    with tempfile.TemporaryDirectory() as folder:
        write_mask(Path(folder, "a.png"), mask)
        np.testing.assert_array_equal(read_mask(Path(folder, "a.png")), mask)


numbers = st.one_of(
    st.lists(st.integers(-(10**17), 10**17), min_size=3, max_size=3),
    st.lists(st.floats(allow_nan=False), min_size=3, max_size=3),
)


@few
@given(
    st.lists(st.text(string.ascii_lowercase, min_size=1), min_size=1, max_size=3, unique=True),
    st.lists(numbers, min_size=3, max_size=3),
    st.lists(texts, min_size=3, max_size=3),
)
def test_any_table(columns, values, cells):
    table = pd.DataFrame({f"n_{name}": v for name, v in zip(columns, values, strict=False)})
    table["image_id"] = pd.array(cells, dtype=str)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        write_table(path, table)
        pd.testing.assert_frame_equal(read_table(path, list(table)), table, check_exact=True)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"GIF89a", b"RIFF"]
    ),
    st.binary(max_size=200),
)
def test_random_bytes_are_no_image(start, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jpg")
        path.write_bytes(start + content)
        with pytest.raises(ValueError, match=r"^image .*a\.jpg [^\n]*; [^\n]*$"):
            read_image(path)


@given(st.text(max_size=300))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_an_id_is_usable_or_refused_in_a_printable_sentence(text):
    try:
        check_image_id(text, where="here")
    except ValueError as error:
        assert "\n" not in str(error) and "rename the image" in str(error)
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_masks(folder, [(text, np.zeros((1, 1), np.uint8))])
            assert list(find_masks([folder])) == [text]
