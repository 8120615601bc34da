"""`wsss review`: a web page on which a person prunes the candidates of an OoD set."""

import getpass
import logging
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import uvicorn
from starlette.types import ASGIApp

from wsss.data.candidates import find_candidates
from wsss.data.index import read_classes
from wsss.disk import write_errors
from wsss.holds import HoldWatch, take_hold
from wsss.review.guard import new_token
from wsss.review.names import LONGEST, annotator_name
from wsss.review.pictures import Pictures
from wsss.review.ranked import Ranked, ranked_from
from wsss.review.server import Told, build_app
from wsss.review.session import Review, journals_folder
from wsss.store.review_card import ReviewCard, read_review_card
from wsss.store.rows import read_rows

log = logging.getLogger(__name__)

PORT = 8765
PORTS_TRIED = 20
RANKING = ("class_name", "image_id", "score")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# What one asks of a map is where, not how exactly.
MAPS: Mapping[str, Any] = {
    "scales": [1.0],
    "map_stride": 16,
    "alignment": "centres",
    "batch_size": 2,
    "precision": "full",
}


def review(
    folder: Path, *, host: str, port: int | None, annotator: str | None, open_browser: bool
) -> str:
    """Serve the page until it is interrupted, and return how far the person has come.

    Args:
        folder: Of the OoD set, results/<dataset>/ood/<ood_set>.
        host: Address that is listened on.
        port: Of it; None for 8765 or the next free one.
        annotator: Name that a browser proposes at first; None for that of the login.
        open_browser: Whether a browser is opened here.

    Raises:
        ValueError: The folder is not that of a set that a person decides on, another server has its
            decisions, or a file is damaged.
        OSError: The address or port cannot be listened on.
    """
    card = read_review_card(folder)
    classes, _ = read_classes(Path(card.classes))
    ranked = _ranked(card, classes)
    paths = _paths(card, ranked)
    suggested = annotator_name(annotator or _login(), known=())
    with _listen(host, port) as listening:
        decisions = Path(card.decisions)
        _hold(decisions)
        found = Review(ranked, decisions, wanted=card.wanted_per_class)
        maps, map_key = _maps(card, ranked)
        pictures = Pictures(folder / "review", paths, maps=maps, map_key=map_key)
        told = Told(
            card.dataset,
            card.ood_set,
            card.decisions,
            tuple(classes),
            suggested,
            f"wsss review {folder}",
        )
        token = _token(folder / "review" / "token")
        app = build_app(found, pictures, told, token=token, hosts=_names(host))
        _serve(app, listening, _address(listening, host, token), open_browser=open_browser)
        found.close()
    return _summary(found, decisions)


