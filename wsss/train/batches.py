"""Batches of a training: which image comes when, loaded ahead of the step that needs it."""

import signal
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from wsss.data.loading import epoch_keys
from wsss.train.distributed import rank, ranks

# How long a loading process outlives SIGTERM; a step takes less.
GRACE_SECONDS = 20
READ_AHEAD = 2


@dataclass(frozen=True)
class BatchStream:
    """Images in their training order.

    A batch depends on its step and the random seed alone, so that a resumed training, and one with
    another number of workers, see the same images under the same augmentation. On several GPUs each
    rank loads its own part of every batch, and these are the images of one GPU's batch in a row.

    Attributes:
        images: A data set of `wsss.data.loading`, indexed by (draw, index).
        image_ids: Of the same images, in the same order.
        batch_size: Images per step.
        random_seed: Of the order; the data set has its own for the augmentation.
        workers: Loading processes; with 0 a thread of this one loads.
    """

    images: Dataset
    image_ids: Sequence[str]
    batch_size: int
    random_seed: int
    workers: int

    @property
    def steps_per_epoch(self) -> int:
        """Number of whole batches in a pass over the images, at least one."""
        return max(1, len(self.image_ids) // self.batch_size)

    def batches(self, first_step: int, steps: int) -> Generator[Any, None, None]:
        """Yield the batches of steps `first_step` to `steps` - 1, of each this rank's part."""
        part = self.batch_size // ranks()
        keys = self._keys(first_step, steps)
        first_of_parts = range(rank() * part, len(keys), self.batch_size)
        loader = DataLoader(
            self.images,
            batch_size=part,
            sampler=[key for first in first_of_parts for key in keys[first : first + part]],
            num_workers=self.workers,
            worker_init_fn=_leave_signals_to_the_loop,
            # Else the loader draws from the generator of the whole training, once more per resume.
            generator=torch.Generator(),
            pin_memory=torch.cuda.is_available(),
        )
        yield from _ahead(loader) if self.workers == 0 else _with_sentences(loader)

    def names(self, step: int) -> list[str]:
        """Return the image ids of the whole batch of a step."""
        return [self.image_ids[index] for _, index in self._keys(step, step + 1)]

    def _keys(self, first_step: int, steps: int) -> list[tuple[int, int]]:
        draws = range(first_step * self.batch_size, steps * self.batch_size)
        return epoch_keys(len(self.image_ids), random_seed=self.random_seed, draws=draws)


def _ahead(loader: DataLoader) -> Generator[Any, None, None]:
    """Yield the batches, the next ones being read by a thread meanwhile."""
    end = object()
    batches = iter(loader)
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, batches, end) for _ in range(READ_AHEAD))
        while (batch := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, batches, end))
            yield batch


def _with_sentences(loader: DataLoader) -> Generator[Any, None, None]:
    """Yield the batches; an error of a loading process is its sentence, without a traceback."""
    try:
        yield from loader
    except ValueError as error:
        sentence = str(error).rstrip().rsplit("\n", maxsplit=1)[-1]
        raise ValueError(sentence.removeprefix("ValueError: ")) from None


def _leave_signals_to_the_loop(_: int) -> None:
    """Let a loading process live on for a while when a cluster signals all processes of a job.

    The loop needs the batches that are under way to end its step and save its state.
    """
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE_SECONDS))
