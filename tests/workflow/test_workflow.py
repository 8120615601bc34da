"""The workflow end to end on the tiny config, and what a change makes it do again."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.source import ROOT
from tests.workflow.conftest import FURTHER, TINY, copy_project
from tests.workflow.test_presets import PRESETS
from wsss.commands.check import READERS, check, rules_of
from wsss.config.references import STAGE_LINKS
from wsss.data.index import read_ground_truth
from wsss.store.arrays import read_arrays
from wsss.store.masks import read_mask
from wsss.store.saliency import SOURCE

# One run serves all tests, so they belong to one process (`pytest --dist loadfile`).
pytestmark = pytest.mark.slow

# Of drawn scenes and photographs; those of real data are planned in test_presets.py.
CONFIGS = ["config.yaml", *sorted(
    f"config/{p.name}" for p in (ROOT / "config").glob("*.yaml") if p.stem not in PRESETS
)]  # fmt: skip
RESULTS = "results-tiny"
# What is made of all chains together, and so again whenever one of them changes.
JOINT = {"write_config", "collect_metrics", "make_table", "draw_figure", "draw_map_panel",
         "draw_chain_panel", "draw_cluster_panel", "draw_diagnostic", "write_report"}  # fmt: skip


def read(tiny, name):
    return pd.read_csv(tiny.folder / RESULTS / name, dtype={"image_id": str})


def selected(tiny, name):
    return read(tiny, f"tiny/ood/{name}/selected.csv")


# Before any job


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_can_be_planned(fresh, name):
    rules = {rule for rule, _ in fresh.plan(config=name)}
    assert {"prepare_data", "train_classifier", "localize", "make_table", "write_report"} <= rules


def mistype(config):
    config["localizers"]["advcam"]["step"] = config["localizers"]["advcam"].pop("steps")


def exaggerate(config):
    config["classifiers"]["wood"]["closest_fraction"] = 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (mistype, "config.localizers.advcam.step is not a known key; did you mean `steps`?"),
        (
            exaggerate,
            "config.classifiers.wood.closest_fraction is 20, but allowed is number, at le",
        ),
    ],
)
def test_a_config_that_cannot_be_run_stops_before_any_job(fresh, change, words):
    done = fresh.snakemake("--cores", "1", "--configfile", fresh.write_config("bad.yaml", change))
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (fresh.folder / RESULTS).exists()


# The tiny run


def test_the_run_makes_report_tables_and_figures(tiny):
    results = tiny.folder / RESULTS
    report = (results / "report.html").read_text("utf-8")
    assert "Tiny run" in report and report.count("data:image/png") >= 7
    for table in ("seeds", "pseudo_masks", "segmentation"):
        assert all((results / f"tables/{table}.{kind}").stat().st_size for kind in ("md", "tex"))
    seeds = read(tiny, "tables/seeds.csv")
    assert len(seeds) > 0 and seeds.select_dtypes("number").notna().any().any()
    for figure in (
        "curves",
        "loss",
        "maps",
        "masks",
        "methods",
        "amplification",
        "quality",
        "landscape",
        "bottleneck",
        "planes",
        "clusters",
        "data_tiny",
    ):
        assert all((results / f"figures/{figure}.{kind}").stat().st_size for kind in ("png", "pdf"))


def shown_chains(tiny):
    """The names of every chain that the tiny run's tables, figures and panels show."""
    config = yaml.safe_load((tiny.folder / "config/tiny.yaml").read_text("utf-8"))
    entries = [e for group in ("tables", "figures", "panels") for e in config[group].values()]
    return [chain.split("/") for entry in entries for chain in entry["chains"].values()]


def test_every_stage_was_scored(tiny):
    metrics = read(tiny, "tables/metrics.csv")
    counts = metrics[metrics["metric"] == "miou"].groupby("stage").size()
    ends = {
        stage: {tuple(chain[:links]) for chain in shown_chains(tiny) if len(chain) >= links}
        for stage, links in STAGE_LINKS.items()
    }
    assert all(ends.values())
    # Seeds at three thresholds: chosen in two ways from the maps, and with ground truth.
    assert counts.to_dict() == {
        stage: len(found) * (3 if stage == "seed" else 1) for stage, found in ends.items()
    }
    miou = metrics[metrics["metric"] == "miou"]
    assert miou["value"].between(0, 1).all()
    shown = miou.merge(metrics[metrics["metric"] == "num_images"], on=["stage", "split"])
    assert set(zip(shown["split"], shown["value_y"], strict=True)) == {("train", 12), ("val", 6)}


