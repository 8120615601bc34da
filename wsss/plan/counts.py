"""How many images a data set has, and of what size: what the amount of work follows from."""

import csv
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

INDEX_COLUMNS = "image_id,path,split,height,width,labels"
CANDIDATE_COLUMNS = "image_id,path,height,width"
SEPARATOR = ";"


class Split(NamedTuple):
    """The images of a split: number, mean and largest million pixels, mean number of labels."""

    images: int
    megapixels: float
    largest: float
    labels: float


Counts = Mapping[str, Mapping[str, Split]]
"""By data set and split ("train", "val", "ood"); a data set that is not prepared is missing."""

EMPTY = Split(0, 0.0, 0.0, 0.0)


def count_datasets(config: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Split]]:
    """Return the counts of a config's data sets, as far as they are known.

    Those of a prepared data set stand in its tables. Of drawn scenes the config knows them.

    Args:
        config: A resolved config.
        folder: Of the results, in which every data set has a folder with its index.csv.
    """
    found = {name: count_dataset(name, config, folder) for name in config["datasets"]}
    return {name: splits for name, splits in found.items() if splits is not None}


def count_dataset(name: str, config: Mapping[str, Any], folder: Path) -> dict[str, Split] | None:
    """Return the counts of one data set by split, or None where they are not known.

    Args:
        name: Of the data set.
        config: A resolved config.
        folder: Of the results.
    """
    index, options = folder / name / "index.csv", config["datasets"][name]
    if index.is_file():
        return count_index(index)
    return _count_scenes(options) if options["kind"] == "scenes" else None


def count_index(index_csv: Path) -> dict[str, Split]:
    """Return the counts of an index, and of the table of candidates beside it, by split.

    They are read without checksums and without keeping the rows: the engine asks at every start,
    and there may be nine million candidates.

    Raises:
        ValueError: A table has other columns, or a size is no number.
    """
    found = _count_file(index_csv, INDEX_COLUMNS, _state(index_csv))
    candidates_csv = index_csv.with_name("candidates.csv")
    if not candidates_csv.is_file():
        return found
    return found | _count_file(candidates_csv, CANDIDATE_COLUMNS, _state(candidates_csv))


def _state(path: Path) -> tuple[int, int]:
    return path.stat().st_mtime_ns, path.stat().st_size


@lru_cache(maxsize=64)
def _count_file(path: Path, columns: str, state: tuple[int, int]) -> dict[str, Split]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if file.readline().rstrip("\r\n") != columns:
            raise ValueError(f"{path} is no index of a data set; prepare the data set again")
        rows = Counter(_size_and_labels(line) for line in file)
    try:
        return _count_rows(rows)
    except ValueError:
        raise ValueError(
            f"{path} has a row without a size in pixels; prepare the data set again"
        ) from None


def _size_and_labels(line: str) -> str:
    """Return the cells after id and path as text; most images share theirs with others."""
    if '"' not in line:
        return line.split(",", 2)[-1]
    text = StringIO(newline="")
    csv.writer(text).writerows(row[2:] for row in csv.reader([line]))
    return text.getvalue()


def _count_rows(rows: Mapping[str, int]) -> dict[str, Split]:
    sums: dict[str, list[int]] = {}
    for cells, (text, count) in zip(csv.reader(rows), rows.items(), strict=True):
        if not text.strip():
            continue
        split, height, width, labels = cells if len(cells) == 4 else ("ood", *cells, "")
        pixels = int(height) * int(width)
        own = sums.setdefault(split, [0, 0, 0, 0])
        own[0] += count
        own[1] += count * pixels
        own[2] = max(own[2], pixels)
        own[3] += count * (labels.count(SEPARATOR) + 1 if labels else 0)
    return {
        name: Split(images, pixels / images / 1e6, largest / 1e6, labels / images)
        for name, (images, pixels, largest, labels) in sums.items()
    }


def _count_scenes(options: Mapping[str, Any]) -> dict[str, Split]:
    height, width = options["size"]
    megapixels = height * width / 1e6
    several = len(options["classes"]) > 1
    labels = 1 + options["second_class_probability"] * several
    return {
        name: Split(options[name], megapixels, megapixels, 0.0 if name == "ood" else labels)
        for name in ("train", "val", "ood")
    }
