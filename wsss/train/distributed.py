"""What the processes of one training on several GPUs do together: each is a rank and has a GPU.

Where a process is alone, every function here returns what it was given.
"""

import contextlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

Losses = Callable[..., Mapping[str, Tensor]]


def rank() -> int:
    """Return the number of this process in its training, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def ranks() -> int:
    """Return the number of processes of this training."""
    return dist.get_world_size() if dist.is_initialized() else 1


def own_share(threads: int) -> int:
    """Return the CPU threads of this process, of those of the whole job; at least one."""
    return max(1, threads // ranks())


def parts_of_rank(accumulate: int, batch_sizes: Sequence[int]) -> int:
    """Return into how many parts each rank splits its share of a step's batches.

    The parts that a step is accumulated from anyway are dealt out to the ranks; only where they do
    not go round are they made smaller. So two GPUs with two accumulated parts train as one does.

    Args:
        accumulate: Parts of a training on one GPU.
        batch_sizes: Images per step, of every stream of batches.

    Raises:
        ValueError: A batch has no equal parts for all ranks.
    """
    if ranks() == 1:
        return accumulate
    parts = math.lcm(accumulate, ranks())
    for size in batch_sizes:
        if size % parts:
            raise ValueError(
                f"a step of {size} images cannot be split into {parts} equal parts for {ranks()} "
                f"GPUs: make it a multiple of {parts}, or take other GPUs"
            )
    return parts // ranks()


def seed_ranks_apart() -> None:
    """Give each rank random numbers of its own; those of the first stay as they are."""
    if rank():
        # Seeds of a config have 32 bits, so that no other training has these.
        torch.manual_seed((torch.initial_seed() + (rank() << 32)) % 2**63)


def data_parallel(module: nn.Module, losses: Losses) -> Losses:
    """Return `losses`, of which a backward pass averages the module's gradients over the ranks."""
    if ranks() == 1:
        return losses
    # They come from 1x1 convolutions, which are channels first and last at once.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    with warnings.catch_warnings():
        # Torch 2.13 renames `broadcast_buffers`, and 2.12 does not know the new name.
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(
            _Losses(module, losses),
            broadcast_buffers=False,
            # Else the second step lays gradients out anew for their sums, in whose order the last
            # digits of three ranks and more depend on where a training was resumed.
            find_unused_parameters=True,
        )


class _Losses(nn.Module):
    """The losses as the output of a module that owns the network."""

    def __init__(self, module: nn.Module, losses: Losses) -> None:
        super().__init__()
        self.module = module
        self.losses = losses

    def forward(self, *batches: list[Tensor]) -> Mapping[str, Tensor]:
        """Return the named losses of one batch per stream."""
        return self.losses(*batches)


def adding_up(losses: Losses) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which gradients add up on each rank, to be averaged by a later pass."""
    if isinstance(losses, DistributedDataParallel):
        return losses.no_sync()
    return contextlib.nullcontext()


def average_running_statistics(module: nn.Module) -> None:
    """Average the statistics that batch normalisation in training mode keeps, over the ranks."""
    if ranks() == 1:
        return
    layers = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.training]
    kept = [s for layer in layers for s in (layer.running_mean, layer.running_var)]
    average([statistic for statistic in kept if statistic is not None])


def average(tensors: Sequence[Tensor]) -> None:
    """Replace floating-point tensors by their mean over the ranks, which have them alike."""
    if ranks() == 1 or not tensors:
        return
    flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= ranks()
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.detach().copy_(part.view_as(tensor))


def mean_over_ranks(values: Mapping[str, float]) -> dict[str, float]:
    """Return the mean of each named number over the ranks, which name them alike."""
    if ranks() == 1:
        return dict(values)
    total = torch.tensor(list(values.values()), dtype=torch.float64, device=_device())
    dist.all_reduce(total)
    return dict(zip(values, (total / ranks()).tolist(), strict=True))


def on_any_rank(*flags: bool) -> tuple[bool, ...]:
    """Return for each flag whether it is set on some rank."""
    if ranks() == 1:
        return flags
    count = torch.tensor(flags, dtype=torch.int32, device=_device())
    dist.all_reduce(count)
    return tuple(bool(number) for number in count.tolist())


def gathered(tensor: Tensor) -> list[Tensor]:
    """Return the tensors of all ranks, which are of one shape and type, on the CPU."""
    if ranks() == 1:
        return [tensor]
    own = tensor.to(_device())
    found = [torch.empty_like(own) for _ in range(ranks())]
    dist.all_gather(found, own)
    return [other.cpu() for other in found]


def said_by_first(text: str) -> str:
    """Return the text of the first rank; the others wait until it has one."""
    if ranks() == 1:
        return text
    content = torch.tensor(list(text.encode()), dtype=torch.uint8, device=_device())
    length = torch.tensor([len(content)], device=_device())
    dist.broadcast(length, src=0)
    if rank():
        content = torch.empty(int(length), dtype=torch.uint8, device=_device())
    dist.broadcast(content, src=0)
    return bytes(content.tolist()).decode()


def _device() -> torch.device:
    """Return where the ranks' backend wants its tensors."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
