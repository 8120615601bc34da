import pytest
import torch

from tests.train.small import labels_of, masked_stream_of, masks_of, stream_of
from wsss.train.streams import masked_stream


def test_views_with_image_labels(records):
    stream = stream_of(records)
    pixels, labels = next(iter(stream.batches(0, 1)))
    assert pixels.shape == (2, 3, 32, 32) and pixels.dtype == torch.uint8
    expected = labels_of(records)[[int(name[-1]) for name in stream.names(0)]]
    assert labels.tolist() == expected.tolist()


def test_views_with_masks(records):
    stream = masked_stream_of(records, batch_size=3)
    pixels, masks = next(iter(stream.batches(0, 1)))
    assert pixels.shape == (3, 3, 32, 32) and masks.shape == (3, 32, 32)
    for name, mask in zip(stream.names(0), masks, strict=True):
        assert set(mask.unique().tolist()) <= {0, int(name[-1]) % 2 + 1, 255}


def test_images_without_masks_are_named(records):
    masks = masks_of(records)
    del masks["image2"], masks["image4"]
    with pytest.raises(ValueError) as caught:
        masked_stream(
            records, masks, batch_size=2, scales=(1.0,), crop_size=32, random_seed=0, workers=0
        )
    assert str(caught.value) == (
        "2 of 6 images have no mask (the first is image2): run the workflow again to make them"
    )
