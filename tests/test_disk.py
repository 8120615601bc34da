import errno
import os
from pathlib import Path

import pytest

from wsss.disk import WriteError, write_errors

PATH = Path("results/tables/a.csv")


def fail(number, *names):
    with write_errors(PATH, PATH.with_name(".a.tmp")):
        raise OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; make room on it"),
        (errno.EDQUOT, "your quota of the disk is used up; make room in it"),
        (errno.EFBIG, "it would be larger than a limit allows; raise it"),
        (errno.EROFS, "the disk is read-only; let it be written, or choose another folder"),
    ],
)
def test_what_only_writing_meets_is_one_sentence(number, words):
    with pytest.raises(WriteError, match=r"^results/tables/a\.csv cannot be written: ") as caught:
        fail(number)
    assert words in str(caught.value) and str(caught.value).endswith(", and start again")


@pytest.mark.parametrize("name", ["results/tables/a.csv", "results/tables/.a.tmp", "results"])
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG])
def test_what_reading_meets_too_counts_at_the_files_own_place(number, name):
    with pytest.raises(WriteError, match=r"^results/tables/a\.csv cannot be written: "):
        fail(number, name)


@pytest.mark.parametrize("names", [(), ("data/image.jpg",)])
def test_an_error_of_another_file_stays_what_it_is(names):
    with pytest.raises(PermissionError):
        fail(errno.EACCES, *names)
