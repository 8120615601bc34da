"""Which images PASCAL VOC's lists name, where their files are, and where their ground truth is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from wsss.data.images import image_files
from wsss.data.sets._labels import read_list
from wsss.data.sets._sbd import Sbd
from wsss.data.sets._voc_masks import ImageJob


class ImageFiles:
    """The image files of JPEGImages by id, which is the name without suffix.

    Args:
        folder: JPEGImages.
        further: Folder of images that count where the first has none of that id, or None.

    Raises:
        ValueError: The first folder does not exist.
    """

    def __init__(self, folder: Path, further: Path | None) -> None:
        self.places = f"not in {folder.name}"
        self.paths: dict[str, Path] = {}
        self.others: dict[str, Path] = {}
        self._add(image_files(folder))
        if further and further.is_dir():
            self.places = f"neither in {folder.name} nor in SBD's {further.name}"
            self._add([path for path in image_files(further) if path.stem not in self.paths])

    def _add(self, paths: Sequence[Path]) -> None:
        for path in paths:
            (self.others if path.stem in self.paths else self.paths)[path.stem] = path

    def file(self, image_id: str, where: Path) -> Path:
        """Return the file of an image that a list names.

        Raises:
            ValueError: There is none, or there are several.
        """
        if image_id not in self.paths:
            raise ValueError(
                f"image {image_id} of {where} is {self.places}; complete the images or take it "
                "out of the list"
            )
        if image_id in self.others:
            raise ValueError(
                f"image {image_id} of {where} is {self.paths[image_id]} or "
                f"{self.others[image_id]}; take one away"
            )
        return self.paths[image_id]


class Lists:
    """The images of train and val: `paths` has their files by split and id.

    Args:
        root: The folder that holds JPEGImages.
        lists: File under root of each split, or "" for none.
        masks: Folder under root.
        sbd: The folder "dataset" of SBD's release, or "".
        evaluate_train_on: With sbd: "voc" or "all".

    Raises:
        ValueError: A folder, list or image is missing, or the options do not go together.
    """

    def __init__(
        self, root: Path, lists: Mapping[str, str], masks: str, sbd: str, evaluate_train_on: str
    ) -> None:
        if evaluate_train_on not in ("voc", "all"):
            raise ValueError(f"evaluate_train_on is {evaluate_train_on!r}; allowed are voc, all")
        if sbd and not lists["val"]:
            raise ValueError(
                "sbd is set and val_list is empty, but SBD has images of VOC's val, which nobody "
                "may train on; name VOC's val_list"
            )
        self.masks = root / masks
        self.evaluates_all = evaluate_train_on == "all"
        self.files = ImageFiles(root / "JPEGImages", Path(sbd) / "img" if sbd else None)
        self.sbd = Sbd(Path(sbd), self.files.paths) if sbd else None
        listed = self._read(root, lists)
        self.added: frozenset[str] = frozenset()
        if self.sbd:
            augmented = self.sbd.augmented([*listed["train"]], [*listed["val"]])
            self.added = frozenset(augmented) - listed["train"].keys()
            listed["train"] |= {
                image_id: self.files.file(image_id, self.sbd.folder) for image_id in self.added
            }
        self.paths = listed

    def _read(self, root: Path, lists: Mapping[str, str]) -> dict[str, dict[str, Path]]:
        """Return the image files by split and id."""
        found: dict[str, dict[str, Path]] = {}
        for split, name in lists.items():
            image_ids = read_list(root / name, self.files.paths) if name else []
            found[split] = {i: self.files.file(i, root / name) for i in image_ids}
        return found

    def job(self, image_id: str, split: str) -> ImageJob:
        """Return an image's file, and that of its ground truth: a PNG, SBD's .mat, or None."""
        return ImageJob(split, self.paths[split][image_id], self._mask(image_id, split))

    def _mask(self, image_id: str, split: str) -> Path | None:
        if image_id in self.added and not self.evaluates_all:
            return None
        png = self.masks / f"{image_id}.png"
        if png.is_file():
            return png
        if self.sbd and self.evaluates_all and split == "train" and image_id in self.sbd.ids:
            return self.sbd.mask_file(image_id)
        return None
