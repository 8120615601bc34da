"""Metrics at the values of options, against means by hand."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.figures import synthetic
from wsss.figures import metric_boxes, metric_grid, metric_over_option
from wsss.figures.ablation import axis_title, in_order, mean_runs, runs_at, value_text
from wsss.figures.style import arm_styles

PLAIN, ZEROS, WOOD, ADVCAM = synthetic.LABELS
AT = {"stage": "seed", "split": "train", "threshold_policy": "fixed", "metric": "miou"}
VALUES = {
    "steps": {PLAIN: 10, ZEROS: 2, WOOD: 10, ADVCAM: 2},
    "classifiers": {PLAIN: "b", ZEROS: "b", WOOD: "a", ADVCAM: "a"},
}


def at(by, **changes):
    table = synthetic.metrics_table()
    runs = runs_at(table, labels=synthetic.LABELS, values=VALUES, by=by, **AT | changes)
    return mean_runs(runs)


def miou(chain):
    """The percentages of a chain's seeds."""
    table = synthetic.metrics_table()
    _, classifier, localizer, *_ = chain.split("/")
    own = table[(table["classifier"] == classifier) & (table["localizer"] == localizer)]
    own = own[(own["stage"] == "seed") & (own["threshold_policy"] == "fixed")]
    return 100 * own.loc[(own["metric"] == "miou"), "value"].to_numpy()


def test_means_and_deviations_over_random_seeds():
    found = at(["steps", "classifiers"])
    assert list(zip(found[0], found[1], strict=True)) == [
        (10, "b"), (2, "b"), (10, "a"), (2, "a")
    ]  # fmt: skip
    for row, chain in zip(found.to_dict("records"), synthetic.LABELS, strict=True):
        assert row["mean"] == pytest.approx(miou(chain).mean())
        assert row["std"] == pytest.approx(miou(chain).std(ddof=1))
        assert row["count"] == 3 and not row["chosen"]


def test_chains_of_the_same_values_count_as_runs_of_one():
    found = at(["steps"])
    assert found[0].tolist() == [10, 2] and found["count"].tolist() == [6, 6]
    assert found["mean"][0] == pytest.approx(np.mean([*miou(PLAIN), *miou(WOOD)]))


def test_a_threshold_that_was_chosen_with_ground_truth_is_told():
    assert at(["steps"], threshold_policy="ground_truth")["chosen"].all()


def texts(figure: Figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_cells_of_a_grid_stand_at_their_values():
    labels = {chain: label for chain, label in synthetic.LABELS.items() if chain != ADVCAM}
    figure = metric_grid.draw(
        synthetic.metrics_table(1), labels=labels, styles=arm_styles([]), values=VALUES,
        row_option="classifiers", column_option="steps", **AT,
    )  # fmt: skip
    one = synthetic.metrics_table(1)
    own = one[(one["metric"] == "miou") & (one["stage"] == "seed")]
    own = own[own["threshold_policy"] == "fixed"].set_index("classifier")["value"]
    plain, zeros, wood = (
        f"{100 * float(np.atleast_1d(own[name])[0]):.1f}" for name in ("plain", "ood_bce", "wood")
    )
    # Rows in the order of the chains, columns by size; nobody has W-OoD with 2 steps.
    assert texts(figure) == [zeros, plain, "", wood]


def test_a_box_holds_all_runs_of_a_value():
    sizes = {PLAIN: 0, ZEROS: 20, WOOD: 20, ADVCAM: "all"}
    options = {key: value for key, value in AT.items() if key != "metric"}
    figure = metric_boxes.draw(
        synthetic.metrics_table(), labels=synthetic.LABELS, styles=arm_styles([]),
        values={"ood_sets.size": sizes}, option="ood_sets.size", metrics=["miou"], **options,
    )  # fmt: skip
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "20", "all"]
    found = {0: miou(PLAIN), 1: np.concatenate([miou(ZEROS), miou(WOOD)]), 2: miou(ADVCAM)}
    dots = [line.get_ydata() for line in axes.lines if line.get_marker() == "o"]
    for place, own in found.items():
        assert sorted(dots[place]) == pytest.approx(sorted(own))
    means = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert means == pytest.approx([own.mean() for own in found.values()])
    boxes = [np.array(patch.get_path().vertices)[:, 1] for patch in axes.patches]
    for box, own in zip(boxes, found.values(), strict=True):
        assert (box.min(), box.max()) == pytest.approx(tuple(np.quantile(own, [0.25, 0.75])))


def test_order_and_names():
    assert in_order([10, 2.5, 10]) == [2.5, 10]
    assert in_order(["b", "a", "b"]) == ["b", "a"]
    assert axis_title("ood_sets.size") == axis_title("classifiers.ood_images") == "OoD images"
    assert axis_title("classifiers.clusters.closest_fraction") == "closest fraction"
    assert [value_text(v) for v in (8e-6, 27, "gap")] == ["8e-06", "27", "gap"]


def test_a_zero_has_a_place_of_its_own_on_a_logarithmic_axis():
    values = {"steps": {PLAIN: 0, ZEROS: 0.1, WOOD: 1, ADVCAM: 7}}
    options = {
        "labels": synthetic.LABELS, "styles": arm_styles(synthetic.LABELS), "option": "steps",
        "lines": None, "logarithmic": True, "metrics": ["miou"],
    } | {key: AT[key] for key in ("stage", "split", "threshold_policy")}  # fmt: skip
    table = synthetic.metrics_table()

    def places(values):
        figure = metric_over_option.draw(table, values=values, **options)
        axes = figure.axes[0]
        found = axes.transData.transform([(at, 30) for at in axes.get_xticks()])[:, 0]
        return (found - found[0]) / (found[-1] - found[0])

    # A decade each, and seven are 0.85 of one.
    assert places(values) == pytest.approx(np.array([0, 1, 2, 2.845]) / 2.845, abs=0.002)
    values["steps"][PLAIN] = 0.01
    assert places(values) == pytest.approx(np.array([0, 1, 2, 2.845]) / 2.845, abs=0.002)
    values["steps"] = dict.fromkeys(values["steps"], 0)
    assert len(metric_over_option.draw(table, values=values, **options).axes[0].get_xticks()) == 1
