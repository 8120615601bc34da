"""How many floating-point operations convolutions and matrix products take."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class OperationCounter(TorchDispatchMode):
    """Adds up the operations of a block, forward and backward.

    As torch's FlopCounterMode, which also tells them apart by module, and for that refuses
    `torch.autograd.grad`, by which W-OoD and AdvCAM climb.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        function: Callable,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch and count it."""
        if function._overloadpacket not in flop_registry:
            # In inference, an operation comes as a whole that is made of others.
            with self:
                parts = function.decompose(*args, **(kwargs or {}))
            if parts is not NotImplemented:
                return parts
        found = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=found)
        return found
