"""Room on a disk, asked before anything is written there."""

import shutil
from pathlib import Path

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def check_room(folder: Path, needed: int, what: str) -> None:
    """Refuse what does not fit.

    A quota is not seen here; the disk's own refusal is told when it comes (wsss.disk).

    Args:
        folder: Where to; exists.
        needed: Bytes that will be written, beyond what stands there.
        what: What they are, for a person.

    Raises:
        ValueError: There is less room.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ValueError(
            f"{what} needs {size_text(needed)} in {folder}, whose disk has {size_text(free)} free; "
            f"make room there, or make {folder} a link to a folder of a larger disk"
        )


def size_text(number: float) -> str:
    """Return a number of bytes in words, with decimal units as disks have them."""
    for unit in UNITS:
        if number < 1000 or unit == UNITS[-1]:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.1f} {unit}"
