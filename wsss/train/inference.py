"""A trained classifier on many whole images: features and class probabilities."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from wsss.data.index import ImageRecord
from wsss.data.loading import full_image_batches
from wsss.models.classifier import Classifier
from wsss.progress import progress


@torch.inference_mode()
def classify(
    classifier: Classifier, records: Sequence[ImageRecord], *, batch_size: int
) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Yield (image ids, pooled features float32 (B, D), probabilities float32 (B, C)) in batches.

    Images go through at their own size; a batch holds images of one exact size, so the order is
    not that of the records.
    """
    device = classifier.head.weight.device
    classifier.eval()
    batches = progress(
        full_image_batches(records, batch_size=batch_size),
        total=len(records),
        description="classify",
        weight=lambda batch: len(batch[0]),
        inputs=True,
    )
    for batch, images in batches:
        pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2)
        features = classifier.features(classifier.normalize(pixels))
        yield (
            [record.image_id for record in batch],
            features.mean((2, 3)).float().cpu().numpy(),
            classifier.logits_of(features).sigmoid().float().cpu().numpy(),
        )


def features_of(
    classifier: Classifier, records: Sequence[ImageRecord], *, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (features float32 (N, D), probabilities float32 (N, C)) in the records' order."""
    if not records:
        # A shard of fewer images than shards.
        num_classes, channels = classifier.head.weight.shape[:2]
        return np.zeros((0, channels), np.float32), np.zeros((0, num_classes), np.float32)
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for image_ids, features, probs in classify(classifier, records, batch_size=batch_size):
        found |= dict(zip(image_ids, zip(features, probs, strict=True), strict=True))
    pairs = [found[record.image_id] for record in records]
    return np.stack([f for f, _ in pairs]), np.stack([p for _, p in pairs])