def test_the_seed_refiner_takes_the_threshold_that_its_seeds_are_scored_at(tiny):
    metrics = read(tiny, "tables/metrics.csv")
    own = metrics[(metrics["metric"] == "miou") & (metrics["classifier"] == "plain")]
    seed = own[(own["stage"] == "seed") & (own["threshold_in_config"] == 1)]
    assert seed["threshold_policy"].tolist() == ["otsu"]
    masks = own[(own["stage"] == "pseudo_mask") & (own["refiner"] == "seed")]
    assert seed["value"].tolist() == masks["value"].tolist()


@pytest.mark.parametrize(
    ("folder", "count"),
    [
        ("plain/s0/cam/seed/pseudo_masks", 12),
        ("plain/s0/cam/salient/pseudo_masks", 12),
        ("plain/s0/cam/known/pseudo_masks", 12),
        ("wood/s0/cam/crf/pseudo_masks", 12),
        ("wood/s0/cam/psa/pseudo_masks", 12),
        ("wood/s0/advcam/irn/pseudo_masks", 12),
        ("wood/s0/advcam/irn/deeplab/predictions", 6),
        ("wood/s0/advcam/irn/deeplab/predictions_crf", 6),
    ],
)
def test_masks_of_every_image(tiny, folder, count):
    place = tiny.folder / RESULTS / "tiny" / folder
    assert sorted(path.name for path in place.iterdir()) == ["0", "1"]
    masks = {path.stem: read_mask(path) for path in place.glob("*/*.png")}
    assert len(masks) == count
    for mask in masks.values():
        assert mask.shape == (48, 48)
        assert set(mask.ravel().tolist()) <= {0, 1, 2, 3, 255}


@pytest.mark.parametrize(
    ("name", "source"),
    [("opencv", "the image alone (OpenCV)"), ("known", "PIXEL LABELS: the ground truth masks")],
)
def test_saliency_maps_say_what_they_were_made_from(tiny, name, source):
    paths = list((tiny.folder / RESULTS / "tiny/saliency" / name).glob("*/*.png"))
    assert len(paths) == 12
    for path in paths:
        with Image.open(path) as image:
            assert image.size == (48, 48) and image.mode == "L" and image.text == {SOURCE: source}


def test_saliency_settles_the_pseudo_masks_of_another_refiner(tiny):
    folder = tiny.folder / RESULTS / "tiny"
    truth = read_ground_truth(folder / "ground_truth.csv")
    for shard in (0, 1):
        for path in (folder / f"plain/s0/cam/known/pseudo_masks/{shard}").glob("*.png"):
            mask, salient = (
                read_mask(folder / f"plain/s0/cam/{name}/pseudo_masks/{shard}" / path.name)
                for name in ("known", "salient")
            )
            objects = np.isin(read_mask(tiny.folder / truth[path.stem].mask), [1, 2, 3])
            # What is left agrees with the maps; what was ignored before stays so.
            assert not objects[mask == 0].any() and objects[(mask > 0) & (mask != 255)].all()
            assert (mask[salient == 255] == 255).all()


def test_tables_say_whose_saliency_is_of_pixel_labels(tiny):
    words = (
        "SALIENCY KNOWN FROM PIXEL LABELS: known saliency. These rows are not weakly supervised."
    )
    pages = ["tables/pseudo_masks.md", "tables/pseudo_masks.tex", "report.html"]
    for page in pages:
        assert words in (tiny.folder / RESULTS / page).read_text("utf-8"), page
    assert "SALIENCY KNOWN" not in (tiny.folder / RESULTS / "tables/seeds.md").read_text("utf-8")


def test_ood_sets(tiny):
    candidates = read(tiny, "tiny/candidates.csv")["image_id"]
    for name in ("oracle", "unpruned", "random", "random_hard"):
        found = selected(tiny, name)
        assert len(found) == 6, name
        assert found["image_id"].is_unique and set(found["image_id"]) <= set(candidates)
    truth = read_ground_truth(tiny.folder / RESULTS / "tiny/ground_truth.csv")
    assert all(not truth[image_id].labels for image_id in selected(tiny, "oracle")["image_id"])
    decided = pd.read_csv(tiny.folder / "config/tiny_decisions.csv")
    kept = decided.loc[decided["decision"] == "keep", "image_id"]
    assert set(selected(tiny, "manual")["image_id"]) == set(kept)
    for path in selected(tiny, "erased")["path"]:
        assert path.startswith(f"{RESULTS}/tiny/ood/erased/images/")
        assert (tiny.folder / path).is_file()


