"""The archive that the evaluation server of PASCAL VOC takes: predictions for its test images.

Per image a palette PNG of the image's own size, under results/VOC2012/Segmentation in the folder of
the competition: comp6 is for methods that were trained with more than VOC's own data, as every
network with ImageNet weights is.
"""

import gzip
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from wsss.store.atomic import atomic_path
from wsss.store.masks import UNREADABLE, voc_palette

FOLDER = "results/VOC2012/Segmentation/comp6_test_cls"
NUM_CLASSES = 21


def write_voc_archive(
    path: Path, masks: Mapping[str, Path], sizes: Mapping[str, tuple[int, int]]
) -> None:
    """Write an archive and check it as it will be read; equal masks give equal bytes.

    Args:
        path: Where to; ends with .tar.gz.
        masks: The predicted masks by image id.
        sizes: Height and width of the images, pixels, by image id.

    Raises:
        ValueError: An image has no mask or a mask no image, or the server would refuse a mask.
    """
    with atomic_path(path) as temporary:
        with (
            temporary.open("wb") as file,
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for image_id in sorted(masks):
                content = masks[image_id].read_bytes()
                member = tarfile.TarInfo(f"{FOLDER}/{image_id}.png")
                member.size = len(content)
                archive.addfile(member, BytesIO(content))
        check_voc_archive(temporary, sizes)


def check_voc_archive(path: Path, sizes: Mapping[str, tuple[int, int]]) -> None:
    """Check that an archive holds one mask per image, each as the server takes it.

    Args:
        path: The archive.
        sizes: Height and width of the images, pixels, by image id.

    Raises:
        ValueError: The archive cannot be read, lacks an image, has another file, or a mask is no
            palette PNG in VOC's colours, has another size than its image, or another class.
    """
    left = dict(sizes)
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            for member in archive:
                file = archive.extractfile(member)
                _check_member(member.name, file.read() if file else b"", left)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(f"{path} is no whole .tar.gz ({error}); make it again") from None
    if left:
        raise ValueError(
            f"{path} lacks {len(left)} of {len(sizes)} test images, the first {min(left)}: predict "
            "them all and make it again"
        )


def _check_member(name: str, content: bytes, left: dict[str, tuple[int, int]]) -> None:
    image_id = name.removeprefix(f"{FOLDER}/").removesuffix(".png")
    size = left.pop(image_id, None)
    if size is None or name != f"{FOLDER}/{image_id}.png":
        raise ValueError(f"{name} is no mask of a test image; take it out of the archive")
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            found, palette = (image.mode, image.size), image.getpalette()
            values = np.unique(np.array(image))
    except UNREADABLE as error:
        raise ValueError(f"mask {name} cannot be read ({error}); predict it again") from None
    if found[0] != "P" or palette != voc_palette().ravel().tolist():
        raise ValueError(f"mask {name} is no palette PNG in VOC's colours; predict it again")
    if found[1] != size[::-1]:
        raise ValueError(
            f"mask {name} is {found[1][::-1]}, but its image is {size}; predict it again"
        )
    if values.max() >= NUM_CLASSES:
        raise ValueError(
            f"mask {name} holds the value {values.max()}, but the server knows {NUM_CLASSES - 1} "
            "classes; train on VOC's own"
        )
