import numpy as np
import pytest
from PIL import Image

from wsss.data.images import image_files, image_size, read_image, read_upright_image, write_jpeg

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    image = Image.fromarray(IMAGE).convert(mode)
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    image.save(path)
    read = read_image(path)
    assert read.shape == (40, 30, 3) and read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.array(Image.open(path).convert("RGB")))
    if mode in ("RGB", "RGBA"):
        np.testing.assert_array_equal(read, IMAGE)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_read(tmp_path, mode):
    grey = np.full((20, 30, 3), 90, dtype=np.uint8)
    Image.fromarray(grey).convert(mode).save(tmp_path / "a.jpg", quality=95)
    read = read_image(tmp_path / "a.jpg")
    assert read.shape == (20, 30, 3)
    assert np.abs(read.astype(int) - 90).max() <= 6


def test_a_palette_with_transparency_keeps_its_colours(tmp_path):
    image = Image.new("P", (3, 2))
    image.putpalette([10, 20, 30])
    image.save(tmp_path / "a.png", transparency=0)
    assert read_image(tmp_path / "a.png").reshape(-1, 3).tolist() == [[10, 20, 30]] * 6


def test_an_image_of_one_pixel_reads(tmp_path):
    write_jpeg(tmp_path / "a.jpg", np.zeros((1, 1, 3), np.uint8), quality=90)
    assert read_image(tmp_path / "a.jpg").shape == (1, 1, 3)
    assert image_size(tmp_path / "a.jpg") == (1, 1)


def test_an_image_may_be_changed_after_reading(tmp_path):
    write_jpeg(tmp_path / "a.jpg", IMAGE, quality=90)
    read_image(tmp_path / "a.jpg")[0, 0] = 3


def test_an_exif_orientation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(IMAGE).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape[:2] == image_size(tmp_path / "a.jpg") == (40, 30)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_truncated_jpeg_is_refused_by_name(tmp_path, share):
    write_jpeg(tmp_path / "a.jpg", IMAGE, quality=90)
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"a\.jpg cannot be read .*replace it") as raised:
        read_image(tmp_path / "a.jpg")
    assert "\n" not in str(raised.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    for read in (read_image, image_size):
        with pytest.raises(ValueError, match=r"a\.jpg does not exist"):
            read(tmp_path / "a.jpg")
        (tmp_path / "text.jpg").write_text("no image")
        with pytest.raises(ValueError, match=r"text\.jpg cannot be read"):
            read(tmp_path / "text.jpg")
    with pytest.raises(ValueError, match=r"folder .*none does not exist; link"):
        image_files(tmp_path / "none")


def test_a_deep_image_is_refused_instead_of_clipped(tmp_path):
    Image.fromarray(np.full((2, 3), 4000, dtype=np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png has mode I;16 of more than 8 bits; convert it"):
        read_image(tmp_path / "a.png")


def test_files_of_a_folder_are_images_in_order(tmp_path):
    for name in ("b.JPG", "a.png", ".hidden.jpg", "c.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path)] == ["a.png", "b.JPG"]


@pytest.mark.parametrize("image", [IMAGE[..., 0], IMAGE.astype(float), IMAGE[:0], IMAGE[..., :2]])
def test_only_images_are_written(tmp_path, image):
    with pytest.raises(ValueError, match=r"a\.jpg: expected \(H, W, 3\) uint8"):
        write_jpeg(tmp_path / "a.jpg", image, quality=90)
    with pytest.raises(ValueError, match="quality 0 is not in"):
        write_jpeg(tmp_path / "a.jpg", IMAGE, quality=0)
    assert not list(tmp_path.iterdir())


def test_an_upright_image_is_turned_as_its_exif_tag_says(tmp_path):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png"), pixels)
    upright = read_upright_image(tmp_path / "turned.png")
    np.testing.assert_array_equal(upright, np.rot90(pixels, -1))
