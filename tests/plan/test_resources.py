import pytest

from tests.plan.conftest import COUNTS, NAMES
from wsss.models.backbones.backbone import backbone_names
from wsss.plan.amounts import Amount
from wsss.plan.limits import Limits
from wsss.plan.rates import OWN, Measured, Rate, write_rates
from wsss.plan.resources import (
    ENGINE_MB,
    MEMORY_MARGIN,
    NETWORKS,
    UPPER,
    Load,
    load_of,
    memory_mb,
    runtime_minutes,
)
from wsss.plan.work import NEGLIGIBLE, NETWORK, Work

RATE = Rate("k", start=60.0, seconds=6.0, jobs=3, device="cpu", machine="a CPU")
WORK = Work("k", Amount(10, 1.0, 1000.0))
NOTHING = Load("", "", 0.0, 0.0, 0, 0.0, 0)
ALONE = {"threads": 1, "gpus": 0, "attempt": 1}


def test_three_times_the_expected_time_times_the_attempt():
    # 60 + 6000 s are 101 min; on 4 threads 60 + 1500 s, 26 min.
    assert runtime_minutes("localize", WORK, RATE, None, **ALONE) == 303
    assert runtime_minutes("localize", WORK, RATE, None, threads=4, gpus=0, attempt=1) == 78
    assert runtime_minutes("localize", WORK, RATE, None, threads=4, gpus=0, attempt=3) == 3 * 78


def test_at_least_ten_minutes():
    little = Work("k", Amount(1, 0.0, 0.0))
    assert runtime_minutes("localize", little, RATE, None, **ALONE) == 10
    assert runtime_minutes("localize", little, RATE, None, threads=1, gpus=0, attempt=2) == 20


@pytest.mark.parametrize(
    ("work", "rate", "gpus"),
    [
        (WORK, None, 0),
        (Work("k", None), RATE, 0),
        # A CPU's rate says nothing of a GPU, nor a GPU's of a CPU.
        (WORK, RATE, 1),
        (WORK, RATE._replace(device="gpu"), 0),
    ],
)
def test_what_is_not_known_gets_the_upper_value(work, rate, gpus):
    options = {"threads": 1, "gpus": gpus}
    found = [
        runtime_minutes(rule, work, rate, None, attempt=attempt, **options)
        for rule, attempt in (("extract_features", 1), ("localize", 2), ("train_segmenter", 1))
    ]
    assert found == [240, 1440, 1440]


def test_a_rate_of_a_gpu_counts_on_gpus():
    rate = RATE._replace(device="gpu")
    assert runtime_minutes("train_irn", WORK, rate, None, threads=8, gpus=2, attempt=1) == 153


@pytest.mark.parametrize("rule", sorted(UPPER))
@pytest.mark.parametrize("gpus", [0, 1])
def test_memory_of_every_rule(config, rule, gpus):
    names = NAMES | {"classifier": "wood" if rule in ("train_wood", "cluster_ood") else "f_in"}
    names |= {"ood_set": "erased" if rule == "erase_ood" else "hard"}
    load = load_of(rule, names, config, COUNTS)
    first = memory_mb(rule, load, threads=2, gpus=gpus, attempt=1)
    assert 1000 <= first < 60_000
    again = [memory_mb(rule, load, threads=2, gpus=gpus, attempt=n) for n in (2, 3)]
    assert again == [2 * first, 3 * first]
    assert (load.network != "") == (rule in NETWORK)
    large = COUNTS["voc"] | {"ood": COUNTS["voc"]["ood"]._replace(images=9_000_000)}
    grown = memory_mb(
        rule, load_of(rule, names, config, {"voc": large}), threads=2, gpus=gpus, attempt=1
    )
    # Every stage of a data set reads its index whole: a kilobyte for each image.
    assert grown - first > 8_000 * MEMORY_MARGIN


def test_memory_grows_with_batch_size_pixels_and_processes():
    load = Load("resnet50", "train", batch=1.0, image=0.2, labels=0, kept=0.0, indexed=0)
    least = memory_mb("train_irn", load, **ALONE)
    assert memory_mb("train_irn", load._replace(batch=2.0), **ALONE) > least + 3000
    assert memory_mb("train_irn", load, threads=3, gpus=0, attempt=1) > least + 900
    crf = NOTHING._replace(image=1.0, labels=21)
    assert memory_mb("refine_maps", crf, threads=4, gpus=0, attempt=1) > 4 * 900


