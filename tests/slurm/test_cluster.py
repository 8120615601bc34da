"""The test cluster does what the tests of the workflow take for granted."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.slurm import daemons, processes, settings
from tests.slurm.cluster import Cluster, ClusterError
from tests.source import ROOT

pytestmark = pytest.mark.slow
DEAF = "trap '' TERM; while :; do sleep 1; done"


@pytest.fixture
def own(cluster):
    """A cluster that a test may stop; where there is none, the shared one says so."""
    found = Cluster.start(kill_wait_seconds=2)
    yield found
    found.stop()


def test_three_nodes_are_idle(cluster):
    assert cluster.nodes() == {"cpu1": "idle", "cpu2": "idle", "gpu1": "idle"}


def test_a_job_runs_on_two_nodes(cluster):
    printed = cluster.run("srun", "-N2", "sh", "-c", "echo $SLURMD_NODENAME")
    assert sorted(printed.split()) == ["cpu1", "cpu2"]


def test_jobs_that_share_the_gpus_see_one_each(cluster, tmp_path):
    script = f"echo $CUDA_VISIBLE_DEVICES > {tmp_path}/$SLURM_JOB_ID; sleep 2"
    found = [cluster.submit(script, "--partition=gpu", "--gpus=1", "--mem=100") for _ in range(2)]
    for number in found:
        cluster.wait_for_state(number, "COMPLETED")
    assert {(tmp_path / str(number)).read_text() for number in found} == {"0\n", "1\n"}
    assert cluster.run("srun", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES") == "\n"


def test_the_environment_is_that_of_this_cluster_alone(cluster, monkeypatch):
    monkeypatch.setenv("SBATCH_PARTITION", "elsewhere")
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "elsewhere")
    found = settings.environment(cluster.folder)
    assert not [key for key in found if key.startswith(("SBATCH", "SNAKEMAKE"))]
    # As the executor's job step calls srun.
    bare = {key: text for key, text in cluster.env.items() if not key.startswith("SLURM")}
    done = subprocess.run(["srun", "true"], env=bare, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


def test_a_job_is_listed_with_what_it_was_submitted_with(cluster, tmp_path):
    folder = tmp_path / "w f ü"
    folder.mkdir()
    options = ("--job-name=a b", "--comment=rule_a|b, ü", "--nodes=2")
    number = cluster.submit("sleep 60", *options, cwd=folder)
    found = cluster.wait_for_state(number, "RUNNING")
    assert found in cluster.running()
    assert (found.name, found.comment, found.workdir) == ("a b", "rule_a|b, ü", str(folder))
    assert (found.nodes, found.restarts, found.ended) == (("cpu1", "cpu2"), 0, False)
    cluster.cancel(number)
    assert cluster.wait_for_state(number, "CANCELLED").ended
    assert cluster.running() == []
    with pytest.raises(KeyError, match="no job 999"):
        cluster.job(999)


def test_a_deaf_job_is_killed(cluster):
    number = cluster.submit(DEAF)
    cluster.wait_for(lambda: processes.of_jobs(cluster.folder), 30, "process")
    cluster.cancel(number)
    cluster.wait_for(lambda: not processes.of_jobs(cluster.folder), 30, "end")


def test_more_memory_than_asked_for_ends_a_job(cluster):
    script = f"{sys.executable} -c 'import time; x = bytearray(500_000_000); time.sleep(60)'"
    number = cluster.submit(script, "--mem=200")
    cluster.wait_for_state(number, "FAILED", 30)


def test_a_signal_reaches_the_script(cluster):
    number = cluster.submit("trap 'exit 7' USR1; touch here; while :; do sleep 1; done")
    cluster.wait_for((cluster.folder / "here").exists, 30, "trap")
    cluster.signal_job(number, "USR1", whom="batch")
    cluster.wait_for_state(number, "FAILED")


def test_the_time_of_a_job_is_over_soon(cluster):
    number = cluster.submit("sleep 300")
    cluster.wait_for_state(number, "RUNNING")
    cluster.end_job_soon(number, 2)
    cluster.wait_for_state(number, "TIMEOUT", 60)


def test_jobs_of_a_node_that_is_down_run_elsewhere_or_fail(cluster):
    again = cluster.submit("sleep 60", "--mem=100")
    node, *_ = cluster.wait_for_state(again, "RUNNING").nodes
    never = cluster.submit("sleep 60", "--mem=100", f"--nodelist={node}", "--no-requeue")
    cluster.wait_for_state(never, "RUNNING")
    before = len(cluster.events)
    cluster.set_node_down(node)
    assert cluster.job(never).state == "NODE_FAIL"
    found = cluster.wait_for_state(again, "RUNNING")
    assert found.nodes != (node,)
    assert found.restarts == 1
    cluster.set_node_up(node)
    assert cluster.nodes()[node] == "idle"
    assert [event[9:] for event in cluster.events[before:]] == [
        f"set {node} down",
        f"set {node} up",
    ]


def test_a_killed_node_takes_its_jobs_along_or_leaves_them(cluster):
    def there(node: str) -> set[int]:
        return processes.of_jobs(cluster.folder, node)

    for node in ("cpu1", "cpu2"):
        cluster.submit("sleep 300", f"--nodelist={node}")
    cluster.wait_for(lambda: there("cpu1") and there("cpu2"), 30, "processes on both")
    cluster.kill_node("cpu1", with_jobs=True)
    cluster.kill_node("cpu2", with_jobs=False)
    assert not there("cpu1")
    assert there("cpu2")
    assert len(cluster.running()) == 2, "the controller does not know yet"
    cluster.start_node("cpu1")
    cluster.repair()
    assert not there("cpu2")
    assert cluster.nodes()["cpu2"] == "idle"


def test_nobody_answers_until_the_controller_is_back(cluster):
    number = cluster.submit("sleep 2")
    cluster.wait_for_state(number, "RUNNING")
    cluster.stop_controller()
    with pytest.raises(ClusterError, match=r"squeue.*failed"):
        cluster.jobs()
    cluster.start_controller()
    cluster.wait_for_state(number, "COMPLETED")


def test_what_is_waited_for_in_vain_is_told_with_the_events(cluster):
    cluster.cancel(cluster.submit("sleep 60"))
    with pytest.raises(ClusterError, match=r"(?s)no wonder after 0 s.*cancel job.*CANCELLED"):
        cluster.wait_for(lambda: cluster.job(1).state == "never", 0, "wonder")


def test_a_name_that_is_none_is_refused(cluster):
    with pytest.raises(ValueError, match="no node 'cpu3'; there are cpu1, cpu2, gpu1"):
        cluster.set_node_down("cpu3")
    with pytest.raises(ValueError, match="without accounting"):
        cluster.stop_accounting()


def test_accounts_are_closed_and_opened(accounting_cluster):
    known = ("sacct", "-XPn", "-o", "State,Comment", "-j")
    number = accounting_cluster.submit("true", "--comment=rule_a")
    accounting_cluster.wait_for_state(number, "COMPLETED")
    line = "COMPLETED|rule_a\n"
    accounting_cluster.wait_for(
        lambda: accounting_cluster.run(*known, number) == line, 30, "account"
    )
    accounting_cluster.stop_accounting()
    with pytest.raises(ClusterError, match="Connection refused"):
        accounting_cluster.run("sacct")
    later = accounting_cluster.submit("true", "--comment=rule_a")
    accounting_cluster.wait_for_state(later, "COMPLETED")
    accounting_cluster.start_accounting()
    accounting_cluster.wait_for(
        lambda: accounting_cluster.run(*known, later) == line, 60, "account of that time"
    )


def test_a_broken_cluster_is_stopped_without_a_trace(own):
    for _ in range(3):
        own.submit(f'setsid sh -c "{DEAF}" & env -i setsid sleep 99 & {DEAF}', "--mem=100")
    own.wait_for(lambda: len(own.running()) == 3, 30, "three jobs")
    own.kill_node("cpu1", with_jobs=False)
    own.kill_node("gpu1", with_jobs=True)
    own.stop_controller()
    assert processes.of_jobs(own.folder)
    own.stop()
    assert not processes.of_cluster(own.folder)
    assert not own.folder.exists()


def test_a_killed_test_run_leaves_nothing(own):
    code = """
