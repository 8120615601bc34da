import pytest

from wsss.plan import accounting
from wsss.plan.accounting import Account, accounts, ask_slurm, elapsed_seconds, megabytes

# As sacct -P -n prints them; JobIDRaw|State|Elapsed|CPUTimeRAW|MaxRSS|ReqMem|AllocTRES|Submit|Start
LINES = [
    "17|COMPLETED|00:10:00|1200||16000M|billing=2,cpu=2,gres/gpu=2,gres/gpu:a100=2,mem=16000M,node=1"
    "|2026-11-22T03:00:00|2026-11-22T03:05:30",
    "17.batch|COMPLETED|00:10:00|1200|140000K||cpu=2,mem=16000M,node=1"
    "|2026-11-22T03:05:30|2026-11-22T03:05:30",
    "17.0|COMPLETED|00:09:50|1180|3.5G||cpu=2,mem=16000M,node=1"
    "|2026-11-22T03:05:31|2026-11-22T03:05:31",
    "18|CANCELLED by 1000|00:00:00|0||4Gn||2026-11-22T03:00:00|Unknown",
    "19|FAILED|1-02:03:04|0||500Mc|cpu=4,gres/gpu:h100=1|2026-11-22T03:00:00|2026-11-22T03:00:00",
]


def test_sacct_is_understood():
    assert accounts(LINES) == {
        "17": Account("COMPLETED", 330.0, 1200.0, 1200.0, 16000.0, 3584.0),
        "18": Account("CANCELLED", 0.0, 0.0, 0.0, 4096.0, 0.0),
        # 93,784 s on 4 CPUs and a GPU; 500 MB for each CPU.
        "19": Account("FAILED", 0.0, 375136.0, 93784.0, 2000.0, 0.0),
    }
    assert accounts(["sacct: error: whatever", "|||"]) == {}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:01", 1), ("01:02:03", 3723), ("2-00:00:01", 172801), ("00:10.500", 10), ("", 0)],
)
def test_elapsed(text, seconds):
    assert elapsed_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "number"), [("2048K", 2), ("16000M", 16000), ("1.5G", 1536), ("1T", 2**20), ("?", 0)]
)
def test_megabytes(text, number):
    assert megabytes(text) == number


def test_slurm_is_asked_for_each_job_once(fake_slurm):
    fake_slurm.answer("sacct", *LINES)
    found, sentence = ask_slurm(["17", "18", "17"])
    assert set(found) == {"17", "18", "19"} and sentence == ""
    (asked,) = fake_slurm.asked
    assert asked.startswith("sacct -P -n -j 17,18 -o JobIDRaw,State,Elapsed,CPUTimeRAW,MaxRSS,")


def test_no_job_is_no_question(fake_slurm):
    assert ask_slurm([]) == ({}, "")
    assert fake_slurm.asked == []


def test_many_jobs_are_asked_for_in_parts(fake_slurm):
    ask_slurm(map(str, range(accounting.AT_ONCE + 1)))
    assert len(fake_slurm.asked) == 2


def test_forgotten_jobs_are_counted(fake_slurm):
    fake_slurm.answer("sacct", *LINES[:3])
    found, sentence = ask_slurm(["17", "20"])
    assert set(found) == {"17"}
    assert sentence == "SLURM's accounting does not know 1 of 2 jobs."


def test_a_cluster_without_accounts_is_one_sentence(fake_slurm):
    fake_slurm.answer("sacct", error="Slurm accounting storage is disabled")
    assert ask_slurm(["17"]) == (
        {},
        "SLURM's accounting has no answer (sacct failed: Slurm accounting storage is disabled).",
    )


def test_accounts_that_do_not_answer_are_not_waited_for(fake_slurm, monkeypatch):
    monkeypatch.setattr(accounting, "SECONDS", 0.3)
    (fake_slurm.folder / "sacct").write_text("#!/bin/sh\nexec sleep 60\n")
    found, sentence = ask_slurm(["17"])
    assert found == {} and "did not answer within" in sentence


def test_a_sacct_that_does_not_start_is_one_sentence(fake_slurm, monkeypatch):
    monkeypatch.setenv("PATH", str(fake_slurm.folder))
    (fake_slurm.folder / "sacct").write_text("#!/no/such/shell\n")
    assert "no answer (sacct is not installed" in ask_slurm(["17"])[1]


def test_a_machine_without_sacct(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_slurm(["17"]) == (
        {},
        "SLURM's accounting was not asked: there is no sacct on this machine.",
    )