def test_a_pass_lies_in_the_memory_of_the_gpu_and_each_gpu_has_a_process():
    load = Load("resnet50", "train", batch=4.2, image=0.2, labels=0, kept=0.0, indexed=0)
    on_cpu = memory_mb("train_irn", load, threads=4, gpus=0, attempt=1)
    on_gpu = [memory_mb("train_irn", load, threads=4, gpus=n, attempt=1) for n in (1, 4)]
    assert on_gpu[0] < on_cpu and on_gpu[1] > 2 * on_gpu[0]


def test_a_fine_tuning_holds_weights_and_features_besides(config):
    own, plain = (
        load_of("localize", NAMES | {"localizer": name}, config, COUNTS) for name in ("rib", "cam")
    )
    # Three copies of 400 MB; both flips of 1 and 1/4 of 0.25 million pixels, 20 others of 0.04,
    # and all 101 kept.
    assert own.kept - plain.kept == pytest.approx(1200 + 130 * (0.625 + 0.8 + 4.04))
    assert (own.use, own.batch) == ("climb", plain.batch)
    assert load_of("localize", NAMES | {"localizer": "advcam_rib"}, config, COUNTS) == own
    larger = config["localizers"]["rib"] | {"other_size": 1000, "other_memory": 50}
    config = config | {"localizers": {"rib": larger}}
    load = load_of("localize", NAMES | {"localizer": "rib"}, config, COUNTS)
    assert load.batch == pytest.approx(1.0)
    assert load.kept - plain.kept == pytest.approx(1200 + 130 * (0.625 + 20) + 50)


def test_memory_of_what_is_not_known(config):
    assert load_of("localize", NAMES, config, {}) is None
    assert memory_mb("train_segmenter", None, threads=1, gpus=0, attempt=2) == 48000


def test_jobs_without_a_data_set_need_little(config):
    load = load_of("make_table", {}, config, {})
    assert load == NOTHING
    assert {memory_mb(rule, load, **ALONE) for rule in NEGLIGIBLE} == {1000}


# Largest peaks of resident memory, MB, in the benchmark files of runs of this project's configs:
# rule, network, use, million pixels in a pass, of the largest image, threads, peak.
PEAKS = [
    ("train_classifier", "compact", "train", 0.205, 0.009, 1, 807),
    ("train_classifier", "compact", "train", 0.205, 0.009, 2, 1233),
    ("train_classifier", "efficientnet_lite0", "train", 0.401, 0.408, 1, 1284),
    ("train_wood", "compact", "train", 0.307, 0.009, 1, 880),
    ("train_wood", "efficientnet_lite0", "train", 0.803, 0.408, 1, 1697),
    ("train_irn", "compact", "train", 0.102, 0.009, 1, 835),
    ("train_psa", "compact", "train", 0.102, 0.009, 1, 764),
    ("train_irn", "efficientnet_lite0", "train", 0.401, 0.408, 1, 1206),
    ("train_segmenter", "compact", "segment", 0.102, 0.009, 1, 890),
    ("train_segmenter", "efficientnet_lite0", "segment", 0.401, 0.408, 1, 1708),
    ("extract_features", "compact", "infer", 0.295, 0.009, 1, 710),
    ("extract_features", "efficientnet_lite0", "infer", 0.295, 0.009, 1, 914),
    ("score_ood", "efficientnet_lite0", "infer", 3.026, 0.408, 1, 1160),
    ("localize", "compact", "climb", 0.295, 0.009, 1, 763),
    ("localize", "efficientnet_lite0", "infer", 0.295, 0.009, 1, 992),
    ("localize", "efficientnet_lite0", "climb", 1.564, 0.408, 1, 3300),
    ("walk_irn", "compact", "infer", 0.590, 0.009, 1, 938),
    ("walk_psa", "compact", "infer", 0.295, 0.009, 1, 953),
    ("walk_irn", "efficientnet_lite0", "infer", 6.257, 0.408, 1, 1738),
    ("predict", "compact", "infer", 0.295, 0.009, 1, 656),
    ("predict", "efficientnet_lite0", "infer", 0.817, 0.408, 1, 1214),
    ("train_classifier", "resnet50", "train", 0.262, 0.066, 1, 1165),
    ("train_wood", "resnet50", "train", 0.524, 0.066, 1, 1398),
    ("train_irn", "resnet50", "train", 0.262, 0.066, 1, 1245),
    ("train_segmenter", "resnet50", "segment", 0.101, 0.066, 1, 1540),
    ("train_segmenter", "resnet101_caffe", "segment", 0.101, 0.066, 1, 2779),
    ("localize", "resnet50", "climb", 0.262, 0.066, 1, 1407),
    ("walk_irn", "resnet50", "infer", 0.524, 0.066, 1, 1042),
    ("predict", "resnet50", "infer", 0.262, 0.066, 1, 951),
    # Of a pass of two crops of 321 in a process of its own.
    ("train_classifier", "resnet101", "train", 0.206, 0.103, 1, 1779),
    ("train_segmenter", "resnet101", "segment", 0.206, 0.103, 1, 2352),
    ("localize", "resnet101", "climb", 0.206, 0.103, 1, 1507),
    ("train_classifier", "vgg16", "train", 0.206, 0.103, 1, 1259),
    ("train_segmenter", "vgg16", "segment", 0.206, 0.103, 1, 1583),
    ("localize", "vgg16", "climb", 0.206, 0.103, 1, 979),
    ("train_classifier", "wide_resnet38", "train", 0.206, 0.103, 1, 3162),
    ("train_segmenter", "wide_resnet38", "segment", 0.206, 0.103, 1, 4371),
    ("localize", "wide_resnet38", "climb", 0.206, 0.103, 1, 2415),
    ("predict", "wide_resnet38", "infer", 0.206, 0.103, 1, 1321),
    ("label_confident", "", "", 0.0, 0.408, 1, 261),
    ("refine_maps", "", "", 0.0, 0.408, 1, 232),
    ("evaluate_seeds", "", "", 0.0, 0.408, 1, 131),
    ("choose_threshold", "", "", 0.0, 0.307, 1, 87),
    ("draw_data_sheet", "", "", 0.0, 0.408, 1, 335),
    ("prepare_data", "", "", 0.0, 0.408, 2, 386),
]


