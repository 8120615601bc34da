"""The OoD stages at their edges, through the workflow's own scripts: a result or one sentence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.ood.project import OodProject
from wsss.data.selected import selected_records
from wsss.data.subset import Draw
from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.review_card import read_review_card
from wsss.store.rows import checksum_path


@pytest.fixture
def project(tmp_path):
    return OodProject(tmp_path, candidates=3)


def refused(words, call, *arguments, **options):
    with pytest.raises(ValueError, match=words) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_without_candidates_the_ranking_is_empty_and_every_selection_says_so(tmp_path):
    project = OodProject(tmp_path, candidates=0)
    project.rank()
    assert project.read("ranking.csv").empty
    summary = project.read("ranking_summary.csv")
    assert summary["num_candidates"].tolist() == [0, 0]
    assert "none of 0 candidates reaches the score threshold 0 for red, green" in project.log(
        "rank_ood"
    )
    project.decide()
    assert project.read("decisions_summary.csv")["num_ranked"].tolist() == [0]
    for kind, what in (("hard", "kept ranked images"), ("random", "candidates"),
                       ("random_hard", "ranked images")):  # fmt: skip
        refused(f"there are no {what}: offer more candidates", project.select, kind)
        assert not project.path("selected.csv").exists()
    refused("there are no kept ranked images", project.erase)


def test_no_candidate_reaches_the_threshold(project):
    project.rank(score_threshold=1.0)
    assert "none of 3 candidates reaches the score threshold 1 for red, green" in project.log(
        "rank_ood"
    )
    project.decide()
    refused("no kept ranked images: .* lower the OoD set's score_threshold", project.select)


def test_a_class_without_ranked_images_is_logged_and_the_others_go_on(project):
    project.run("score_ood", {}, {"scores": "scores.h5"})
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]], np.float32)
    ids = np.array(project.candidates)
    write_arrays(project.path("scores.h5"), {"image_ids": ids, "probs": probs}, attributes={})
    project.run(
        "rank_ood", {"scores": "scores.h5"},
        {"ranking": "ranking.csv", "summary": "ranking_summary.csv"},
        options={"score_threshold": 0.5, "keep_per_class": 2},
    )  # fmt: skip
    assert project.read("ranking.csv")["class_name"].tolist() == ["red", "red"]
    assert "reaches the score threshold 0.5 for green" in project.log("rank_ood")


@pytest.mark.parametrize(
    ("probs", "words"),
    [
        (np.full((3, 2), np.nan), "a probability of image image3 is not in 0..1"),
        (np.full((3, 2), 1.5), "a probability of image image3 is not in 0..1"),
        (np.zeros((3, 5)), "probabilities have shape .3, 5. for 3 images and 2 classes"),
    ],
)
def test_scores_that_are_none_are_refused(project, probs, words):
    ids = np.array(project.candidates)
    write_arrays(project.path("scores.h5"), {"image_ids": ids, "probs": probs}, attributes={})
    refused(
        words, project.run, "rank_ood", {"scores": "scores.h5"},
        {"ranking": "ranking.csv", "summary": "ranking_summary.csv"},
        options={"score_threshold": 0.5, "keep_per_class": 2},
    )  # fmt: skip


# Decisions by hand


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image_id,decision\nimage9,keep\n", r"by_hand\.csv has no row of a ranked image"),
        ("image_id,decision,votes\nimage3,keep,anna\n", r"row 2: 'anna' is no vote; write NAME"),
        ("image_id,decision\nimage3,keep\nimage3,keep\n", r"row 3: image image3 was decided in r"),
        ("image_id,decision\nimage3,keep\nimage3,reject\n", r"by_hand\.csv, row 3: .* leave one"),
        ("image_id,decision\nimage3,perhaps\n", r"row 2: 'perhaps' for image image3 is not a de"),
        ("image_id,decision\nimage3,KEEP\n", r"by_hand\.csv, row 2: 'KEEP' .* write keep or rej"),
        ("name,verdict\nimage3,keep\n", r"by_hand\.csv lacks the column\(s\) image_id, decision"),
        ("image_id;decision\nimage3;keep\n", r"by_hand\.csv lacks the column"),
        ("image_id,decision\nimage3\n", r"by_hand\.csv is no CSV file of 2 distinct columns"),
        ("", r"by_hand\.csv is no CSV file"),
    ],
)  # fmt: skip
def test_decisions_that_fit_nothing_name_the_file(project, text, words):
    project.rank()
    project.path("by_hand.csv").write_text(text)
    refused(words, project.decide, "manual")


HALF = "image_id,decision,decided_by,votes\n"
HALF += "image3,keep,anna,anna: keep (1.5 s)\n"
HALF += 'image4,reject,"anna, ben",anna: reject (2.5 s); ben: reject (1.0 s)\n'


def test_before_anybody_decides_it_is_asked_for(project):
    project.rank()
    refused("hard: 3 of 3 ranked candidates are undecided, in 2 of 2 classes .red, green.: decide "
            f"them with `wsss review {project.folder}`$", project.decide, "manual")  # fmt: skip
    refused("3 of 3 ranked candidates are undecided", project.decide, "manual",
            undecided="leave_out")  # fmt: skip
    assert not project.path("decisions.csv").exists()


def test_half_decided_stops_or_goes_on_as_it_was_told(project):
    project.rank()
    project.path("by_hand.csv").write_text(HALF)
    refused("1 of 3 ranked candidates is undecided, and 2 of 2 classes .red, green. lack their 2 "
            r".about 2 images to look at.: .* leave_out to train with what is kept",
            project.decide, "manual", wanted_per_class=2)  # fmt: skip
    project.decide("manual", wanted_per_class=1)
    left = project.read("decisions.csv")
    project.decide("manual", undecided="leave_out")
    assert left.equals(project.read("decisions.csv"))
    assert left["decided_by"].tolist() == ["anna", "anna, ben"]
    assert "they are not used" in project.log("decide_manual")
    annotators = project.read("annotators.csv").set_index("annotator")
    assert annotators["num_checked"].to_dict() == {"anna": 2, "ben": 1}
    assert annotators["seconds"].to_dict() == {"anna": 4.0, "ben": 1.0}
    agreement = project.read("agreement.csv")
    assert agreement[["first", "second", "num_both"]].values.tolist() == [["anna", "ben", 1]]
    assert agreement["kappa"].isna().all()
    project.select()
    assert project.read("selected.csv")["image_id"].tolist() == ["image3"]


def test_names_that_are_numbers_stay_text(project):
    project.rank()
    project.path("by_hand.csv").write_text(HALF.replace("anna", "007").replace("ben", "8"))
    project.decide("manual", undecided="leave_out")
    assert project.read("annotators.csv")["annotator"].tolist() == ["007", "8"]
    assert project.read("agreement.csv")[["first", "second"]].values.tolist() == [["007", "8"]]


def test_the_card_of_the_page_says_where_all_is(project):
    project.rank()
    project.prepare_review(wanted_per_class=5)
    card = read_review_card(project.folder)
    assert (card.dataset, card.ood_set) == ("two", "hard")
    assert (card.decisions, card.wanted_per_class, card.undecided) == ("by_hand.csv", 5, "stop")
    for path in (card.ranking, card.candidates, card.classes, card.classifier):
        assert Path(path).is_file()


def test_all_candidates_pruned(project):
    project.rank()
    rows = "".join(f"{image_id},reject\n" for image_id in project.candidates)
    project.path("by_hand.csv").write_text(f"image_id,decision\n{rows}")
    project.decide("manual")
    everything = project.read("decisions_summary.csv").iloc[0]
    assert everything["positive_rate"] == 1 and everything["annotation_cost"] == 3
    refused("there are no kept ranked images: .* or keep some", project.select)
    refused("there are no kept ranked images", project.erase)


# Selections


def test_a_size_beyond_what_there_is_names_both_keys(project):
    project.rank()
    project.decide()
    refused(r"asked for 4 .* there are 3 kept ranked images: set a size of 1 to 3, or same_size_as",
            project.select, size=4)  # fmt: skip
    large = pd.DataFrame({"image_id": list("abcd"), "path": "p", "height": 3, "width": 4,
                          "class_name": "", "score": 0.5})  # fmt: skip
    project.write("larger.csv", large)
    for kind in ("hard", "random", "random_hard"):
        refused("asked for 4 .* or same_size_as a set that is no larger", project.select, kind,
                like="larger.csv")  # fmt: skip


def test_a_ranking_of_another_data_set_is_refused(project):
    ranking = pd.DataFrame(
        [("red", 1, "elsewhere", 0.9)], columns=["class_name", "rank", "image_id", "score"]
    )
    project.write("ranking.csv", ranking)
    project.decide()
    for kind in ("hard", "random_hard"):
        refused("image elsewhere is not an OoD candidate of the data set", project.select, kind)
    known = ranking.assign(image_id=project.candidates[0], class_name="purple")
    project.write("ranking.csv", known)
    project.decide()
    refused("'purple' is not a class of the data set: red, green", project.erase)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_id": "image4"}, "the OoD image image4 is selected twice"),
        ({"path": ""}, "the selected OoD image image3 has no path"),
        ({"path": "gone.jpg"}, r"gone\.jpg"),
    ],
)
def test_a_selection_that_fits_nothing_is_refused_before_anything_is_trained(
    project, change, words
):
    project.select("random")
    table = project.read("selected.csv").sort_values("image_id", ignore_index=True)
    for column, value in change.items():
        table.loc[0, column] = value
    project.write("selected.csv", table)
    refused(words, project.cluster)


def test_a_selection_that_somebody_changed_is_refused(project):
    project.select("random")
    path = project.path("selected.csv")
    path.write_text(path.read_text().replace("image3", "image4"))
    refused("was changed after it was written", project.cluster)
    checksum_path(path).unlink()
    refused("the OoD image image4 is selected twice", project.cluster)


# Clusters and training


def test_few_images_many_clusters_and_large_batches_train_and_are_logged(project):
    project.select("random", size=2)
    project.cluster()
    assert "2 clusters instead of 50: there are no more images" in project.log("cluster_ood")
    centres, _ = read_arrays(project.path("clusters.h5"), ["class_means", "cluster_means"])
    assert centres["cluster_means"].shape[0] == 2
    project.train()
    assert "batches of 5 hold images more than once: there are 2" in project.log("train_wood")
    history = project.read("train.csv")
    assert len(history) and np.isfinite(history.select_dtypes("number").to_numpy()).all()


@pytest.mark.parametrize("form", ["official", "paper"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equal_images_and_an_absent_class_give_no_nan(tmp_path, form, metric):
    """Three copies of one file: two of three clusters are empty; nobody trains `blue`."""
    project = OodProject(tmp_path, candidates=3, classes=("red", "green", "blue"))
    content = project.records[3].path.read_bytes()
    project.records[5].path.write_bytes(content)
    project.records[4].path.write_bytes(content)
    table = project.read("candidates.csv")
    table.loc[:, ["height", "width"]] = table.loc[0, ["height", "width"]].to_numpy()
    project.write("candidates.csv", table)
    project.select("random")
    project.cluster()
    assert "2 of 3 clusters of OoD features are empty" in project.log("cluster_ood")
    centres, _ = read_arrays(project.path("clusters.h5"), ["class_means", "cluster_means"])
    assert (centres["cluster_means"][1:] == 0).all() and (centres["class_means"][2] == 0).all()
    project.train(distance_form=form, metric=metric)
    history = project.read("train.csv")
    assert np.isfinite(history.select_dtypes("number").to_numpy()).all()
    assert (history[["distance_in", "distance_ood"]].to_numpy() >= 0).all()


@pytest.mark.parametrize("clustering", ["kmeans", "predicted_class"])
def test_a_data_set_of_one_class(tmp_path, clustering):
    project = OodProject(tmp_path, candidates=3, classes=("red",))
    project.rank()
    project.decide()
    project.select()
    project.cluster(clustering=clustering)
    project.train(excluded_class="red" if clustering == "kmeans" else None)
    assert np.isfinite(project.read("train.csv").select_dtypes("number").to_numpy()).all()


# Random parts of the images (W-OoD Fig. 5)


def trained(folder, *, part):
    """What a small part of the images gives: drawn by the scripts, or all that there is."""
    project = OodProject(folder, candidates=3)
    project.select("random")
    train = [record for record in project.records if record.split == "train"]
    ood = selected_records(project.read("selected.csv"))
    images = {"training_images": part and 2, "ood_images": part and 2}
    if not part:
        draw = Draw("tiny", "f_in", 0)
        for name, records, key in (
            ("index.csv", train, "training_images"), ("selected.csv", ood, "ood_images"),
        ):  # fmt: skip
            drawn = draw.records(records, number=2, key=key)
            project.keep(name, [record.image_id for record in drawn])
    project.train_f_in(training_images=images["training_images"])
    project.cluster(drawn=images)
    project.train(**images)
    return project


def test_a_drawn_part_trains_as_if_there_were_no_other_images(tmp_path):
    one, other = trained(tmp_path / "drawn", part=True), trained(tmp_path / "alone", part=None)
    for name in ("f_in.safetensors", "train_f_in.csv"):
        assert one.path(name).read_bytes() == other.path(name).read_bytes(), name
    names = ("class_means", "cluster_means", "image_ids", "cluster_labels", "cluster_distances")
    found, expected = (read_arrays(p.path("clusters.h5"), names)[0] for p in (one, other))
    assert (found["image_ids"] == expected["image_ids"]).all()
    # Features of an image depend by rounding on those of its batch.
    for name in set(names) - {"image_ids"}:
        assert np.allclose(found[name], expected[name], rtol=1e-4, atol=1e-6), name
    rows, others = (p.read("train.csv").select_dtypes("number") for p in (one, other))
    assert np.allclose(rows, others, rtol=1e-3) and (rows["distance_in"] > 0).all()
    # Features are those of all images, whoever asks for which.
    features, _ = read_arrays(one.path("features.h5"), ["image_ids"])
    assert len(features["image_ids"]) == 3 and len(found["image_ids"]) == 2
    told = "2 of 3 training images of two, drawn by random seed 0"
    for script in ("train_classifier", "cluster_ood", "train_wood"):
        assert told in one.log(script) and told not in other.log(script)
    for script in ("cluster_ood", "train_wood"):
        assert "2 of 3 selected OoD images of two, drawn by random seed 0" in one.log(script)


def test_more_images_than_there_are_name_the_option(project):
    project.select("random")
    option = "config.classifiers.wood.training_images is 4, but there are 3 training images of two"
    words = f"{option}: name 1 to 3, or null for all of them"
    refused(words, project.train_f_in, training_images=4)
    refused(words, project.cluster, drawn={"training_images": 4, "ood_images": None})
    ood = "ood_images is 5, but there are 3 selected OoD images of two: name 1 to 3"
    refused(ood, project.cluster, drawn={"training_images": None, "ood_images": 5})
    project.cluster()
    refused(words, project.train, training_images=4)
    refused(ood, project.train, ood_images=5)
