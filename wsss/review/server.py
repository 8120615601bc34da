"""The web server of the page: addresses, and what the review answers there.

A page names images, classes and its own files by number or by a name out of a list; no text of it
becomes a path.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from wsss.disk import WriteError
from wsss.review.annotator import PAUSE_SECONDS
from wsss.review.guard import Guard, cookie_name
from wsss.review.pictures import Pictures
from wsss.review.session import NothingLeftError, Review

log = logging.getLogger(__name__)

PAGE = Path(__file__).with_name("page")
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# Not for good: a file may be replaced.
KEPT = {"Cache-Control": "private, max-age=3600"}
LONGEST_ID = 100
# Maps are made one at a time; who waits for them leaves the other threads to the rest.
MAPS_WAITING = 2

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Told:
    """What the page says beside the candidates.

    Attributes:
        dataset: Name of the data set.
        ood_set: Name of the OoD set.
        decisions_file: Where decisions go.
        foreground: Names of all classes of the data set.
        suggested: The annotator's name that a new browser proposes.
        command: What starts the server again.
    """

    dataset: str
    ood_set: str
    decisions_file: str
    foreground: tuple[str, ...]
    suggested: str
    command: str


def build_app(
    review: Review,
    pictures: Pictures,
    told: Told,
    *,
    token: str,
    hosts: Collection[str],
) -> ASGIApp:
    """Return the web application.

    Args:
        review: What is reviewed.
        pictures: Its pictures, by the same numbers.
        told: What else the page says.
        token: Who does not know it is refused.
        hosts: Names of this machine under which the page may be opened, beside localhost.
    """
    routes = _Routes(review, pictures, told)
    app = Starlette(
        routes=[
            Route("/", routes.page),
            Route("/page/{name}", routes.asset),
            Route("/api/review", routes.review),
            Route("/api/status", routes.status),
            Route("/api/classes/{class_id:int}", routes.candidates),
            Route("/api/disagreements", routes.disagreements),
            Route("/api/actions", routes.act, methods=["POST"]),
            Route("/thumbnails/{number:int}", routes.thumbnail),
            Route("/pictures/{number:int}", routes.picture),
            Route("/maps/{class_id:int}/{number:int}", routes.map_picture),
        ],
        exception_handlers={
            HTTPException: _refusal,
            NothingLeftError: _as(409),
            WriteError: _as(507),
            ValueError: _as(400),
            LookupError: _as(404),
            Exception: _failure,
        },
    )
    # Around all of it: answers to what the application failed at get its headers, too.
    return Guard(app, token=token, hosts=hosts, cookie=cookie_name(token))


def _as(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_: Request, error: Exception) -> Response:
        sentence = str(error.args[0]) if error.args else type(error).__name__
        return JSONResponse({"error": sentence}, status)

    return answer


async def _refusal(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, error.status_code)


async def _failure(request: Request, error: Exception) -> Response:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    sentence = f"the server failed ({type(error).__name__}): its terminal says more"
    return JSONResponse({"error": sentence}, 500)


class _Routes:
    """The handlers; what waits for a disk or a network runs in threads."""

    def __init__(self, review: Review, pictures: Pictures, told: Told) -> None:
        self._review = review
        self._pictures = pictures
        self._told = told
        # Of what the numbers mean, and what the pictures show.
        self._version = review.ranked.version + pictures.map_key
        self._mapping = CapacityLimiter(MAPS_WAITING)
        self._files = {path.name: path for path in sorted(PAGE.iterdir()) if path.suffix in KINDS}

    async def page(self, _: Request) -> Response:
        return self._file("index.html")

    async def asset(self, request: Request) -> Response:
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        if name not in self._files:
            raise HTTPException(404, "the page has no such file")
        path = self._files[name]
        return Response(path.read_bytes(), media_type=KINDS[path.suffix])

    async def review(self, request: Request) -> Response:
        review, told, ranked = self._review, self._told, self._review.ranked
        annotator = self._annotator(request)
        return JSONResponse(
            {
                "dataset": told.dataset,
                "ood_set": told.ood_set,
                "decisions_file": told.decisions_file,
                "suggested": told.suggested,
                "annotators": review.annotators,
                "annotator": annotator,
                "version": self._version,
                "images": len(ranked.image_ids),
                "has_maps": self._pictures.has_maps,
                "command": told.command,
                "pause_seconds": PAUSE_SECONDS,
                "classes": [
                    {"name": _words(name), "question": question(name)} for name in ranked.classes
                ],
                "foreground": [_words(name) for name in told.foreground],
                "status": await run_in_threadpool(review.status, annotator),
            }
        )

    async def status(self, request: Request) -> Response:
        annotator = self._annotator(request)
        return JSONResponse(await run_in_threadpool(self._review.status, annotator))

    async def candidates(self, request: Request) -> Response:
        class_id, annotator = request.path_params["class_id"], self._annotator(request)
        found = await run_in_threadpool(self._review.candidates, class_id, annotator)
        return JSONResponse(found)

    async def disagreements(self, _: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._review.disagreements))

    async def act(self, request: Request) -> Response:
        asked = _request_of(await request.body())
        if asked.pop("version") != self._version:
            # Its numbers mean other images by now.
            raise HTTPException(409, "the ranking is another one by now: load the page again")
        annotator = self._review.name(asked.pop("annotator"))
        return JSONResponse(await run_in_threadpool(self._review.act, annotator, **asked))

    async def thumbnail(self, request: Request) -> Response:
        number = self._number(request)
        return await self._picture("image/jpeg", self._pictures.thumbnail, number)

    async def picture(self, request: Request) -> Response:
        number = self._number(request)
        return await self._picture("image/jpeg", self._pictures.picture, number)

    async def map_picture(self, request: Request) -> Response:
        number, class_id = self._number(request), request.path_params["class_id"]
        if not self._pictures.has_maps:
            raise HTTPException(404, "there is no classifier here that could say why it fired")
        if class_id not in range(len(self._review.ranked.classes)):
            raise HTTPException(404, f"there is no class number {class_id}")
        async with self._mapping:
            return await self._picture("image/png", self._pictures.map_picture, class_id, number)

    async def _picture(self, kind: str, make: Callable[..., bytes], *numbers: int) -> Response:
        try:
            content = await run_in_threadpool(make, *numbers)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        return Response(content, media_type=kind, headers=KEPT)

    def _number(self, request: Request) -> int:
        number = request.path_params["number"]
        if number >= len(self._review.ranked.image_ids):
            raise HTTPException(404, f"there is no image number {number}")
        return number

    def _annotator(self, request: Request) -> str | None:
        text = request.query_params.get("annotator")
        return self._review.name(text) if text else None


def question(class_name: str) -> str:
    """Return what a person is asked about the candidates of a class."""
    words = _words(class_name)
    article = "an" if words[:1].lower() in "aeiou" else "a"
    return f"Is there {article} {words}, or any other foreground object, in it?"


def _words(class_name: str) -> str:
    return class_name.replace("_", " ")


def _request_of(body: bytes) -> dict[str, Any]:
    """Return the arguments of `Review.act` that a page sent, checked for their types.

    Raises:
        ValueError: They are no such thing.
    """
    try:
        asked = json.loads(body)
        found = {
            "version": asked["version"],
            "annotator": asked["annotator"],
            "action_id": asked["id"],
            "action": asked["action"],
            "images": asked.get("images", []),
            "decision": asked.get("decision", ""),
            "class_id": asked.get("class"),
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ValueError("the request is no action of the page: load the page again") from None
    texts = [found[key] for key in ("action_id", "version", "annotator", "action", "decision")]
    numbers = found["images"] if isinstance(found["images"], list) else [None]
    numbers = [*numbers, 0 if found["class_id"] is None else found["class_id"]]
    fits = all(isinstance(text, str) and len(text) <= LONGEST_ID for text in texts)
    # True is a number to Python.
    if not fits or not texts[0] or not all(type(number) is int for number in numbers):
        raise ValueError("the request is no action of the page: load the page again")
    return found
