"""Jobs as squeue prints them."""

from collections.abc import Callable
from dataclasses import dataclass

# squeue fills each field up to its width, and cuts what is longer.
WIDTHS = {
    "JobID": 20, "Name": 1000, "State": 30, "NodeList": 200, "Comment": 4000, "WorkDir": 4000,
    "RestartCnt": 10,
}  # fmt: skip
# Comments of the executor may hold any printable sign.
SEPARATOR = "\x1f"
FORMAT = ",".join(f"{name}:{width}{SEPARATOR}" for name, width in WIDTHS.items())
ENDED = (
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "REVOKED", "TIMEOUT",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A job; squeue shows ended ones as well, for `MinJobAge`."""

    id: int
    name: str
    state: str
    nodes: tuple[str, ...]
    comment: str
    workdir: str
    restarts: int

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


def read(text: str, expand: Callable[[str], list[str]]) -> list[Job]:
    """Return the jobs that squeue printed in `FORMAT`.

    Args:
        text: One job a line.
        expand: Returns the nodes that `cpu[1-2]` stands for.
    """
    found = []
    for line in text.splitlines():
        fields = (field.rstrip() for field in line.split(SEPARATOR))
        number, name, state, nodes, comment, workdir, restarts, _ = fields
        names = expand(nodes) if "[" in nodes else nodes.split()
        comment = "" if comment == "(null)" else comment
        found.append(Job(int(number), name, state, tuple(names), comment, workdir, int(restarts)))
    return found
