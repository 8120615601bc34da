import numpy as np
import pytest
import torch

from tests.train.small import (
    growing_stream_of,
    labels_of,
    masked_stream_of,
    masks_of,
    stream_of,
)
from wsss.store.saliency import find_saliency_maps, write_saliency_maps
from wsss.train.streams import masked_stream


def test_views_with_image_labels(records):
    stream = stream_of(records)
    pixels, labels = next(iter(stream.batches(0, 1)))
    assert pixels.shape == (2, 3, 32, 32) and pixels.dtype == torch.uint8
    expected = labels_of(records)[[int(name[-1]) for name in stream.names(0)]]
    assert labels.tolist() == expected.tolist()


def test_views_with_saliency_maps(records, tmp_path):
    maps = ((r.image_id, np.full((r.height, r.width), 51, np.uint8)) for r in records)
    write_saliency_maps(tmp_path / "0", maps, source="none")
    found = find_saliency_maps([tmp_path / "0"])
    stream, without = stream_of(records, saliency=found), stream_of(records)
    assert stream.names(0) == without.names(0)
    for with_maps, plain in zip(stream.batches(0, 3), without.batches(0, 3), strict=True):
        pixels, labels, saliency = with_maps
        assert torch.equal(pixels, plain[0]) and torch.equal(labels, plain[1]) and len(plain) == 2
        assert saliency.shape == (2, 32, 32) and saliency.dtype == torch.float32
        assert set(saliency.unique().tolist()) <= {0.0, np.float32(0.2)} and saliency.any()
    del found["image3"]
    with pytest.raises(
        ValueError, match=r"^1 of 6 images have no saliency map \(the first is image3\): run the"
    ):
        stream_of(records, saliency=found)


def test_views_with_masks(records):
    stream = masked_stream_of(records, batch_size=3)
    pixels, masks = next(iter(stream.batches(0, 1)))
    assert pixels.shape == (3, 3, 32, 32) and masks.shape == (3, 32, 32)
    for name, mask in zip(stream.names(0), masks, strict=True):
        assert set(mask.unique().tolist()) <= {0, int(name[-1]) % 2 + 1, 255}


def test_views_for_a_seed_that_grows(records):
    stream = growing_stream_of(records, batch_size=6)
    pixels, masks, labels, inside = next(iter(stream.batches(0, 1)))
    assert pixels.shape == (6, 3, 48, 48) and masks.dtype == torch.uint8
    assert inside.shape == masks.shape and inside.dtype == torch.bool
    for number, name in enumerate(stream.names(0)):
        record = records[int(name[-1])]
        assert labels[number].tolist() == labels_of([record])[0].tolist()
        # Padding is outside; unsure pixels are of the image.
        assert inside[number].sum() == record.height * record.width
        assert (masks[number][~inside[number]] == 255).all()
        own = masks[number][inside[number]].bincount(minlength=256)
        assert own.nonzero().flatten().tolist() == [0, int(name[-1]) % 2 + 1, 255]
        assert own[255] == record.height * record.width - 4 * record.width - 64


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
