"""Pictures of the page: from any file, made once, whatever becomes of the folder."""

import errno
import logging
import os
import threading
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from tests.data.test_odd_images import BAD, GOOD, png, turned
from wsss.data.images import read_image
from wsss.review import pictures as module
from wsss.review.pictures import OPACITY, Pictures

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
RAMP = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def scene(height, width):
    """An image without sharp edges, so that ways of shrinking it agree."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(6 * x / width), np.cos(5 * y / height), np.sin(4 * (x / width + y / height))]
    return (127 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)


def saved(path, height, width, **options):
    Image.fromarray(scene(height, width)).save(path, **options)
    return path


def of(tmp_path, *paths, maps=None, map_key="a", folder="kept"):
    return Pictures(tmp_path / folder, list(paths), maps=maps, map_key=map_key)


def decoded(content):
    return Image.open(BytesIO(content))


def kept_files(tmp_path):
    return sorted(path for path in (tmp_path / "kept").rglob("*") if path.is_file())


def changed(content):
    """A picture that is whole, but another one."""
    image = decoded(content)
    other = BytesIO()
    Image.new(image.mode, (5, 7)).save(other, format=image.format)
    return other.getvalue()


@pytest.fixture
def decodes(monkeypatch):
    """The files that are read, in order."""
    found = []

    def counting(path):
        found.append(Path(path).name)
        return module_read_header(path)

    module_read_header = module.read_header
    monkeypatch.setattr(module, "read_header", counting)
    return found


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((375, 500), (320, 240)),
        ((500, 375), (240, 320)),
        ((100, 200), (200, 100)),
        ((320, 320), (320, 320)),
        ((321, 10), (10, 320)),
        ((1, 1), (1, 1)),
        ((1, 3000), (320, 1)),
        ((768, 1024), (320, 240)),
        ((1500, 2000), (320, 240)),
        ((2600, 130), (16, 320)),
    ],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_thumbnail_is_a_jpeg_of_320_pixels_and_never_enlarged(tmp_path, size, expected, suffix):
    path = saved(tmp_path / f"a{suffix}", *size)
    thumbnail = decoded(of(tmp_path, path).thumbnail(0))
    assert (thumbnail.format, thumbnail.mode, thumbnail.size) == ("JPEG", "RGB", expected)


def test_a_picture_has_at_most_1600_pixels_and_is_not_kept_on_disk(tmp_path):
    paths = [saved(tmp_path / "large.jpg", 1300, 2600), saved(tmp_path / "small.png", 30, 50)]
    pictures = of(tmp_path, *paths)
    found = [decoded(pictures.picture(number)) for number in (0, 1)]
    assert [image.size for image in found] == [(1600, 800), (50, 30)]
    assert {image.format for image in found} == {"JPEG"} and kept_files(tmp_path) == []


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(375, 500), (1000, 1300), (2000, 1500), (2711, 2713)])
def test_what_is_decoded_at_a_fraction_looks_as_what_is_decoded_whole(tmp_path, size, progressive):
    path = saved(tmp_path / "a.jpg", *size, quality=95, progressive=progressive)
    found = np.array(decoded(of(tmp_path, path).thumbnail(0)), dtype=int)
    expected = Image.fromarray(read_image(path)).resize(found.shape[1::-1], Image.Resampling.BOX)
    # A JPEG of quality 80 is off by a few levels; a shift by one pixel of 320 by more at edges.
    assert np.abs(found - np.array(expected, dtype=int)).mean() < 2.5


def test_a_large_jpeg_is_decoded_at_a_fraction(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.jpg", 1000, 1300)
    monkeypatch.setattr(module, "read_image", lambda path: pytest.fail(f"{path} decoded whole"))
    assert decoded(of(tmp_path, path).thumbnail(0)).size == (320, 246)


@pytest.mark.parametrize("name", GOOD)
def test_all_that_is_trained_on_is_shown(tmp_path, name):
    image, options = GOOD[name]
    image.save(tmp_path / name, **options)
    height, width = read_image(tmp_path / name).shape[:2]
    pictures = of(tmp_path, tmp_path / name)
    for content in (pictures.thumbnail(0), pictures.picture(0)):
        assert (decoded(content).format, decoded(content).size) == ("JPEG", (width, height))


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize("file_format", ["JPEG", "MPO"])
def test_large_jpegs_of_every_mode_look_as_read(tmp_path, mode, file_format):
    image = Image.fromarray(scene(1000, 1300)).convert(mode)
    options = {"save_all": True, "append_images": [image]} if file_format == "MPO" else {}
    image.save(tmp_path / "a.jpg", format=file_format, quality=95, **options)
    found = np.array(decoded(of(tmp_path, tmp_path / "a.jpg").thumbnail(0)), dtype=int)
    whole = Image.fromarray(read_image(tmp_path / "a.jpg")).resize(found.shape[1::-1])
    assert np.abs(found - np.array(whole, dtype=int)).mean() < 2.5


@pytest.mark.parametrize("size", [(20, 30), (1300, 2000)])
def test_pixels_are_shown_as_stored(tmp_path, size):
    path = saved(tmp_path / "a.jpg", *size, exif=turned(6))
    height, width = size
    shown = decoded(of(tmp_path, path).thumbnail(0))
    assert (shown.width > shown.height) == (width > height) and not shown.getexif()


@pytest.mark.parametrize("size", [(20, 30), (1300, 2000)])
def test_nothing_of_the_file_but_its_pixels_is_sent(tmp_path, size):
    exif = turned(1)
    exif[0x010E] = "SECRET"
    extra = {"comment": b"SECRET", "icc_profile": b"SECRET", "exif": exif}
    path = saved(tmp_path / "a.jpg", *size, **extra)
    path.write_bytes(path.read_bytes() + b"<script>SECRET</script>")
    pictures = of(tmp_path, path)
    assert b"SECRET" not in pictures.thumbnail(0) + pictures.picture(0)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused_in_the_sentence_of_the_reader(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name][0])
    with pytest.raises(ValueError) as expected:
        read_image(tmp_path / name)
    pictures = of(tmp_path, tmp_path / name)
    for make in (pictures.thumbnail, pictures.picture):
        with pytest.raises(ValueError) as raised:
            make(0)
        assert str(raised.value) == str(expected.value)
    assert kept_files(tmp_path) == []


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(20, 30), (1300, 2000)])
def test_a_truncated_photograph_is_refused(tmp_path, size, progressive):
    path = saved(tmp_path / "cut.jpg", *size, progressive=progressive)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"cut\.jpg cannot be read .*[Tt]runcated.*; replace it"):
        of(tmp_path, path).thumbnail(0)


def test_a_web_page_named_as_a_photograph_is_not_sent(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"<html><script>alert(1)</script></html>")
    with pytest.raises(ValueError, match=r"a\.jpg cannot be read \(not an image\)"):
        of(tmp_path, tmp_path / "a.jpg").picture(0)


def test_a_missing_file_is_named_and_shown_once_it_is_there(tmp_path):
    pictures = of(tmp_path, tmp_path / "a.png")
    for make in (pictures.thumbnail, pictures.picture):
        with pytest.raises(ValueError, match=r"a\.png does not exist, or is a link to nothing"):
            make(0)
    saved(tmp_path / "a.png", 3, 4)
    assert decoded(pictures.thumbnail(0)).size == (4, 3)


@pytest.mark.parametrize("number", [-1, 2])
def test_numbers_out_of_range_are_no_images(tmp_path, number):
    paths = [saved(tmp_path / f"{i}.png", 3, 4) for i in (0, 1)]
    pictures = of(tmp_path, *paths, maps=lambda path, class_id: RAMP)
    for make in (pictures.thumbnail, pictures.picture, lambda n: pictures.map_picture(0, n)):
        with pytest.raises(LookupError, match=rf"no image {number}; .* numbered 0 \.\. 1"):
            make(number)


def test_a_thumbnail_is_made_once_also_for_the_next_server(tmp_path, decodes):
    path = saved(tmp_path / "a.jpg", 30, 40)
    first = of(tmp_path, path)
    contents = {first.thumbnail(0), first.thumbnail(0), of(tmp_path, path).thumbnail(0)}
    assert len(contents) == 1 and decodes == ["a.jpg"]
    (kept,) = kept_files(tmp_path)
    assert kept.parent.parent == tmp_path / "kept/thumbnails" and kept.suffix == ".jpg"
    assert kept.parent.name == kept.name[:2] and {kept.read_bytes()} == contents


@pytest.mark.parametrize("change", ["size", "time", "path"])
def test_the_thumbnail_of_a_replaced_file_is_made_anew(tmp_path, change):
    path = saved(tmp_path / "a.bmp", 32, 40)
    before, stamp = of(tmp_path, path).thumbnail(0), path.stat()
    if change == "path":
        path = tmp_path / "b.bmp"
    saved(path, *((32, 44) if change == "size" else (40, 32)))
    late = stamp.st_mtime_ns + (change == "time")
    os.utime(path, ns=(late, late))
    assert (path.stat().st_size == stamp.st_size) == (change != "size")
    assert of(tmp_path, path).thumbnail(0) != before


def test_pictures_follow_a_replaced_file(tmp_path):
    path = saved(tmp_path / "a.png", 30, 40)
    pictures = of(tmp_path, path)
    assert decoded(pictures.picture(0)).size == (40, 30)
    saved(path, 30, 44)
    assert decoded(pictures.picture(0)).size == (44, 30)


def test_a_few_pictures_stay_in_memory(tmp_path, decodes):
    paths = [saved(tmp_path / f"{i}.png", 3, 4) for i in range(module.PICTURES_IN_MEMORY + 1)]
    pictures = of(tmp_path, *paths)
    for number in range(len(paths)):
        pictures.picture(number)
    del decodes[:]
    pictures.picture(len(paths) - 1)
    assert decodes == []
    pictures.picture(0)
    assert decodes == ["0.png"]


@pytest.mark.parametrize("kind", ["thumbnail", "map"])
@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: c[:-1], lambda c: b"x" + c[1:]])
def test_a_damaged_kept_picture_is_made_again(tmp_path, damage, kind):
    path = saved(tmp_path / "a.jpg", 30, 40)

    def make():
        pictures = of(tmp_path, path, maps=lambda path, class_id: RAMP)
        return pictures.thumbnail(0) if kind == "thumbnail" else pictures.map_picture(1, 0)

    before = make()
    (kept,) = kept_files(tmp_path)
    kept.write_bytes(damage(before))
    assert make() == before == kept.read_bytes()
    # The one that is whole is believed: the test would not notice if none ever were.
    kept.write_bytes(changed(before))
    assert make() == changed(before)


def blocked_by_a_file(folder, monkeypatch):
    folder.write_text("in the way")


def read_only(folder, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)


def full(folder, monkeypatch):
    def refuse(path, *args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)


def gone_meanwhile(folder, monkeypatch):
    def refuse(path, *args):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "replace", refuse)


@pytest.mark.parametrize("break_folder", [blocked_by_a_file, read_only, full, gone_meanwhile])
def test_pictures_are_shown_where_they_cannot_be_kept(tmp_path, monkeypatch, caplog, break_folder):
    paths = [saved(tmp_path / f"{i}.jpg", 30, 40) for i in range(3)]
    break_folder(tmp_path / "kept", monkeypatch)
    pictures = of(tmp_path, *paths, maps=lambda path, class_id: RAMP)
    with caplog.at_level(logging.INFO):
        for number in (0, 1, 2, 0):
            assert decoded(pictures.thumbnail(number)).size == (40, 30)
            assert decoded(pictures.map_picture(0, number)).size == (4, 3)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "Pictures are not kept" in record.getMessage()
    assert not list(tmp_path.rglob("*.tmp*"))


def test_a_broken_file_is_not_decoded_at_each_look(tmp_path, decodes):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"no image")
    pictures = of(tmp_path, path)
    sentences = set()
    for _ in range(3):
        with pytest.raises(ValueError) as raised:
            pictures.thumbnail(0)
        sentences.add(str(raised.value))
    assert len(sentences) == 1 and decodes == ["a.jpg"]
    saved(path, 30, 40)
    assert decoded(pictures.thumbnail(0)).size == (40, 30)


def test_what_the_system_refuses_is_tried_again(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.jpg", 30, 40)
    pictures, read_bytes = of(tmp_path, path), Path.read_bytes

    def fail(file):
        if file == path:
            raise OSError(errno.EMFILE, "Too many open files", str(file))
        return read_bytes(file)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", fail)
        with pytest.raises(ValueError, match="Too many open files"):
            pictures.thumbnail(0)
    assert decoded(pictures.thumbnail(0)).size == (40, 30)


def together(number, call):
    """Call from several threads that start at once; return the results."""
    barrier, results, errors = threading.Barrier(number), [None] * number, []

    def run(i):
        barrier.wait()
        try:
            results[i] = call(i)
        except ValueError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    return results


def test_threads_that_want_the_same_thumbnail_make_it_once(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.jpg", 30, 40)
    pictures, made = of(tmp_path, path), []
    waiting, read = threading.Semaphore(0), module._read_whole

    def counted_read(file):
        found = read(file)
        waiting.release()
        return found

    def slow(file):
        made.append(file)
        # The first goes on when all the others have looked for the thumbnail and found none.
        for _ in range(8 if len(made) == 1 else 0):
            waiting.acquire()
        return read_image(file)

    monkeypatch.setattr(module, "_read_whole", counted_read)
    monkeypatch.setattr(module, "read_image", slow)
    assert len(set(together(8, lambda _: pictures.thumbnail(0)))) == 1 and made == [path]


def test_threads_may_ask_for_anything_at_once(tmp_path):
    paths = [saved(tmp_path / f"{i}.jpg", 30 + i, 400) for i in range(12)]
    pictures = of(tmp_path, *paths, maps=lambda path, class_id: RAMP)
    expected = [of(tmp_path, *paths, folder="other").thumbnail(i) for i in range(12)]

    def ask(i):
        pictures.map_picture(i % 2, i % 5)
        pictures.picture(i % 3)
        return [pictures.thumbnail((i + k) % 12) for k in range(12)]

    for i, found in enumerate(together(8, ask)):
        assert found == [expected[(i + k) % 12] for k in range(12)]


def test_only_so_many_images_are_decoded_at_once(tmp_path, monkeypatch):
    paths = [saved(tmp_path / f"{i}.png", 30, 40) for i in range(8)]
    monkeypatch.setattr(module, "DECODERS", 2)
    most = most_at_once(tmp_path, monkeypatch, paths)
    assert most <= 2


def test_large_images_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    paths = [saved(tmp_path / f"{i}.png", 30, 40) for i in range(8)]
    monkeypatch.setattr(module, "DECODERS", 8)
    monkeypatch.setattr(module, "LARGE", 30 * 40 - 1)
    assert most_at_once(tmp_path, monkeypatch, paths) == 1


def most_at_once(tmp_path, monkeypatch, paths):
    """Return how many images were decoded at the same time when all were asked for."""
    guard, busy, most = threading.Lock(), [], []

    def watched(path):
        with guard:
            busy.append(path)
            most.append(len(busy))
        # Others get the chance to come in, if anything lets them.
        threading.Event().wait(0.02)
        with guard:
            busy.remove(path)
        return read_image(path)

    monkeypatch.setattr(module, "read_image", watched)
    together(len(paths), of(tmp_path, *paths).thumbnail)
    assert len(most) == len(paths)
    return max(most)


def test_a_map_is_coloured_and_leaves_the_picture_visible_where_it_is_low(tmp_path):
    path = saved(tmp_path / "a.jpg", 30, 40)
    asked = []
    pictures = of(
        tmp_path, path, maps=lambda path, class_id: asked.append((path, class_id)) or RAMP
    )
    image = decoded(pictures.map_picture(3, 0))
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (4, 3))
    assert asked == [(path, 3)]
    pixels = np.array(image).reshape(-1, 4).astype(int)
    alpha, light = pixels[:, 3], pixels[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert alpha[0] == 0 and alpha[-1] == round(255 * OPACITY) < 255
    # The same order in every colour vision: lighter means more.
    assert (np.diff(alpha) > 0).all() and (np.diff(light) > 0).all()


def test_a_map_out_of_range_is_clipped(tmp_path):
    path = saved(tmp_path / "a.jpg", 30, 40)
    values = np.array([[-1, 0, 1, 7, np.inf, -np.inf, np.nan]], dtype=np.float32)
    with warnings.catch_warnings():
        # What becomes of a NaN as an integer is not the same on all machines.
        warnings.simplefilter("error")
        content = of(tmp_path, path, maps=lambda *_: values).map_picture(0, 0)
    pixels = np.array(decoded(content))[0]
    zero, one = pixels[1].tolist(), pixels[2].tolist()
    assert pixels.tolist() == [zero, zero, one, one, one, zero, zero]


@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 3), ()])
def test_what_is_no_map_is_refused(tmp_path, shape):
    path = saved(tmp_path / "a.jpg", 30, 40)
    with pytest.raises(ValueError, match=r"map for class 2 of image .*a\.jpg: expected \(h, w\)"):
        of(tmp_path, path, maps=lambda *_: np.zeros(shape)).map_picture(2, 0)


def test_without_a_classifier_there_are_no_maps(tmp_path):
    path = saved(tmp_path / "a.jpg", 30, 40)
    assert not of(tmp_path, path).has_maps and of(tmp_path, path, maps=lambda *_: RAMP).has_maps
    with pytest.raises(LookupError, match="no classifier can be asked for maps"):
        of(tmp_path, path).map_picture(0, 0)


def test_a_map_is_made_once_for_class_image_and_classifier(tmp_path):
    paths = [saved(tmp_path / f"{i}.jpg", 30, 40) for i in (0, 1)]
    asked = []

    def maps(path, class_id):
        asked.append((path.name, class_id))
        return RAMP

    for key in ("a", "a", "b"):
        pictures = of(tmp_path, *paths, maps=maps, map_key=key)
        for class_id, number in ((0, 0), (1, 0), (0, 1), (0, 0)):
            pictures.map_picture(class_id, number)
    assert asked == 2 * [("0.jpg", 0), ("0.jpg", 1), ("1.jpg", 0)]
    assert {path.relative_to(tmp_path).parts[:2] for path in kept_files(tmp_path)} == {
        ("kept", "maps")
    }
    os.utime(paths[0], ns=(1, 1))
    of(tmp_path, *paths, maps=maps).map_picture(0, 0)
    assert len(asked) == 7


def test_maps_are_asked_for_by_one_thread_at_a_time(tmp_path):
    paths = [saved(tmp_path / f"{i}.jpg", 30, 40) for i in range(4)]
    alone, asked = threading.Lock(), []

    def maps(path, class_id):
        assert alone.acquire(blocking=False), "two threads at once"
        asked.append((path, class_id))
        threading.Event().wait(0.01)
        alone.release()
        return RAMP

    pictures = of(tmp_path, *paths, maps=maps)
    found = together(8, lambda i: pictures.map_picture(0, i % 4))
    assert None not in found and len(asked) == 4


def test_a_map_of_an_image_that_cannot_be_read_is_refused_once(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"no image")
    asked = []

    def maps(path, class_id):
        asked.append(path)
        return read_image(path)[..., 0]

    pictures = of(tmp_path, path, maps=maps)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"a\.jpg cannot be read"):
            pictures.map_picture(0, 0)
    assert len(asked) == 1


def test_a_classifier_that_fails_for_now_is_asked_again(tmp_path):
    path = saved(tmp_path / "a.jpg", 30, 40)
    answers = [RuntimeError("out of memory"), RAMP]

    def maps(path, class_id):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    pictures = of(tmp_path, path, maps=maps)
    with pytest.raises(RuntimeError, match="out of memory"):
        pictures.map_picture(0, 0)
    assert decoded(pictures.map_picture(0, 0)).size == (4, 3)


def test_a_bomb_is_not_decoded(tmp_path, monkeypatch):
    (tmp_path / "bomb.png").write_bytes(png(14_000, 10_000, 8, 2, b""))
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="pixels, but"):
        of(tmp_path, tmp_path / "bomb.png").thumbnail(0)
