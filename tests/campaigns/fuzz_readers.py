"""Damage valid files at random; every reader returns what it promises or refuses in one sentence.

    python -m tests.campaigns.fuzz_readers --count 100000 --random-seed 0

A sentence is a ValueError of one line that names the file. A file with checksums may never read as
anything but the original. Cases run in a process of their own, which may neither die nor hang.
"""

import argparse
import multiprocessing
import random
import re
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tests.campaigns.formats import FORMATS
from wsss.store.maps import Maps

LIMIT_SECONDS = 20
START = 33  # A PNG's header, by which one differs from another.
EXTRA_MEMORY = 3 * 2**30
ODD = [b"", b"NaN", b"-1", b"1e999", b"null", b"[]", b"{}", b'""', b"9" * 30, b"\0", b"\xff", b"&"]


def damage(content: bytes, others: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Return the content, damaged mostly in one way."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        content = rng.choice(DAMAGES)(bytearray(content), others, rng)
    return content


def _flip(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    for _bit in range(rng.randint(1, 8) if content else 0):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _overwrite(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    first, last = _part(content, rng)
    filler = rng.choice([b"\0", b"\xff", rng.randbytes(1)])
    content[first:last] = filler * (last - first)
    return bytes(content)


def _truncate(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    return bytes(content[: rng.randrange(len(content) + 1)])


def _extend(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    return bytes(content) + rng.randbytes(rng.randint(1, 100))


def _cut(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    first, last = _part(content, rng)
    del content[first:last]
    return bytes(content)


def _repeat(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    first, last = _part(content, rng)
    place = rng.randrange(len(content) + 1)
    content[place:place] = content[first:last]
    return bytes(content)


def _splice(content: bytearray, others: Mapping[str, bytes], rng: random.Random) -> bytes:
    other = others[rng.choice(sorted(others))]
    return bytes(content[: rng.randrange(len(content) + 1)]) + other[rng.randrange(len(other)) :]


def _swap(_: bytearray, others: Mapping[str, bytes], rng: random.Random) -> bytes:
    return others[rng.choice(sorted(others))]


def _replace_word(content: bytearray, _: Mapping[str, bytes], rng: random.Random) -> bytes:
    words = list(re.finditer(rb'"[^"]*"|[\w.]+', content))
    if words:
        word = rng.choice(words)
        content[word.start() : word.end()] = rng.choice(ODD)
    return bytes(content)


DAMAGES = (
    _flip,
    _flip,
    _overwrite,
    _truncate,
    _extend,
    _cut,
    _repeat,
    _splice,
    _replace_word,
    _replace_word,
    _replace_word,
    _swap,
)


def _part(content: bytearray, rng: random.Random) -> tuple[int, int]:
    first = rng.randrange(len(content) + 1)
    return first, min(len(content), first + rng.randint(1, 64))


def outcome(name: str, path: Path, original: object) -> str:
    """Return "refused", "read", or what is wrong with how a damaged file is read.

    Args:
        name: Of the format.
        path: Of the file.
        original: What it held; None: may be anything.
    """
    form = FORMATS[name]
    try:
        value = form.read(path)
    except ValueError as error:
        return _judge_sentence(str(error), path)
    except (Exception, RecursionError) as error:  # noqa: BLE001 whatever it is, it is a failure
        return f"raised {type(error).__name__}: {error}"
    if not isinstance(value, form.kind):
        return f"returned a {type(value).__name__}"
    if form.is_exact and original is not None and not equal(value, original):
        return "read another value in silence"
    return "read"


def _judge_sentence(sentence: str, path: Path) -> str:
    # The annotations of a data set may be refused by the name of an image, a checksum by its table.
    names = {path.name, path.name.removeprefix(".").removesuffix(".sha256"), "images/"}
    if "\n" in sentence or not any(name in sentence for name in names):
        return f"no sentence with the file's name: {sentence!r}"
    if len(sentence) > 600:
        return f"a sentence of {len(sentence)} characters: {sentence[:200]!r}"
    return "refused"


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are of one type and hold the same."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Maps):
        return equal(vars(one), vars(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


class _Files(NamedTuple):
    """Valid files by format: where they stand, their bytes, and what they hold."""

    paths: dict[str, Path]
    contents: dict[str, bytes]
    originals: dict[str, object]


def _valid_files(folder: Path) -> _Files:
    files = _Files({}, {}, {})
    for name, form in FORMATS.items():
        path = folder / name / form.suffix
        path.parent.mkdir(parents=True)
        form.make(path)
        files.paths[name], files.contents[name] = path, path.read_bytes()
        files.originals[name] = form.read(path)
    return files


def _work(files: _Files, numbers: range, random_seed: int, results: Connection) -> None:
    """Send the outcome of every case."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + EXTRA_MEMORY, used + EXTRA_MEMORY))
    names = list(FORMATS)
    for number in numbers:
        name = names[number % len(names)]
        rng = random.Random(f"{random_seed} {number}")
        content = damage(files.contents[name], files.contents, rng)
        files.paths[name].write_bytes(content)
        starts = {valid[:START] for valid in files.contents.values()}
        others = starts - {files.contents[name][:START]}
        # Another valid file in its place, cut or with a tail, may well read as another value.
        original = None if content.startswith(tuple(others)) else files.originals[name]
        results.send(outcome(name, files.paths[name], original))


def outcomes(count: int, random_seed: int, first: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the outcome of every case; a process that dies or hangs is replaced by another."""
    # Forked: importing torch anew for every process that dies would take too long.
    context = multiprocessing.get_context("fork")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = _valid_files(Path(folder))
        number = first
        while number < first + count:
            results, send = context.Pipe(duplex=False)
            arguments = (files, range(number, first + count), random_seed, send)
            worker = context.Process(target=_work, args=arguments)
            worker.start()
            send.close()
            for found in _received(results, worker):
                yield number, found
                number += 1
                if number == first + count:
                    break
            worker.kill()
            worker.join()


def _received(results: Connection, worker: Any) -> Iterator[str]:
    """Yield what a process sends, last that it hangs or is dead."""
    while results.poll(LIMIT_SECONDS):
        try:
            yield results.recv()
        except EOFError:
            worker.join()
            yield f"ended its process, exit code {worker.exitcode}"
            return
    yield f"hung for {LIMIT_SECONDS} s"


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign, print its counts, and return 1 if any reader failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--random-seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args(arguments)
    names = list(FORMATS)
    tried: Counter[str] = Counter()
    counts = {kind: Counter[str]() for kind in ("refused", "read", "failed")}
    for number, found in outcomes(options.count, options.random_seed, options.first):
        name = names[number % len(names)]
        tried[name] += 1
        counts[found if found in counts else "failed"][name] += 1
        if found not in counts:
            again = f"--count 1 --first {number} --random-seed {options.random_seed}"
            sys.stdout.write(f"FAILED {name}: {found} ({again})\n")
    for name in names:
        parts = ", ".join(f"{count[name]} {kind}" for kind, count in counts.items())
        sys.stdout.write(f"{name:14} {tried[name]} tried: {parts}\n")
    failed = counts["failed"].total()
    sys.stdout.write(f"{tried.total()} damaged files, {failed} failures\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
