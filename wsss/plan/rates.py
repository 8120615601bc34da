"""How fast the kinds of work went: measured in runs, never guessed.

A rate is seconds per megapixel-pass of one CPU core or one GPU, after a start that takes its time
whatever the work. `wsss.plan.measuring` makes rates of the benchmark files of results folders. A
table of them comes with the package, `measured.csv`, and names the machine; a table `rates.csv` in
the folder of the workflow (`wsss plan --rates RESULTS --save rates.csv`) goes before it.

How measured.csv was made: `wsss plan --rates A --rates B ... --cores 2 --machine "2 cores of an AMD
EPYC" --save measured.csv`, with an empty table in its place before, on the results folders of
config.yaml, config/scenes.yaml and config/photos.yaml, two jobs at a time on the 2 cores; of
config/tiny.yaml, whose jobs tell the starts; and of small runs for the rates of both ResNets, of
the refiner `seed`, and of choose_threshold (three times 4,000 made-up maps). For these last four
the machine was shared, so the CPU seconds of each job, on one thread, stand for its wall time.
Where docs/benchmark.md has the same, it agrees: 7.0 for class activation maps of a ResNet-50, 5.3
for AdvCAM. Those of RIB, likewise CPU seconds on one thread, are of an EPYC with AVX-512, which is
three to four times as fast: on it AdvCAM with the compact backbone is at 0.15. So are those of the
other networks, of saliency and of diagnostics, made in the same way as the first on the results of
config/scenes_ablations.yaml, config/scenes_localizers.yaml and config/photos_localizers.yaml.
Nobody has measured a GPU.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from wsss.plan.amounts import Amount
from wsss.plan.disk import OUTPUTS
from wsss.plan.work import NETWORK

SHIPPED = Path(__file__).with_name("measured.csv")
OWN = "rates.csv"
COLUMNS = ("quantity", "kind", "start", "value", "unit", "jobs", "device", "machine")
TIME, DISK = "time", "disk"


class Rate(NamedTuple):
    """The rate of a kind of work.

    `start` is seconds that a job takes before and after its work; `seconds` those of one core, or
    one GPU, for a megapixel-pass. `jobs` were measured, on a `device` "cpu" or "gpu" of a
    `machine`. `short` says that none of them was long: the rate is too high then.
    """

    kind: str
    start: float
    seconds: float
    jobs: int
    device: str
    machine: str


class Measured(NamedTuple):
    """Rates by kind, and bytes on the disk by `wsss.plan.disk.disk_key`."""

    rates: Mapping[str, Rate]
    bytes_each: Mapping[str, float]


def expected_seconds(
    amount: Amount, rate: Rate, crf: Rate | None, *, threads: int, gpus: int
) -> float:
    """Return the wall time that a job should take.

    Args:
        amount: Of its work.
        rate: Of its kind.
        crf: Of the CRF that it may have besides.
        threads: CPU cores that it has.
        gpus: GPUs that it has, which count where the rate was measured on some.
    """
    cores = max(1, threads)
    share = max(1, gpus) if rate.device == "gpu" else cores
    besides = amount.crf_passes * crf.seconds / cores if crf else 0.0
    return rate.start + amount.passes * rate.seconds / share + besides


def group_of(kind: str) -> str:
    """Return the first part of a kind: what starts alike, whatever its network."""
    return kind.split(":", 1)[0]


def needs_network(kind: str) -> bool:
    """Return whether a kind of work is done by a rule that asks for a GPU."""
    return group_of(kind) in NETWORK | {"features"}


def known_rates(folder: Path) -> Measured:
    """Return the rates of the package, under those of a folder's own table if it has one.

    Raises:
        ValueError: A table cannot be read.
    """
    shipped, own = read_rates(SHIPPED), folder / OWN
    return joined(shipped, read_rates(own)) if own.is_file() else shipped


def joined(below: Measured, above: Measured) -> Measured:
    """Return two tables of rates as one; a CPU's say nothing of networks where a GPU was measured.

    Args:
        below: Rates that count where `above` has none.
        above: Rates that go before.
    """
    gpu = any(rate.device == "gpu" for rate in above.rates.values())
    kept = {k: rate for k, rate in below.rates.items() if not (gpu and needs_network(k))}
    return Measured({**kept, **above.rates}, {**below.bytes_each, **above.bytes_each})


def starts_of(rates: Iterable[Rate]) -> dict[str, float]:
    """Return the seconds of a start by group of kinds."""
    found: dict[str, float] = {}
    for rate in rates:
        group = group_of(rate.kind)
        found[group] = min(found.get(group, rate.start), rate.start)
    return found


def write_rates(path: Path, measured: Measured) -> None:
    """Write rates, and bytes on the disk, as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for rate in measured.rates.values():
        start, value = f"{rate.start:.3g}", f"{rate.seconds:.3g}"
        unit = f"s of one {'core' if rate.device == 'cpu' else 'GPU'} per megapixel-pass"
        row = (TIME, rate.kind, start, value, unit, rate.jobs, rate.device, rate.machine)
        writer.writerow(row)
    for key, each in measured.bytes_each.items():
        unit = f"bytes per {OUTPUTS[group_of(key)][0]}"
        writer.writerow((DISK, key, "", f"{each:.4g}", unit, "", "", ""))
    path.write_text(text.getvalue(), "utf-8")


def read_rates(path: Path) -> Measured:
    """Return a table of rates.

    Raises:
        ValueError: It cannot be read.
    """
    rates, each = {}, {}
    try:
        rows = csv.DictReader(path.read_text("utf-8-sig").splitlines())
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise ValueError(f"its columns are not {', '.join(COLUMNS)}")
        for row in rows:
            kind, value = row["kind"], float(row["value"])
            if row["quantity"] == DISK:
                each[kind] = value
                continue
            start, jobs = float(row["start"]), int(row["jobs"])
            rates[kind] = Rate(kind, start, value, jobs, row["device"], row["machine"])
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from None
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is no table of rates ({error}): make it again") from None
    return Measured(rates, each)
