"""A data set that takes its OoD candidates from another one."""

import csv

import yaml

CONFIG = {
    "base": "config/tiny.yaml",
    "results": "results-pool",
    "datasets": {
        "tiny": {"ood": 0, "pool": "others"},
        "others": {
            "kind": "scenes", "size": [64, 64], "train": 4, "val": 0, "ood": 7, "random_seed": 8,
        },
    },
}  # fmt: skip


def ids(path):
    with path.open(newline="") as file:
        return [row["image_id"] for row in csv.DictReader(file)]


def test_the_candidates_of_the_pool_become_own_ones(fresh):
    (fresh.folder / "pool.yaml").write_text(yaml.safe_dump(CONFIG))
    folder = fresh.folder / "results-pool"
    fresh.run("results-pool/tiny/index.csv", config="pool.yaml")
    taken = ids(folder / "tiny/candidates.csv")
    assert len(taken) == 7 and taken == ids(folder / "others/candidates.csv")
    assert not set(taken) & set(ids(folder / "tiny/index.csv"))
    assert "/others/images/" in (folder / "tiny/candidates.csv").read_text()


def test_a_pool_that_was_searched_for_other_classes_is_refused(fresh):
    others = {**CONFIG["datasets"]["others"], "classes": ["train", "boat"]}
    config = {**CONFIG, "results": "results-pool-b"}
    config["datasets"] = {**CONFIG["datasets"], "others": others}
    (fresh.folder / "pool_b.yaml").write_text(yaml.safe_dump(config))
    done = fresh.snakemake(
        "results-pool-b/tiny/index.csv", "--cores", "1", "--configfile", "pool_b.yaml"
    )
    assert done.returncode == 1
    assert "was collected without looking for" in done.stderr
    assert not (fresh.folder / "results-pool-b/tiny/index.csv").exists()
