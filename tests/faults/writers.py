"""Every writer of the project, on a disk that does not take what it writes.

    python -m tests.faults.writers FAULT FOLDER ELSEWHERE

prints, as JSON, for every writer the error's kind and text, the names that are left in the folder,
and whether an earlier version of the file is intact; and what `wsss predict` says and leaves. The
folder is a small disk of its own, except for the fault `large`; inputs are made elsewhere.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from wsss.cli import main
from wsss.data.images import write_jpeg
from wsss.figures.style import new_figure, save_figure
from wsss.models.deeplab import build_segmenter
from wsss.report.sidecar import write_sidecar
from wsss.store import atomic
from wsss.store.arrays import write_arrays
from wsss.store.maps import write_maps
from wsss.store.masks import write_mask
from wsss.store.tables import write_table
from wsss.store.weights import save_weights
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.log_rows import LogRows
from wsss.train.networks import save_segmenter

NOISE = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
LARGEST_BYTES = 4096
FILLER = "filler"


def write_picture(path: Path) -> None:
    figure = new_figure(3, 3)
    figure.add_subplot().imshow(NOISE)
    save_figure(figure, path)


def save_checkpoint(path: Path) -> None:
    module = nn.Linear(200, 200)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    RunningCheckpoint(path, fingerprint="").save(module, optimizer, step=1, log_rows=LogRows())


def write_page(path: Path) -> None:
    with atomic.atomic_path(path) as temporary:
        temporary.write_text("page" * 50000, "utf-8")


def maps():
    for number in range(99):
        yield f"{number}", np.zeros(1), np.random.rand(1, 60, 60), (60, 60)


WRITERS: dict[str, Callable[[Path], None]] = {
    "table.csv": lambda path: write_table(path, pd.DataFrame({"a": np.random.rand(9000)})),
    "mask.png": lambda path: write_mask(path, NOISE[:, :, 0]),
    "image.jpg": lambda path: write_jpeg(path, NOISE, quality=92),
    "maps.h5": lambda path: write_maps(path, maps(), attributes={}),
    "arrays.h5": lambda path: write_arrays(path, {"a": np.random.rand(9000)}, attributes={}),
    "weights.safetensors": lambda p: save_weights(p, {"a": torch.rand(9000)}, metadata={}),
    "net.running.safetensors": save_checkpoint,
    "figure.pdf": write_picture,
    "figure.png": write_picture,
    "picture.json": lambda path: write_sidecar(
        path, section="data", title="t", caption="c" * 50000, notes=[], alt="a"
    ),
    "report.html": write_page,
}


def fill(folder: Path, free: int) -> None:
    """Leave so many bytes of a small disk."""
    space = os.statvfs(folder)
    (folder / FILLER).write_bytes(b"x" * max(0, space.f_bavail * space.f_frsize - free))


def spoil(fault: str, folder: Path, free: int) -> None:
    """Make the folder's disk full or read-only, or files above a size impossible."""
    if fault == "full":
        fill(folder, free)
    elif fault == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    else:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_BYTES, hard))


def mend(fault: str, folder: Path) -> None:
    if fault == "full":
        (folder / FILLER).unlink()
    elif fault == "read-only":
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    else:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def trial(fault: str, folder: Path, name: str, *, old: bytes | None, free: int) -> dict:
    """Let one writer meet the fault."""
    path = folder / name
    if old is not None:
        path.write_bytes(old)
    spoil(fault, folder, free)
    found = {"writer": name, "had_old": old is not None, "kind": None, "text": ""}
    try:
        WRITERS[name](path)
    except Exception as error:  # noqa: BLE001 - the kind is what is asked for
        found |= {"kind": type(error).__name__, "text": str(error)}
    mend(fault, folder)
    found["is_old"] = (path.read_bytes() if path.exists() else None) == old
    found["left"] = sorted(p.name for p in folder.iterdir() if p != path)
    for left in folder.iterdir():
        left.unlink()
    return found


def predict(fault: str, folder: Path, elsewhere: Path, *, threads: int) -> dict:
    """Let `wsss predict` meet the fault."""
    recipe = {"network": "deeplab_v2", "backbone": "compact", "atrous_rates": [1], "scales": [0.5]}
    segmenter = elsewhere / "segmenter.safetensors"
    save_segmenter(segmenter, build_segmenter(**recipe, num_classes=2), recipe=recipe, classes="a")
    for number in range(3):
        write_jpeg(elsewhere / "images" / f"{number}.jpg", NOISE, quality=92)
    output = folder / "out"
    spoil(fault, folder, 0)
    words = ["predict", segmenter, elsewhere / "images", "--output", output, "--threads", threads]
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = main([*map(str, words), "--longest-side", "64"])
    mend(fault, folder)
    left = [path.name for path in folder.rglob("*") if path.is_file()]
    shutil.rmtree(output, ignore_errors=True)
    last = said.getvalue().splitlines()[-1]
    return {"threads": threads, "status": status, "said": last, "left": left}


def run(fault: str, folder: Path, elsewhere: Path) -> dict:
    room = (0, 20000) if fault == "full" else (0,)
    trials = [
        trial(fault, folder, name, old=old, free=free)
        for name in WRITERS
        for old in (None, b"an older version")
        for free in room
    ]
    predictions = [predict(fault, folder, elsewhere, threads=threads) for threads in (1, 2)]
    return {"trials": trials, "predictions": predictions}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1], *map(Path, sys.argv[2:]))) + "\n")
