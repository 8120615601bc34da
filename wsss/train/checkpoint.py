"""Running checkpoints: what a killed training goes on from."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from wsss.store.atomic import remove_left_over
from wsss.store.weights import load_weights, save_weights
from wsss.train.distributed import gathered, rank, ranks
from wsss.train.log_rows import LogRows

log = logging.getLogger(__name__)


def running_checkpoint(
    output: str | Path, *, options: object, inputs: Iterable[str | Path]
) -> RunningCheckpoint:
    """Return the running checkpoint beside an output file of a training.

    Args:
        output: The training's declared output; the checkpoint is `<stem>.running.safetensors`.
        options: Options, code and random seed, as JSON.
        inputs: Files and folders that the training reads; one made anew makes another training.
    """
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    dates = {str(name): Path(name).stat().st_mtime_ns for name in inputs}
    several = [ranks()] if ranks() > 1 else []
    fingerprint = json.dumps([options, dates, *several], sort_keys=True, default=str)
    return RunningCheckpoint(path.with_suffix(".running.safetensors"), fingerprint=fingerprint)


class RunningCheckpoint:
    """The state of one training in one file that is not an output of the workflow.

    The engine deletes the declared outputs of a job that fails; this file stays, and the next
    attempt goes on from it. It holds the weights, the optimiser's momenta, torch's generator state,
    the step and the log rows, so that the result equals that of an uninterrupted run. Of several
    ranks, all save and load together; the first writes, for the others have the same but for the
    generators.

    Args:
        path: The file; its folder exists.
        fingerprint: Text that identifies options and code. A checkpoint of another fingerprint
            belongs to another training and is not used.
    """

    def __init__(self, path: Path, *, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint

    def save(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        step: int,
        log_rows: LogRows,
    ) -> None:
        """Write the state before step `step` (0-based); the file is replaced at once or not."""
        generators = gathered(torch.get_rng_state())
        if rank():
            return
        tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"optimizer.{index}.{name}"] = value
        tensors |= {_generator_of(number): state for number, state in enumerate(generators)}
        metadata = {
            "fingerprint": self.fingerprint,
            "step": str(step),
            "log_rows": json.dumps(asdict(log_rows)),
        }
        save_weights(self.path, tensors, metadata=metadata)

    def load(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, LogRows]:
        """Restore the state in place and return (next step, log rows); (0, none) without a file.

        A checkpoint with another fingerprint is left aside with a warning.
        """
        if not self.path.exists():
            return 0, LogRows()
        tensors, metadata = load_weights(self.path)
        if metadata.get("fingerprint") != self.fingerprint:
            log.warning("%s belongs to other options or code; training starts anew", self.path)
            return 0, LogRows()
        module.load_state_dict(_with_prefix(tensors, "module."))
        _restore_optimizer(optimizer, _with_prefix(tensors, "optimizer."))
        torch.set_rng_state(tensors[_generator_of(rank())])
        step = int(metadata["step"])
        log.info("going on at step %d from %s", step, self.path)
        return step, LogRows(**json.loads(metadata["log_rows"]))

    def remove(self) -> None:
        """Delete the file, and what a kill left of it, once the training's outputs are complete."""
        self.path.unlink(missing_ok=True)
        remove_left_over(self.path)


def _generator_of(number: int) -> str:
    return f"generator.{number}" if number else "generator"


def _with_prefix(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
