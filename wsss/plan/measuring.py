"""Rates of jobs that ran: from the benchmark files of results folders, and what they wrote."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from wsss.plan.amounts import Amount
from wsss.plan.counts import count_datasets
from wsss.plan.disk import disk_key, written
from wsss.plan.rates import Measured, Rate, group_of, starts_of
from wsss.plan.records import Record, config_of, read_records
from wsss.plan.stage_logs import device_of, gpu_name
from wsss.plan.work import CRF, NEGLIGIBLE, gpus_of, threads_of, work_of

# A job that takes less than this many starts, or seconds more, tells the start and not the rate.
STARTS = 2.0
SECONDS = 2.0


class Sample(NamedTuple):
    """One job that ran, with its work and what it ran on: so many cores, or GPUs."""

    record: Record
    kind: str
    amount: Amount
    threads: int
    units: int
    device: str
    written: tuple[int, float] | None


def measure(
    folders: Sequence[Path],
    known: Mapping[str, Rate],
    *,
    machine: str,
    gpu: bool,
    cores: int | None,
) -> Measured:
    """Return the rates of the jobs of results folders; kinds of short jobs only have none.

    Args:
        folders: Results folders with their config.yaml and benchmarks.
        known: Rates of another measurement, for what these jobs cannot tell: the start, where all
            of them are long, and a CRF's share of a prediction, where no CRF ran alone.
        machine: What the jobs ran on, where their logs do not say it.
        gpu: Whether the jobs that ask for a GPU had one, where their logs do not say it.
        cores: What the runs had; a job that asked for more threads got these. None: enough.

    Raises:
        ValueError: A folder has no jobs, no config, or that of another version.
    """
    samples = [s for folder in folders for s in samples_of(folder, gpu=gpu, cores=cores)]
    shortest = starts_of(known.values())
    for sample in samples:
        group = group_of(sample.kind)
        shortest[group] = min(shortest.get(group, sample.record.seconds), sample.record.seconds)
    by_kind: dict[str, list[Sample]] = {}
    by_key: dict[str, list[tuple[int, float]]] = {}
    for sample in samples:
        by_kind.setdefault(sample.kind, []).append(sample)
        if sample.written is not None:
            key = disk_key(sample.record.rule, sample.kind)
            by_key.setdefault(key, []).append(sample.written)
    rates: dict[str, Rate] = {}
    # The CRF first: the others may have one besides.
    for kind, own in sorted(by_kind.items(), key=lambda item: (item[0] != CRF, item[0])):
        crf = rates.get(CRF) or known.get(CRF)
        rate = _rate(kind, own, shortest[group_of(kind)], crf, machine)
        if rate is not None:
            rates[kind] = rate
    return Measured(
        dict(sorted(rates.items())),
        {key: _ratio_of_sums(own) for key, own in sorted(by_key.items())},
    )


def _ratio_of_sums(pairs: Sequence[tuple[int, float]]) -> float:
    # Of small jobs the files are mostly heads: large ones count more.
    return sum(size for size, _ in pairs) / sum(units for _, units in pairs)


def samples_of(results: Path, *, gpu: bool, cores: int | None) -> list[Sample]:
    """Return the jobs of a results folder with their work.

    Raises:
        ValueError: It has no jobs, no config, or that of another version.
    """
    config = config_of(results)
    counts = count_datasets(config, results)
    found = []
    for record in read_records(results):
        rule, wildcards = record.rule, record.wildcards
        try:
            work = work_of(rule, wildcards, config, counts)
            asked = record.threads or threads_of(rule, wildcards, config)
            threads = min(asked, cores or asked)
            device = device_of(record, gpu=gpu)
            units = gpus_of(rule, config) if device == "gpu" else threads
        except KeyError as error:
            raise ValueError(
                f"{results} cannot be measured: its config.yaml lacks {error}, so it belongs to "
                "another version; run the workflow again"
            ) from None
        if work.amount is not None:
            each = written(rule, wildcards, work.amount, results)
            found.append(Sample(record, work.kind, work.amount, threads, units, device, each))
    if not found:
        raise ValueError(
            f"{results} has no benchmarks of jobs: name the results folder of a run that ended"
        )
    return found


def _rate(
    kind: str, samples: Sequence[Sample], start: float, crf: Rate | None, machine: str
) -> Rate | None:
    device = samples[0].device
    named = next(filter(None, (gpu_name(sample.record) for sample in samples)), machine)
    if kind in NEGLIGIBLE:
        seconds = statistics.median(sample.record.seconds for sample in samples)
        return Rate(kind, seconds, 0.0, len(samples), device, named)
    least = max(STARTS * start, start + SECONDS)
    found = [
        _seconds_each(s, start, crf)
        for s in samples
        if s.device == device and s.amount.passes > 0 and s.record.seconds >= least
    ]
    if not found:
        return None
    return Rate(kind, start, statistics.median(found), len(found), device, named)


def _seconds_each(sample: Sample, start: float, crf: Rate | None) -> float:
    amount = sample.amount
    besides = amount.crf_passes * crf.seconds / sample.threads if crf else 0.0
    return max(0.0, sample.record.seconds - start - besides) * sample.units / amount.passes
