"""Images as the world makes them, from the file through `prepare` into a batch."""

import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.data.sets.test_voc import OPTIONS
from wsss.data.images import image_size, read_header, read_image
from wsss.data.loading import ClassificationImages, full_image_batches
from wsss.data.sets.voc import prepare
from wsss.train.batches import BatchStream

# What filters them is undone by pytest; a test below sees to it that they do not leak.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
Y, X = np.mgrid[:20, :30]
PIXELS = np.stack([12 * Y, 8 * X, 5 * (X + Y)], axis=-1).astype(np.uint8)
BROKEN_TAGS = b"Exif\0\0MM\0*\0\0\0\xff\xff\xff"
RGB = Image.fromarray(PIXELS)


def data_set(tmp_path, name, content=b""):
    """Write a set with one good training image and another one; return its root and that file."""
    root = tmp_path / "set"
    for folder in ("JPEGImages", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    RGB.save(root / "JPEGImages/good.png")
    path = root / "JPEGImages" / name
    path.write_bytes(content)
    (root / OPTIONS["train_list"]).write_text(f"good\n{path.stem}\n")
    (root / "labels.csv").write_text(f"image_id,labels\ngood,bird\n{path.stem},train\n")
    return root, path


def batches_of(root, **changes):
    """Return the images of whole batches by id, after `prepare`."""
    options = {**OPTIONS, "val_list": "", **changes}
    records = prepare(root / "out", root=str(root), **options).records
    found = full_image_batches([r for r in records if r.split == "train"], batch_size=4)
    return {
        r.image_id: image for batch, images in found for r, image in zip(batch, images, strict=True)
    }


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


GOOD = {
    "grey.jpg": (RGB.convert("L"), {}),
    "print.jpg": (RGB.convert("CMYK"), {}),
    "palette.png": (RGB.quantize(16), {}),
    "see_through.png": (RGB.convert("RGBA"), {}),
    "grey_alpha.png": (RGB.convert("LA"), {}),
    "palette_alpha.png": (RGB.quantize(16), {"transparency": bytes(range(16))}),
    "palette_hole.png": (RGB.quantize(16), {"transparency": 3}),
    "one_bit.png": (RGB.convert("1"), {}),
    "print.tif": (RGB.convert("CMYK"), {}),
    "turned.jpg": (RGB, {"exif": turned(6)}),
    "turned.tif": (RGB, {"exif": turned(6)}),
    "turned.png": (RGB, {"exif": turned(6)}),
    "still.webp": (RGB, {"lossless": True}),
    "still.bmp": (RGB, {}),
    "two_eyes.jpg": (RGB, {"format": "MPO", "save_all": True, "append_images": [RGB]}),
    "still_gif.jpg": (RGB, {"format": "GIF"}),
    "dot.jpg": (RGB.crop((0, 0, 1, 1)), {}),
}


@pytest.mark.parametrize("name", GOOD)
def test_images_that_are_read(tmp_path, name):
    root, path = data_set(tmp_path, name)
    image, options = GOOD[name]
    image.save(path, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = batches_of(root)[path.stem]
    assert read.dtype == np.uint8 and read.shape == (*image_size(path), 3)
    if not name.startswith(("turned.tif", "palette_")):
        difference = np.array(image.convert("RGB"), dtype=int) - read
        assert np.abs(difference).mean() < (8 if path.suffix == ".jpg" else 1e-9)


def frames(suffix, **options):
    return f"moving{suffix}", {"save_all": True, "append_images": [RGB.rotate(180)], **options}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        frames(".jpg", format="GIF"),
        frames(".png"),
        frames(".webp", lossless=True),
        frames(".tif"),
    ],
)
def test_several_pictures_in_a_file_are_refused(tmp_path, name, options):
    root, path = data_set(tmp_path, name)
    RGB.save(path, **options)
    with pytest.raises(ValueError, match=rf"{name} holds several pictures .*; save the one"):
        batches_of(root)
    with pytest.raises(ValueError, match="holds several pictures"):
        read_image(path)


def png(width, height, depth, colours, pixels):
    """Return a PNG of any header."""

    def chunk(kind, content):
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )


