"""Single images of a public bucket, of which a list names those that are wanted."""

import hashlib
import logging
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from wsss.fetch.catalogue import ImageBucket
from wsss.fetch.http_get import BrokenError, Patience, RefusedError, blocks, md5_of, opened, size_of
from wsss.fetch.mirrors import mirrored
from wsss.fetch.room import check_room
from wsss.progress import progress
from wsss.store.atomic import atomic_path

log = logging.getLogger(__name__)

SUFFIX = ".jpg"
SUMS = "images.sha256"
JPEG = b"\xff\xd8\xff"
LINE = re.compile(r"(?:(?P<split>[a-z0-9_]+)/)?(?P<image_id>[0-9a-f]{16})(?:\.jpg)?")
HEADINGS = ("image_id", "ImageID")
# They wait for the network nearly all of their time.
THREADS = 16
IN_FLIGHT = 4
MOST_BYTES = 10**8
NOT_THERE = (403, 404)
Wanted = tuple[str, str]
"""Image id, and its split or ""."""


class _AbsentError(Exception):
    """The bucket has no such image."""


def fetch_images(bucket: ImageBucket, folder: Path) -> None:
    """Download the images of the list that are not there yet, as `<split>/<image_id>.jpg`.

    Every image is held to its length and, where the server sends its md5 along, to that. Its sha256
    is added to images.sha256, which `sha256sum -c` reads. Only one process at a time does this.

    Args:
        bucket: Where they are, and where they go.
        folder: Of the entry; exists.

    Raises:
        ValueError: The list is missing or names something else than images, the bucket lacks some
            of them (all others are there, then), the network fails, or the disk is full.
    """
    wanted = missing_images(bucket, folder)
    if not wanted:
        return
    for split in bucket.splits:
        (folder / split).mkdir(exist_ok=True)
    check_room(folder, len(wanted) * bucket.mean_size, f"fetching {len(wanted):,} images")
    with _appended(folder / SUMS) as sums:
        found = _fetched(bucket, folder, wanted, sums)
        results = list(progress(found, total=len(wanted), description="images"))
    absent = [image_id for image_id in results if image_id]
    if absent:
        raise ValueError(
            f"{len(absent)} of {len(wanted)} images are not in the bucket, which says 403 or 404, "
            f"e.g. {', '.join(absent[:3])}; take them out of {folder / bucket.list} (the others "
            "are there), or mend the way to the bucket"
        )


def missing_images(bucket: ImageBucket, folder: Path) -> list[Wanted]:
    """Return the images of the list that are not there yet, in its order.

    Raises:
        ValueError: The list is missing, or a line of it is no image id.
    """
    there = {file.name for split in bucket.splits for file in _files(folder / split)}
    wanted = _read_list(folder / bucket.list, bucket.splits)
    return [(name, split) for name, split in wanted.items() if name + SUFFIX not in there]


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    if folder.is_dir():
        with os.scandir(folder) as found:
            yield from found


def _read_list(path: Path, splits: Sequence[str]) -> dict[str, str]:
    """Return the split, or "", by image id.

    Raises:
        ValueError: The list is missing, or a line of it is no image id.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ValueError(
            f"{path} does not exist; write one image id per line into it, as 0123456789abcdef or "
            f"{splits[0]}/0123456789abcdef"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}); make it UTF-8 text") from None
    wanted = {}
    for number, line in enumerate(lines, start=1):
        word = re.split(r"[,\s]", line.strip(), maxsplit=1)[0]
        if not word or (number == 1 and word in HEADINGS):
            continue
        match = LINE.fullmatch(word)
        if not match or match["split"] not in (None, *splits):
            raise ValueError(
                f"line {number} of {path} starts with {word[:40]!r}; expected is an image id of 16 "
                f"hexadecimal digits, alone or after one of {', '.join(splits)} and a slash"
            )
        wanted[match["image_id"]] = match["split"] or ""
    return wanted


@contextmanager
def _appended(path: Path) -> Iterator[int]:
    """Yield the descriptor of a file to which whole lines are appended."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _fetched(bucket: ImageBucket, folder: Path, wanted: list[Wanted], sums: int) -> Iterator[str]:
    """Fetch images in threads; yield for each "", or its id where the bucket lacks it."""
    executor = ThreadPoolExecutor(THREADS)
    waiting: deque[Future[str]] = deque()
    try:
        for item in wanted:
            waiting.append(executor.submit(_fetch, bucket, folder, item, sums))
            if len(waiting) == IN_FLIGHT * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _fetch(bucket: ImageBucket, folder: Path, wanted: Wanted, sums: int) -> str:
    """Write one image; return "", or its id where the bucket lacks it."""
    image_id, split = wanted
    for name in [split] if split else bucket.splits:
        address = mirrored(bucket.address.format(split=name, image_id=image_id))
        try:
            content = _content(address)
        except _AbsentError:
            continue
        place = f"{name}/{image_id}{SUFFIX}"
        with atomic_path(folder / place) as temporary:
            temporary.write_bytes(content)
            line = f"{hashlib.sha256(content).hexdigest()}  {place}\n"
            os.write(sums, line.encode())
        return ""
    return image_id


def _content(address: str) -> bytes:
    """Return an image's file.

    Raises:
        ValueError: The server does not give it.
        _AbsentError: There is none.
    """
    patience = Patience(address)
    try:
        while True:
            try:
                return _get(address)
            except BrokenError as error:
                patience.wait(error)
    except RefusedError as error:
        if error.status in NOT_THERE:
            raise _AbsentError from None
        raise ValueError(
            f"{address} cannot be downloaded ({error}); start again later, what is there stays"
        ) from None


def _get(address: str) -> bytes:
    with opened(address, {}) as response:
        size, md5 = size_of(response.headers), md5_of(response.headers)
        content = bytearray()
        for block in blocks(response):
            content += block
            if len(content) > MOST_BYTES:
                raise RefusedError(f"it has more than {MOST_BYTES:,} bytes")
    if size is not None and len(content) != size:
        raise BrokenError(f"the connection ended after {len(content)} of {size} bytes")
    if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise BrokenError("it arrived damaged, its md5 is not the one that the server sent along")
    if not content.startswith(JPEG):
        raise RefusedError("what the server sends is no JPEG")
    return bytes(content)
