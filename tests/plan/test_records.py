from pathlib import Path

import pytest

from wsss.plan.records import read_records, rule_of, wildcards_of

PLACES = {
    "write_config": ("write_config", {}),
    "scenes/prepare_data": ("prepare_data", {"dataset": "scenes"}),
    "scenes/ood/hard/rank_ood": ("rank_ood", {"dataset": "scenes", "ood_set": "hard"}),
    "scenes/saliency/opencv/make_saliency/3": (
        "make_saliency",
        {"dataset": "scenes", "saliency": "opencv", "shard": "3"},
    ),
    "scenes/wood/s3/train_wood": (
        "train_wood",
        {"dataset": "scenes", "classifier": "wood", "random_seed": "3"},
    ),
    "scenes/wood/s0/score_ood/12": (
        "score_ood",
        {"dataset": "scenes", "classifier": "wood", "random_seed": "0", "shard": "12"},
    ),
    "scenes/wood/s0/cam/irn/deeplab/predict/1": (
        "predict",
        {
            "dataset": "scenes",
            "classifier": "wood",
            "random_seed": "0",
            "localizer": "cam",
            "refiner": "irn",
            "segmenter": "deeplab",
            "shard": "1",
        },
    ),
    # Named files, not numbered ones.
    "make_table/seeds": ("make_table", {"name": "seeds"}),
    "draw_figure/localize": ("draw_figure", {"name": "localize"}),
}


@pytest.mark.parametrize(("place", "found"), PLACES.items())
def test_a_path_tells_rule_and_names(place, found):
    path = Path("r/benchmarks", f"{place}.tsv")
    assert (rule_of(path), wildcards_of(path, Path("r"))) == found


def test_records_of_a_folder(results):
    results.job("s/f_in/s0/train_classifier", 12.5, peak="812.0", log="x: y")
    results.job("s/f_in/s0/cam/localize/0", 1, peak="NA", threads=3)
    localize, train = read_records(results.folder)
    assert (train.rule, train.seconds, train.peak_mb, train.threads) == (
        "train_classifier", 12.5, 812.0, None
    )  # fmt: skip
    assert train.log == results.folder / "logs/s/f_in/s0/train_classifier.log"
    assert (localize.peak_mb, localize.threads) == (None, 3)


def test_a_repeated_benchmark_has_a_record_for_each_time(results):
    results.job("s/prepare_data", 1)
    path = results.folder / "benchmarks/s/prepare_data.tsv"
    path.write_text("s\tmax_rss\n1.0\t5\n2.0\t6\n-\t-\n")
    assert [r.seconds for r in read_records(results.folder)] == [1.0, 2.0]


@pytest.mark.parametrize("text", ["", "a\tb\n1\t2\n", "s\tmax_rss\nlong\t5\n"])
def test_what_is_no_benchmark_is_named(results, text):
    results.job("s/prepare_data", 1)
    (results.folder / "benchmarks/s/prepare_data.tsv").write_text(text)
    with pytest.raises(ValueError, match=r"prepare_data\.tsv is no benchmark file"):
        read_records(results.folder)


def test_a_folder_without_benchmarks_has_no_records(tmp_path):
    assert read_records(tmp_path) == []
