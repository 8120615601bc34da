import threading
from dataclasses import replace

import pytest
import torch

from tests.train.small import stream_of


def pixels_of(stream, first_step, steps):
    return [batch[0] for batch in stream.batches(first_step, steps)]


def same(one, other):
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.slow
def test_workers_change_nothing(records):
    expected = pixels_of(stream_of(records), 0, 4)
    assert same(pixels_of(stream_of(records, workers=2), 0, 4), expected)


def test_a_resumed_stream_goes_on(records):
    stream = stream_of(records)
    assert same(pixels_of(stream, 3, 5), pixels_of(stream, 0, 5)[3:])
    assert pixels_of(stream, 5, 5) == []


def test_batches_are_whole_across_epochs(records):
    stream = stream_of(records, batch_size=4)
    assert stream.steps_per_epoch == 1
    assert [len(pixels) for pixels in pixels_of(stream, 0, 3)] == [4, 4, 4]
    shown = [name for step in range(3) for name in stream.names(step)]
    assert sorted(shown[:6]) == sorted(shown[6:]) == [f"image{n}" for n in range(6)]


def test_fewer_images_than_a_batch(records):
    stream = stream_of(records[:3], batch_size=8)
    assert stream.steps_per_epoch == 1
    (pixels,) = pixels_of(stream, 0, 1)
    assert pixels.shape == (8, 3, 32, 32)
    assert set(stream.names(0)) == {"image0", "image1", "image2"}


def test_names_are_those_of_the_batch(records):
    stream = stream_of(records)
    labels = [batch[1] for batch in stream.batches(0, 3)]
    for step, rows in enumerate(labels):
        for name, row in zip(stream.names(step), rows, strict=True):
            assert row[int(name[-1]) % 2] == 1


def test_the_generator_of_the_training_is_left_alone(records):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    pixels_of(stream_of(records), 0, 2)
    assert torch.equal(torch.get_rng_state(), before)


def test_reading_ahead_ends_with_its_reader(records):
    running = threading.active_count()
    batches = stream_of(records).batches(0, 1000)
    next(batches)
    assert threading.active_count() == running + 1
    batches.close()
    assert threading.active_count() == running


def test_an_image_that_cannot_be_read_stops_the_training(records, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.jpg cannot be read \(not an image\)"):
        pixels_of(stream_of([*records[1:], replace(records[0], path=broken)]), 0, 3)
