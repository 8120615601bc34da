"""The loop that every training runs: schedule, steps, log, checkpoints, signals."""

import contextlib
import logging
import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from wsss.disk import WriteError
from wsss.progress import progress
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.distributed import (
    Losses,
    adding_up,
    average_running_statistics,
    data_parallel,
    mean_over_ranks,
    on_any_rank,
    parts_of_rank,
    rank,
    said_by_first,
    seed_ranks_apart,
)
from wsss.train.schedule import learning_rate_at

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0
ROWS_PER_EPOCH = 4


class TrainingInterruptedError(RuntimeError):
    """The training was told to stop; the text says which state is saved."""


def fit(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    streams: Sequence[BatchStream],
    *,
    losses: Losses,
    schedule: str,
    learning_rate: float,
    steps: int,
    stop_after: int | None,
    accumulate: int,
    checkpoint: RunningCheckpoint,
    description: str,
) -> list[dict[str, float]]:
    """Train `module` in place and return the log rows.

    On several GPUs every rank calls this and gets the same. Each computes an equal part of every
    step, as if the step were accumulated from that many more parts, with the mean of the running
    statistics of batch normalisation; the images and their views are those of one GPU.

    Args:
        module: The network, on its device, in the mode that `losses` wants.
        optimizer: Its groups carry `multiplier`, the factor on the scheduled learning rate.
        streams: What a step sees: one batch of each; the first one's epochs count.
        losses: Called with one batch per stream, returns named scalars; `loss` is minimised, the
            others are logged.
        schedule: See wsss.train.schedule.
        learning_rate: The schedule's base.
        steps: Number of optimiser steps of the whole training.
        stop_after: Ends the training after so many of them, in the midst of the schedule; None
            goes on to the end.
        accumulate: Parts that a step's batches are split into, to need less memory; their losses
            are averaged.
        checkpoint: Where a killed training goes on from.
        description: Title of the progress bar.

    Raises:
        TrainingInterruptedError: SIGTERM or SIGUSR1 came; the state is saved if the disk takes it.
        FloatingPointError: The loss or, where they are saved, the weights are not finite.
        ValueError: A step cannot be shared equally by the ranks.
    """
    steps_per_epoch = streams[0].steps_per_epoch
    images_per_step = sum(stream.batch_size for stream in streams)
    parts = parts_of_rank(accumulate, [stream.batch_size for stream in streams])
    seed_ranks_apart()
    start, log_rows = checkpoint.load(module, optimizer)
    losses = data_parallel(module, losses)
    every = max(1, steps_per_epoch // ROWS_PER_EPOCH)
    last = steps if stop_after is None else stop_after
    saved = row_started = time.monotonic()
    row_step = saved_step = start
    with _stop_signals() as stop, contextlib.ExitStack() as opened:
        # Closed by hand: an error's traceback would keep the loading processes alive.
        batches = [
            opened.enter_context(contextlib.closing(stream.batches(start, last)))
            for stream in streams
        ]
        bar = progress(
            zip(range(start, last), zip(*batches, strict=True), strict=True),
            total=(last - start) * images_per_step,
            description=description,
            weight=lambda _: images_per_step,
            inputs=True,
        )
        for step, batch in bar:
            rate = learning_rate_at(
                step,
                schedule=schedule,
                base=learning_rate,
                steps=steps,
                steps_per_epoch=steps_per_epoch,
            )
            for group in optimizer.param_groups:
                group["lr"] = rate * group["multiplier"]
            optimizer.zero_grad(set_to_none=True)
            values = _gradients(losses, batch, parts)
            average_running_statistics(module)
            if not all(map(math.isfinite, values.values())):
                raise FloatingPointError(
                    f"the loss is not finite at step {step} ({values}), "
                    f"{_place(streams, step, rate)}"
                )
            optimizer.step()
            log_rows.add(values)
            done = step + 1
            now = time.monotonic()
            if done % every == 0 or done == last:
                row = log_rows.finish(step=done, epoch=done / steps_per_epoch, learning_rate=rate)
                # Speed goes to the log only: the rows are a result, the same in every run.
                speed = (done - row_step) * images_per_step / (now - row_started)
                log.info("step %d of %d: loss %.4f, %.1f images/s", done, last, row["loss"], speed)
                row_step, row_started = done, now
            stopped, due = on_any_rank(
                stop.is_set() and done < last, rank() == 0 and now - saved > CHECKPOINT_SECONDS
            )
            if (stopped or due or done == last) and (tensor := _not_finite(module)):
                raise FloatingPointError(
                    f"{tensor} is not finite after step {step}, {_place(streams, step, rate)}"
                )
            if stopped or due:
                failure = _save(checkpoint, module, optimizer, step=done, log_rows=log_rows)
                saved_step = saved_step if failure else done
                saved = time.monotonic()
            if stopped:
                state = f"the state is in {checkpoint.path}, run the same command again to go on"
                if failure:
                    state = f"saved is only step {saved_step}, for {failure}"
                raise TrainingInterruptedError(
                    said_by_first(f"stopped by a signal after step {done} of {last}; {state}")
                )
    return log_rows.rows


def _gradients(losses: Losses, batch: Sequence[Any], parts: int) -> dict[str, float]:
    """Compute the gradients of a step and return the means of its named losses."""
    values: dict[str, float] = {}
    for index, part in enumerate(_parts(batch, parts)):
        is_last = index == parts - 1
        with contextlib.nullcontext() if is_last else adding_up(losses):
            terms = losses(*part)
            (terms["loss"] / parts).backward()
        for name, value in terms.items():
            values[name] = values.get(name, 0.0) + float(value.detach()) / parts
    return mean_over_ranks(values)


def _place(streams: Sequence[BatchStream], step: int, rate: float) -> str:
    names = ", ".join(name for stream in streams for name in stream.names(step))
    return f"learning rate {rate:.3g}, images {names}: lower the learning rate"


def _save(checkpoint: RunningCheckpoint, *state: Any, **place: Any) -> WriteError | None:
    """Save the state, and return why it could not be saved: a full disk does not end a training."""
    try:
        checkpoint.save(*state, **place)
    except WriteError as error:
        log.warning("the state after step %d is not saved: %s", place["step"], error)
        return error
    return None


def _not_finite(module: nn.Module) -> str | None:
    """Return the name of a tensor that holds NaN or infinity, if any."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            return name
    return None


def _parts(
    batch: Sequence[Sequence[torch.Tensor]], count: int
) -> Iterator[list[list[torch.Tensor]]]:
    """Yield a step's batches in `count` parts of equal size (the last may be smaller)."""
    for index in range(count):
        yield [[tensor.chunk(count)[index] for tensor in tensors] for tensors in batch]


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Turn SIGTERM and SIGUSR1 into an event while the block runs."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGUSR1)
    }
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