def _serve(app: ASGIApp, listening: socket.socket, address: str, *, open_browser: bool) -> None:
    """Answer until a signal comes."""
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
    )
    with _ended_by_signals(_Server(settings)) as server:
        _tell(address)
        if open_browser:
            # Once the server answers; it does within the time that a browser takes to open.
            Timer(0.5, webbrowser.open, [address]).start()
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that leaves signals to this command, which has more to say at its end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[uvicorn.Server]:
    def end(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield server
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ranked(card: ReviewCard, classes: Sequence[str]) -> Ranked:
    rows = [
        (class_name, image_id, float(score))
        for class_name, image_id, score in read_rows(card.ranking, RANKING)
    ]
    return ranked_from(rows, classes)


def _paths(card: ReviewCard, ranked: Ranked) -> list[Path]:
    records = find_candidates(Path(card.candidates), ranked.image_ids)
    paths = [records[image_id].path for image_id in ranked.image_ids]
    if not any(path.exists() for path in paths[:100]):
        raise ValueError(
            f"image {paths[0]} does not exist, nor do the others: start this where snakemake was "
            "started, and link the data there"
        )
    return paths


def _maps(card: ReviewCard, ranked: Ranked) -> tuple[Callable[[Path, int], np.ndarray] | None, str]:
    """Return what tells where the classifier saw a class, and a text that changes with it."""
    path = Path(card.classifier)
    if not path.exists():
        log.warning("%s is not here: the page cannot show why the classifier fired", path)
        return None, ""
    found = path.stat()
    return _Maps(path, ranked.classes), f"{found.st_size:x}{found.st_mtime_ns:x}"


class _Maps:
    """Class activation maps by a classifier that is loaded with the first of them."""

    def __init__(self, path: Path, classes: tuple[str, ...]) -> None:
        self._path = path
        self._classes = classes
        self._localize: Callable[[Path, int], np.ndarray] | None = None

    def __call__(self, image: Path, class_id: int) -> np.ndarray:
        """Return the map (h, w) in 0..1 of one of the page's classes on an image."""
        if self._localize is None:
            self._localize = self._load()
        return self._localize(image, class_id)

    def _load(self) -> Callable[[Path, int], np.ndarray]:
        # Here, for torch takes seconds that a page without maps does not need.
        from wsss.data.images import read_image
        from wsss.localize.cam import localize
        from wsss.train.device import prepare_device
        from wsss.train.networks import load_classifier

        device = prepare_device(threads=os.cpu_count() or 1)
        classifier, _, known = load_classifier(self._path)
        classifier.to(device)
        ids = [known.index(name) for name in self._classes]

        def localize_class(image: Path, class_id: int) -> np.ndarray:
            pixels = read_image(image)[None]
            (maps,) = localize(classifier, pixels, [np.array([ids[class_id]])], **MAPS)
            return maps[0]

        return localize_class


def _hold(decisions: Path) -> None:
    """Take the decisions file for this server alone.

    Raises:
        ValueError: Another server has it.
    """
    folder = journals_folder(decisions)
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".server"
    holder = HoldWatch(path).holder()
    if holder is not None:
        raise ValueError(
            f"{decisions} is under review by {holder}: open the address that it printed (several "
            "people may, each by name), or end it first"
        )
    take_hold(path)


def _token(path: Path) -> str:
    """Return the secret of the page's address: the same after a restart, so that pages go on."""
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if path.stat().st_mode & 0o077 == 0 and (token := path.read_text("ascii").strip()):
                return token
            path.unlink()
        except FileNotFoundError:
            pass
        token = new_token()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
    return token


def _listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on a port, or on the first free one.

    Raises:
        ValueError: There is none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tried = [port] if port else list(range(PORT, PORT + PORTS_TRIED))
    for number in tried:
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
            found.listen()
        except OSError as error:
            found.close()
            reason = error.strerror or str(error)
        else:
            return found
    raise ValueError(
        f"nothing can listen on {host}, port {tried[0]} ({reason}): choose another --port or --host"
    )


def _names(host: str) -> set[str]:
    """Return the names under which the page may be opened, beside localhost and addresses."""
    if host in LOOPBACK:
        return set()
    return {host, socket.gethostname(), socket.getfqdn()}


def _address(listening: socket.socket, host: str, token: str) -> str:
    """Return the address of the page, with its token."""
    anywhere = host in ("0.0.0.0", "::")
    name = "localhost" if host in LOOPBACK else socket.gethostname() if anywhere else host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{listening.getsockname()[1]}/?token={token}"


def _tell(address: str) -> None:
    """Say where the page is, and how to come there from elsewhere."""
    place = urlsplit(address)
    lines = [f"Open {address}"]
    if place.hostname == "localhost":
        lines.append(
            "From another machine, run this there first:  "
            f"ssh -L {place.port}:localhost:{place.port} {_login()}@{socket.gethostname()}"
        )
    else:
        lines.append(
            "This is no loopback address: what goes over the network is not encrypted, and who "
            "has the address with its token can decide."
        )
    lines.append("Ctrl-C ends it; every decision is on the disk at once.")
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def _login() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no name.
        name = ""
    return "".join(c for c in name if c.isalnum() or c in "_-")[:LONGEST] or "user"


def _summary(found: Review, decisions: Path) -> str:
    status = found.status(None)
    total, accounts = status["total"], status["accounts"]
    done = sum(account["done"] for account in accounts)
    disagree = f", {status['disagreements']} disagreements" if status["disagreements"] else ""
    return (
        f"{total['decided']:,} of {total['images']:,} images decided ({total['kept']:,} kept"
        f"{disagree}), {done} of {len(accounts)} classes done: {decisions}"
    )
