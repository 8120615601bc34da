"""The archive for VOC's server, from a set in VOC's layout: the drawn scenes."""

import tarfile

import yaml

from wsss.store.voc_archive import FOLDER, check_voc_archive

CHAIN = "voc/f_in/cam/seed/deeplab"
CONFIG = {
    "base": "config/tiny.yaml",
    "results": "results-voc",
    "datasets": {
        "drawn": {"kind": "scenes", "size": [48, 48], "train": 8, "val": 4, "ood": 1,
                  "classes": ["boat", "train"], "random_seed": 4},
        "voc": {"kind": "voc", "root": "results-voc/drawn/images", "classes": ["boat", "train"],
                "val_list": "val.txt", "test_root": "results-voc/drawn/images",
                "test_list": "test.txt"},
    },
    "tables": {"main": {"title": "Segmentation", "stage": "segmentation", "split": "val",
                        "metrics": ["miou"], "chains": {"plain": CHAIN}}},
    "figures": {}, "panels": {}, "shards": {"test": 2},
}  # fmt: skip


def test_the_test_images_are_predicted_packed_and_checked(fresh):
    (fresh.folder / "voc.yaml").write_text(yaml.safe_dump(CONFIG))
    fresh.run("results-voc/drawn/index.csv", config="voc.yaml")
    images = fresh.folder / CONFIG["datasets"]["voc"]["root"]
    val = (images / "ImageSets/Segmentation/val.txt").read_text().split()
    (images / "val.txt").write_text(val[0])
    (images / "test.txt").write_text("\n".join(val[1:]))
    fresh.run("voc_submission", config="voc.yaml")
    folder = fresh.folder / "results-voc/voc/f_in/s0/cam/seed/deeplab"
    for packed in ("voc_submission.tar.gz", "voc_submission_crf.tar.gz"):
        check_voc_archive(folder / packed, dict.fromkeys(val[1:], (48, 48)))
        with tarfile.open(folder / packed) as archive:
            assert archive.getnames() == [
                f"{FOLDER}/{image_id}.png" for image_id in sorted(val[1:])
            ]
    assert not (folder / "predictions").exists()


def test_without_test_images_there_is_nothing_to_submit(fresh):
    done = fresh.snakemake("voc_submission", "-n", "--configfile", "config/tiny.yaml")
    assert done.returncode == 1 and "there is nothing to submit: no table has" in done.stdout
