"""A classifier cut in two: stages that rest, and a copy of those that learn from one image."""

import copy
from itertools import chain

import torch
from torch import Tensor, nn

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
        self._resting = nn.Sequential(*chain(*_stages(self.tuned)[:RESTING_STAGES]))
        self._learning = _learning_half(self.tuned).requires_grad_(True)
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

    @torch.no_grad()
    def resting_features(self, views: Tensor) -> Tensor:
        """Return the resting stages' features (B, D, h, w) of normalised views (B, 3, H, W)."""
        return self._through(self._resting, views)

    def score_maps(self, features: Tensor) -> Tensor:
        """Return the copy's raw score maps (B, C, h, w) of resting features."""
        return self._through(self._learning, features).to(self.dtype)

    def _through(self, part: nn.Module, x: Tensor) -> Tensor:
        # As in `wsss.localize._views.score_maps`.
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            return part(x.contiguous(memory_format=torch.channels_last))


def _stages(model: Classifier) -> tuple[tuple[nn.Module, ...], ...]:
    return model.backbone.stage_modules()


def _learning_half(model: Classifier) -> nn.Sequential:
    return nn.Sequential(*chain(*_stages(model)[RESTING_STAGES:]), model.head)
