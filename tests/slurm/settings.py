"""What a test cluster is made of: its programs, ports, environment and configuration files."""

import os
import pwd
import shutil
import socket
from pathlib import Path

PARTITIONS = {"cpu": ("cpu1", "cpu2"), "gpu": ("gpu1",)}
NODES = tuple(node for nodes in PARTITIONS.values() for node in nodes)
CLIENTS = (
    "sacct", "sacctmgr", "salloc", "sattach", "sbatch", "sbcast", "scancel", "scontrol", "sdiag",
    "sinfo", "sprio", "squeue", "sreport", "srun", "sshare", "sstat",
)  # fmt: skip
APT = "apt-get install -y --no-install-recommends"
PACKAGES = {
    "slurmctld": "slurmctld", "slurmd": "slurmd", "srun": "slurm-client", "munged": "munge",
    "slurmdbd": "slurmdbd", "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core", "my_print_defaults": "mariadb-client-core",
}  # fmt: skip
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "my_print_defaults")
MEMORY_MB = 12000
# A free block below the ports that the kernel gives to clients.
PORTS = range(21000, 32000, 10)
# Places within the block; the first is the block's lock.
CONTROLLER, ACCOUNTS, DATABASE, FIRST_NODE = 1, 2, 3, 4


def program(name: str) -> str | None:
    """Return the path of a program; a user's PATH often lacks the folders of the daemons."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def missing(*, accounting: bool) -> str:
    """Return one sentence about the programs that a cluster lacks here, empty if it has all."""
    needed = [name for name in PACKAGES if accounting or name not in ACCOUNTING]
    lacking = [name for name in needed if not program(name)]
    if not lacking:
        return ""
    packages = " ".join(dict.fromkeys(PACKAGES[name] for name in needed))
    return f"no {', '.join(lacking)} on this machine: {APT} {packages}"


def take_ports() -> tuple[socket.socket, int]:
    """Return a free block of ports as its lock, to be kept open, and its first port.

    The lock is the first port itself, bound by this process: two processes that start at once
    cannot have the same block, and nothing is left behind by one that is killed.
    """
    for first in PORTS:
        lock = socket.socket()
        try:
            lock.bind(("", first))
            for port in range(first + 1, first + PORTS.step):
                with socket.socket() as trial:
                    trial.bind(("", port))
        except OSError:
            lock.close()
        else:
            return lock, first
    raise RuntimeError(f"no free block of ports from {PORTS.start} to {PORTS.stop}")


def local_name() -> bool:
    """Return whether this host's own name is a loopback address.

    Only then can the daemons listen to nobody else: slurmctld looks its host's name up for that.
    """
    try:
        return socket.gethostbyname(socket.gethostname()).startswith("127.")
    except OSError:
        return False


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which every program means the cluster of this folder."""
    prefixes = ("SLURM", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SACCT_", "SINFO_", "SNAKEMAKE_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
    path = f"{folder / 'bin'}:{kept.get('PATH', os.defpath)}"
    return kept | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}


def write_clients(folder: Path) -> None:
    """Write a `bin` with every client program, each told which cluster is meant.

    The executor's job step takes SLURM_CONF out of its environment before it calls srun, which
    would then look for a cluster of the whole machine.
    """
    (folder / "bin").mkdir()
    for name in CLIENTS:
        if path := program(name):
            file = folder / "bin" / name
            file.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {path} "$@"\n')
            file.chmod(0o755)


