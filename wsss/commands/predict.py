"""`wsss predict`: masks and overlays of new images."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from wsss.data.images import image_files, image_size, read_upright_image, write_jpeg
from wsss.data.records import check_image_id
from wsss.disk import write_errors
from wsss.figures.labelled import labelled_picture
from wsss.models.deeplab import MultiScale
from wsss.models.segmentation import predict_probabilities
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.refine.probabilities import labels_of_item
from wsss.store.masks import voc_palette, write_mask
from wsss.store.rows import checksum_path
from wsss.store.tables import write_table
from wsss.train.device import prepare_device
from wsss.train.networks import load_segmenter

log = logging.getLogger(__name__)

# The workflow's values (schema, segment.deeplab_v2.inference.crf).
CRF: Mapping[str, float] = {
    "iterations": 10,
    "gaussian_sxy": 1,
    "gaussian_compat": 3,
    "bilateral_sxy": 67,
    "bilateral_srgb": 3,
    "bilateral_compat": 4,
}
# Smaller views are filled up at the right and the bottom: scaled down, they would have no features.
SMALLEST_SIDE = 64
JPEG_QUALITY = 92
# As `inference.memory_gb` of a segmenter by default.
MEMORY_GB = 4.0
TABLES = ("predictions.csv", "legend.csv")
RESULTS = ("masks", "overlays", *TABLES, *(checksum_path(name).name for name in TABLES))
COLUMNS = ("image", "mask", "height", "width", "class_name", "pixels", "share")


@dataclass(frozen=True)
class _Loaded:
    """An image of any size, (height, width), and what the network sees, at least 64 pixels a side.

    `shown` is the part of the view, (height, width), that belongs to the image. The pixels of a
    shrunk image are read again for its overlay: many large ones would not fit in memory.
    """

    path: Path
    size: tuple[int, int]
    view: np.ndarray
    shown: tuple[int, int]

    def image(self) -> np.ndarray:
        """Return the image itself, (H, W, 3) uint8."""
        if self.shown == self.size:
            return self.view[: self.shown[0], : self.shown[1]]
        return read_upright_image(self.path)


def predict(
    segmenter_file: Path,
    sources: Sequence[Path],
    output: Path,
    *,
    crf: bool,
    scales: Sequence[float],
    flip: bool,
    overlay: bool,
    longest_side: int,
    batch_size: int,
    threads: int,
    overwrite: bool,
) -> dict[Path, str]:
    """Write the masks, overlays and tables of images; return the reasons of those that failed.

    Args:
        segmenter_file: Made by the workflow or by `wsss import-weights`.
        sources: Images, and folders whose images are taken (not those of folders in them).
        output: Folder of the results.
        crf: Whether a dense CRF smooths the masks.
        scales: Factors on the image's size whose probabilities are averaged.
        flip: Whether the mirror image is averaged, too.
        overlay: Whether overlays are drawn.
        longest_side: Pixels to which network and CRF see larger images shrunk.
        batch_size: Images of one size at a time.
        threads: CPU cores.
        overwrite: Whether an earlier output in the folder is replaced.

    Raises:
        ValueError: There is no image, two would get one mask's name, the output folder holds
            anything else, or the segmenter cannot be read.
    """
    paths = find_images(sources)
    _check_output(output, paths, overwrite=overwrite)
    device = prepare_device(threads=threads)
    segmenter, classes = load_segmenter(segmenter_file)
    _clear(output)
    failures: dict[Path, str] = {}
    rows: dict[Path, list[dict[str, object]]] = {}
    items = _items(
        segmenter.to(device),
        _batches(paths, failures, longest_side=longest_side, batch_size=batch_size),
        scales=scales,
        flip=flip,
    )
    work = partial(_finish, output=output, classes=classes, crf=crf, overlay=overlay)
    found = parallel_map(work, items, workers=min(threads, len(paths)) if crf else 1)
    for path, own in progress(found, total=len(paths), description="segment"):
        rows[path] = own
    table = [row for path in paths for row in rows.get(path, [])]
    write_table(output / "legend.csv", _legend(classes))
    write_table(output / "predictions.csv", pd.DataFrame(table, columns=list(COLUMNS)))
    shown = Counter(str(row["class_name"]) for row in table if row["class_name"] != "background")
    counts = ", ".join(f"{name} in {count}" for name, count in shown.most_common())
    log.info("%d images segmented into %s; found: %s", len(rows), output, counts or "background")
    return failures


def find_images(sources: Sequence[Path]) -> list[Path]:
    """Return the images that files and folders name, each once, in their order.

    Raises:
        ValueError: A source is missing, a folder has no image, two images have one stem, so that
            their masks would have one name, or no mask could have the name of an image.
    """
    found: dict[Path, Path] = {}
    for source in sources:
        if not source.exists():
            raise ValueError(f"{source} does not exist: name an image or a folder of images")
        paths = image_files(source) if source.is_dir() else [source]
        if not paths:
            raise ValueError(f"folder {source} holds no images (jpg, png, bmp, webp, tif)")
        for path in paths:
            found.setdefault(path.resolve(), path)
    first: dict[str, Path] = {}
    for path in found.values():
        check_image_id(path.stem, where=str(path.parent))
        if path.stem in first:
            raise ValueError(
                f"{first[path.stem]} and {path} would both get the mask {path.stem}.png: rename "
                "one, or predict them into different folders"
            )
        first[path.stem] = path
    return list(found.values())


def _check_output(output: Path, paths: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse a folder in which anything but an earlier output would be lost or mixed up."""
    if output.exists() and not output.is_dir():
        raise ValueError(f"the output {output} is a file: name a folder")
    present = sorted(path.name for path in output.iterdir()) if output.is_dir() else []
    foreign = [name for name in present if name not in RESULTS]
    if foreign:
        raise ValueError(
            f"the output folder {output} holds other files ({foreign[0]}): name a new folder"
        )
    inside = [path for path in paths if output.resolve() in path.resolve().parents]
    if inside:
        raise ValueError(f"image {inside[0]} lies in the output folder: name another folder")
    if present and not overwrite:
        raise ValueError(
            f"the output folder {output} holds an earlier output: name a new folder, or add "
            "--overwrite to replace it"
        )