def test_a_classifier_with_drawn_images_says_so(tiny):
    results = tiny.folder / RESULTS
    found, _ = read_arrays(results / "tiny/wood_ficklenet/s0/clusters.h5", ["image_ids"])
    assert len(found["image_ids"]) == 4
    assert set(found["image_ids"]) < set(selected(tiny, "oracle")["image_id"])
    logs = results / "logs/tiny"
    for job in ("ficklenet/s0/train_classifier", "wood_ficklenet/s0/train_wood",
                "wood_ficklenet/s0/cluster_ood"):  # fmt: skip
        told = (logs / f"{job}.log").read_text("utf-8")
        assert "8 of 12 training images of tiny, drawn by random seed 0" in told, job
    words = (
        "Drawn images of FickleNet: ficklenet with 8 of the training images; every random seed "
        "draws others. Of W-OoD on FickleNet: ficklenet with 8 of the training images; "
        "wood_ficklenet with 8 of the training images and 4 of the OoD images; every random seed "
        "draws others."
    )
    assert words in (results / "tables/methods.md").read_text("utf-8")
    assert words in (results / "report.html").read_text("utf-8")
    assert "Drawn images" not in (results / "tables/seeds.md").read_text("utf-8")


def test_every_job_left_a_log_and_a_benchmark(tiny):
    results = tiny.folder / RESULTS
    logs = {p.relative_to(results / "logs").with_suffix("") for p in results.glob("logs/**/*.log")}
    assert len(logs) > 50
    assert len(list(results.glob("benchmarks/**/*.tsv"))) == len(logs)
    assert not list(results.glob("**/*.running.safetensors"))


def test_nothing_of_the_results_names_this_machine(tiny):
    for path in (tiny.folder / RESULTS).rglob("*"):
        if path.suffix in (".csv", ".yaml", ".html", ".json", ".md", ".tex", ".safetensors"):
            assert str(tiny.folder).encode() not in path.read_bytes(), path


def test_check_finds_nothing_broken_and_knows_the_rule_of_every_file(tiny):
    rules = {}
    summary = tiny.snakemake("--summary", "--configfile", TINY).stdout.splitlines()
    for line in summary[1:]:
        path, _, rule, *_ = line.split("\t")
        made = tiny.folder / path
        files = [next(made.rglob("*.png"))] if made.is_dir() else [made]
        rules |= dict.fromkeys(files, rule)
    assert len(rules) > 50
    for path, rule in rules.items():
        if path.suffix in READERS:
            assert rules_of(path, tiny.folder / RESULTS) == (rule,), path
    assert check(tiny.folder / RESULTS)[1] == []


def test_a_second_run_does_nothing(tiny):
    assert "Nothing to be done" in tiny.run("all", *FURTHER)


# What a change does again


def test_another_lambda_trains_only_what_it_belongs_to(tiny):
    def change(config):
        config["classifiers"]["wood"]["lambda"] = 0.5

    jobs = tiny.plan("all", *FURTHER, config=tiny.write_config("lambda.yaml", change))
    own = [(rule, made) for rule, made in jobs if rule not in JOINT]
    assert all(f"{RESULTS}/tiny/wood/s0/" in made for _, made in own)
    rules = {rule for rule, _ in own}
    assert "train_wood" in rules and "cluster_ood" not in rules
    assert {"localize", "refine_maps", "walk_irn", "train_segmenter", "predict"} <= rules
    # Centres of OoD images are those of the classifier before.
    assert {rule for rule, _ in jobs} - rules == JOINT - {"draw_cluster_panel"}


