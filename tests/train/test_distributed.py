"""Trainings on several ranks, each through a launch of torchrun, on the CPU."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict

import pytest
import torch

from tests.source import ROOT
from tests.train.ranks import KINDS, TASK, trained
from tests.train.small import equal_tensors, stream_of
from wsss.store.weights import load_weights
from wsss.train import batches, distributed, launch, loop
from wsss.train.distributed import own_share, parts_of_rank
from wsss.train.schedule import learning_rate_at

# Of a launch, on a busy machine. A rank that does not end costs one minute of it.
LONGEST_SECONDS = 300


def run(records, folder, *, ranks, environment=None, **task):
    """Run the stage tests/train/ranks.py to its end."""
    folder.mkdir(exist_ok=True)
    task |= {"folder": str(folder), "ranks": ranks, "records": [asdict(r) for r in records]}
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}
    own[TASK] = json.dumps(task, default=str)
    return subprocess.run(
        [sys.executable, str(ROOT / "tests/train/ranks.py")], env=os.environ | own, check=False,
        capture_output=True, text=True, timeout=LONGEST_SECONDS,
    )  # fmt: skip


def close(one, other, *, skip=()):
    """Whether float32 sums in another order explain every difference of two sets of weights."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if not name.endswith(tuple(skip)):
            torch.testing.assert_close(other[name], value, rtol=1e-4, atol=1e-5, msg=name)


# As one process


