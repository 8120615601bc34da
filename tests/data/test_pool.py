from pathlib import Path

import pytest

from wsss.data.candidates import write_candidates
from wsss.data.index import write_classes
from wsss.data.pool import pool_candidates
from wsss.data.records import ImageRecord


def written(folder, name, content, *, split="ood", size=(3, 4)):
    (folder / name).write_bytes(content)
    labels = () if split == "ood" else ("cat",)
    return ImageRecord(Path(name).stem, folder / name, split, *size, labels)


@pytest.fixture
def pool(tmp_path):
    candidates = [
        written(tmp_path, "a.jpg", b"own!"),
        written(tmp_path, "b.jpg", b"else"),
        written(tmp_path, "c.jpg", b"own!", size=(4, 3)),
        written(tmp_path, "d.jpg", b"longer"),
    ]
    write_candidates(tmp_path / "candidates.csv", candidates, ())
    write_classes(tmp_path / "classes.csv", ("dog", "cat"), {})
    return tmp_path


def test_candidates_of_the_pool_but_copies_of_own_images(pool, caplog):
    own = [written(pool, "own.jpg", b"own!", split="train")]
    tables = (pool / "candidates.csv", pool / "classes.csv")
    found = list(pool_candidates(*tables, classes=("cat",), records=own))
    # A file of another image size is another picture, so that it is not even read.
    assert [record.image_id for record in found] == ["b", "c", "d"]
    assert "1 candidates of" in caplog.text and "left out (a)" in caplog.text


def test_a_pool_that_was_not_searched_for_a_class_is_refused(pool):
    tables = (pool / "candidates.csv", pool / "classes.csv")
    with pytest.raises(ValueError, match="was collected without looking for bird, so its images"):
        list(pool_candidates(*tables, classes=("cat", "bird"), records=[]))
