import math

from wsss.plan.spent import Costs, Spent
from wsss.report.runs import cost_table


def line(rule, **values):
    plain = Spent(rule, 2, 0.5, 0.0, 900.0, 700.0, None, None)
    return plain._replace(**values)


def test_columns_of_which_nothing_is_known_are_left_out():
    found = cost_table(Costs([line("localize"), line("make_table", core_hours=0.25)], []))
    assert found.columns.tolist() == [
        *("rule", "jobs", "core-hours", "longest job (s)", "peak memory (MB)")
    ]
    assert found.to_numpy().tolist() == [
        ["localize", 2, 0.5, 900.0, 700.0],
        ["make_table", 2, 0.25, 900.0, 700.0],
        ["all", 4, 0.75, 900.0, 700.0],
    ]


def test_what_slurm_knows_of_some_rules():
    rules = [
        line("train_wood", gpu_hours=2.0, asked_mb=16000.0, waited=60.0),
        line("make_table", peak_mb=None),
    ]
    found = cost_table(Costs(rules, []))
    assert found.columns.tolist()[-2:] == ["memory asked (MB)", "longest wait (s)"]
    assert found["GPU-hours"].tolist() == [2.0, 0.0, 2.0]
    assert math.isnan(found["longest wait (s)"][1]) and found["longest wait (s)"][2] == 60.0
    assert math.isnan(found["peak memory (MB)"][1])


def test_no_jobs_are_an_empty_table():
    found = cost_table(Costs([], []))
    assert len(found) == 0 and found.columns.tolist()[0] == "rule"