def write_slurm(folder: Path, first_port: int, *, accounting: bool, kill_wait: int) -> None:
    """Write slurm.conf and gres.conf."""
    user = pwd.getpwuid(os.getuid()).pw_name
    lines = [
        "ClusterName=wsss",
        "SlurmctldHost=localhost(127.0.0.1)",
        f"SlurmctldPort={first_port + CONTROLLER}",
        f"SlurmUser={user}",
        f"SlurmdUser={user}",
        *_authentication(folder),
        # Every daemon has a folder of its own. It works in that of its log, and so does whatever it
        # starts for a job: by that the processes of a node are known.
        f"SlurmctldLogFile={folder}/slurmctld/daemon.log",
        f"SlurmctldPidFile={folder}/slurmctld/pid",
        f"StateSaveLocation={folder}/slurmctld/state",
        f"SlurmdLogFile={folder}/%n/daemon.log",
        f"SlurmdPidFile={folder}/%n/pid",
        f"SlurmdSpoolDir={folder}/%n/spool",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "JobAcctGatherType=jobacct_gather/linux",
        "JobAcctGatherFrequency=task=1",
        "JobAcctGatherParams=OverMemoryKill",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_CPU_Memory",
        "SchedulerParameters=sched_interval=2,bf_interval=2",
        # Nodes have the memory that stands here, whatever this machine has.
        "SlurmdParameters=config_overrides",
        "DefMemPerCPU=1000",
        "SlurmdTimeout=10",
        "ReturnToService=2",
        f"KillWait={kill_wait}",
        # Finished jobs stay listed: without accounting the executor has no other source.
        "MinJobAge=600",
        "GresTypes=gpu",
    ]
    if accounting:
        lines += [
            "AccountingStorageType=accounting_storage/slurmdbd",
            "AccountingStorageHost=127.0.0.1",
            f"AccountingStoragePort={first_port + ACCOUNTS}",
            "AccountingStorageTRES=gres/gpu",
            "AccountingStoreFlags=job_comment",
        ]
        if not local_name():
            lines.append(f"AccountingStoragePass={folder}/munged/socket")
    # No more processors than there are: the engine inside a job counts the machine's own.
    size = f"CPUs={len(os.sched_getaffinity(0))} RealMemory={MEMORY_MB}"
    for port, node in enumerate(NODES, first_port + FIRST_NODE):
        devices = " Gres=gpu:2" if node in PARTITIONS["gpu"] else ""
        lines.append(f"NodeName={node} NodeAddr=127.0.0.1 Port={port} {size}{devices}")
    for name, nodes in PARTITIONS.items():
        default = "YES" if name == "cpu" else "NO"
        lines.append(f"PartitionName={name} Nodes={','.join(nodes)} Default={default} State=UP")
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    # A GPU is any device; these two are everywhere.
    paths = ("/dev/null", "/dev/zero")
    lines = [
        f"NodeName={node} Name=gpu File={path}" for node in PARTITIONS["gpu"] for path in paths
    ]
    (folder / "gres.conf").write_text("\n".join(lines) + "\n")


def write_accounting(folder: Path, first_port: int, password: str) -> None:
    """Write slurmdbd.conf, and the statements by which the database knows slurmdbd."""
    lines = [
        *_authentication(folder, controller=False),
        "DbdHost=localhost",
        "DbdAddr=127.0.0.1",
        f"DbdPort={first_port + ACCOUNTS}",
        f"SlurmUser={pwd.getpwuid(os.getuid()).pw_name}",
        f"LogFile={folder}/slurmdbd/daemon.log",
        f"PidFile={folder}/slurmdbd/pid",
        "StorageType=accounting_storage/mysql",
        "StorageHost=127.0.0.1",
        f"StoragePort={first_port + DATABASE}",
        "StorageUser=slurm",
        f"StoragePass={password}",
        "StorageLoc=accounts",
    ]
    file = folder / "slurmdbd.conf"
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n")
    (folder / "mariadbd" / "users.sql").write_text(
        f"create user if not exists slurm@'127.0.0.1' identified by '{password}';\n"
        "grant all on accounts.* to slurm@'127.0.0.1';\n"
    )


def _authentication(folder: Path, *, controller: bool = True) -> list[str]:
    """Return the settings that say who is believed, and who is listened to.

    Without authentication whoever reaches the daemons is believed to be whom he says he is, so
    that is only for daemons that nobody outside this machine reaches.
    """
    if local_name():
        believed, only = ["AuthType=auth/none"], "NoInAddrAny"
        if not controller:
            return [*believed, f"CommunicationParameters={only}"]
        # A job of a lost node starts again after cred_expire, two minutes by default.
        return [
            *believed, "CredType=cred/none", "AuthInfo=cred_expire=5",
            f"CommunicationParameters={only},NoCtldInAddrAny",
        ]  # fmt: skip
    socket_of = f"AuthInfo=socket={folder}/munged/socket"
    if not controller:
        return ["AuthType=auth/munge", socket_of]
    return ["AuthType=auth/munge", "CredType=cred/munge", f"{socket_of},cred_expire=5"]
