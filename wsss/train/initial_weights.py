"""Files of others that a training starts from, and whether they saw pixel labels."""

import re
from pathlib import Path

from torch import Tensor

from wsss.models.backbones.backbone import Backbone
from wsss.models.initial_weights import load_initial_weights, segmentation_head
from wsss.store.weights import load_state_of_others

# deeplab-pytorch's default, deeplabv1_resnet101-coco.pth, learned from the masks of MS COCO
# (deeplab-pytorch issues 89, 90 and 107); without its head only the name tells.
TRAINED_ON_MASKS = re.compile(r"deeplab.*coco", re.IGNORECASE)
CLASS_MAP_HEADS = {"classifier.weight", "fc8.weight"}
REMEDY = (
    "give weights of ImageNet classification (a segmenter may have "
    "initial_weights_saw_pixel_labels: true, which every table then says)"
)


def start_from_others(backbone: Backbone, path: Path, *, name: str, saw_pixel_labels: bool) -> None:
    """Load a file of others into a backbone.

    Args:
        backbone: Filled in place.
        path: See `wsss.models.initial_weights.load_initial_weights` for whose it may be.
        name: The backbone's name.
        saw_pixel_labels: Whether the file may come from a training on masks.

    Raises:
        ValueError: The file does not fit, or comes from a training on masks and may not.
    """
    state = load_state_of_others(path)
    trace = _trace_of_masks(backbone, state, path)
    if trace and not saw_pixel_labels:
        raise ValueError(f"{path} saw pixel labels ({trace}): {REMEDY}")
    try:
        load_initial_weights(backbone, state, name=name)
    except ValueError as error:
        imported = " (checkpoints of class-map code go through `wsss import-weights` first)"
        hint = imported if CLASS_MAP_HEADS & state.keys() else ""
        raise ValueError(f"{path}: {error}{hint}") from error


def _trace_of_masks(backbone: Backbone, state: dict[str, Tensor], path: Path) -> str:
    """Return what says that a file comes from a training on masks; "" if nothing does."""
    if heads := segmentation_head(backbone, state):
        return f"it holds a segmentation head, {heads[0]} {tuple(state[heads[0]].shape)}"
    names = (path.name, path.resolve().name)
    known = [found for found in names if TRAINED_ON_MASKS.search(found)]
    return f"{known[0]} is trained on the masks of MS COCO" if known else ""
