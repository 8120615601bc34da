import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from tests.source import ROOT
from tests.train.small import equal_tensors, masked_stream_of, small_classifier, stream_of
from wsss.losses.classification import classification_loss
from wsss.models.classifier import set_batch_norm_frozen
from wsss.train import loop
from wsss.train.checkpoint import running_checkpoint
from wsss.train.loop import TrainingInterruptedError, fit
from wsss.train.schedule import learning_rate_at

STEPS = 7


def train(records, folder, *, options=0, at_step=None, before=None, inputs=(), **changes):
    """Train a small classifier; `before()` is called before the losses of step `at_step`.

    The features go through a dropout, so that the result depends on torch's generator too.
    """
    classifier = small_classifier().train()
    groups = [
        {"params": list(classifier.backbone.parameters()), "multiplier": 1.0},
        {"params": list(classifier.head.parameters()), "multiplier": 10.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=0.9)
    seen = []

    def losses(batch):
        if len(seen) == at_step:
            before()
        pixels, labels = batch
        features = F.dropout(classifier.pooled_features(classifier.normalize(pixels)), 0.2)
        loss = classification_loss(features @ classifier.head.weight.flatten(1).T, labels)
        seen.append(float(loss.detach()))
        return {"loss": loss, "double": 2 * loss.detach()}

    stream = changes.pop("stream", None) or stream_of(records)
    checkpoint = running_checkpoint(folder / "net.safetensors", options=options, inputs=inputs)
    arguments = {
        "losses": losses, "schedule": "poly", "learning_rate": 0.02, "steps": STEPS,
        "stop_after": None, "accumulate": 1,
        "checkpoint": checkpoint, "description": "train",
    } | changes  # fmt: skip
    rows = fit(classifier, optimizer, [stream], **arguments)
    momenta = {
        f"{i}.{name}": value
        for i, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }
    return SimpleNamespace(
        weights=classifier.state_dict(), momenta=momenta, rows=rows, losses=seen,
        generator=torch.get_rng_state(), checkpoint=checkpoint, groups=optimizer.param_groups,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    """An uninterrupted training."""
    return train(records, tmp_path_factory.mktemp("whole"))


def assert_same(one, other):
    assert equal_tensors(one.weights, other.weights)
    assert one.momenta and equal_tensors(one.momenta, other.momenta)
    assert torch.equal(one.generator, other.generator)
    assert one.rows == other.rows


def interrupt(records, folder, **arguments):
    with pytest.raises(TrainingInterruptedError) as caught:
        train(records, folder, **arguments)
    return str(caught.value)


def stop_by(number):
    return lambda: os.kill(os.getpid(), number)


def test_the_loss_goes_down(records, tmp_path):
    found = train(records, tmp_path, steps=20)
    assert sum(found.losses[-5:]) < 0.5 * sum(found.losses[:5])


def test_rows(whole):
    # Three batches make an epoch, so every step has a row.
    assert [row["step"] for row in whole.rows] == list(range(1, STEPS + 1))
    assert [row["epoch"] for row in whole.rows] == [step / 3 for step in range(1, STEPS + 1)]
    for step, row in enumerate(whole.rows):
        assert row["loss"] == whole.losses[step] and row["double"] == 2 * row["loss"]
        rate = learning_rate_at(step, schedule="poly", base=0.02, steps=STEPS, steps_per_epoch=3)
        assert row["learning_rate"] == rate
    assert [g["lr"] for g in whole.groups] == [rate, rate * 10]


def test_a_row_is_a_mean_over_its_steps(records, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "ROWS_PER_EPOCH", 1)
    found = train(records, tmp_path)
    assert [row["step"] for row in found.rows] == [3, 6, 7]
    assert found.rows[1]["loss"] == pytest.approx(sum(found.losses[3:6]) / 3)
    assert found.rows[2]["loss"] == found.losses[6]


def test_the_same_training_gives_the_same_bits(records, tmp_path, whole):
    assert_same(train(records, tmp_path), whole)


def test_a_state_in_between_is_one_of_the_whole_training(records, tmp_path, whole):
    part = train(records, tmp_path / "part", stop_after=4)
    assert part.rows == whole.rows[:4] and part.losses == whole.losses[:4]
    interrupt(records, tmp_path / "whole", at_step=3, before=stop_by(signal.SIGTERM))
    # Nothing is left to do: this is the state that was saved after the fourth step.
    saved = train(records, tmp_path / "whole", stop_after=4)
    assert not saved.losses
    assert_same(saved, part)
    assert_same(train(records, tmp_path / "end", stop_after=STEPS), whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_stopped_training_goes_on_to_the_same_end(records, tmp_path, whole, number):
    handler = signal.getsignal(number)
    text = interrupt(records, tmp_path, at_step=2, before=stop_by(number))
    assert "stopped by a signal after step 3 of 7" in text and "run the same command again" in text
    assert signal.getsignal(number) is handler
    found = train(records, tmp_path)
    assert len(found.losses) == STEPS - 3
    assert_same(found, whole)


def test_a_row_that_was_cut_is_whole_after_all(records, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "ROWS_PER_EPOCH", 1)
    (tmp_path / "whole").mkdir()
    expected = train(records, tmp_path / "whole")
    for step in (1, 0, 2):
        interrupt(records, tmp_path, at_step=step, before=stop_by(signal.SIGTERM))
    assert_same(train(records, tmp_path), expected)


def test_a_signal_in_the_last_step_is_too_late_to_matter(records, tmp_path, whole):
    found = train(records, tmp_path, at_step=STEPS - 1, before=stop_by(signal.SIGTERM))
    assert_same(found, whole)


def test_the_state_is_saved_from_time_to_time(records, tmp_path, whole, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)

    def power_cut():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(records, tmp_path, at_step=5, before=power_cut)
    found = train(records, tmp_path)
    assert len(found.losses) == STEPS - 5
    assert_same(found, whole)
    again = train(records, tmp_path)
    assert again.losses == [] and again.rows == whole.rows
    found.checkpoint.remove()
    found.checkpoint.remove()
    assert not found.checkpoint.path.exists()


def test_a_checkpoint_of_other_options_is_not_used(records, tmp_path, whole, caplog):
    interrupt(records, tmp_path, at_step=2, before=stop_by(signal.SIGTERM))
    assert_same(train(records, tmp_path, options=1), whole)
    assert "belongs to other options or code; training starts anew" in caplog.text


def test_a_checkpoint_of_other_inputs_is_not_used(records, tmp_path, whole):
    made = tmp_path / "input"
    made.write_text("first")
    interrupt(records, tmp_path, at_step=2, before=stop_by(signal.SIGTERM), inputs=[made])
    os.utime(made, ns=(0, time.time_ns() + 10**9))
    found = train(records, tmp_path, inputs=[made])
    assert len(found.losses) == STEPS
    assert_same(found, whole)


def test_a_damaged_checkpoint_is_named(records, tmp_path):
    interrupt(records, tmp_path, at_step=2, before=stop_by(signal.SIGTERM))
    path = tmp_path / "net.running.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"net\.running\.safetensors .* delete it"):
        train(records, tmp_path)


def test_parts_of_a_batch_add_up_to_it(records, tmp_path):
    """Gradients of equal parts average to those of the whole batch; batch norm is frozen."""

    def run(accumulate):
        classifier = small_classifier().double()
        set_batch_norm_frozen(classifier)
        classifier.train()
        groups = [{"params": list(classifier.parameters()), "multiplier": 1.0}]
        optimizer = torch.optim.SGD(groups, lr=0.0, momentum=0.9)

        def losses(batch):
            pixels, masks = batch
            assert len(pixels) == len(masks) == 6 // accumulate
            scores = classifier.score_maps(classifier.normalize(pixels))
            return {"loss": F.softplus(scores).mean()}

        folder = tmp_path / str(accumulate)
        rows = fit(
            classifier, optimizer, [masked_stream_of(records, batch_size=6)], losses=losses,
            schedule="constant", learning_rate=0.1, steps=3, stop_after=None, accumulate=accumulate,
            description="train",
            checkpoint=running_checkpoint(folder / "net", options=0, inputs=[]),
        )  # fmt: skip
        return classifier.state_dict(), rows

    (one, one_rows), (three, three_rows) = run(1), run(3)
    for name, value in one.items():
        torch.testing.assert_close(three[name], value, rtol=1e-9, atol=1e-12)
    assert [row["loss"] for row in three_rows] == pytest.approx([row["loss"] for row in one_rows])


def test_a_training_outside_the_main_thread_runs_without_signals(records, tmp_path, whole):
    found = []
    thread = threading.Thread(target=lambda: found.append(train(records, tmp_path)))
    thread.start()
    thread.join()
    assert equal_tensors(found[0].weights, whole.weights)


STAGE = """
import os, signal, sys
from pathlib import Path
import torch
from tests.train.small import stream_of, write_images
from tests.train.test_loop import train

torch.set_num_threads(1)
folder = Path(sys.argv[1])
records = write_images(folder)
stop = lambda: os.killpg(0, signal.SIGTERM)
train(records, folder, at_step=2, before=stop, stream=stream_of(records, workers=1))
"""


@pytest.mark.slow
def test_a_signal_to_every_process_of_a_job_stops_it_in_order(records, tmp_path, whole):
    """Clusters signal the loading processes too."""
    done = subprocess.run(
        [sys.executable, "-c", STAGE, str(tmp_path)], capture_output=True, text=True, check=False,
        cwd=ROOT, start_new_session=True, timeout=120,
    )  # fmt: skip
    assert "TrainingInterruptedError: stopped by a signal after step 3" in done.stderr
    found = train(records, tmp_path)
    assert len(found.losses) == STEPS - 3
    assert_same(found, whole)