import time
from tests.slurm.cluster import Cluster
cluster = Cluster.start()
cluster.submit("sleep 99")
print(cluster.folder, flush=True)
time.sleep(99)
"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        folder = Path(run.stdout.readline().strip())
        assert processes.of_cluster(folder)
        run.send_signal(signal.SIGKILL)
    end = time.monotonic() + 60
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not folder.exists()
    assert not processes.of_cluster(folder)
    # Nor was the other one taken for it.
    assert own.nodes()["cpu1"] == "idle"


def test_two_blocks_of_ports_differ():
    found = [settings.take_ports() for _ in range(3)]
    for lock, _ in found:
        lock.close()
    assert len({first for _, first in found}) == 3


def test_a_daemon_that_does_not_start_shows_its_log(own):
    own.stop_controller()
    (own.folder / "slurm.conf").write_text("ClusterName=wsss\n")
    with pytest.raises(ClusterError, match=r"(?s)did not start: .*the log of slurmctld ends"):
        daemons.start(own.folder, "slurmctld", "slurmctld", ready=lambda: True)


def test_missing_programs_are_named_with_their_packages(monkeypatch):
    monkeypatch.setattr(settings, "program", lambda name: name != "slurmd")
    assert settings.missing(accounting=False) == (
        "no slurmd on this machine: apt-get install -y --no-install-recommends"
        " slurmctld slurmd slurm-client munge"
    )
    monkeypatch.setattr(settings, "program", lambda name: name)
    assert settings.missing(accounting=True) == ""
