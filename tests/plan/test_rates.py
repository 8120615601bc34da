"""Rates of made-up runs: 40 images of 0.02 million pixels, shards of one."""

import pytest

from tests.plan.conftest import SCENES, Results
from wsss.plan.amounts import Amount
from wsss.plan.measuring import measure
from wsss.plan.rates import (
    COLUMNS,
    OWN,
    SHIPPED,
    Measured,
    Rate,
    expected_seconds,
    joined,
    known_rates,
    needs_network,
    read_rates,
    starts_of,
    write_rates,
)
from wsss.plan.work import NEGLIGIBLE


def starts(*pairs):
    """Rates that tell no more than a start."""
    found = zip(pairs[::2], pairs[1::2], strict=True)
    return {kind: Rate(kind, start, 0.0, 1, "cpu", "") for kind, start in found}


RATE = Rate("features:compact", start=5.0, seconds=2.0, jobs=3, device="cpu", machine="a CPU")
OPTIONS = {"machine": "a CPU", "gpu": False, "cores": None}


def test_expected_seconds():
    amount = Amount(10, 1.0, 30.0)
    assert expected_seconds(amount, RATE, None, threads=4, gpus=1) == 5 + 30 * 2 / 4
    on_gpu = RATE._replace(device="gpu")
    assert expected_seconds(amount, on_gpu, None, threads=4, gpus=2) == 5 + 30 * 2 / 2
    assert expected_seconds(amount, on_gpu, None, threads=4, gpus=0) == 5 + 30 * 2


def test_a_rate_is_seconds_after_the_start_times_cores(results):
    # 8 steps of 10 crops of 0.01 million pixels, on 2 threads.
    results.job("s/f_in/s0/train_classifier", 44)
    results.job("s/f_in/s1/train_classifier", 24)
    results.job("s/f_in/s2/train_classifier", 84)
    rates = measure([results.folder], starts("train_classifier", 4.0), **OPTIONS).rates
    assert rates == {
        # The median of 40, 20 and 80 seconds, times 2, by 0.8.
        "train_classifier:compact": Rate(
            "train_classifier:compact", 4.0, 100.0, 3, "cpu", "a CPU"
        )
    }  # fmt: skip


def test_the_shortest_job_of_a_group_tells_its_start(results):
    results.job("s/f_in/s0/extract_features/0", 3.0)
    results.job("s/f_in/s0/score_ood/0", 11.0)
    rate = measure([results.folder], {}, **OPTIONS).rates["features:compact"]
    # 20 candidates of 0.02.
    assert (rate.start, rate.seconds, rate.jobs) == (3.0, 8 / 0.4, 1)


@pytest.mark.parametrize(("seconds", "measured"), [(7.9, False), (8.0, True)])
def test_a_job_not_longer_than_two_starts_tells_no_rate(results, seconds, measured):
    results.job("s/f_in/s0/extract_features/0", 4.0)
    results.job("s/f_in/s0/score_ood/0", seconds)
    assert ("features:compact" in measure([results.folder], {}, **OPTIONS).rates) == measured


def test_more_threads_than_cores_were_not_had(results):
    results.job("s/prepare_data", 10.0)
    rates = [
        measure([results.folder], starts("prepare_data", 0.0), **OPTIONS | {"cores": cores}).rates
        for cores in (None, 2)
    ]
    # 70 images of 0.02 in 10 s on 4 threads, or 2 cores.
    found = [rate["prepare_data:scenes"].seconds for rate in rates]
    assert found == pytest.approx([40 / 1.4, 20 / 1.4])
    results.job("s/prepare_data", 10.0, threads=3)
    found = measure([results.folder], starts("prepare_data", 0.0), **OPTIONS).rates
    assert found["prepare_data:scenes"].seconds == pytest.approx(30 / 1.4)


def test_rules_of_seconds_have_their_median_as_start(results):
    for number, seconds in enumerate((2.0, 9.0, 3.0)):
        results.job(f"make_table/t{number}", seconds)
    rate = measure([results.folder], starts("make_table", 1.0), **OPTIONS).rates["make_table"]
    assert (rate.start, rate.seconds) == (3.0, 0.0)


