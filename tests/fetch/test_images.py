"""Images of a list from a bucket."""

import hashlib
from collections import deque

import pytest

from wsss.fetch import images as module
from wsss.fetch.catalogue import ImageBucket
from wsss.fetch.images import fetch_images, missing_images

IDS = [f"{number:016x}" for number in range(200)]


def picture(number):
    return b"\xff\xd8\xff" + number.to_bytes(2, "big") * 300


@pytest.fixture
def bucket(site):
    return ImageBucket(
        list="images.txt",
        address=f"{site.address}/{{split}}/{{image_id}}.jpg",
        splits=("train", "validation"),
        mean_size=600,
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def write_list(folder, lines):
    (folder / "images.txt").write_text("".join(f"{line}\n" for line in lines))


def images(folder):
    return {path.stem: path.read_bytes() for path in folder.glob("*/*")}


def test_images_come_into_the_folders_of_their_splits(site, bucket, folder):
    for number, image_id in enumerate(IDS):
        split = "train" if number % 3 else "validation"
        site.serve(f"/{split}/{image_id}.jpg", picture(number))
    # The split may be said, or be looked for.
    write_list(folder, ["image_id,split", *IDS[:100], "", *(f"{i}.jpg" for i in IDS[100:102])])
    fetch_images(bucket, folder)
    assert images(folder) == {IDS[n]: picture(n) for n in range(102)}
    assert (folder / "validation" / f"{IDS[0]}.jpg").is_file()
    assert missing_images(bucket, folder) == []
    sums = dict(
        line.split("  ")[::-1] for line in (folder / "images.sha256").read_text().split("\n")[:-1]
    )
    assert len(sums) == 102
    assert sums[f"train/{IDS[1]}.jpg"] == hashlib.sha256(picture(1)).hexdigest()
    # A longer list brings the others only.
    site.asked.clear()
    write_list(folder, [*IDS[:103], f"validation/{IDS[105]}"])
    fetch_images(bucket, folder)
    assert sorted(path for path, _ in site.asked) == [
        f"/train/{IDS[102]}.jpg", f"/validation/{IDS[102]}.jpg", f"/validation/{IDS[105]}.jpg",
    ]  # fmt: skip


def test_an_image_that_is_cut_off_or_damaged_comes_again(site, bucket, folder, waits):
    site.serve(f"/train/{IDS[1]}.jpg", picture(1), cuts=deque([100]))
    wrong = {"ETag": f'"{hashlib.md5(picture(9)).hexdigest()}"'}
    _, served = site.serve(f"/train/{IDS[2]}.jpg", picture(2), etag="", headers=wrong)
    write_list(folder, [IDS[1]])
    fetch_images(bucket, folder)
    assert images(folder) == {IDS[1]: picture(1)} and waits == [1]
    # The md5 that Amazon's server sends along.
    site.name = "AmazonS3"
    write_list(folder, [IDS[2]])
    with pytest.raises(ValueError, match=r"it arrived damaged, its md5 is not .*, 6 times in"):
        fetch_images(bucket, folder)
    assert images(folder) == {IDS[1]: picture(1)}
    served.headers["ETag"] = f'"{hashlib.md5(picture(2)).hexdigest()}"'
    fetch_images(bucket, folder)
    assert images(folder) == {IDS[n]: picture(n) for n in (1, 2)}


def test_images_that_the_bucket_lacks_do_not_stop_the_others(site, bucket, folder):
    for number in (0, 2):
        site.serve(f"/train/{IDS[number]}.jpg", picture(number))
    write_list(folder, [*IDS[:3], f"train/{IDS[3]}"])
    with pytest.raises(ValueError) as caught:
        fetch_images(bucket, folder)
    assert images(folder) == {IDS[n]: picture(n) for n in (0, 2)}
    text = str(caught.value)
    assert text.startswith("2 of 4 images are not in the bucket, which says 403 or 404, e.g. ")
    assert f"{IDS[1]}, {IDS[3]}; take them out of {folder / 'images.txt'}" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<html>sign in</html>", "what the server sends is no JPEG"),
     (picture(1) * 10, "it has more than 1,000 bytes")],
)  # fmt: skip
def test_what_is_no_image_is_refused(site, bucket, folder, monkeypatch, content, words):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    site.serve(f"/train/{IDS[1]}.jpg", content)
    write_list(folder, [IDS[1]])
    with pytest.raises(ValueError, match=rf"\.jpg cannot be downloaded \({words}\); start again"):
        fetch_images(bucket, folder)
    assert images(folder) == {}


def test_a_server_that_is_away_stops_all_of_it(site, bucket, folder):
    for number, image_id in enumerate(IDS):
        site.serve(f"/train/{image_id}.jpg", picture(number))
    site.files[f"/train/{IDS[5]}.jpg"].statuses = deque([503] * 100)
    write_list(folder, IDS)
    with pytest.raises(ValueError, match=r"says 503 .* times in a row.; start again later, wha"):
        fetch_images(bucket, folder)
    # Those on their way come home, the others are not asked for.
    assert len(images(folder)) <= 5 + module.IN_FLIGHT * module.THREADS
    assert not list(folder.rglob("*.tmp*"))


def test_room_is_asked_for_first(site, bucket, folder, monkeypatch):
    write_list(folder, IDS[:7])
    found = []
    monkeypatch.setattr(module, "check_room", lambda *call: found.append(call) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fetch_images(bucket, folder)
    assert found == [(folder, 7 * 600, "fetching 7 images")] and site.asked == []


def test_a_missing_list(bucket, folder):
    with pytest.raises(
        ValueError, match=r"images\.txt does not exist; write one image id per line"
    ):
        missing_images(bucket, folder)


@pytest.mark.parametrize(
    "line", ["../../evil", "train/../0123456789abcdef", "0123", "elsewhere/0123456789abcdef"]
)
def test_a_line_that_is_no_image(bucket, folder, line):
    write_list(folder, [IDS[0], line])
    with pytest.raises(
        ValueError, match=r"line 2 of .*images\.txt starts with .*; expected is an "
    ):
        missing_images(bucket, folder)


def test_a_list_that_is_no_text(bucket, folder):
    (folder / "images.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"cannot be read .*; make it UTF-8 text"):
        missing_images(bucket, folder)
