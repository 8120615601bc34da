"""What a run did cost, by rule: from its benchmark files, and from SLURM's accounting."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wsss.plan.accounting import Account, ask_slurm
from wsss.plan.records import Record, config_of, read_records
from wsss.plan.stage_logs import device_of, log_head
from wsss.plan.words import count
from wsss.plan.work import gpus_of, threads_of
from wsss.slurm import Place, said_place

FAILED = "Of a job that was tried several times only the last attempt is counted."


class Spent(NamedTuple):
    """The jobs of a rule, the costliest rule first.

    Hours are wall time times cores, or GPUs, that the jobs held; in SLURM, what it gave them.
    `asked_mb` and `waited` (the longest in the queue, seconds) are None where SLURM does not say.
    """

    rule: str
    jobs: int
    core_hours: float
    gpu_hours: float
    longest_seconds: float
    peak_mb: float | None
    asked_mb: float | None
    waited: float | None


class Costs(NamedTuple):
    """The costs of a run by rule, and what is to be said of them."""

    rules: list[Spent]
    notes: list[str]


class _Share(NamedTuple):
    """A job and its share of what was held: jobs of a group have one SLURM job together."""

    record: Record
    core_seconds: float
    gpu_seconds: float
    account: Account | None


def costs_of(results: Path) -> Costs:
    """Return what the run of a results folder did cost.

    A job that was not needed again keeps the time of the run that made its files.

    Raises:
        ValueError: A benchmark file cannot be read as one.
    """
    records = read_records(results)
    config: Mapping[str, Any] = {}
    # It tells the threads only; whatever is wrong with it is said of them.
    with contextlib.suppress(ValueError):
        config = config_of(results)
    heads = [log_head(record.log) for record in records]
    places = [said_place(head) for head in heads]
    known, sentence = ask_slurm(place.job for place in places if place)
    together: dict[str, float] = {}
    for record, place in zip(records, places, strict=True):
        if place:
            together[place.job] = together.get(place.job, 0.0) + record.seconds
    shares, guessed = [], 0
    for record, place in zip(records, places, strict=True):
        threads = (place and place.cpus) or record.threads or _threads(record, config)
        guessed += threads is None
        share = record.seconds / together[place.job] if place and together[place.job] else 1.0
        account = known.get(place.job) if place else None
        shares.append(_share(record, place, account, threads or 1, share, config))
    notes = [sentence] if sentence else []
    if guessed:
        notes.append(f"How many cores {count(guessed, 'job')} held is unknown; it counts as one.")
    if records:
        notes.append(FAILED)
    return Costs(_by_rule(shares), notes)


def _threads(record: Record, config: Mapping[str, Any]) -> int | None:
    try:
        return threads_of(record.rule, record.wildcards, config)
    except (KeyError, TypeError):
        # Of a run of another version, or of a rule that is gone.
        return None


def _share(
    record: Record,
    place: Place | None,
    account: Account | None,
    threads: int,
    share: float,
    config: Mapping[str, Any],
) -> _Share:
    if account:
        return _Share(record, account.cpu_seconds * share, account.gpu_seconds * share, account)
    gpus = place.gpus if place else _gpus(record, config)
    return _Share(record, record.seconds * threads, record.seconds * gpus, None)


def _gpus(record: Record, config: Mapping[str, Any]) -> int:
    """Return the GPUs of a job outside of SLURM, if its log names one."""
    if device_of(record, gpu=False) == "cpu":
        return 0
    try:
        return gpus_of(record.rule, config)
    except (KeyError, TypeError):
        return 1


def _by_rule(shares: Sequence[_Share]) -> list[Spent]:
    rules: dict[str, list[_Share]] = {}
    for share in shares:
        rules.setdefault(share.record.rule, []).append(share)
    found = [_spent(rule, own) for rule, own in rules.items()]
    return sorted(found, key=lambda line: (-line.gpu_hours, -line.core_hours, line.rule))


def _spent(rule: str, shares: Sequence[_Share]) -> Spent:
    accounts = [share.account for share in shares if share.account]
    peaks = [share.record.peak_mb for share in shares if share.record.peak_mb is not None]
    peaks += [account.used_mb for account in accounts if account.used_mb]
    return Spent(
        rule=rule,
        jobs=len(shares),
        core_hours=sum(share.core_seconds for share in shares) / 3600,
        gpu_hours=sum(share.gpu_seconds for share in shares) / 3600,
        longest_seconds=max(share.record.seconds for share in shares),
        peak_mb=max(peaks, default=None),
        asked_mb=max((a.asked_mb for a in accounts if a.asked_mb), default=None),
        waited=max((account.waited for account in accounts), default=None),
    )
