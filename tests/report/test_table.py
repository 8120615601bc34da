"""Results tables."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.figures.synthetic import CHAINS, metrics_table
from wsss.config.thresholds import WAYS
from wsss.report.formats import escape_latex, to_latex, to_markdown
from wsss.report.table import POLICY_TITLES, SUMMARY_COLUMNS, layout, protocol, summarise

FULL = {label: "/".join(chain) for label, chain in CHAINS.items()}


def summary(table: pd.DataFrame | None = None, **changes: Any) -> pd.DataFrame:
    options: dict[str, Any] = {
        "chains": FULL, "stage": "seed", "split": "train",
        "metric_names": ["miou", "confusion_ratio"], "threshold_policy": "fixed",
        "pruning": {}, "saw_pixel_labels": [], "known_saliency": [], "protocols": {},
        "expected": {},
    }  # fmt: skip
    return summarise(metrics_table() if table is None else table, **(options | changes))


def test_mean_and_sd_by_hand() -> None:
    table = metrics_table()
    own = table[(table["metric"] == "miou") & (table["class_name"] == "all")]
    chosen = (own["classifier"] == "plain") & (own["stage"] == "seed")
    chosen &= own["threshold_policy"] == "fixed"
    table.loc[own.index[chosen], "value"] = [0.3, 0.4, 0.5]
    row = summary(table).iloc[0]
    assert list(summary(table).columns) == list(SUMMARY_COLUMNS)
    assert row["mean"] == pytest.approx(0.4) and row["sd"] == pytest.approx(0.1) and row["n"] == 3
    assert row["chain"] == "scenes/plain/cam"


def test_one_seed_has_no_sd_and_says_so() -> None:
    result = summary(metrics_table(seeds=1))
    assert result["sd"].isna().all()
    assert "One random seed, so no standard deviation." in protocol(result)
    assert all(not cell.spread for row in layout(result).rows for cell in row)


def test_the_header_says_what_was_chosen_with_ground_truth() -> None:
    chosen = " ".join(protocol(summary(threshold_policy="ground_truth")))
    fixed = " ".join(protocol(summary()))
    assert "THRESHOLD CHOSEN WITH GROUND TRUTH" in chosen and "t = 0.2" in chosen
    assert "fixed t = 0.15" in fixed and "GROUND TRUTH" not in fixed
    assert "400 images, 7 classes" in fixed and "3 random seeds" in fixed
    pruned = " ".join(protocol(summary(pruning={"W-OoD": "oracle", "W-OoD, AdvCAM": "oracle"})))
    assert "W-OoD; W-OoD, AdvCAM: oracle (uses the true labels of the OoD images)" in pruned
    later = summary(stage="segmentation", split="val", threshold_policy="ground_truth")
    assert any(note.startswith("No threshold is swept at this stage") for note in protocol(later))


def test_the_header_says_who_started_from_pixel_labels() -> None:
    leaked = {"saw_pixel_labels": ["W-OoD"]}
    later = summary(stage="segmentation", split="val", **leaked)
    assert "INITIAL WEIGHTS TRAINED ON PIXEL LABELS: W-OoD. These rows" in " ".join(protocol(later))
    assert set(later.loc[later["saw_pixel_labels"], "label"]) == {"W-OoD"}
    # The segmenter has no part in the seeds.
    for other in (summary(**leaked), summary(stage="segmentation", split="val")):
        assert "PIXEL LABELS" not in " ".join(protocol(other))
        assert not other["saw_pixel_labels"].any()
    with pytest.raises(ValueError, match="'typo' is no row of this table"):
        summary(saw_pixel_labels=["typo"])


def test_the_header_says_whose_saliency_is_of_pixel_labels() -> None:
    for stage, split in (("seed", "train"), ("segmentation", "val")):
        found = summary(stage=stage, split=split, known_saliency=["W-OoD", "W-OoD, AdvCAM"])
        assert (
            "SALIENCY KNOWN FROM PIXEL LABELS: W-OoD; W-OoD, AdvCAM. These rows are not weakly "
            "supervised."
        ) in protocol(found)
        assert set(found.loc[found["known_saliency"], "label"]) == {"W-OoD", "W-OoD, AdvCAM"}
    assert not any("SALIENCY" in note for note in protocol(summary()))
    with pytest.raises(ValueError, match="'typo' is no row of this table"):
        summary(known_saliency=["typo"])


def test_the_header_says_how_each_row_came_about() -> None:
    words = {"crf": "none", "checkpoint": "the last"}
    same = summary(protocols=dict.fromkeys(FULL, words))
    assert {"CRF: none.", "Checkpoint: the last."} <= set(protocol(same))
    assert set(same["crf"]) == {"none"} and set(same["scales"]) == {""}
    assert not any(note.startswith("Scales") for note in protocol(same))

    first, second, *others = FULL
    own = summary(protocols={first: words, second: {"crf": "5 iterations"}})
    assert f"CRF of {first}: none. Of {second}: 5 iterations." in protocol(own)
    assert f"Checkpoint of {first}: the last." in protocol(own)
    assert set(own.loc[own["label"].isin(others), "crf"]) == {""}
    with pytest.raises(ValueError, match="'typo' is no row of this table"):
        summary(protocols={"typo": words})


def test_the_header_says_what_was_chosen_from_the_maps() -> None:
    chosen = " ".join(protocol(summary(threshold_policy="otsu")))
    assert "chosen from the maps, without ground truth, per random seed: Otsu's" in chosen
    assert "t = 0.17." in chosen and "GROUND TRUTH" not in chosen
    assert summary(threshold_policy="config").equals(summary())


def test_the_header_says_whose_threshold_came_about_how() -> None:
    table = metrics_table()
    advcam = (table["localizer"] == "advcam") & (table["stage"] == "seed")
    table.loc[advcam, "threshold_in_config"] = (table["threshold_policy"] == "otsu").astype(float)
    text = " ".join(protocol(summary(table, threshold_policy="config")))
    assert "fixed t = 0.15, set in the config of F_in; hard OoD, BCE to zero; W-OoD. " in text
    assert "Otsu's method, t = 0.17 of W-OoD, AdvCAM. " in text


def test_every_policy_has_a_sentence() -> None:
    assert set(POLICY_TITLES) == {"fixed", *WAYS, "ground_truth"}


def test_best_is_highest_or_lowest_and_ties_share_it() -> None:
    table = metrics_table()
    table.loc[(table["metric"] == "miou") & (table["classifier"] == "wood"), "value"] = 0.5
    grid = layout(summary(table))
    assert [row[1].best for row in grid.rows] == [False, False, True, True]
    ratio = [float(row[2].text) for row in grid.rows]
    assert [row[2].best for row in grid.rows] == [value == min(ratio) for value in ratio]
    assert grid.header == ["", "mIoU (%)", "Confusion ratio"]


def test_values_of_a_paper_get_a_column() -> None:
    result = summary(expected={"W-OoD": {"miou": 0.533}})
    assert layout(result).header == ["", "mIoU (%)", "paper", "Confusion ratio"]
    assert "not measured here" in protocol(result)[-1]
    assert "not measured here" not in " ".join(protocol(summary()))
    assert [row[2].text for row in layout(result).rows] == ["–", "–", "53.3", "–"]


def test_markdown_has_one_line_per_arm_and_bold_best() -> None:
    text = to_markdown(summary(), title="Seeds", caption="How good.", notes=["One | note."])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(FULL)
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert re.search(r"\| F\\_in \| \d\d\.\d ± \d\.\d \|", text)
    assert text.count("**") >= 4


def test_latex_is_escaped_and_carries_the_protocol() -> None:
    result = summary()
    text = to_latex(result, caption="50 % & more", label="tab:seed", notes=protocol(result))
    assert r"50 \% \& more Stage: seed." in text and r"\label{tab:seed}" in text
    assert r"F\_in & " in text and r"mIoU (\%)" in text and r"\textbf{" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count("\\" + rule) == 1
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert all(line.count("&") == 2 for line in body.strip().splitlines())


def test_latex_escapes_each_special_sign() -> None:
    assert escape_latex(r"\_{%") == r"\textbackslash{}\_\{\%"


def test_wrong_requests_are_named() -> None:
    with pytest.raises(ValueError, match=r"no row for chain 'scenes/none/cam'.*scenes/plain/cam"):
        summary(chains={"x": "scenes/none/cam"})
    with pytest.raises(ValueError, match="ends before the stage 'pseudo_mask'"):
        summary(chains={"x": "scenes/plain/cam"}, stage="pseudo_mask")
    with pytest.raises(KeyError, match="unknown metric 'mIoU'; known are miou"):
        summary(metric_names=["mIoU"])
    with pytest.raises(ValueError, match="metric 'contour_f' is missing for F_in"):
        summary(metric_names=["contour_f"])
    with pytest.raises(ValueError, match="'typo' is no row of this table"):
        summary(expected={"typo": {"miou": 0.1}})
    with pytest.raises(KeyError, match="unknown stage"):
        summary(stage="mask")
    table = metrics_table()
    with pytest.raises(ValueError, match="two values of"):
        summary(pd.concat([table, table], ignore_index=True))


def test_missing_values_are_left_out_of_the_mean() -> None:
    table = metrics_table()
    picked = table[
        (table["metric"] == "miou") & (table["class_name"] == "all") & (table["stage"] == "seed")
        & (table["threshold_policy"] == "fixed") & (table["classifier"] == "plain")
    ].index  # fmt: skip
    table.loc[picked[0], "value"] = np.nan
    assert summary(table)["n"].iloc[0] == 2