def _clear(output: Path) -> None:
    """Take an earlier output away, so that no mask stays of an image that is not asked for."""
    with write_errors(output, output / "masks"):
        for folder, suffix in (("masks", "png"), ("overlays", "jpg")):
            for path in (output / folder).glob(f"*.{suffix}"):
                path.unlink()
        for name in TABLES:
            (output / name).unlink(missing_ok=True)
        (output / "masks").mkdir(parents=True, exist_ok=True)


def _batches(
    paths: Sequence[Path], failures: dict[Path, str], *, longest_side: int, batch_size: int
) -> Iterator[list[_Loaded]]:
    """Yield the readable images in batches of one size of view; note why others are not."""
    waiting: dict[tuple[int, ...], list[_Loaded]] = {}
    for path in _by_size(paths):
        try:
            loaded = _load(path, longest_side=longest_side)
        except ValueError as error:
            failures[path] = str(error)
            continue
        batch = waiting.setdefault(loaded.view.shape, [])
        batch.append(loaded)
        if len(batch) == batch_size:
            yield waiting.pop(loaded.view.shape)
        elif len(waiting) > 1:
            # The images come sorted by size: the others of an earlier size are complete.
            yield waiting.pop(next(iter(waiting)))
    yield from waiting.values()


def _by_size(paths: Sequence[Path]) -> list[Path]:
    def size(path: Path) -> tuple[int, int]:
        try:
            return image_size(path)
        except ValueError:
            return 0, 0  # It is named when it is read.

    return sorted(paths, key=size)


def _load(path: Path, *, longest_side: int) -> _Loaded:
    image = read_upright_image(path)
    view = image
    factor = longest_side / max(image.shape[:2])
    if factor < 1:
        height, width = (max(1, round(side * factor)) for side in image.shape[:2])
        view = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    shown = (view.shape[0], view.shape[1])
    missing = [(0, max(0, SMALLEST_SIDE - side)) for side in shown]
    view = np.pad(view, [*missing, (0, 0)], mode="edge")
    return _Loaded(path, (image.shape[0], image.shape[1]), view, shown)


def _items(
    segmenter: MultiScale,
    batches: Iterator[list[_Loaded]],
    *,
    scales: Sequence[float],
    flip: bool,
) -> Iterator[tuple[_Loaded, np.ndarray]]:
    for batch in batches:
        views = np.stack([loaded.view for loaded in batch])
        probs = predict_probabilities(
            segmenter, views, scales=scales, flip=flip, memory_gb=MEMORY_GB
        )
        yield from zip(batch, probs, strict=True)


def _finish(
    item: tuple[_Loaded, np.ndarray],
    *,
    output: Path,
    classes: Sequence[str],
    crf: bool,
    overlay: bool,
) -> tuple[Path, list[dict[str, object]]]:
    """Write the files of one image; return its path and its rows of the table."""
    loaded, probs = item
    height, width = loaded.shown
    if crf:
        _, _, view_mask = labels_of_item(CRF, ("", loaded.view, probs))
    else:
        view_mask = probs.argmax(0).astype(np.uint8)
    size = loaded.size[::-1]
    mask = cv2.resize(view_mask[:height, :width], size, interpolation=cv2.INTER_NEAREST_EXACT)
    stem = loaded.path.stem
    write_mask(output / "masks" / f"{stem}.png", mask)
    if overlay:
        picture = labelled_picture(loaded.image(), mask, classes, voc_palette())
        write_jpeg(output / "overlays" / f"{stem}.jpg", picture, quality=JPEG_QUALITY)
    pixels = np.bincount(mask.ravel(), minlength=len(classes) + 1)
    rows = [
        {
            "image": str(loaded.path),
            "mask": f"masks/{stem}.png",
            "height": loaded.size[0],
            "width": loaded.size[1],
            "class_name": name,
            "pixels": int(count),
            "share": float(count / mask.size),
        }
        for name, count in zip(("background", *classes), pixels, strict=True)
        if count
    ]
    return loaded.path, rows


def _legend(classes: Sequence[str]) -> pd.DataFrame:
    names = ("background", *classes)
    colours = ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in voc_palette()[: len(names)]]
    return pd.DataFrame({"value": range(len(names)), "class_name": names, "colour": colours})
