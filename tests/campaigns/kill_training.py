"""A training that is killed again and again ends with the bits of one that is not.

    python -m tests.campaigns.kill_training --kills 500 --random-seed 0

Small trainings of every kind are hit by SIGTERM, SIGUSR1 and SIGKILL: at a step, while a checkpoint
is being saved, or at any moment. They are started again until they end. Needed: weights and log
rows are those of an uninterrupted training, and nothing but the outputs is left.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tests.train.small import (
    CLASSES,
    COMPUTING,
    GROWING,
    growing_stream_of,
    masked_stream_of,
    small_classifier,
    stream_of,
    write_images,
)
from tests.train.test_additions import SAMPLING
from tests.train.test_objectives import objective
from tests.train.test_trainings import RECIPE, WOOD
from wsss.data.index import ImageRecord
from wsss.models.deeplab import build_segmenter
from wsss.models.irn import IRNet
from wsss.models.networks import build_network
from wsss.models.psa import AffinityNet
from wsss.store import atomic
from wsss.store.weights import load_weights, save_weights
from wsss.train import loop
from wsss.train.checkpoint import RunningCheckpoint, running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.irn import train_irn
from wsss.train.loop import TrainingInterruptedError
from wsss.train.psa import train_psa
from wsss.train.segmenter import train_segmenter
from wsss.train.wood import train_wood

STEPS = 12
# As long as one of these trainings, more or less.
LONGEST_SECONDS = 1.0
STOPPED = 3
OUTPUTS = {"net.safetensors", "rows.json"}


class DifferenceError(AssertionError):
    """A killed training gave what an uninterrupted one does not."""


def classifier(records: list[ImageRecord], checkpoint: RunningCheckpoint):
    module = small_classifier()
    return module, train_classifier(module, stream_of(records), **RECIPE, checkpoint=checkpoint)


def seam(records: list[ImageRecord], checkpoint: RunningCheckpoint):
    torch.manual_seed(0)
    # It drops channels, and HFPL draws positions: a checkpoint holds the generator of both.
    module = build_network("seam", "compact", num_classes=len(CLASSES), head_dropout=0.5)
    options = {**RECIPE, "objective": objective("seam", importance_sampling=SAMPLING)}
    return module, train_classifier(module, stream_of(records), **options, checkpoint=checkpoint)


def wood(records: list[ImageRecord], checkpoint: RunningCheckpoint):
    module = small_classifier()
    means = torch.from_numpy(np.random.default_rng(0).random((2, 2, 256), dtype=np.float32))
    features = module.head.weight.shape[1]
    rows = train_wood(
        module, stream_of(records), stream_of(records[:3], batch_size=1),
        class_means=means[0, :, :features], cluster_means=means[1, :, :features],
        checkpoint=checkpoint, **RECIPE, **WOOD,
    )  # fmt: skip
    return module, rows


def irn(records: list[ImageRecord], checkpoint: RunningCheckpoint):
    module = IRNet(small_classifier().backbone)
    torch.manual_seed(0)
    rows = train_irn(
        module, masked_stream_of(records, batch_size=2), epochs=4, radius=3, learning_rate=0.05,
        displacement_factor=10, momentum=0.9, weight_decay=1e-4, schedule="poly",
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    return module, rows


def psa(records: list[ImageRecord], checkpoint: RunningCheckpoint):
    backbone = small_classifier().backbone
    torch.manual_seed(0)
    module = AffinityNet(backbone, distance="mean", group_norm=False)
    rows = train_psa(
        module, masked_stream_of(records, batch_size=2), epochs=4, radius=3, learning_rate=0.01,
        head_multiplier=10, momentum=0.9, weight_decay=1e-4, schedule="poly", frozen_stages=1,
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    return module, rows


def segmenter(records: list[ImageRecord], checkpoint: RunningCheckpoint, *, grows: bool = False):
    torch.manual_seed(0)
    stream_of = growing_stream_of if grows else masked_stream_of
    module = build_segmenter(
        "deeplab_v2", "compact", num_classes=len(CLASSES) + 1, atrous_rates=[1], scales=[0.5]
    )
    rows = train_segmenter(
        module, stream_of(records, batch_size=2), iterations=STEPS, iter_size=2,
        learning_rate=0.003, head_multiplier=5, momentum=0.9, weight_decay=5e-4, schedule="poly",
        loss="cross_entropy", seed_growing=GROWING if grows else None, batch_norm="train",
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    return module, rows


def growing_segmenter(records: list[ImageRecord], checkpoint: RunningCheckpoint):
    return segmenter(records, checkpoint, grows=True)


KINDS: dict[str, Callable] = {
    f.__name__: f for f in (classifier, seam, wood, irn, psa, segmenter, growing_segmenter)
}


@dataclass(frozen=True)
class Hit:
    """A signal, and where it comes: before a step, in a save after so many, or at a second."""

    number: int
    step: int | None = None
    save: int | None = None
    second: float | None = None
    checkpoint_seconds: float = -1.0


def random_hit(draw: random.Random) -> Hit:
    number = draw.choice((signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL))
    often = draw.choice((-1.0, -1.0, 60.0))
    place = draw.choice(("step", "save", "second"))
    if place == "step":
        return Hit(number, step=draw.randrange(STEPS + 1), checkpoint_seconds=often)
    if place == "save":
        return Hit(number, save=draw.randrange(1, STEPS))
    return Hit(signal.SIGKILL, second=draw.uniform(0.01, LONGEST_SECONDS))


def attempt(kind: str, records: list[ImageRecord], folder: Path, hit: Hit) -> int:
    """Train in a process of its own, under a hit; return its status (multiprocessing)."""
    process = multiprocessing.get_context("fork").Process(
        target=_train, args=(kind, records, folder, hit)
    )
    process.start()
    process.join(300)
    return process.exitcode


def _train(kind: str, records: list[ImageRecord], folder: Path, hit: Hit | None) -> None:
    torch.set_num_threads(1)
    if hit:
        _arm(hit)
    checkpoint = running_checkpoint(folder / "net.safetensors", options=kind, inputs=[])
    try:
        module, rows = KINDS[kind](records, checkpoint)
    except TrainingInterruptedError:
        sys.exit(STOPPED)
    save_weights(folder / "net.safetensors", module.state_dict(), metadata={})
    with atomic.atomic_path(folder / "rows.json") as temporary:
        temporary.write_text(json.dumps(rows))
    checkpoint.remove()


def _arm(hit: Hit) -> None:
    """Let this process be hit."""
    loop.CHECKPOINT_SECONDS = hit.checkpoint_seconds
    if hit.second is not None:
        # Its default is to end the process at once, at any instruction, as SIGKILL does.
        signal.setitimer(signal.ITIMER_REAL, hit.second)
    rate, sync, saves = loop.learning_rate_at, os.fsync, []

    def rate_under_fire(step: int, **options):
        if step == hit.step:
            os.kill(os.getpid(), hit.number)
        return rate(step, **options)

    def sync_under_fire(descriptor: int) -> None:
        saves.append(descriptor)
        if len(saves) == hit.save:
            os.kill(os.getpid(), hit.number)
        sync(descriptor)

    loop.learning_rate_at = rate_under_fire
    atomic.os.fsync = sync_under_fire


def campaign(folder: Path, *, kills: int, random_seed: int) -> Counter:
    """Hit trainings so many times; return the counts by kind and way of ending."""
    records = write_images(folder)
    draw = random.Random(random_seed)
    counts: Counter = Counter()
    expected = {}
    for kind in KINDS:
        # In this process: its copies, which are hit, then have every library ready.
        _train(kind, records, folder / kind, None)
        expected[kind] = contents(folder / kind)
    turn = 0
    while sum(counts.values()) < kills:
        kind = list(KINDS)[turn % len(KINDS)]
        own = folder / f"{kind}{turn}"
        while (hit := random_hit(draw)) and not _ended(kind, records, own, hit):
            counts[kind, signal.Signals(hit.number).name] += 1
        found = contents(own)
        if found != expected[kind]:
            names = [name for name in found if found[name] != expected[kind].get(name)]
            raise DifferenceError(f"{kind}, training {turn}: {', '.join(names) or 'files'} differ")
        turn += 1
    return counts


def _ended(kind: str, records: list[ImageRecord], folder: Path, hit: Hit) -> bool:
    status = attempt(kind, records, folder, hit)
    if status not in (0, STOPPED, -signal.SIGKILL, -signal.SIGALRM, -signal.SIGTERM,
                      -signal.SIGUSR1):  # fmt: skip
        raise DifferenceError(f"{kind} under {hit} ended with {status}")
    return status == 0


def contents(folder: Path) -> dict[str, bytes]:
    """Return what stands in a folder by name, after a look at whether the weights can be read."""
    load_weights(folder / "net.safetensors")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def main() -> int:
    """Read the command line, run, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--random-seed", type=int, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            counts = campaign(Path(folder), kills=options.kills, random_seed=options.random_seed)
        except DifferenceError as error:
            sys.stdout.write(f"random seed {options.random_seed}: {error}\n")
            return 1
    for (kind, name), count in sorted(counts.items()):
        sys.stdout.write(f"{kind}: {count} times {name}\n")
    sys.stdout.write(f"{sum(counts.values())} kills, no difference\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
