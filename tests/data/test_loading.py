import threading

import numpy as np
import pytest
import torch

from wsss.data.images import read_image, write_jpeg
from wsss.data.index import ImageRecord
from wsss.data.loading import (
    ClassificationImages,
    SegmentationImages,
    epoch_keys,
    full_image_batches,
)
from wsss.data.transforms import MEAN_COLOUR
from wsss.store.masks import write_mask
from wsss.store.saliency import write_saliency_maps

SIZES = [(20, 30), (30, 20), (20, 30), (20, 30), (1, 1), (30, 20)]
LABELS = np.eye(6, 3, dtype=np.float32)


@pytest.fixture
def records(tmp_path):
    rng = np.random.default_rng(0)
    found = []
    for number, (height, width) in enumerate(SIZES):
        path = tmp_path / f"{number}.jpg"
        write_jpeg(path, rng.integers(0, 256, (height, width, 3), dtype=np.uint8), quality=90)
        write_mask(tmp_path / f"{number}.png", np.full((height, width), number, np.uint8))
        found.append(ImageRecord(str(number), path, "train", height, width, ("a",)))
    return found


def classification(records, random_seed=0, saliency=None):
    return ClassificationImages(
        records, LABELS, saliency=saliency, resize_long=(16, 40), crop_size=24,
        random_seed=random_seed,
    )  # fmt: skip


def segmentation(records, masks=None):
    masks = masks or [record.path.with_suffix(".png") for record in records]
    return SegmentationImages(records, masks, scales=(0.5, 1.0), crop_size=24, random_seed=0)


def test_a_view_and_its_labels(records):
    images = classification(records)
    view, labels = images[5, 1]
    assert len(images) == 6
    assert view.shape == (3, 24, 24) and view.dtype == torch.uint8 and view.is_contiguous()
    assert labels.tolist() == [0, 1, 0] and labels.dtype == torch.float32


def test_the_draw_and_the_random_seed_alone_make_the_view(records):
    images = classification(records)
    assert torch.equal(images[3, 0][0], classification(records)[3, 0][0])
    assert not torch.equal(images[3, 0][0], images[4, 0][0])
    assert not torch.equal(images[3, 0][0], classification(records, random_seed=1)[3, 0][0])


@pytest.fixture
def saliency(records, tmp_path):
    """A file of a saliency map for each image: its red."""
    maps = ((record.image_id, read_image(record.path)[..., 0]) for record in records)
    write_saliency_maps(tmp_path / "saliency", maps, source="red")
    return [tmp_path / f"saliency/{record.image_id}.png" for record in records]


def test_a_view_with_its_saliency(records, saliency):
    images = classification(records, saliency=saliency)
    for draw in range(3):
        for index in range(6):
            view, labels, salient = images[draw, index]
            without, own_labels = classification(records)[draw, index]
            assert torch.equal(view, without) and torch.equal(labels, own_labels)
            assert salient.shape == (24, 24) and salient.dtype == torch.float32
            assert salient.is_contiguous() and salient.min() >= 0 and salient.max() <= 1
            inside = (view != torch.tensor(MEAN_COLOUR)[:, None, None]).any(0)
            # PIL rounds a channel of three as it rounds one alone.
            assert torch.equal((salient * 255).round()[inside].byte(), view[0][inside])
            assert not salient[~inside].any()


