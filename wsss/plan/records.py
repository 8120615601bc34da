"""What the jobs of a run took: one record per benchmark file of a results folder."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from wsss.plan.work import NEGLIGIBLE, RULES

CHAIN = ("localizer", "refiner", "segmenter")
NOTHING = ("", "-", "NA", "nan")


class Record(NamedTuple):
    """One job that ran.

    `rule` and `wildcards` say which; `seconds` is its wall time, `peak_mb` the peak of its
    resident memory (None where the job ended before anybody looked). `threads` is None in files
    that do not tell; `log` is its log file, which may be missing.
    """

    rule: str
    wildcards: dict[str, str]
    seconds: float
    peak_mb: float | None
    threads: int | None
    log: Path


def read_records(results: Path) -> list[Record]:
    """Return the records of a results folder, in the order of their paths.

    Raises:
        ValueError: A benchmark file cannot be read as one.
    """
    return [record for path in benchmark_files(results) for record in _read(path, results)]


def config_of(results: Path) -> Mapping[str, Any]:
    """Return the config that a results folder was made with.

    Raises:
        ValueError: It is missing or broken.
    """
    path = results / "config.yaml"
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}): name the results folder of a run"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML ({error}): run the workflow again") from None
    if not isinstance(config, Mapping):
        raise ValueError(f"{path} is no config: run the workflow again")
    return config


def benchmark_files(results: Path) -> list[Path]:
    """Return the benchmark files of a results folder."""
    return sorted((results / "benchmarks").rglob("*.tsv"))


def rule_of(path: Path) -> str:
    """Return the rule of a benchmark file.

    A file is named after its rule, `.../train_wood.tsv`; the jobs of a rule with shards or names
    are files in a folder of its name, `.../localize/3.tsv`.
    """
    folder = path.parent.name
    known = folder in RULES or folder in NEGLIGIBLE
    return folder if known or path.stem.isdigit() else path.stem


def wildcards_of(path: Path, results: Path) -> dict[str, str]:
    """Return the names in a benchmark file's path: data set, classifier, ..., shard."""
    *links, last = path.relative_to(results / "benchmarks").with_suffix("").parts
    rule = rule_of(path)
    found = {}
    if links and links[-1] == rule:
        links.pop()
        sharded = last.isdigit() and not rule.startswith("diagnose")
        found["shard" if sharded else "name"] = last
    if links:
        found["dataset"] = links.pop(0)
    if links and links[0] == "ood":
        found["ood_set"] = links[-1]
    elif links and links[0] == "saliency":
        found["saliency"] = links[-1]
    elif len(links) > 1 and re.fullmatch(r"s\d+", links[1]):
        found |= {"classifier": links[0], "random_seed": links[1][1:]}
        found |= dict(zip(CHAIN, links[2:], strict=False))
    return found


def seconds_of(path: Path) -> float:
    """Return the wall time of the job of a benchmark file, of its last row.

    Raises:
        ValueError: The file cannot be read as one.
    """
    rows = [seconds for seconds, _, _ in _rows(path) if seconds is not None]
    if not rows:
        raise ValueError(f"{path} is no benchmark file: it has no time; delete it")
    return rows[-1]


def _read(path: Path, results: Path) -> Iterator[Record]:
    rule, wildcards = rule_of(path), wildcards_of(path, results)
    log = (results / "logs" / path.relative_to(results / "benchmarks")).with_suffix(".log")
    for seconds, peak, threads in _rows(path):
        if seconds is not None:
            whole = None if threads is None else int(threads)
            yield Record(rule, wildcards, seconds, peak, whole, log)


def _rows(path: Path) -> Iterator[list[float | None]]:
    """Yield the wall time, the peak of memory and the threads of each row."""
    names, *rows = [line.split("\t") for line in path.read_text("utf-8").splitlines() if line] or [
        [""]
    ]
    if "s" not in names:
        raise ValueError(f"{path} is no benchmark file: it lacks the column 's'; delete it")
    for row in rows:
        cells = dict(zip(names, row, strict=False))
        try:
            yield [_number(cells.get(name, "")) for name in ("s", "max_rss", "threads")]
        except ValueError as error:
            raise ValueError(f"{path} is no benchmark file ({error}); delete it") from None


def _number(cell: str) -> float | None:
    return None if cell in NOTHING else float(cell)
