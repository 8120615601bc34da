"""A training that meets numbers that are not finite, or a disk that is full."""

import errno
import os
import re
import signal

import pytest
import torch

from tests.train.small import stream_of
from tests.train.test_loop import STEPS, assert_same, interrupt, train
from wsss.store import atomic
from wsss.store.weights import load_weights
from wsss.train import loop
from wsss.train.checkpoint import running_checkpoint
from wsss.train.loop import fit

FSYNC = os.fsync


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    """An uninterrupted training."""
    return train(records, tmp_path_factory.mktemp("whole"))


def fit_one_weight(streams, folder, losses, **changes):
    """Train a module of one weight, 1 at first, by losses(weight, *batches); return the module."""
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([{"params": [module.weight], "multiplier": 1.0}], lr=0.0)
    arguments = {
        "schedule": "constant", "learning_rate": 0.25, "steps": 4, "stop_after": None,
        "accumulate": 1,
        "description": "train",
        "checkpoint": running_checkpoint(folder / "net.safetensors", options=0, inputs=[]),
    } | changes  # fmt: skip
    fit(module, optimizer, streams, losses=lambda *b: losses(module.weight, *b), **arguments)
    return module


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("term", ["loss", "part"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_loss_that_is_not_finite_is_named(records, tmp_path, bad, term, number):
    """A bad image comes in the first or the second stream, in the loss or in a part of it."""
    streams = [stream_of(records), stream_of(records, batch_size=1)]
    weights = []

    def losses(weight, *batches):
        weights.append(weight.item())
        # Pictures of the first class only.
        is_bad = len(weights) == 3 or batches[number][1][:, 1].sum() == 0
        values = {"loss": weight.sum(), "part": weight.detach().sum()}
        return values | ({term: values[term] * bad} if is_bad else {})

    with pytest.raises(FloatingPointError) as caught:
        fit_one_weight(streams, tmp_path, losses)
    text = str(caught.value)
    step = len(weights) - 1
    names = [name for stream in streams for name in stream.names(step)]
    assert len(names) == 3
    assert text.startswith(f"the loss is not finite at step {step} (")
    assert f"'{term}': {bad}" in text
    assert text.endswith(f"learning rate 0.25, images {', '.join(names)}: lower the learning rate")
    # No step was taken with a broken gradient.
    assert weights == [1 - 0.25 * done for done in range(step + 1)]


def infinite_gradient_at(step):
    """Return losses that are finite always, and whose gradient is not, at one step."""
    steps = []

    def losses(weight, _):
        steps.append(weight.item())
        # The root's slope at zero is infinite.
        shift = weight.detach() if len(steps) == step + 1 else 0
        return {"loss": (weight - shift).abs().sqrt().sum()}

    return losses


@pytest.mark.parametrize("step", [1, 3])
def test_weights_that_are_not_finite_are_not_saved(records, tmp_path, monkeypatch, step):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    stream = stream_of(records)
    with pytest.raises(FloatingPointError) as caught:
        fit_one_weight([stream], tmp_path, infinite_gradient_at(step))
    assert str(caught.value) == (
        f"weight is not finite after step {step}, learning rate 0.25, images "
        f"{', '.join(stream.names(step))}: lower the learning rate"
    )
    tensors, metadata = load_weights(tmp_path / "net.running.safetensors")
    assert tensors["module.weight"].isfinite().all() and metadata["step"] == str(step)


def test_weights_that_are_not_finite_stop_the_next_step_or_the_end(records, tmp_path):
    with pytest.raises(FloatingPointError, match=r"^the loss is not finite at step 2 "):
        fit_one_weight([stream_of(records)], tmp_path, infinite_gradient_at(1))
    with pytest.raises(FloatingPointError, match=r"^weight is not finite after step 3, "):
        fit_one_weight([stream_of(records)], tmp_path, infinite_gradient_at(3))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function that lets checkpoints meet a full disk, or no longer."""

    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def set_full(is_full):
        monkeypatch.setattr(atomic.os, "fsync", refuse if is_full else FSYNC)

    return set_full


FULL = r"net\.running\.safetensors cannot be written: the disk is full; make room on it"


def test_a_full_disk_ends_no_training(records, tmp_path, whole, monkeypatch, full_disk, caplog):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    found = train(records, tmp_path, at_step=2, before=lambda: full_disk(True))
    assert_same(found, whole)
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == STEPS - 2
    assert re.match(rf"the state after step 3 is not saved: .*{FULL}", said[0])
    assert [path.name for path in tmp_path.iterdir()] == ["net.running.safetensors"]


@pytest.mark.parametrize("seconds", [-1.0, 60.0])
def test_a_training_that_is_stopped_on_a_full_disk_says_what_is_saved(
    records, tmp_path, whole, monkeypatch, full_disk, seconds
):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", seconds)

    def fill_and_stop():
        full_disk(True)
        os.kill(os.getpid(), signal.SIGTERM)

    text = interrupt(records, tmp_path, at_step=3, before=fill_and_stop)
    saved = 3 if seconds < 0 else 0
    assert re.search(rf"after step 4 of 7; saved is only step {saved}, for .*{FULL}", text)
    full_disk(False)
    found = train(records, tmp_path)
    assert len(found.losses) == STEPS - saved
    assert_same(found, whole)


def test_what_a_kill_left_of_a_checkpoint_goes_with_it(records, tmp_path):
    left = tmp_path / ".net.running.0123456789ab.tmp.safetensors"
    left.write_bytes(b"half")
    found = train(records, tmp_path)
    found.checkpoint.remove()
    assert not list(tmp_path.iterdir())
