import pytest

from tests.plan.test_accounting import LINES
from wsss.plan.spent import FAILED, Spent, costs_of

SLURM = "wsss.logs: SLURM job {} on gpu1, {} CPUs, GPUs {}"


def test_hours_outside_of_slurm(results):
    # 2 threads by the config, 4 by the file itself, none for a table.
    results.job("s/f_in/s0/train_classifier", 1800, peak="900")
    results.job("s/f_in/s1/train_classifier", 900, peak="950", threads=4)
    results.job("make_table/t", 36, peak="NA")
    costs = costs_of(results.folder)
    assert costs.rules == [
        Spent("train_classifier", 2, 2.0, 0.0, 1800.0, 950.0, None, None),
        Spent("make_table", 1, pytest.approx(0.01), 0.0, 36.0, None, None, None),
    ]
    assert costs.notes == [FAILED]


def test_a_gpu_that_a_log_names_counts(results):
    results.job(
        "s/f_in/s0/train_classifier", 3600, log="wsss.train.device: computes on NVIDIA A100"
    )
    (line,) = costs_of(results.folder).rules
    assert (line.core_hours, line.gpu_hours) == (2.0, 1.0)


def test_slurm_tells_what_it_gave(results, fake_slurm):
    fake_slurm.answer("sacct", *LINES)
    results.job("s/f_in/s0/train_classifier", 580, peak="900", log=SLURM.format(17, 2, "0,1"))
    (line,) = costs_of(results.folder).rules
    assert line == Spent(
        "train_classifier", 1, pytest.approx(1 / 3), pytest.approx(1 / 3), 580.0, 3584.0, 16000.0,
        330.0,
    )  # fmt: skip


def test_without_accounts_the_logs_count(results, fake_slurm):
    fake_slurm.answer("sacct", error="disabled")
    results.job("s/f_in/s0/train_classifier", 1800, log=SLURM.format(17, 4, "0,1"))
    results.job("s/f_in/s1/train_classifier", 1800, log=SLURM.format(21, "?", "none"))
    costs = costs_of(results.folder)
    (line,) = costs.rules
    assert (line.core_hours, line.gpu_hours, line.waited) == (3.0, 1.0, None)
    assert costs.notes == ["SLURM's accounting has no answer (sacct failed: disabled).", FAILED]


def test_jobs_of_a_group_share_what_slurm_gave_to_it(results, fake_slurm):
    fake_slurm.answer("sacct", *LINES)
    for seed, seconds in enumerate((100, 300)):
        place = f"s/f_in/s{seed}/train_classifier"
        results.job(place, seconds, log=SLURM.format(17, 2, "0,1"))
    results.job("make_table/t", 100, log=SLURM.format(17, 2, "0,1"))
    train, table = costs_of(results.folder).rules
    assert train.core_hours == pytest.approx(1200 * 0.8 / 3600)
    assert table.gpu_hours == pytest.approx(1200 * 0.2 / 3600)
    assert table.asked_mb == 16000.0


def test_a_run_of_another_version_is_counted_as_far_as_it_goes(results):
    results.job("s/f_in/s0/train_classifier", 3600)
    (results.folder / "config.yaml").unlink()
    costs = costs_of(results.folder)
    assert costs.rules[0].core_hours == 1.0
    assert costs.notes == ["How many cores 1 job held is unknown; it counts as one.", FAILED]


def test_no_jobs_cost_nothing(tmp_path):
    assert costs_of(tmp_path) == ([], [])
