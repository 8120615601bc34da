"""A classifier cut in two: stages that rest, and a copy of those that learn from one image."""

import copy
from itertools import chain

import torch
from torch import Tensor, nn

from wsss.localize._folding import Folded
from wsss.models.backbones.backbone import check_precision
from wsss.models.classifier import Classifier

# The official class-map code cuts the gradient there, after ResNet-50's layer2.
RESTING_STAGES = 3


class Halves:
    """The two halves of a classifier's copy: one rests, the other can start again.

    The classifier itself is never changed; what it has beside its backbone and head rests, too.
    Made while it is in evaluation mode.
    """

    def __init__(self, model: Classifier, *, precision: str) -> None:
        """Copy the classifier.

        Raises:
            ValueError: The precision is unknown.
        """
        check_precision(precision)
        self.precision = precision
        self.tuned = copy.deepcopy(model).requires_grad_(False)
        self._resting = Folded(nn.Sequential(*chain(*_stages(self.tuned)[:RESTING_STAGES])))
        self._learning = _learning_half(self.tuned).requires_grad_(True)
        self._folded = Folded(self._learning)
        self._start = [parameter.detach() for parameter in _learning_half(model).parameters()]
        self.dtype, self.device = model.head.weight.dtype, model.head.weight.device
        self.head: nn.Module = self.tuned.head

    @property
    def backbone(self) -> list[nn.Parameter]:
        """The parameters that learn, less the head's."""
        return list(self._learning[:-1].parameters())

    @torch.no_grad()
    def restart(self) -> None:
        """Give the copy the classifier's own weights."""
        for parameter, start in zip(self._learning.parameters(), self._start, strict=True):
            parameter.copy_(start)

    def begin_step(self) -> None:
        """Let `score_maps` be those of the parameters as they are now, which have no gradient."""
        for parameter in self._learning.parameters():
            parameter.grad = None
        self._folded.refresh()

    def end_step(self) -> None:
        """Give the parameters their gradient, of all that went backward since `begin_step`."""
        self._folded.collect_gradients()

    @torch.no_grad()
    def resting_features(self, views: Tensor) -> Tensor:
        """Return the resting stages' features (B, D, h, w) of normalised views (B, 3, H, W)."""
        return self._through(self._resting, views)

    def score_maps(self, features: Tensor) -> Tensor:
        """Return raw score maps (B, C, h, w) of resting features, see `begin_step`."""
        return self._through(self._folded, features).to(self.dtype)

    def _through(self, part: Folded, x: Tensor) -> Tensor:
        # As in `wsss.localize._views.score_maps`.
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            scores: Tensor = part.network(x.contiguous(memory_format=torch.channels_last))
            return scores


def _stages(model: Classifier) -> tuple[tuple[nn.Module, ...], ...]:
    return model.backbone.stage_modules()


def _learning_half(model: Classifier) -> nn.Sequential:
    return nn.Sequential(*chain(*_stages(model)[RESTING_STAGES:]), model.head)
