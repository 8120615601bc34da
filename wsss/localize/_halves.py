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
    """The resting half of a classifier, and a copy of the other half that can start again.

    The classifier itself is never changed. Made while it is in evaluation mode.
    """

    def __init__(self, model: Classifier, *, precision: str) -> None:
        """Copy the learning half.

        Raises:
            ValueError: The precision is unknown.
        """
        check_precision(precision)
        stages = model.backbone.stage_modules()
        learning = [*chain(*stages[RESTING_STAGES:]), model.head]
        self._resting = nn.Sequential(*chain(*stages[:RESTING_STAGES]))
        self._start = [parameter.detach() for part in learning for parameter in part.parameters()]
        self._learning = copy.deepcopy(nn.Sequential(*learning)).requires_grad_(True)
        self._lower = precision == "bfloat16"
        self.dtype, self.device = model.head.weight.dtype, model.head.weight.device
        self.head: nn.Module = self._learning[-1]

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
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._lower):
            return part(x.contiguous(memory_format=torch.channels_last))
