"""SBD, the Semantic Boundaries Dataset: masks of further images of PASCAL VOC.

Hariharan et al., Semantic contours from inverse detectors, ICCV 2011. Its train and val are not
those of VOC: each has images of VOC's train and of VOC's val.
"""

import logging
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np

from wsss.data.sets._labels import read_list
from wsss.data.sets._matlab import LARGEST, read_bytes_field

log = logging.getLogger(__name__)

PARTS = ("train.txt", "val.txt")
OFFICIAL = {"VOC's train": 1464, "VOC's val": 1449, "SBD's train": 8498, "SBD's val": 2857}
AUGMENTED = 10_582
"""Images of the augmented train: VOC's train and all of SBD, without VOC's val."""


class Sbd:
    """SBD's release: cls/ with masks, img/ with images, and its two lists.

    Args:
        folder: The release's folder "dataset".
        known: Ids of the images that there are.

    Raises:
        ValueError: The folder or a list is missing.
    """

    def __init__(self, folder: Path, known: Container[str]) -> None:
        self.folder = folder
        if not (folder / PARTS[0]).is_file():
            raise ValueError(
                f"folder {folder} is not SBD's, for it has no {PARTS[0]}; unpack SBD and name the "
                "folder dataset of its release (benchmark_RELEASE/dataset)"
            )
        self.lists = [read_list(folder / name, known) for name in PARTS]
        self.ids = frozenset(image_id for part in self.lists for image_id in part)

    def augmented(self, train: Sequence[str], val: Sequence[str]) -> list[str]:
        """Return the images of VOC's train and of SBD, without those of VOC's val.

        Their number is checked where all four lists have the lengths of the releases.

        Args:
            train: Image ids of VOC's train.
            val: Image ids of VOC's val.

        Raises:
            ValueError: There are not 10,582, although the lists are as long as the official ones.
        """
        evaluated = set(val)
        added = [i for part in self.lists for i in part if i not in evaluated]
        found = list(dict.fromkeys([*train, *added]))
        lengths = [len(part) for part in (train, val, *self.lists)]
        official = dict(zip(OFFICIAL, lengths, strict=True)) == OFFICIAL
        if official and len(found) != AUGMENTED:
            raise ValueError(
                f"{self.folder}: VOC's train and SBD without VOC's val are {len(found):,} images, "
                f"but the lists of the releases give {AUGMENTED:,}; fetch the lists of both again"
            )
        if not official and lengths[:2] == [*OFFICIAL.values()][:2]:
            log.warning(
                "the training images are %d, not the augmented %d, for of SBD's lists %s has %d "
                "images and %s %d, in the release %d and %d",
                *(len(found), AUGMENTED, PARTS[0], lengths[2], PARTS[1], lengths[3]),
                *[*OFFICIAL.values()][2:],
            )
        log.info("%d training images: %d of VOC, %d more of SBD", len(found), len(train),
                 len(found) - len(train))  # fmt: skip
        return found

    def mask_file(self, image_id: str) -> Path:
        """Return where the mask of an image stands."""
        return self.folder / "cls" / f"{image_id}.mat"


def read_sbd_mask(path: Path) -> np.ndarray:
    """Return the mask of a file of SBD's cls, (H, W) uint8, class k of VOC as k + 1.

    Raises:
        ValueError: The file is missing, too large, no MATLAB file, or holds no such mask.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST / 2**20:.0f} MB")
        return read_bytes_field(path.read_bytes(), "GTcls", "Segmentation")
    except FileNotFoundError:
        raise ValueError(f"mask {path} does not exist; unpack all of SBD's cls there") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"mask {path} is no mask of SBD ({reason}); fetch SBD again") from None