@pytest.mark.parametrize(
    ("log", "gpu", "device", "machine"),
    [
        ("", False, "cpu", "a CPU"),
        ("", True, "gpu", "a CPU"),
        ("wsss.train.device: computes on NVIDIA A100", False, "gpu", "NVIDIA A100"),
        ("wsss.train.device: computes on the CPU, 2 threads", True, "cpu", "a CPU"),
        ("wsss.logs: SLURM job 17 on gpu1, 2 CPUs, GPUs 0,1", False, "gpu", "a CPU"),
        ("wsss.logs: SLURM job 17 on cpu1, 2 CPUs, GPUs none", False, "cpu", "a CPU"),
    ],
)
def test_logs_tell_the_device(results, log, gpu, device, machine):
    results.job("s/f_in/s0/train_classifier", 44, log=log)
    results.job("s/f_in/s0/cam/evaluate_seeds", 44, log=log)
    known = starts("train_classifier", 4.0, "evaluate_seeds", 4.0)
    rates = measure([results.folder], known, **OPTIONS | {"gpu": gpu}).rates
    train, evaluate = rates["train_classifier:compact"], rates["evaluate_seeds"]
    assert (train.device, train.machine) == (device, machine)
    # Threads do not matter to a GPU.
    assert train.seconds == pytest.approx(40 / 0.8 * (2 if device == "cpu" else 1))
    assert evaluate.device == "cpu"


def test_several_gpus_are_counted(tmp_path):
    results = Results(tmp_path, SCENES.replace("threads:", "gpus: {train: 2}\nthreads:"))
    results.job("s/f_in/s0/train_classifier", 44)
    results.job("s/f_in/s0/extract_features/0", 24)
    known = starts("train_classifier", 4.0, "features", 4.0)
    rates = measure([results.folder], known, **OPTIONS | {"gpu": True}).rates
    assert rates["train_classifier:compact"].seconds == pytest.approx(40 * 2 / 0.8)
    assert rates["features:compact"].seconds == pytest.approx(20 / 0.8)


SEGMENTER = """
segmenters:
  net: {method: deeplab_v2, backbone: compact, initial_weights: none, scales: [],
        inference: {crf: {iterations: 10}}}
"""


@pytest.mark.parametrize("gpu", [False, True])
def test_the_crf_of_predictions_is_told_apart(tmp_path, gpu):
    results = Results(tmp_path, SCENES.replace("infer: 1", "infer: 2") + SEGMENTER)
    results.job("s/f_in/s0/cam/seed/net/predict/0", 10.0)
    known = starts("predict", 2.0, "crf", 1.0)
    known["crf"] = known["crf"]._replace(seconds=0.1)
    rate = measure([results.folder], known, **OPTIONS | {"gpu": gpu}).rates["predict:compact"]
    # 10 images of 0.02: 20 + 3 x 10 passes of the CRF each, 0.5 s on 2 threads, beside 0.2 passes.
    assert rate.seconds == pytest.approx(7.5 / 0.2 * (1 if gpu else 2))
    amount = Amount(10, 0.2, 0.2, 10.0)
    options = {"threads": 2, "gpus": int(gpu)}
    assert expected_seconds(amount, rate, known["crf"], **options) == pytest.approx(10)


def test_bytes_of_what_jobs_wrote(results):
    results.job("s/f_in/s0/train_classifier", 44)
    results.file("s/f_in/s0/classifier.safetensors", 5000)
    results.job("s/f_in/s0/cam/localize/0", 5)
    results.file("s/f_in/s0/cam/maps/0.h5", 920)
    results.job("s/f_in/s0/cam/seed/refine_maps/0", 5)
    for number in range(40):
        results.file(f"s/f_in/s0/cam/seed/pseudo_masks/0/{number}.png", 100)
    # Gone.
    results.job("s/f_in/s0/extract_features/0", 5)
    assert measure([results.folder], {}, **OPTIONS).bytes_each == {
        "train_classifier:compact": 5000,
        # 40 images of 0.02 million pixels with 1.15 labels.
        "localize:cam:compact": pytest.approx(1000),
        "refine_maps:seed": 100,
    }


