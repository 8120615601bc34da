import pytest

from tests.fake_slurm import queue_line
from wsss import slurm


def test_only_unfinished_jobs_of_a_workflow_in_the_folder_count(fake_slurm, tmp_path):
    fake_slurm.answer(
        "squeue",
        queue_line("7", tmp_path),
        queue_line("8", tmp_path, state="PENDING", reason="Priority"),
        queue_line("9", tmp_path, state="COMPLETED"),
        queue_line("10", tmp_path / "elsewhere"),
        queue_line("11", tmp_path, name="my_notebook"),
    )
    found = slurm.jobs_of(tmp_path)
    assert [job.number for job in found] == ["7", "8"]
    assert found[0].rule == "localize scenes_wood_0" and found[1].reason == "Priority"


def test_a_folder_is_found_through_a_link(fake_slurm, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    fake_slurm.answer("squeue", queue_line("7", tmp_path / "real"))
    assert len(slurm.jobs_of(tmp_path / "link")) == 1


@pytest.mark.parametrize(("lines", "state"), [(["RUNNING"], "RUNNING"), ([], "")])
def test_the_state_of_a_job(fake_slurm, lines, state):
    fake_slurm.answer("squeue", *lines)
    assert slurm.state_of("7") == state


def test_a_forgotten_job_has_no_state(fake_slurm):
    fake_slurm.answer("squeue", error="slurm_load_jobs error: Invalid job id specified")
    assert slurm.state_of("7") == ""


def test_a_slurm_that_fails_is_one_sentence(fake_slurm):
    fake_slurm.answer("squeue", error="Unable to contact slurm controller (connect failure)")
    with pytest.raises(slurm.SlurmError, match=r"^squeue failed: Unable to contact .*failure\)$"):
        slurm.state_of("7")


def test_a_slurm_that_does_not_answer_is_not_waited_for(fake_slurm, monkeypatch):
    monkeypatch.setattr(slurm, "ANSWER_SECONDS", 0.2)
    (fake_slurm.folder / "squeue").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(slurm.SlurmError, match="did not answer within"):
        slurm.state_of("7")


def test_a_machine_without_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not slurm.available()
    with pytest.raises(slurm.SlurmError, match="squeue is not installed here"):
        slurm.state_of("7")


def test_waiting_reasons(fake_slurm):
    fake_slurm.answer("squeue", slurm.BETWEEN.join(["7", "launch failed requeued held"]))
    assert slurm.waiting_reasons("run") == {"7": "launch failed requeued held"}


@pytest.mark.parametrize(
    ("line", "age"), [("MinJobAge = 300 sec", 300), ("MinJobAge=2", 2), ("Other = 3", None)]
)
def test_how_long_slurm_remembers(fake_slurm, line, age):
    fake_slurm.answer("scontrol", "A = 1", line)
    assert slurm.min_job_age() == age


def test_how_long_slurm_remembers_is_unknown_where_it_fails(fake_slurm):
    fake_slurm.answer("scontrol", error="no controller")
    assert slurm.min_job_age() is None


def test_accounting(fake_slurm):
    assert slurm.accounting_fails() == ""
    fake_slurm.answer("sacct", error="Slurm accounting storage is disabled")
    assert slurm.accounting_fails() == "sacct failed: Slurm accounting storage is disabled"


def test_cancelling_nothing_asks_nothing(fake_slurm):
    slurm.cancel([])
    slurm.cancel(["7", "8"])
    assert fake_slurm.asked == ["scancel --quiet 7 8"]


def test_the_place_of_a_stage():
    assert slurm.own_place({}) == ""
    assert slurm.own_place(
        {"SLURM_JOB_ID": "17", "SLURMD_NODENAME": "gpu1", "SLURM_CPUS_PER_TASK": "4",
         "CUDA_VISIBLE_DEVICES": "0,1", "SLURM_RESTART_COUNT": "2"}
    ) == "SLURM job 17 on gpu1, 4 CPUs, GPUs 0,1, requeued 2 times"  # fmt: skip
    assert slurm.own_place({"SLURM_JOB_ID": "17"}) == (
        "SLURM job 17 on an unknown node, ? CPUs, GPUs none"
    )


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("SLURM job 17 on cpu1, 2 CPUs, GPUs 0,1", ("17", 2, 2)),
        ("SLURM job 17 on cpu1, 1 CPU", ("17", 1, 0)),
        ("SLURM job 9 on an unknown node, ? CPUs, GPUs none", ("9", None, 0)),
        ("SLURM job 9 on gpu1, 8 CPUs, GPUs GPU-8f3a,GPU-77b2, requeued 2 times", ("9", 8, 2)),
    ],
)
def test_a_log_names_the_place(said, found):
    head = f"2026-11-22 03:00:00,123 INFO wsss.logs: {said}\n2026 INFO wsss.progress: 3 of 4\n"
    assert slurm.said_place(head) == found


def test_a_log_of_no_cluster_names_none():
    assert slurm.said_place("2026 INFO wsss.progress: SLURM job 17 on cpu1, 2 CPUs\n") is None


def test_what_a_stage_writes_of_its_place_is_read_again():
    got = {
        "SLURM_JOB_ID": "31",
        "SLURMD_NODENAME": "gpu1",
        "SLURM_CPUS_PER_TASK": "4",
        "CUDA_VISIBLE_DEVICES": "0,1",
    }
    assert slurm.said_place(f"2026 INFO wsss.logs: {slurm.own_place(got)}\n") == ("31", 4, 2)