def test_a_dry_run_names_options_that_changed_and_not_the_whole_config(tmp_path):
    project = copy_project(tmp_path)
    target = f"{RESULTS}/config.yaml"
    project.run(target)
    written = yaml.safe_load((project.folder / target).read_text())
    assert written["results"] == RESULTS

    def change(config):
        config["title"] = "Another"

    changed = project.write_config("title.yaml", change)
    done = project.snakemake(target, "--dry-run", "--configfile", changed)
    reason = next(line for line in done.stdout.splitlines() if "reason:" in line)
    assert "Params have changed" in reason and len(reason) < 500
    project.run(target, config=changed)
    assert yaml.safe_load((project.folder / target).read_text()) == {**written, "title": "Another"}


def test_another_number_of_drawn_images_does_again_what_they_have_a_part_in(tiny):
    def rules_after(key):
        def change(config):
            config["classifiers"]["wood_ficklenet"][key] = 3

        jobs = tiny.plan("all", *FURTHER, config=tiny.write_config("drawn.yaml", change))
        own = [(rule, made) for rule, made in jobs if rule not in JOINT]
        assert all("/tiny/wood_ficklenet/s0/" in made for _, made in own)
        return {rule for rule, _ in own}

    # Features of F_in are those of all images, whoever learns from which.
    again = {"cluster_ood", "train_wood", "localize", "choose_threshold", "evaluate_seeds"}
    assert rules_after("ood_images") == rules_after("training_images") == again


def test_an_edited_method_runs_only_itself_again(edited):
    edited.edit("wsss/localize/advcam.py", "\ndef localize(", "\nEDITED = 1\n\n\ndef localize(")
    jobs = edited.plan("all", *FURTHER)
    own = [(rule, made) for rule, made in jobs if rule not in JOINT]
    # Where it climbs: alone, after RIB, and in the diagnostics of a climb.
    climbing = ("/seam/s0/advcam/", "/wood/s0/advcam/", "/wood/s0/advcam_rib/")
    measured = {"diagnose", "diagnose_classifier"}
    for rule, made in own:
        assert rule in measured or any(place in made for place in climbing), (rule, made)
    assert sorted(made for rule, made in own if rule == "localize") == [
        f"{RESULTS}/tiny{place}maps/{shard}.h5" for place in climbing for shard in (0, 1)
    ]
    assert {"train_irn", "walk_irn", "train_segmenter", "predict"} <= {rule for rule, _ in own}


def test_an_edited_way_of_choosing_a_threshold_reaches_who_takes_it(edited):
    edited.edit("wsss/thresholds/otsu.py", "\ndef criterion(", "\nEDITED = 1\n\n\ndef criterion(")
    rules = {rule for rule, _ in edited.plan("all", *FURTHER)} - JOINT
    # IRN's labels have numbers.
    assert rules == {"choose_threshold", "evaluate_seeds", "refine_maps", "refine_by_saliency",
                     "evaluate_pseudo_masks"}  # fmt: skip


def test_words_that_nobody_runs_make_nothing_again(edited):
    for name in ("workflow/scripts/localize.py", "wsss/localize/cam.py", "wsss/train/loop.py"):
        text = (edited.folder / name).read_text()
        docstring = re.match(r'"""(.+)"""\n', text).group(1)
        edited.edit(name, f'"""{docstring}"""\n', '"""Other words."""\n\n# A comment.\n\n\n')
    assert edited.plan("all", *FURTHER) == []


def test_a_change_in_the_rules_of_the_library_reaches_the_stages_that_import_it(edited):
    edited.edit("wsss/ood/cluster.py", "\ndef group_ood(", "\nEDITED = 1\n\n\ndef group_ood(")
    jobs = edited.plan("all", *FURTHER)
    made = " ".join(made for _, made in jobs)
    assert "cluster_ood" in {rule for rule, _ in jobs}
    assert "/f_in/" not in made and "/plain/" not in made


# The same twice


def test_another_folder_and_another_number_of_cores_get_the_same_bytes(tiny, fresh):
    files = [
        "tiny/f_in/s0/classifier.safetensors",
        "tiny/f_in/s0/train.csv",
        "tiny/plain/s0/classifier.safetensors",
        "tiny/plain/s0/cam/seed_metrics.csv",
        "tiny/plain/s0/cam/threshold_curve.csv",
        "tiny/index.csv",
    ]
    fresh.run(f"{RESULTS}/tiny/plain/s0/cam/seed_metrics.csv", cores=1)
    for name in files:
        one, other = ((p.folder / RESULTS / name).read_bytes() for p in (tiny, fresh))
        assert one == other, name
