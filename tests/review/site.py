"""An OoD set with images in a folder, and the server of its page as a process of its own."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image, ImageDraw

from tests.source import ROOT
from wsss.data.candidates import write_candidates
from wsss.data.index import write_classes
from wsss.data.records import ImageRecord
from wsss.store.review_card import ReviewCard, write_review_card
from wsss.store.rows import read_rows, write_rows

FOLDER = Path("results/drawn/ood/hard")
DECISIONS = Path("data/decisions.csv")


def image_id(number: int) -> str:
    return f"image_{number:05d}"


def make_set(
    folder: Path,
    members: Mapping[str, Sequence[int]],
    *,
    wanted: int | None = None,
    classifier: str = "nowhere.safetensors",
    size: tuple[int, int] = (60, 80),
) -> None:
    """Write the files of an OoD set in a project's folder.

    Args:
        folder: Of the project.
        members: By class the numbers of its candidates, best first; each becomes an image.
        wanted: Images to keep for each class.
        classifier: That ranked them.
        size: (height, width) of the images.
    """
    height, width = size
    numbers = sorted({number for own in members.values() for number in own})
    images = folder / "data/images"
    images.mkdir(parents=True)
    records = []
    for number in numbers:
        path = images / f"{image_id(number)}.jpg"
        draw_image(number, height, width).save(path, quality=80)
        own = path.relative_to(folder)
        records.append(ImageRecord(image_id(number), own, "ood", height, width, ()))
    dataset = folder / FOLDER.parent.parent
    (folder / FOLDER).mkdir(parents=True)
    write_candidates(dataset / "candidates.csv", records, ())
    write_classes(dataset / "classes.csv", tuple(members), {})
    rows = [
        (name, rank, image_id(number), round(1 - 0.5 * rank / (len(own) + 1), 4))
        for name, own in members.items()
        for rank, number in enumerate(own, start=1)
    ]
    write_rows(folder / FOLDER / "ranking.csv", ("class_name", "rank", "image_id", "score"), rows)
    card = ReviewCard(
        dataset="drawn", ood_set="hard", decisions=str(DECISIONS), wanted_per_class=wanted,
        undecided="stop", ranking=str(FOLDER / "ranking.csv"),
        candidates=str(FOLDER.parent.parent / "candidates.csv"),
        classes=str(FOLDER.parent.parent / "classes.csv"), classifier=classifier,
    )  # fmt: skip
    write_review_card(folder / FOLDER / "review.json", card)


def draw_image(number: int, height: int, width: int) -> Image.Image:
    """Draw an image that shows its number, on colours of its own."""
    draw = np.random.default_rng(number)
    coarse = draw.integers(40, 220, (4, 5, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    ImageDraw.Draw(image).text((6, 4), str(number), fill=(255, 255, 255))
    return image


def own_port() -> str:
    """Return a port that no other test's server takes while its own is restarted.

    It is outside of those that servers try by themselves, and that systems give to connections.
    """
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return str(port)
    raise RuntimeError("no port is free between 20000 and 30000")


class Server:
    """The command `wsss review`, running.

    Args:
        folder: Of the project.
        options: Further words of the command.
        ood_set: Whose page.
    """

    def __init__(self, folder: Path, *options: str, ood_set: Path | str = FOLDER) -> None:
        self.folder = folder
        command = "import sys; from wsss.cli import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, "review", str(ood_set), "--no-browser", *options],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        lines = []
        while not lines or not lines[-1].startswith("Ctrl-C"):
            lines.append(self.process.stdout.readline())
            if not lines[-1]:
                raise RuntimeError(self.process.stderr.read())
        self.said = "".join(lines)
        self.address = lines[0].split()[1]
        parts = urlsplit(self.address)
        self.host, self.token = parts.netloc, parts.query.removeprefix("token=")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def stop(self, number: int = signal.SIGINT) -> str:
        """End it by a signal, and return all that it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.said + err + out

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


class Client:
    """What the page's scripts do, without a browser.

    Args:
        server: To talk to.
        annotator: By this name.
    """

    def __init__(self, server: Server, annotator: str) -> None:
        self.annotator = annotator
        self.connection = HTTPConnection(server.host, timeout=60)
        self.connection.request("GET", f"/?token={server.token}")
        answer = self.connection.getresponse()
        answer.read()
        self.headers = {
            "Cookie": answer.headers["Set-Cookie"].partition(";")[0],
            "Origin": f"http://{server.host}", "X-Review": "1",
            "Content-Type": "application/json",
        }  # fmt: skip
        self.version = self.get("/api/review")["version"]

    def get(self, address: str) -> dict:
        self.connection.request("GET", address, headers=self.headers)
        return json.loads(self.connection.getresponse().read())

    def send(self, number: str, action: str, **rest: object) -> None:
        """Send an action, without waiting for the answer."""
        asked = {"id": number, "version": self.version, "annotator": self.annotator,
                 "action": action, **rest}  # fmt: skip
        self.connection.request(
            "POST", "/api/actions", body=json.dumps(asked), headers=self.headers
        )

    def act(self, number: str, action: str, **rest: object) -> dict:
        self.send(number, action, **rest)
        return json.loads(self.connection.getresponse().read())


def decided(folder: Path, file: Path | str = DECISIONS) -> dict[str, str]:
    """What the decisions file says, by image id; undecided images are left out."""
    path = folder / file
    rows = read_rows(path, ("image_id", "decision")) if path.exists() else []
    return {name: word for name, word in rows if word}
