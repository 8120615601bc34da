"""The presets of the papers on a fake devkit: values, the whole DAG, and the run cut short."""

import re
from collections import Counter

import pandas as pd
import pytest
import yaml

from tests.source import ROOT
from tests.workflow.conftest import copy_project
from tests.workflow.fake_devkit import touch_weights, write_data, write_weights
from wsss.config.resolve import extend_config, resolve_config
from wsss.store.masks import read_mask

PRESETS = ("voc2012", "voc2012_unpruned", "voc2012_ablations", "coco2014")
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
# Images of VOC's train set with those of SBD.
ALL_OF_VOC = 10582
# Without a figure of the papers beside them.
OURS = {
    "voc2012": {"table1_fixed", "table1_otsu", "table3_before_crf"},
    "coco2014": {"seeds", "seeds_otsu", "pseudo_masks", "segmentation_before_crf"},
}


def load(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def preset(name, **more):
    """A preset, resolved."""
    return resolve_config(extend_config({**load(f"config/{name}.yaml"), **more}, load), SCHEMA)


# Their values


@pytest.mark.parametrize("name", ["voc2012", "coco2014"])
def test_a_preset_has_the_papers_figures(name):
    tables = preset(name)["tables"]
    assert {table for table, options in tables.items() if not options["expected"]} == OURS[name]
    for options in tables.values():
        values = [value for own in options["expected"].values() for value in own.values()]
        assert all(0.4 < value < 0.8 for value in values)


@pytest.mark.parametrize("name", ["voc2012", "coco2014"])
def test_a_preset_starts_from_imagenet(name):
    config = preset(name)
    variants = [*config["classifiers"].values(), *config["segmenters"].values()]
    for options in variants:
        if options.get("start_from") is None:
            assert options["initial_weights"].startswith("data/weights/")
            assert not options.get("initial_weights_saw_pixel_labels", False)


def test_an_ablation_is_the_paper_but_for_what_it_says():
    config = preset("voc2012_ablations")
    full = config["classifiers"].pop("wood")
    base = preset("voc2012")["classifiers"]
    assert full == base.pop("wood")
    changes = {
        name: {key: value for key, value in options.items() if value != full.get(key)}
        for name, options in config["classifiers"].items()
        if name not in base
    }
    assert len(changes) == 44 and all(changes.values())
    for name, own in changes.items():
        if found := re.fullmatch(r"f_in_(\d+)", name):
            few = {**base["f_in"], "training_images": int(found[1])}
            assert config["classifiers"][name] == few
        elif found := re.fullmatch(r"tau_(\d+)_(\d)_(\d+)", name):
            tau, whole, digits = found.groups()
            assert {"closest_fraction": 0.2, **own} == {
                "closest_fraction": int(tau) / 100, "lambda": float(f"{whole}.{digits}"),
            }  # fmt: skip
        elif found := re.fullmatch(r"wood_k_(\d+)", name):
            assert own == {"clusters": {**full["clusters"], "clusters": int(found[1])}}
        elif found := re.fullmatch(r"wood_epoch_(\d)", name):
            assert own == {"stop_after_epochs": int(found[1])} and int(found[1]) < full["epochs"]
        elif found := re.fullmatch(r"wood_(\d+|all)(?:_in_(\d+))?", name):
            wanted = {} if found[1] == "all" else {"ood_images": int(found[1])}
            if found[2]:
                few = {"start_from": f"f_in_{found[2]}", "training_images": int(found[2])}
                assert few["start_from"] in changes
                wanted |= few
            # Only the smallest part has fewer images than the paper has clusters.
            if found[1] == "20":
                wanted["clusters"] = {**full["clusters"], "clusters": 20}
            assert own == wanted
        else:
            assert len(own) == 1, name


def test_a_row_of_an_ablation_is_what_its_label_says():
    config = preset("voc2012_ablations")
    tau = config["tables"]["table_a2"]
    assert len(tau["chains"]) == len(tau["expected"]) == 16
    for label, chain in tau["chains"].items():
        options = config["classifiers"][chain.split("/")[1]]
        assert (
            label
            == f"tau {options['closest_fraction']:.0%}, lambda {options['lambda']}".replace(
                "%", " %"
            )
        )
    for label, chain in config["tables"]["table4"]["chains"].items():
        clusters = config["classifiers"][chain.split("/")[1]]["clusters"]
        if clusters["clustering"] == "kmeans":
            assert label == f"K-means, K {clusters['clusters']}"
    for name in ("fig5_a", "fig5_b"):
        for label, chain in config["tables"][name]["chains"].items():
            options = config["classifiers"][chain.split("/")[1]]
            ood, own = options.get("ood_images", 0), options["training_images"]
            assert label == ("all, 5190 in the paper" if ood is None else str(ood))
            budget = ALL_OF_VOC - (5190 if ood is None else ood)
            assert (own or ALL_OF_VOC) == (budget if name == "fig5_b" else ALL_OF_VOC)
    for label, chain in config["tables"]["fig5_c"]["chains"].items():
        options = config["classifiers"][chain.split("/")[1]]
        own = options["training_images"] or ALL_OF_VOC
        assert label == f"{own}, {options.get('ood_images', 0)} OoD"
    losses = list(config["tables"]["table5"]["chains"].values())
    assert [chain.split("/")[1] for chain in losses] == [
        "f_in", "loss_b", "loss_c", "loss_d", "loss_e", "wood",
    ]  # fmt: skip


def test_without_a_person_only_the_ood_set_is_another():
    config, base = preset("voc2012_unpruned"), preset("voc2012")
    assert config["classifiers"].pop("wood") == {
        **base["classifiers"].pop("wood"), "ood_set": "unpruned",
    }  # fmt: skip
    different = {key for key in config if config[key] != base[key]}
    assert different == {"title", "results"}


# The whole DAG


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with all that planning looks for: weights. Nobody has decided anything yet."""
    project = copy_project(tmp_path_factory.mktemp("presets"))
    touch_weights(project.folder / "data/weights")
    return project


# Of VOC: four chains of maps, 20 shards of training images, 4 of val; two refiners of each.
MAIN = {
    "prepare_data": 2, "train_classifier": 2, "extract_features": 20, "score_ood": 100,
    "rank_ood": 1, "select_hard": 1, "cluster_ood": 1, "train_wood": 1, "localize": 4 * 20,
    "evaluate_seeds": 4, "refine_maps": 4 * 20, "label_confident": 4 * 20, "train_irn": 4,
    "walk_irn": 4 * 20, "evaluate_pseudo_masks": 2 * 4, "train_segmenter": 4, "predict": 4 * 4,
    "evaluate_segmentation": 4, "collect_metrics": 1, "make_table": 7, "draw_figure": 6,
    "draw_map_panel": 1, "draw_chain_panel": 2, "draw_cluster_panel": 1, "draw_data_sheet": 1,
    "draw_ood_sheet": 1, "write_report": 1,
}  # fmt: skip
# With five random seeds each: W-OoD itself, eight parts of the images and four losses; all others
# with one.
WOODS = 5 * (1 + 3 + 5 + 4) + 4 + 15 + 4
# Maps of those, of F_in of all images and of 2,000, and AdvCAM's of Table A1: without OoD images,
# with 20, 500 and all.
MAPS = WOODS + 2 * 5 + 4
# Of four states within W-OoD's training there are none.
PLANS = {
    "voc2012": MAIN | {"decide_manual": 1, "prepare_review": 1},
    "voc2012_unpruned": MAIN | {"decide_none": 1},
    "voc2012_ablations": MAIN | {
        # F_in of all images and of five numbers of them.
        "train_classifier": 6 * 5 + 1, "extract_features": 6 * 5 * 20, "cluster_ood": WOODS + 4,
        "train_wood": WOODS + 4, "diagnose_classifier": 6, "draw_diagnostic": 1,
        "localize": MAPS * 20, "evaluate_seeds": MAPS,
        "rank_ood": 4, "prepare_review": 1, "decide_manual": 1, "decide_none": 2,
        "select_hard": 2, "select_random": 1,
        "select_random_hard": 1, "erase_ood": 1, "label_confident": 6 * 20, "train_irn": 6,
        "walk_irn": 6 * 20, "evaluate_pseudo_masks": 4 + 6, "train_segmenter": 6,
        "predict": 6 * 4, "evaluate_segmentation": 6, "make_table": 15, "draw_figure": 9,
        "draw_ood_sheet": 1,
    },
    "coco2014": {
        "prepare_data": 2, "train_classifier": 1, "extract_features": 100, "score_ood": 100,
        "rank_ood": 1, "decide_none": 1, "select_hard": 1, "cluster_ood": 1, "train_wood": 1,
        "localize": 2 * 100, "evaluate_seeds": 2, "label_confident": 2 * 100, "train_irn": 2,
        "walk_irn": 2 * 100, "evaluate_pseudo_masks": 2, "train_segmenter": 2, "predict": 2 * 40,
        "evaluate_segmentation": 2, "make_table": 5, "draw_figure": 4,
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_the_whole_dag_can_be_planned(project, name):
    jobs = project.plan(config=f"config/{name}.yaml")
    counts = Counter(rule for rule, _ in jobs)
    assert {rule: counts[rule] for rule in PLANS[name]} == PLANS[name]
    decided = {rule for rule in counts if rule.startswith("decide")}
    assert decided == {rule for rule in PLANS[name] if rule.startswith("decide")}
    made = " ".join(outputs for _, outputs in jobs)
    for options in preset(name)["tables"].values():
        for chain in options["chains"].values():
            dataset, classifier, *rest = chain.split("/")
            for seed in options["random_seeds"] or [0]:
                assert "/".join([dataset, classifier, f"s{seed}", *rest]) in made


@pytest.mark.slow
def test_decisions_that_are_there_are_read(tmp_path):
    project = copy_project(tmp_path)
    touch_weights(tmp_path / "data/weights")
    file = "data/voc2012_decisions.csv"
    for there in (False, True):
        if there:
            (tmp_path / file).write_text("image_id,decision\n")
        done = project.snakemake("--dry-run", "--configfile", "config/voc2012.yaml")
        assert done.returncode == 0, done.stderr[-4000:]
        (block,) = re.findall(r"^(?:local)?rule decide_manual:\n(?:    .*\n)+", done.stdout, re.M)
        assert (file in block) == there and "ood/hard/review.json" in block


@pytest.mark.slow
def test_weights_that_are_missing_say_how_they_are_fetched(tmp_path):
    project = copy_project(tmp_path)
    touch_weights(tmp_path / "data/weights")

    def said():
        done = project.snakemake("--dry-run", "--configfile", "config/coco2014.yaml")
        return done.returncode, done.stdout + done.stderr

    assert said()[0] == 0
    deeplab = tmp_path / "data/weights/deeplabv1_resnet101-imagenet.pth"
    deeplab.unlink()
    status, text = said()
    assert (
        status != 0
        and (
            "data/weights/deeplabv1_resnet101-imagenet.pth does not exist, which "
            "config.segmenters.deeplab_r101.initial_weights names: fetch it (snakemake --cores 1 "
            "fetch_weights_resnet101_caffe), or name another file"
        )
        in text
    )
    # What was trained already needs them no more.
    deeplab.touch()
    trained = tmp_path / "results-coco2014/coco2014/f_in/s0/classifier.safetensors"
    trained.parent.mkdir(parents=True)
    trained.touch()
    (tmp_path / "data/weights/resnet50-0676ba61.pth").unlink()
    assert "resnet50-0676ba61.pth does not exist" not in said()[1]


# The whole run


@pytest.mark.very_slow
@pytest.mark.parametrize("name", ["voc2012", "coco2014"])
def test_the_whole_preset_runs_cut_short(tmp_path, name):
    project = copy_project(tmp_path)
    whole = preset(name)
    write_data(tmp_path, whole["datasets"])
    write_weights(tmp_path / "data/weights", names=weights_of(whole))
    done = project.snakemake(
        "--cores", "2", "--configfile", f"config/{name}.yaml", "--config", "cut=2"
    )
    assert done.returncode == 0, done.stderr[-8000:]
    results = tmp_path / f"{whole['results']}-cut"
    assert not (tmp_path / whole["results"]).exists()

    resolved = yaml.safe_load((results / "config.yaml").read_text("utf-8"))
    assert resolved == preset(name, cut=2)
    report = (results / "report.html").read_text("utf-8")
    assert f"CUT RUN: {whole['title']}" in report and report.count("data:image/png") > 8
    for table, options in whole["tables"].items():
        check_table(results / f"tables/{table}", options)
    for kind in ("figures", "panels"):
        assert all((results / f"figures/{figure}.png").is_file() for figure in whole[kind])

    for log in results.glob("*/*/s0/**/train.csv"):
        assert len(pd.read_csv(log)) <= 3, log
    check_predictions(results, whole)
    again = project.snakemake(
        "--dry-run", "--configfile", f"config/{name}.yaml", "--config", "cut=2"
    )
    assert "Nothing to be done" in again.stdout + again.stderr


def weights_of(config):
    """The files of weights that a config names."""
    variants = [*config["classifiers"].values(), *config["segmenters"].values()]
    named = {options.get("initial_weights", "") for options in variants}
    return sorted(path.split("/")[-1] for path in named if path.startswith("data/weights/"))


def check_table(path, options):
    """All forms of a table have its rows, the paper's column and each row's protocol."""
    summary = pd.read_csv(path.with_suffix(".csv"), dtype={"label": str})
    assert list(summary["label"].unique()) == list(options["chains"])
    assert summary["mean"].between(0, 1).all() and (summary["n"] == 1).all()
    assert summary[["initial_weights", "scales", "crf", "checkpoint"]].notna().all(axis=None)
    assert summary["refiner_thresholds"].notna().all() == (options["stage"] != "seed")
    for suffix in (".md", ".tex"):
        text = path.with_suffix(suffix).read_text("utf-8")
        assert ("paper" in text.split("mIoU")[-1]) == bool(options["expected"])
        for words in (
            "CUT RUN",
            "Initial weights",
            "Scales",
            "CRF",
            "Checkpoint",
            "One random seed",
        ):
            assert words in text


def check_predictions(results, whole):
    """Predictions are as large as the images of val."""
    ends = {c for o in whole["tables"].values() for c in o["chains"].values() if c.count("/") == 4}
    assert ends
    for chain in ends:
        dataset, classifier, *rest = chain.split("/")
        folder = results / "/".join([dataset, classifier, "s0", *rest])
        index = pd.read_csv(results / dataset / "index.csv", dtype={"image_id": str})
        sizes = index[index["split"] == "val"].set_index("image_id")[["height", "width"]]
        for kind in ("predictions", "predictions_crf"):
            masks = {path.stem: read_mask(path) for path in folder.glob(f"{kind}/*/*.png")}
            assert {name: mask.shape for name, mask in masks.items()} == {
                name: tuple(size) for name, size in zip(sizes.index, sizes.to_numpy(), strict=True)
            }