def test_saliency_maps_that_do_not_fit_are_refused(records, saliency):
    with pytest.raises(ValueError, match="5 saliency maps do not fit 6 images"):
        classification(records, saliency=saliency[1:])
    swapped = [saliency[1], *saliency[1:]]
    with pytest.raises(
        ValueError,
        match=r"^saliency map \S*1\.png is \(30, 20\), but image 0 is \(20, 30\); make the",
    ):
        classification(records, saliency=swapped)[0, 0]
    saliency[0].unlink()
    with pytest.raises(ValueError, match=r"saliency map \S*0\.png does not exist; run the step"):
        classification(records, saliency=saliency)[0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("make", [classification, segmentation])
def test_workers_do_not_change_the_views(records, make):
    keys = epoch_keys(6, random_seed=0, draws=range(12))
    loaded = [
        list(torch.utils.data.DataLoader(make(records), 4, sampler=keys, num_workers=workers))
        for workers in (0, 2)
    ]
    for one, other in zip(*loaded, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_view_with_its_mask(records):
    images = segmentation(records)
    for index in range(len(images)):
        view, mask = images[0, index]
        assert view.shape == (3, 24, 24) and mask.shape == (24, 24)
        assert view.dtype == mask.dtype == torch.uint8
        assert set(mask.unique().tolist()) <= {index, 255}


def test_a_mask_of_another_size_is_refused_by_name(records):
    masks = [record.path.with_suffix(".png") for record in records]
    with pytest.raises(ValueError, match=r"1\.png is \(30, 20\), but image 0 is \(20, 30\)"):
        segmentation(records, [masks[1], *masks[1:]])[0, 0]
    with pytest.raises(ValueError, match="5 masks do not fit 6 images"):
        segmentation(records, masks[1:])


def test_labels_that_do_not_fit_are_refused(records):
    with pytest.raises(ValueError, match=r"image_labels \(6, 3\) do not fit 2 images"):
        classification(records[:2])
    masks = [record.path.with_suffix(".png") for record in records]
    views = {"scales": (1.0,), "crop_size": 24, "random_seed": 0}
    with pytest.raises(ValueError, match=r"image_labels \(5, 3\) do not fit 6 images"):
        SegmentationImages(records, masks, LABELS[1:], **views)
    with pytest.raises(ValueError, match=r"at most 253 classes, not 254: set seed_growing"):
        SegmentationImages(records, masks, np.zeros((6, 254)), **views)


def test_image_labels_do_not_change_the_view_or_its_mask(records):
    masks = [record.path.with_suffix(".png") for record in records]
    views = {"scales": (0.5, 1.0), "crop_size": 24, "random_seed": 0}
    for index in range(len(records)):
        plain = segmentation(records)[3, index]
        *with_labels, labels, inside = SegmentationImages(records, masks, LABELS, **views)[3, index]
        assert all(torch.equal(one, other) for one, other in zip(plain, with_labels, strict=True))
        assert labels.tolist() == LABELS[index].tolist()
        assert torch.equal(inside, plain[1] != 255)


def test_an_image_of_another_size_than_the_index_says_is_refused(records):
    write_jpeg(records[0].path, np.zeros((9, 9, 3), np.uint8), quality=90)
    with pytest.raises(ValueError, match=r"0\.jpg is \(9, 9\), but the index says \(20, 30\)"):
        classification(records)[0, 0]
    with pytest.raises(ValueError, match=r"0\.jpg is \(9, 9\)"):
        list(full_image_batches(records, batch_size=2))


def test_each_epoch_shows_every_image_once_in_its_own_order():
    keys = epoch_keys(50, random_seed=3, draws=range(150))
    assert [draw for draw, _ in keys] == list(range(150))
    epochs = [[index for _, index in keys[start : start + 50]] for start in (0, 50, 100)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert keys != epoch_keys(50, random_seed=4, draws=range(150))


def test_a_resumed_training_draws_the_rest():
    keys = epoch_keys(7, random_seed=0, draws=range(30))
    assert epoch_keys(7, random_seed=0, draws=range(11, 30)) == keys[11:]
    assert epoch_keys(7, random_seed=0, draws=range(1, 30, 2)) == keys[1::2]
    with pytest.raises(ValueError, match="no images to draw from"):
        epoch_keys(0, random_seed=0, draws=range(3))


def test_whole_images_come_in_batches_of_one_size(records):
    batches = list(full_image_batches(records, batch_size=2))
    assert [[r.image_id for r in batch] for batch, _ in batches] == [
        ["0", "2"], ["3"], ["1", "5"], ["4"],
    ]  # fmt: skip
    for batch, images in batches:
        assert images.dtype == np.uint8
        for record, image in zip(batch, images, strict=True):
            np.testing.assert_array_equal(image, read_image(record.path))
    assert list(full_image_batches([], batch_size=2)) == []
    with pytest.raises(ValueError, match="batch_size is 0"):
        next(full_image_batches(records, batch_size=0))


def test_a_broken_image_stops_the_batches_after_those_before_it(records):
    records[1].path.write_bytes(b"")
    batches = full_image_batches(records, batch_size=8)
    assert len(next(batches)[0]) == 3
    with pytest.raises(ValueError, match=r"1\.jpg cannot be read"):
        next(batches)


def test_a_reader_that_stops_early_leaves_no_thread(records):
    before = threading.active_count()
    batches = full_image_batches(records, batch_size=1)
    next(batches)
    batches.close()
    assert threading.active_count() == before
