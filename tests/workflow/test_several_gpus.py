"""The tiny config with two GPUs per training; without any, its ranks compute on the CPU."""

import pytest

from tests.workflow.conftest import copy_project
from wsss.store.tables import read_table
from wsss.train.networks import load_classifier

pytestmark = pytest.mark.slow

STAGE = "results-tiny/tiny/f_in/s0"


def test_a_training_is_one_launch_of_two_ranks(tmp_path):
    project = copy_project(tmp_path)
    config = project.write_config("two_gpus.yaml", lambda config: config.update(gpus={"train": 2}))
    said = project.run(f"{STAGE}/classifier.safetensors", config=config)
    assert "WARNING" not in said.upper()

    lines = (tmp_path / "results-tiny/logs/tiny/f_in/s0/train_classifier.log").read_text()
    assert [line.split(": ", 1)[1] for line in lines.splitlines() if "train.launch" in line] == [
        "launching 2 ranks", "rank 0 of 2 on the CPU: no GPU is seen",
    ]  # fmt: skip
    assert lines.count(" of 3: loss ") == 3 and lines.count(": step 3 of 3: loss ") == 1
    _, backbone, classes = load_classifier(tmp_path / STAGE / "classifier.safetensors")
    assert (backbone, len(classes)) == ("compact", 3)
    assert list(read_table(tmp_path / STAGE / "train.csv", ["step", "loss"])["step"]) == [1, 2, 3]
    made = sorted(path.name for path in (tmp_path / STAGE).glob("[!.]*"))
    assert made == ["classifier.safetensors", "train.csv"]
