"""OpenImages, by its image labels: images of the classes, and millions of OoD candidates.

The labels are the tables of OpenImages V4 to V7 (ImageID, Source, LabelName, Confidence), those
that people verified and those of machines; see Kuznetsova et al., IJCV 2020.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss.data.checks import checked_together
from wsss.data.images import Header
from wsss.data.index import GroundTruthRecord, ImageRecord, Prepared
from wsss.data.sets._openimages_choice import choose_candidates, choose_labelled
from wsss.data.sets._openimages_classes import Evidence, find_evidence
from wsss.data.sets._openimages_images import ImageFiles, find_images, read_headers
from wsss.data.sets._openimages_judge import Judge, Judged
from wsss.data.sets._openimages_names import labels_of_classes, read_descriptions, read_hierarchy

log = logging.getLogger(__name__)


def prepare(
    folder: Path,
    *,
    root: str,
    train_images: Sequence[str],
    train_human_labels: Sequence[str],
    train_machine_labels: Sequence[str],
    val_images: Sequence[str],
    val_human_labels: Sequence[str],
    class_descriptions: str,
    hierarchy: str,
    classes: Mapping[str, Sequence[str]],
    machine_confidence: float | None,
    unannotated: bool,
    limit: int,
    labelled_limit: int,
    max_megapixels: float,
    random_seed: int,
    workers: int,
) -> Prepared:
    """Return the images that people found to show a class, and the others as OoD candidates.

    An image of the train folders shows a class where people found one of the class's labels there,
    or a kind of it (Subcategory in the hierarchy: a van is a car). It is a candidate where nothing
    speaks for any class: neither people, nor a machine that people did not contradict, nor a part
    (a wheel, a face), whoever found it. What is neither, is left out: among nine million a lost
    candidate costs nothing, but one that shows a class teaches that class away. A person's "no" to
    a label also refutes machines on its kinds. Where people contradict each other, "yes" counts.

    Nobody knows all that is on an image: candidates have no ground truth, and there are no masks.
    Images without any label are no candidates unless `unannotated`; those whose file is missing are
    counted. The hierarchy knows only the 600 labels that have boxes: list others as further names.

    Args:
        folder: For what a data set writes; left alone.
        root: The folder that holds everything.
        train_images: Folders under root with files ImageID.jpg.
        train_human_labels: Tables under root of the labels that people verified.
        train_machine_labels: The same of those that machines gave.
        val_images: As train_images, for validation, or none; images without a class are left out.
        val_human_labels: As train_human_labels.
        class_descriptions: Table under root of the labels' names, with or without header.
        hierarchy: JSON under root of the labels' kinds and parts.
        classes: For each class the names of its labels, or labels ("/m/0k4j"); sorted by class.
        machine_confidence: From which on, in 0..1, a machine's label counts; None reads none.
        unannotated: Whether images without any label are candidates.
        limit: At most so many images with a class per split, and as many candidates, or 0 for all;
            every class keeps an image as long as the limit allows.
        labelled_limit: The same for the images with a class alone.
        max_megapixels: Million pixels that an image may have.
        random_seed: Of the choice that the limits ask for.
        workers: Processes that read headers.

    Raises:
        ValueError: A folder or file is missing or cannot be read, a name is no label, no training
            image shows any class, or (while the candidates are read) an image is broken or large.
    """
    source = Path(root)
    _check_options(source, train_images, val_images, val_human_labels, unannotated)
    names = tuple(sorted(classes))
    evidence = _evidence(
        {name: classes[name] for name in names}, source / class_descriptions, source / hierarchy
    )
    train = Judge(_found(source, train_images), evidence)
    train.hear_people([source / name for name in train_human_labels])
    if machine_confidence is not None:
        tables = [source / name for name in train_machine_labels]
        train.hear_machines(tables, confidence=machine_confidence)
    heard = {"train": train}
    if val_images:
        heard["val"] = Judge(_found(source, val_images), evidence)
        heard["val"].hear_people([source / name for name in val_human_labels])
    bound = min(filter(None, [limit, labelled_limit]), default=0)
    reading = {"max_megapixels": max_megapixels, "workers": workers}
    pairs: list[tuple[ImageRecord, Header]] = []
    for split, judge in heard.items():
        judged = judge.judged()
        _log_counts(split, judge, judged)
        labels = choose_labelled(judged, names, limit=bound, random_seed=random_seed)
        pairs += _read(judge.files, labels, split, reading)
    kept = checked_together([record for record, _ in pairs], [header for _, header in pairs])
    truth = tuple(GroundTruthRecord(r.image_id, None, None, r.labels, "") for r in kept)
    chosen = choose_candidates(
        train.judged(), unannotated=unannotated, limit=limit, random_seed=random_seed
    )
    candidates = (record for record, _ in _read(train.files, chosen, "ood", reading))
    return Prepared(names, tuple(kept), truth, candidates=candidates)


def _check_options(
    source: Path,
    train_images: Sequence[str],
    val_images: Sequence[str],
    val_human_labels: Sequence[str],
    unannotated: bool,
) -> None:
    if not source.is_dir():
        raise ValueError(
            f"folder {source} does not exist; fetch it (wsss fetch openimages), or link it "
            "there: "
            f"mkdir -p {source.parent} && ln -s FOLDER_OF_THE_DATA_SET {source}"
        )
    if bool(val_images) != bool(val_human_labels):
        raise ValueError("val_images and val_human_labels must both be named or both be empty")
    if unannotated and set(train_images) & set(val_images):
        raise ValueError(
            "unannotated needs folders of val_images that are not among train_images: else val "
            "images would be candidates"
        )


def _evidence(
    classes: Mapping[str, Sequence[str]], descriptions: Path, hierarchy: Path
) -> Evidence:
    labels = labels_of_classes(classes, read_descriptions(descriptions), where=descriptions)
    return find_evidence(labels, read_hierarchy(hierarchy))


def _found(source: Path, names: Sequence[str]) -> ImageFiles:
    """Return the images of folders.

    Raises:
        ValueError: There are none.
    """
    files = find_images([source / name for name in names])
    if not len(files):
        raise ValueError(
            f"no image stands in {', '.join(str(source / name) for name in names)}; they are "
            "named ImageID.jpg, as 000060e3121c7305.jpg"
        )
    return files


def _log_counts(split: str, judge: Judge, judged: Judged) -> None:
    """Log what became of the images.

    Raises:
        ValueError: No label is of any of them.
    """
    total, folders = len(judge.files), ", ".join(map(str, judge.files.folders))
    elsewhere, annotated = judge.num_elsewhere(), int(judged.is_annotated.sum())
    if not annotated:
        raise ValueError(
            f"no label is of an image in {folders}, but {elsewhere} other images have some; name "
            "the tables of the same part of OpenImages (train, validation, test) as the folders"
        )
    shown, ruled_out = len(np.unique(judged.images)), int(judged.is_ruled_out.sum())
    log.info(
        "%s: of %d images in %s, %d show a class, %d more may show one, %d speak for none, %d have "
        "no label; %d images that have labels are not there",
        split,
        total,
        folders,
        shown,
        ruled_out - shown,
        int((judged.is_annotated & ~judged.is_ruled_out).sum()),
        total - annotated,
        elsewhere,
    )


def _read(
    files: ImageFiles,
    chosen: Mapping[int, tuple[str, ...]] | np.ndarray,
    split: str,
    reading: Mapping[str, Any],
) -> Iterator[tuple[ImageRecord, Header]]:
    """Yield the chosen images, by place: with their labels, or without where there are none."""
    rows = np.fromiter(chosen, dtype=np.int64, count=len(chosen))
    labels = chosen if isinstance(chosen, Mapping) else {}
    description = "OoD candidates" if split == "ood" else f"{split} images"
    for row, header in read_headers(files, rows, **reading, description=description):
        path = files.path(row)
        yield ImageRecord(path.stem, path, split, *header.size, labels.get(row, ())), header
