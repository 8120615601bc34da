"""Batch normalisation on running statistics, folded into the convolution before it."""

import copy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.fx import Tracer


class Pair(NamedTuple):
    """A convolution, the normalisation that alone sees its output, and one that stands for both."""

    convolution: nn.Conv2d
    norm: nn.BatchNorm2d
    both: nn.Conv2d

    def parameters(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias for both, as functions of what they are made of."""
        mean, variance = cast(Tensor, self.norm.running_mean), cast(Tensor, self.norm.running_var)
        scale = self.norm.weight / (variance + self.norm.eps).sqrt()
        weight = self.convolution.weight * scale[:, None, None, None]
        return weight, self.norm.bias - mean * scale


class Folded:
    """A network in evaluation mode, computed with fewer passes over its features.

    Convolutions that a batch normalisation follows do its work, too. What learns are still the
    network's own parameters: `refresh` after they moved, and `collect_gradients` before they move.
    """

    def __init__(self, network: nn.Module) -> None:
        """Find what can be folded; all else is shared with the network."""
        own = [*network.parameters(), *network.buffers()]
        self.network = copy.deepcopy(network, {id(tensor): tensor for tensor in own})
        self._pairs = []
        for convolution, norm in folding_pairs(network):
            pair = Pair(
                cast(nn.Conv2d, network.get_submodule(convolution)),
                cast(nn.BatchNorm2d, network.get_submodule(norm)),
                cast(nn.Conv2d, self.network.get_submodule(convolution)),
            )
            learns = pair.convolution.weight.requires_grad
            pair.both.weight, pair.both.bias = (
                nn.Parameter(tensor.detach().clone(), requires_grad=learns)
                for tensor in pair.parameters()
            )
            pair.both.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.network.set_submodule(norm, nn.Identity())
            self._pairs.append(pair)
        self._made: list[Tensor] = []

    @torch.enable_grad()
    def refresh(self) -> None:
        """Take over the network's parameters."""
        self._made = [tensor for pair in self._pairs for tensor in pair.parameters()]
        with torch.no_grad():
            for parameter, made in zip(self._parameters(), self._made, strict=True):
                parameter.copy_(made)

    def collect_gradients(self) -> None:
        """Add the gradients of all passes since `refresh` to the network's parameters."""
        parameters = self._parameters()
        if parameters:
            torch.autograd.backward(self._made, [parameter.grad for parameter in parameters])
        for parameter in parameters:
            parameter.grad = None
        self._made = []

    def _parameters(self) -> list[Tensor]:
        both = [pair.both for pair in self._pairs]
        return [cast(Tensor, p) for module in both for p in (module.weight, module.bias)]


class _Layers(Tracer):
    """Follows features from layer to layer, whatever happens inside a convolution."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.Conv2d | nn.BatchNorm2d) or super().is_leaf_module(
            m, module_qualified_name
        )


def folding_pairs(network: nn.Module) -> list[tuple[str, str]]:
    """Return the names of convolutions without bias and of the normalisations that follow them.

    Only such as nothing else sees the output of, with scale and shift and nothing besides.
    """
    modules = dict(network.named_modules())
    pairs = []
    for node in _Layers().trace(network).nodes:
        norm = modules.get(str(node.target)) if node.op == "call_module" else None
        # A kind of its own may do more than normalise.
        if type(norm) is not nn.BatchNorm2d or not norm.affine:
            continue
        (before,) = node.all_input_nodes
        convolution = modules.get(str(before.target)) if before.op == "call_module" else None
        plain = isinstance(convolution, nn.Conv2d) and convolution.bias is None
        if plain and len(before.users) == 1:
            pairs.append((str(before.target), str(node.target)))
    return pairs
