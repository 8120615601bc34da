"""The profile of clusters names the rules that there are."""

import re

import pytest
import yaml

from tests.source import ROOT, workflow_rules

PROFILE = ROOT / "slurm/config.yaml"
# Slow ones without a GPU, each of whose jobs is long enough to be alone.
ALONE = {"prepare_data", "refine_maps", "label_confident"}
LOCAL = {"all", "write_config", "voc_submission", "decide_manual"}


@pytest.fixture(scope="module")
def profile():
    return yaml.safe_load(PROFILE.read_text())


@pytest.fixture(scope="module")
def rules():
    return workflow_rules()


def test_every_rule_of_a_gpu_goes_to_its_partition(profile, rules):
    of_gpus = {name for name, text in rules.items() if re.search(r"limits\([^)]*gpus=", text)}
    assert set(profile["set-resources"]) == of_gpus
    assert {str(asked) for asked in profile["set-resources"].values()} == {
        "{'slurm_partition': 'gpu'}"
    }


def test_every_short_rule_shares_a_job(profile, rules):
    assert set(profile["groups"]) == rules.keys() - set(profile["set-resources"]) - ALONE - LOCAL
    assert set(profile["group-components"]) <= set(profile["groups"].values())


def test_every_rule_asks_for_memory_and_time(rules):
    for name, text in rules.items():
        asks = f'**limits("{name}"' in text
        assert asks == (name not in LOCAL), name


def test_what_lives_in_profiles_stands_in_no_rule(rules):
    for name, text in rules.items():
        assert not re.search(r"partition|account|\bconstraint\b|slurm", text), name


def test_it_says_what_its_lines_are_for():
    lines = PROFILE.read_text().splitlines()
    assert sum(line.lstrip().startswith("#") for line in lines) > 0.3 * len(lines)
    assert not any(line.startswith("slurm-array-jobs") for line in lines)