BAD = {
    "deep_grey.png": (png(2, 1, 16, 0, bytes(5)), "of more than 8 bits; convert it to 8 bits per"),
    "deep_rgb.png": (png(2, 1, 16, 2, bytes(13)), "of more than 8 bits; convert it to 8 bits per"),
    "deep_rgba.png": (png(2, 1, 16, 6, bytes(17)), "of more than 8 bits"),
    "bomb.png": (png(100_000, 100_000, 8, 2, b""), "pixels, but .* on a side are the most"),
    "half_bomb.png": (png(14_000, 10_000, 8, 2, b""), "14000 x 10000 pixels, but 134,217,728"),
    "strip.png": (png(70_000, 1, 8, 2, b""), "70000 x 1 pixels, but .* 65,500 on a side"),
    "text.jpg": (
        b"no image",
        "cannot be read .not an image.; replace it by a whole JPEG, PNG, .* or take",
    ),
    "script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    "empty.jpg": (b"", "cannot be read .not an image"),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_are_refused_by_their_header(tmp_path, name):
    content, message = BAD[name]
    root, path = data_set(tmp_path, name, content)
    for read in (read_header, read_image, lambda _: batches_of(root)):
        with pytest.raises(ValueError, match=f"{name} .*{message}") as raised:
            read(path)
        assert "\n" not in str(raised.value) and str(raised.value).count(name) == 1


def test_warnings_of_the_image_library_do_not_leak(tmp_path):
    (tmp_path / "half_bomb.png").write_bytes(BAD["half_bomb.png"][0])
    RGB.save(tmp_path / "tags.jpg", exif=BROKEN_TAGS)
    code = "import sys; from wsss.data.images import read_header; read_header(sys.argv[1])"
    results = [
        subprocess.run([sys.executable, "-c", code, path], check=False, capture_output=True, text=1)
        for path in (tmp_path / "half_bomb.png", tmp_path / "tags.jpg")
    ]
    assert "14000 x 10000 pixels" in results[0].stderr and "Warning" not in results[0].stderr
    assert (results[1].returncode, results[1].stderr) == (0, "")


def test_a_folder_and_a_link_to_nothing_are_refused(tmp_path):
    root, path = data_set(tmp_path, "x.jpg")
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match=r"x\.jpg cannot be read \(Is a directory\)"):
        batches_of(root)
    path.rmdir()
    path.symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(ValueError, match=r"x\.jpg does not exist, or is a link to nothing"):
        batches_of(root)


def test_an_image_cut_off_behind_its_header_passes_prepare_and_is_named_when_it_is_decoded(
    tmp_path,
):
    root, path = data_set(tmp_path, "cut.jpg")
    RGB.save(path)
    path.write_bytes(path.read_bytes()[:-60])
    assert len(prepare(root / "out", root=str(root), **{**OPTIONS, "val_list": ""}).records) == 2
    with pytest.raises(ValueError, match=r"cut\.jpg cannot be read .*truncated.*; replace it"):
        batches_of(root)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_training_names_a_broken_image_in_one_sentence(tmp_path, workers):
    root, path = data_set(tmp_path, "cut.jpg")
    RGB.save(path)
    path.write_bytes(path.read_bytes()[:-60])
    records = prepare(root / "out", root=str(root), **{**OPTIONS, "val_list": ""}).records
    images = ClassificationImages(
        records, np.eye(2), saliency=None, resize_long=(20, 30), crop_size=16, random_seed=0
    )
    stream = BatchStream(images, ["cut", "good"], batch_size=2, random_seed=0, workers=workers)
    with pytest.raises(
        ValueError, match=r"^image .*cut\.jpg cannot be read .*the data set$"
    ) as error:
        list(stream.batches(0, 1))
    assert "\n" not in str(error.value)


def test_a_damaged_png_is_refused_although_it_could_be_decoded(tmp_path):
    path = tmp_path / "a.png"
    RGB.save(path, compress_level=0)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.png cannot be read"):
        read_image(path)


def test_the_largest_image_is_an_option(tmp_path):
    root, path = data_set(tmp_path, "large.png")
    Image.new("L", (200, 100)).save(path)
    message = r"large\.png has 200 x 100 = 0\.0 million pixels, but max_megapixels is 0\.01; shrink"
    with pytest.raises(ValueError, match=message):
        batches_of(root, max_megapixels=0.01)
    assert batches_of(root, max_megapixels=0.02)["large"].shape == (100, 200, 3)


@pytest.mark.slow
def test_an_image_of_48_million_pixels_is_read_but_not_trained_on_by_default(tmp_path):
    root, path = data_set(tmp_path, "photo.jpg")
    Image.new("RGB", (8000, 6000), (9, 90, 200)).save(path)
    assert read_image(path).shape == (6000, 8000, 3)
    with pytest.raises(ValueError, match=r"photo\.jpg has 8000 x 6000 = 48\.0 million pixels"):
        batches_of(root)


def test_turned_images_are_counted(tmp_path, caplog):
    root, path = data_set(tmp_path, "turned.jpg")
    RGB.save(path, exif=turned(8))
    assert read_header(path).turned and batches_of(root)["turned"].shape == (20, 30, 3)
    assert "1 images have an EXIF orientation, which is not applied (turned.jpg)" in caplog.text
    (root / "SegmentationClass").mkdir()
    Image.new("L", (20, 30)).save(root / "SegmentationClass/turned.png")
    message = r"is \(30, 20\), but its image is \(20, 30\); save the image upright, as its EXIF"
    with pytest.raises(ValueError, match=message):
        batches_of(root)


def test_broken_tags_do_not_make_a_whole_photograph_unreadable(tmp_path):
    RGB.save(tmp_path / "a.jpg", exif=BROKEN_TAGS)
    assert read_image(tmp_path / "a.jpg").shape == (20, 30, 3)
    assert not read_header(tmp_path / "a.jpg").turned
