"""Which jobs wait for a threshold that the maps tell."""

import pytest

from tests.workflow.conftest import TINY

pytestmark = pytest.mark.slow

CAM = "results-tiny/tiny/plain/s0/cam"
MASKS = f"{CAM}/seed/pseudo_masks/1"
LABELS = f"{CAM}/irn/confident_labels/1"


def with_number(config):
    config["refiners"]["seed"]["background_threshold"] = 0.2


def with_offsets(config):
    labels = config["refiners"]["irn"]["labels"]
    labels |= {"foreground_threshold": "otsu + 0.15", "background_threshold": "otsu - 0.1"}


def rules(fresh, target, change=None):
    config = fresh.write_config("threshold.yaml", change) if change else TINY
    return [rule for rule, _ in fresh.plan(target, config=config)]


def test_a_mask_by_a_way_waits_for_the_maps_of_all_shards(fresh):
    found = rules(fresh, MASKS)
    assert found.count("choose_threshold") == 1 and found.count("localize") == 2
    assert "evaluate_seeds" not in found


def test_a_mask_by_a_number_waits_for_its_own_maps_only(fresh):
    found = rules(fresh, MASKS, with_number)
    assert "choose_threshold" not in found and found.count("localize") == 1


def test_relative_labels_wait_and_nobody_reads_ground_truth_for_them(fresh):
    assert "choose_threshold" not in rules(fresh, LABELS)
    config = fresh.write_config("threshold.yaml", with_offsets)
    done = fresh.snakemake(LABELS, "--dry-run", "--configfile", config)
    lines = (done.stdout + done.stderr).splitlines()
    assert any(line.startswith("rule choose_threshold") for line in lines)
    inputs = [line for line in lines if line.startswith("    input:")]
    assert inputs and not any("ground_truth" in line for line in inputs)


def test_seeds_are_scored_by_every_way_even_if_the_config_has_a_number(fresh):
    def change(config):
        config["localizers"]["cam"]["background_threshold"] = 0.2

    assert "choose_threshold" in rules(fresh, f"{CAM}/seed_metrics.csv", change)


def test_a_fixed_table_of_a_localizer_without_a_number_stops_before_any_job(fresh):
    def change(config):
        config["tables"]["seeds"]["threshold"] = "fixed"

    done = fresh.snakemake("--cores", "1", "--configfile", fresh.write_config("bad.yaml", change))
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "config.tables.seeds.threshold is fixed, but the background_threshold of" in done.stderr