def test_a_run_without_jobs_or_config_is_refused(results, tmp_path):
    with pytest.raises(ValueError, match="has no benchmarks of jobs"):
        measure([results.folder], {}, **OPTIONS)
    with pytest.raises(ValueError, match=r"config\.yaml cannot be read"):
        measure([tmp_path], {}, **OPTIONS)
    (results.folder / "config.yaml").write_text("a: [")
    with pytest.raises(ValueError, match="is no YAML"):
        measure([results.folder], {}, **OPTIONS)
    (results.folder / "config.yaml").write_text("a")
    with pytest.raises(ValueError, match="is no config"):
        measure([results.folder], {}, **OPTIONS)


def test_a_run_of_another_version_is_refused(results):
    results.job("s/f_in/s0/train_classifier", 44)
    text = (results.folder / "config.yaml").read_text()
    (results.folder / "config.yaml").write_text(text.replace("crop_size:", "crop:"))
    with pytest.raises(ValueError, match="lacks 'crop_size', so it belongs to another version"):
        measure([results.folder], {}, **OPTIONS)


def test_rates_are_read_as_written(tmp_path):
    measured = Measured({"a:b": RATE._replace(kind="a:b")}, {"train_irn:compact": 12.5})
    write_rates(tmp_path / OWN, measured)
    assert read_rates(tmp_path / OWN) == measured
    own = known_rates(tmp_path)
    assert own.rates["a:b"].jobs == 3 and set(own.rates) > set(read_rates(SHIPPED).rates)


@pytest.mark.parametrize("text", ["?", "a,b\n1,2\n", f"{','.join(COLUMNS)}\ntime,a,x,y,,1,,\n"])
def test_what_is_no_table_of_rates_is_named(tmp_path, text):
    (tmp_path / OWN).write_text(text)
    with pytest.raises(ValueError, match=r"rates\.csv is no table of rates"):
        known_rates(tmp_path)


def test_a_cpu_says_nothing_of_networks_where_a_gpu_was_measured():
    below = {k: RATE._replace(kind=k) for k in ("features:compact", "train_irn:compact", "crf")}
    on_gpu = RATE._replace(kind="train_irn:compact", device="gpu")
    above = Measured({on_gpu.kind: on_gpu}, {})
    assert joined(Measured(below, {}), above).rates == {
        "crf": below["crf"],
        "train_irn:compact": on_gpu,
    }
    cpu = Measured({"crf": RATE}, {})
    assert joined(Measured(below, {}), cpu).rates == below | {"crf": RATE}


def test_the_shipped_rates_are_of_a_cpu_and_name_it():
    shipped = read_rates(SHIPPED)
    assert {rate.device for rate in shipped.rates.values()} == {"cpu"}
    machine = "2 cores of an AMD EPYC"
    assert {r.machine for r in shipped.rates.values()} == {machine, f"{machine} with AVX-512"}
    assert all(rate.jobs > 0 and 0 < rate.start < 60 for rate in shipped.rates.values())
    nothing = {k for k, rate in shipped.rates.items() if not 0 < rate.seconds < 1000}
    # Beside its CRF, the prediction of a small network is nothing.
    assert nothing <= NEGLIGIBLE | {"predict:compact"}
    networks = {kind.split(":")[0] for kind in shipped.rates if needs_network(kind)}
    assert networks == {
        "features", "localize", "predict", "walk_irn",
        "train_classifier", "train_irn", "train_segmenter", "train_wood", "diagnose",
    }  # fmt: skip
    assert starts_of(shipped.rates.values())["features"] < 10


def test_several_folders_are_one_measurement(tmp_path):
    for number, seconds in enumerate((14, 44)):
        run = Results(tmp_path / str(number), SCENES)
        run.job("s/f_in/s0/train_classifier", seconds)
    folders = [tmp_path / "0", tmp_path / "1"]
    rate = measure(folders, starts("train_classifier", 4.0), **OPTIONS).rates[
        "train_classifier:compact"
    ]
    assert (rate.jobs, rate.seconds) == (2, pytest.approx(25 * 2 / 0.8))