@pytest.mark.parametrize(
    ("rule", "network", "use", "batch", "image", "threads", "peak"), PEAKS
)  # fmt: skip
def test_what_is_asked_for_covers_what_was_measured(
    rule, network, use, batch, image, threads, peak
):
    labels = 6 if rule in ("label_confident", "refine_maps", "predict") else 0
    load = Load(network, use, batch, image, labels, 0.0, 1600)
    asked = memory_mb(rule, load, threads=threads, gpus=0, attempt=1)
    # Inside a job the engine is there, too; what is beyond it leaves room, but not for many.
    assert peak + ENGINE_MB < asked < max(1001, 5 * (peak + ENGINE_MB))


def test_every_network_has_numbers():
    assert set(backbone_names()) == set(NETWORKS)
    for network in NETWORKS.values():
        assert network.infer <= network.climb <= network.segment


class Wildcards(list):
    """What the engine hands over: a list with names, and a `get`."""

    def __getitem__(self, key):
        return getattr(self, key)

    def get(self, key, default=None):
        return getattr(self, key, default)


def test_limits_are_what_the_rules_call(config, tmp_path):
    limits = Limits(config, tmp_path, folder=tmp_path)
    names = Wildcards()
    vars(names).update(NAMES)
    memory, runtime = limits.memory("walk_irn", gpus=1), limits.runtime("walk_irn", gpus=1)
    assert (memory(names, 2, 1), runtime(names, 2, 1)) == (16000, 720)
    # Meanwhile the data set is prepared, and a GPU was measured.
    (tmp_path / "voc").mkdir()
    header = "image_id,path,split,height,width,labels\n"
    lines = [f"{n},{n}.jpg,train,400,500,cat\n" for n in range(4000)]
    (tmp_path / "voc/index.csv").write_text(header + "".join(lines))
    rate = RATE._replace(kind="walk_irn:resnet50", device="gpu", seconds=2.0)
    write_rates(tmp_path / OWN, Measured({rate.kind: rate}, {}))
    assert 4000 < memory(names, 2, 1) < 8000
    assert runtime(names, 2, 1) == 720
    again = Limits(config, tmp_path, folder=tmp_path).runtime("walk_irn", gpus=1)
    # 1,000 images, filled up to 512 x 512 pixels, and their mirror images: 524 million pixels.
    assert again(names, 2, 1) == 56 and again(names, 2, 2) == 112
    assert limits.memory("make_table")({}, 1, 1) == 1000


def test_a_broken_index_stops_nothing_here(config, tmp_path):
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc/index.csv").write_text("?")
    assert Limits(config, tmp_path, folder=tmp_path).memory("localize")(NAMES, 1, 1) == 16000


def test_a_broken_table_of_rates_is_told_at_once(config, tmp_path):
    (tmp_path / OWN).write_text("?")
    with pytest.raises(ValueError, match=r"rates\.csv is no table of rates"):
        Limits(config, tmp_path, folder=tmp_path)


def test_an_unknown_rule_is_told_at_once(config, tmp_path):
    limits = Limits(config, tmp_path, folder=tmp_path)
    for ask in (limits.memory, limits.runtime):
        with pytest.raises(KeyError, match=r"rule 'new' is unknown to wsss\.plan"):
            ask("new")
