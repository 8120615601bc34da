"""How long the localization maps of a chain took, as its logs and benchmark files tell."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from wsss.figures.selection import add_chain, chain_at_stage
from wsss.plan.records import seconds_of
from wsss.plan.stage_logs import DEVICE, log_head
from wsss.report.runs import machine
from wsss.slurm import said_place

METRIC = "seconds_per_image"
# The last line of `wsss.progress`: all images, and the seconds from the first to the last.
DONE = re.compile(r" wsss\.progress: .+: (\d+) of \1 images in ([0-9.]+) s,")
# Between the end of a job and the benchmark file that the engine writes then; file servers' clocks.
LATEST_SECONDS = 60.0


class MapTime(NamedTuple):
    """The time of one run's maps.

    `seconds` are those of an image, nan where they are not known; then `missing` says why. `place`
    says what computed.
    """

    seconds: float
    place: str
    missing: str


def map_times(
    results: Path, chains: Iterable[str], random_seeds: Sequence[int], *, shards: int
) -> dict[tuple[str, int], MapTime]:
    """Return the time of the maps by chain (as far as its localizer) and random seed.

    A stage's log says how long it worked on its images; the time that its process took to start
    is not in it. It counts if the benchmark file of the same job is there, and if maps and log were
    written while that job ran: else they are of another.

    Args:
        results: Results folder.
        chains: Chains that reach a localizer at least.
        random_seeds: Of the runs.
        shards: Into how many jobs the training images are scattered.
    """
    return {
        (seed_chain, random_seed): _time_of(results, seed_chain, random_seed, shards)
        for seed_chain in dict.fromkeys(chain_at_stage(chain, "seed") for chain in chains)
        for random_seed in random_seeds
    }


def with_times(metrics: pd.DataFrame, times: Mapping[tuple[str, int], MapTime]) -> pd.DataFrame:
    """Return the tidy metrics with a row `seconds_per_image` for each threshold policy of a seed.

    Args:
        metrics: Tidy metrics.
        times: Of `map_times`.
    """
    if not times:
        return metrics
    own = metrics[(metrics["stage"] == "seed") & (metrics["metric"] == "num_images")]
    runs = zip(add_chain(own)["chain"], own["random_seed"], strict=True)
    seconds = [times[run].seconds if run in times else math.nan for run in runs]
    return pd.concat([metrics, own.assign(metric=METRIC, value=seconds)], ignore_index=True)


def time_notes(labels: Mapping[str, str], times: Mapping[tuple[str, int], MapTime]) -> list[str]:
    """Return what is to be said of the column of times, as sentences.

    Args:
        labels: Chain of each label.
        times: Of `map_times`.
    """
    own = {label: chain_at_stage(chain, "seed") for label, chain in labels.items()}
    known: dict[str, dict[str, None]] = {}
    missing = []
    for label, chain in own.items():
        for (name, random_seed), time in times.items():
            if name != chain:
                continue
            if time.missing:
                missing.append(f"{label}, random seed {random_seed}: {time.missing}")
            else:
                known.setdefault(time.place, {})[label] = None
    sentences = []
    if known:
        several = len(known) > 1
        places = [
            f"{place} ({'; '.join(labels)})" if several else place
            for place, labels in known.items()
        ]
        sentences.append(
            "Seconds per image: wall time of the stage that makes the maps, from its first image "
            f"to its last, without its start, measured on {' and '.join(places)}; jobs that ran "
            "beside it slowed it down."
        )
    if missing:
        sentences.append(f"No seconds per image of {'; '.join(missing)}.")
    return sentences


def _time_of(results: Path, chain: str, random_seed: int, shards: int) -> MapTime:
    dataset, classifier, localizer = chain.split("/")
    run = Path(dataset, classifier, f"s{random_seed}", localizer)
    images, seconds = 0, 0.0
    places: dict[str, None] = {}
    for shard in range(shards):
        maps = results / run / "maps" / f"{shard}.h5"
        job = run / "localize" / f"{shard}"
        log = results / "logs" / f"{job}.log"
        if missing := _mismatch(maps, log, results / "benchmarks" / f"{job}.tsv"):
            return MapTime(math.nan, "", missing)
        said = DONE.findall(log.read_text("utf-8", errors="replace"))
        if not said:
            return MapTime(math.nan, "", f"{log} does not say how long its images took")
        images, seconds = images + int(said[-1][0]), seconds + float(said[-1][1])
        places[_place(log)] = None
    each = seconds / images if images else math.nan
    return MapTime(each, " and ".join(places), "" if images else "there are no images")


def _mismatch(maps: Path, log: Path, benchmark: Path) -> str:
    """Return why a log and a benchmark file do not tell of some maps, or nothing if they do."""
    for path in (maps, log, benchmark):
        if not path.is_file():
            return f"{path} is missing"
    end = benchmark.stat().st_mtime
    seconds = seconds_of(benchmark)
    for path in (maps, log):
        if not end - seconds - LATEST_SECONDS <= path.stat().st_mtime <= end + LATEST_SECONDS:
            return f"{path} was not written by the job of {benchmark}"
    return ""


def _place(log: Path) -> str:
    """Return what computed, in words."""
    head = log_head(log)
    said = DEVICE.search(head)
    device = said[1] if said else "an unknown device"
    if said_place(head):
        return f"{device}, of a node of a cluster"
    return f"{device}, of a machine of {machine()['processor cores']} cores"
