"""AdvCAM on classifiers that RIB has fine-tuned on the image (dissertation 4.6, Table 4.7)."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from wsss.localize._fine_tuning import Step
from wsss.localize._others import Others
from wsss.localize._tuned_maps import Tuning, localize_tuned
from wsss.localize._views import inference, views_per_pass
from wsss.localize.advcam import attribution, climbed_maps, steps_at
from wsss.localize.rib import Options, parts_of, total
from wsss.models.classifier import Classifier

CLIMBED_STATES = ("last", "all")


def localize(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    others: Others,
    *,
    climbed_states: str,
    climb_steps: int,
    climb_step_size: float,
    regularization_weight: float,
    climb_score_threshold: float,
    half_scale_steps: str,
    **fine_tuning: Unpack[Options],
) -> list[np.ndarray]:
    """Return the maps of every image's own classes, of RIB's states and of AdvCAM's climbs on them.

    The dissertation combines both (Table 4.7) without saying how; what follows is ours. RIB
    fine-tunes as it does alone, on clean images. AdvCAM looks at a state of the fine-tuning as at
    any classifier: it climbs from the clean image, for each class and scale on its own, while the
    weights of the state rest. The maps of all states and of all steps of the climbs are summed,
    then joined over scales like class activation maps. All of them are AdvCAM's, Grad-CAM with its
    share of positive positions, also those of states that do not climb; a climb starts with the
    state's own map, which counts once. So a fine-tuning of one step is AdvCAM on the classifier,
    and with climbs of one step the sum is RIB's, but for those shares. Of a state whose maps
    exploded, the first scale alone counts and climbs.

    Args:
        model: Classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        others: The training images beside these.
        climbed_states: "last" climbs on the last state of the fine-tuning alone, "all" on each of
            them, which costs about so many times AdvCAM.
        climb_steps: `steps` of `advcam.localize`.
        climb_step_size: `step_size` there.
        regularization_weight: See there.
        climb_score_threshold: `score_threshold` there.
        half_scale_steps: See there.
        **fine_tuning: See `rib.Options`; batch_size and precision are those of climbs, too.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids or a named option do not fit, or the fine-tuning of an image
            ended in numbers that are not finite.
    """
    if climbed_states not in CLIMBED_STATES:
        raise ValueError(
            f"unknown climbed_states {climbed_states!r}: choose one of {', '.join(CLIMBED_STATES)}"
        )
    recipe, looks = parts_of(fine_tuning)
    climb = partial(
        climbed_maps,
        precision=looks.precision,
        step_size=climb_step_size,
        regularization_weight=regularization_weight,
        score_threshold=climb_score_threshold,
    )
    views = [views_per_pass(looks.batch_size, scale) for scale in looks.scales]
    counts = [
        steps_at(scale, steps=climb_steps, half_scale_steps=half_scale_steps)
        for scale in looks.scales
    ]

    def climbed(tuning: Tuning, seen: int) -> list[Tensor]:
        """Return the maps of climbs on the present state, of as many scales as are seen."""
        tuned, class_index = tuning.halves.tuned, _class_index(tuning)
        first = torch.zeros_like(class_index)
        with inference(tuned):
            return [
                climb(tuned, pair[None], first, class_index, views=at_once, steps=count)
                for pair, at_once, count in zip(tuning.pairs[:seen], views, counts, strict=False)
            ]

    def states(tuning: Tuning) -> Iterator[list[Tensor]]:
        own: list[Tensor] = []
        for step in tuning.steps:
            if climbed_states == "all":
                yield climbed(tuning, len(step.maps))
                continue
            if own:
                yield own
            # Now, as long as the weights are those of the state.
            own = _own_maps(tuning, step)
        if own:
            yield climbed(tuning, len(own))

    def maps_of(tuning: Tuning) -> list[Tensor]:
        return total(states(tuning))

    return localize_tuned(model, images, class_ids, others, maps_of, recipe, looks)


def _own_maps(tuning: Tuning, step: Step) -> list[Tensor]:
    class_index = _class_index(tuning)
    return [
        attribution(tuning.halves.tuned, maps.expand(len(class_index), *maps.shape), class_index)
        for maps in step.maps
    ]


def _class_index(tuning: Tuning) -> Tensor:
    return torch.as_tensor(tuning.class_ids, device=tuning.halves.device)
