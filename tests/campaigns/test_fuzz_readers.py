"""A short run of the campaign, and that it would see a reader that lies."""

import pytest

from tests.campaigns import fuzz_readers
from tests.campaigns.formats import FORMATS
from wsss.store.masks import write_mask

EVERY = len(FORMATS)


@pytest.mark.slow
def test_damaged_files_are_refused_or_read(capsys):
    assert fuzz_readers.main(["--count", str(10 * EVERY), "--random-seed", "0"]) == 0
    assert f"{10 * EVERY} damaged files, 0 failures" in capsys.readouterr().out


def replaced(name, read):
    return {**FORMATS, name: FORMATS[name]._replace(read=read)}


def lies(path):
    return FORMATS["mask"].read(path.with_name("whole.png"))


def make_two(path):
    FORMATS["mask"].make(path)
    write_mask(path.with_name("whole.png"), FORMATS["mask"].read(path).T.copy())


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda path: path.read_bytes().decode("ascii"), "no sentence with the file's name"),
        (lambda path: len(path.read_bytes()), "returned a int"),
        (lambda path: path.read_bytes()[10**9], "raised IndexError"),
        (lies, "read another value in silence"),
    ],
)
def test_a_reader_that_fails_is_found(tmp_path, monkeypatch, read, message):
    path = tmp_path / "mask.png"
    make_two(path)
    original = FORMATS["mask"].read(path)
    monkeypatch.setattr(fuzz_readers, "FORMATS", replaced("mask", read))
    assert message in fuzz_readers.outcome("mask", path, original)


def dies(path):
    raise SystemExit(3)


@pytest.mark.slow
def test_a_process_that_dies_is_found_and_replaced(monkeypatch):
    form = FORMATS["list"]
    monkeypatch.setattr(fuzz_readers, "FORMATS", {"list": form, "labels": FORMATS["labels"]})
    valid = fuzz_readers._valid_files
    monkeypatch.setattr(
        fuzz_readers,
        "_valid_files",
        lambda folder: (valid(folder), monkeypatch.setitem(fuzz_readers.FORMATS, "list",
                        form._replace(read=dies)))[0],
    )  # fmt: skip
    found = [outcome for _, outcome in fuzz_readers.outcomes(4, random_seed=0)]
    assert found[0] == found[2] == "ended its process, exit code 3"
    assert found[1] in ("refused", "read") and len(found) == 4