@pytest.fixture(scope="module")
def two(records, tmp_path_factory):
    """The folder of all trainings on two ranks."""
    folder = tmp_path_factory.mktemp("two")
    done = run(records, folder, ranks=2, kinds=list(KINDS))
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def of_rank(folder, kind, number):
    state, metadata = load_weights(folder / f"{kind}.{number}.safetensors")
    return state, json.loads(metadata["rows"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["classifier", "seam", "wood", "irn", "psa", "segmenter", "growing_segmenter"]
)
def test_two_ranks_are_one_process_that_accumulates_two_parts(
    records, two, tmp_path, monkeypatch, kind
):
    monkeypatch.setattr(loop, "parts_of_rank", lambda *_: 2)
    expected, expected_rows = trained(kind, records, tmp_path)
    found, rows = of_rank(two, kind, 0)
    close(dict(sorted(expected.items())), found)
    assert len(rows) == len(expected_rows) > 2
    for row, expected_row in zip(rows, expected_rows, strict=True):
        assert row == pytest.approx(expected_row, rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_statistics_are_those_of_both_parts(records, two, tmp_path):
    expected, _ = trained("classifier_with_statistics", records, tmp_path)
    found, _ = of_rank(two, "classifier_with_statistics", 0)
    mean = next(name for name in expected if name.endswith("running_mean"))
    # The first layer sees the images themselves; the mean of equal parts' means is theirs.
    torch.testing.assert_close(found[mean], expected[mean])
    variance = mean.replace("mean", "var")
    assert not torch.allclose(found[variance], expected[variance], rtol=1e-5, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_ranks_have_the_same(two, kind):
    (one, one_rows), (other, other_rows) = (of_rank(two, kind, number) for number in (0, 1))
    assert equal_tensors(one, other) and one_rows == other_rows


@pytest.mark.slow
def test_only_the_first_rank_writes_the_log(two):
    lines = (two / "stage.log").read_text().splitlines()
    said = [line.partition("INFO wsss.train.launch: ")[2] for line in lines]
    assert [text for text in said if text] == [
        "launching 2 ranks", "rank 0 of 2 on the CPU: no GPU is seen",
    ]  # fmt: skip
    assert not [line for line in lines if "INFO" not in line]
    assert sum("step 1 of 3: loss" in line for line in lines) == 1


# Stopped and resumed


@pytest.mark.slow
def test_a_stopped_training_of_three_ranks_goes_on_to_the_same_end(records, tmp_path):
    """Of three, for sums of two do not depend on their order."""
    task = {"ranks": 3, "batch_size": 6}
    whole = run(records, tmp_path / "whole", **task)
    assert (whole.returncode, whole.stderr) == (0, "")

    folder = tmp_path / "stopped"
    running = folder / "net.running.safetensors"
    for at_step, what, done in ((1, "SIGTERM of the launcher", 2), (2, "SIGUSR1 of rank 1", 5)):
        stopped = run(records, folder, **task, at_step=at_step, what=what)
        assert stopped.returncode == 1
        assert stopped.stderr == (
            f"TrainingInterruptedError: stopped by a signal after step {done} of 7; the state is "
            f"in {running}, run the same command again to go on (details: {folder}/stage.log)\n"
        )
    resumed = run(records, folder, **task)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert "going on at step 5" in (folder / "stage.log").read_text()
    assert not running.exists()
    one, other = (load_weights(place / "net.safetensors") for place in (tmp_path / "whole", folder))
    assert equal_tensors(one[0], other[0]) and one[1] == other[1]
    assert len(json.loads(one[1]["rows"])) == 7


@pytest.mark.slow
def test_ranks_end_with_their_launcher(records, tmp_path):
    # The call returns once the last of them has closed the standard error that it inherits.
    done = run(records, tmp_path, ranks=2, batch_size=2, at_step=1, what="SIGKILL of the launcher")
    assert done.returncode == -signal.SIGKILL
    assert "stopped by a signal after step 2 of 7" in done.stderr
    assert (tmp_path / "net.running.safetensors").exists()
    assert run(records, tmp_path, ranks=2, batch_size=2).returncode == 0


# One sentence


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("error of rank 1", "ValueError: image 7 is broken: delete it"),
        ("error", "ValueError: image 7 is broken: delete it"),
        ("death of rank 1", "RankError: rank 1 of 2 was ended by SIGKILL, as the system does when "
         "memory runs out; run the same command again to go on from what is saved"),
        ("nan of rank 1", "FloatingPointError: the loss is not finite at step 2 ({'loss': nan, "
         "'double': nan}), learning rate {rate:.3g}, images {names}: lower the learning rate"),
    ],
)  # fmt: skip
def test_the_trouble_of_a_rank_is_one_sentence(records, tmp_path, what, sentence):
    done = run(records, tmp_path, ranks=2, batch_size=2, at_step=2, what=what)
    assert done.returncode == 1
    if what.startswith("nan"):
        rate = learning_rate_at(2, schedule="poly", base=0.02, steps=7, steps_per_epoch=3)
        names = ", ".join(stream_of(records, batch_size=2).names(2))
        sentence = sentence.replace("{rate:.3g}", f"{rate:.3g}").replace("{names}", names)
    assert done.stderr == f"{sentence} (details: {tmp_path / 'stage.log'})\n"
    log = (tmp_path / "stage.log").read_text()
    assert log.count("Traceback") == 1 and sentence in log


# Alone


@pytest.fixture
def rank_of(monkeypatch):
    """Return a function that lets this process be a rank of so many."""

    def be(number, count):
        for module in (batches, distributed):
            monkeypatch.setattr(module, "rank", lambda: number)
            monkeypatch.setattr(module, "ranks", lambda: count)

    return be


def test_the_parts_of_all_ranks_are_the_batch(records, rank_of):
    stream = stream_of(records, batch_size=6)
    whole = [pixels for pixels, _ in stream.batches(1, 3)]
    of_ranks = []
    for number in range(3):
        rank_of(number, 3)
        of_ranks.append([pixels for pixels, _ in stream.batches(1, 3)])
        assert len(stream.names(1)) == 6
    for step, pixels in enumerate(whole):
        assert torch.equal(torch.cat([parts[step] for parts in of_ranks]), pixels)


@pytest.mark.parametrize(
    ("accumulate", "count", "parts"), [(1, 2, 1), (2, 2, 1), (4, 2, 2), (2, 4, 1), (3, 2, 3)]
)
def test_accumulated_parts_are_dealt_out(rank_of, accumulate, count, parts):
    rank_of(0, count)
    assert parts_of_rank(accumulate, [12, 24]) == parts


def test_a_step_that_has_no_equal_parts_is_refused(rank_of):
    assert parts_of_rank(3, [7]) == 3
    rank_of(1, 4)
    with pytest.raises(ValueError, match=r"a step of 10 images .* 4 equal parts for 4 GPUs: make"):
        parts_of_rank(2, [8, 10])


def test_threads_are_shared(rank_of):
    assert own_share(5) == 5
    rank_of(1, 2)
    assert [own_share(threads) for threads in (5, 2, 1)] == [2, 1, 1]


def test_more_gpus_than_there_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"on 4 GPUs was asked for, but this job sees 2: ask the"):
        launch.launch(4)


ALONE = """
import os, sys
from wsss.train.distributed import rank, ranks
from wsss.train.launch import end_other_ranks, launch
before = dict(os.environ)
launch(1)
end_other_ranks()
assert (rank(), ranks()) == (0, 1) and dict(os.environ) == before
print([name for name in ("torch.distributed.run", "torch._dynamo") if name in sys.modules])
"""


def test_one_process_is_no_rank_and_pays_nothing():
    done = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"
