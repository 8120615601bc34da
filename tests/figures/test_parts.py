"""Parts of figures: tiles, selection, style."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from tests.figures.synthetic import LABELS, metrics_table
from wsss.data.index import ImageRecord, Index
from wsss.figures.curves import mean_curve, rolling_mean
from wsss.figures.examples import choose_examples
from wsss.figures.metric_names import METRICS, format_value, metric_of
from wsss.figures.overlays import hatch, heatmap, mask_palette, outline, overlay
from wsss.figures.panels import lines_and_columns, panel_grid
from wsss.figures.selection import add_chain, chain_at_stage, only_seeds, select_stage
from wsss.figures.style import COLOURS, DPI, arm_styles, house_style, save_figure, spread
from wsss.figures.tiles import Tile, contact_sheet, image_grid
from wsss.figures.titles import fit_titles

IMAGE = np.full((8, 10, 3), 100, np.uint8)


def index() -> Index:
    records = tuple(
        ImageRecord(f"i{n}", Path("x.jpg"), "train", 8, 8, ("a",) if n % 3 else ("a", "b"))
        for n in range(9)
    )
    return Index(("a", "b"), records)


def test_panels_beyond_the_last_are_hidden() -> None:
    assert [lines_and_columns(count, per_line=3) for count in (1, 3, 4)] == [(1, 1), (1, 3), (2, 3)]
    grid = panel_grid(Figure(), 4, per_line=3, sharey=True)
    assert [axes.get_visible() for axes in grid.flat] == [True] * 4 + [False] * 2
    assert grid[0, 0].get_shared_y_axes().joined(grid[0, 0], grid[1, 0])


def test_chain_is_cut_at_the_stage() -> None:
    assert chain_at_stage("d/c/l/r/s", "seed") == "d/c/l"
    assert chain_at_stage("d/c/l/r/s", "segmentation_crf") == "d/c/l/r/s"
    with pytest.raises(ValueError, match="ends before the stage 'segmentation'"):
        chain_at_stage("d/c/l/r", "segmentation")


def test_add_chain_leaves_out_empty_links() -> None:
    table = metrics_table(1)
    assert set(add_chain(table[table["stage"] == "seed"])["chain"]) == {
        chain_at_stage(chain, "seed") for chain in LABELS
    }
    with pytest.raises(ValueError, match="none of the columns dataset"):
        add_chain(table[["value"]])


def test_policies_are_not_mixed() -> None:
    rows = select_stage(
        metrics_table(), labels=LABELS, stage="seed", split="train", threshold_policy="ground_truth"
    )
    assert set(rows["threshold_policy"]) == {"ground_truth"}
    assert list(dict.fromkeys(rows["label"])) == list(LABELS.values())


def test_only_seeds() -> None:
    assert set(only_seeds(metrics_table(), [0, 2])["random_seed"]) == {0, 2}
    with pytest.raises(ValueError, match="no row of random seed 7"):
        only_seeds(metrics_table(), [7])


def test_arms_keep_their_style_whatever_comes_after_them() -> None:
    few, many = arm_styles(["a", "b"]), arm_styles([*"abcdefghijkl"])
    assert few["b"] == many["b"]
    assert len({(style.colour, style.dash) for style in many.values()}) == 12
    assert len(set(COLOURS)) == len(COLOURS)


def test_spread_keeps_order_and_distance() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        places = list(rng.random(6))
        moved = spread(places, 0.1)
        assert np.diff(np.sort(moved)).min() > 0.1 - 1e-9
        assert (np.argsort(moved) == np.argsort(places)).all()
    assert spread([0.1, 0.5], 0.1) == [0.1, 0.5]


def test_save_figure_refuses_other_formats(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"suffix must be .pdf or .png"):
        save_figure(Figure(), tmp_path / "x.svg")


def test_values_are_shown_in_percent() -> None:
    assert format_value("miou", 0.3814) == "38.1"
    assert format_value("confusion_ratio", 0.706) == "0.71"
    assert format_value("num_images", 400.0) == "400"
    assert format_value("miou", float("nan")) == "–"
    assert all(metric.meaning for metric in METRICS.values())
    with pytest.raises(KeyError, match="unknown metric 'IoU'"):
        metric_of("IoU")


def test_overlay_colours_classes_and_leaves_background_grey() -> None:
    mask = np.zeros((8, 10), np.uint8)
    mask[:4] = 1
    picture = overlay(IMAGE, mask, mask_palette(2))
    assert picture[0, 0, 2] > picture[0, 0, 0]
    assert len(set(picture[7, 0])) == 1
    with pytest.raises(ValueError, match="differ in size"):
        overlay(IMAGE, mask[:3], mask_palette(2))


def test_heatmap_grows_brighter_with_the_map() -> None:
    ramp = np.tile(np.linspace(0, 1, 10, dtype=np.float32), (8, 1))
    light = heatmap(IMAGE, ramp).astype(float).sum(2)[0]
    assert light[-1] > light[4] > light[0]


def test_hatch_and_outline_stay_in_their_region() -> None:
    region = np.zeros((8, 10), bool)
    region[2:6, 2:8] = True
    for picture in (
        hatch(IMAGE, region, (255, 0, 0), period=4, width=1),
        outline(IMAGE, region, (255, 0, 0)),
    ):
        changed = (picture != IMAGE).any(2)
        assert changed.any() and not changed[~region].any()
    assert (outline(IMAGE, region, (255, 0, 0))[3, 4] == 100).all()


def test_grids() -> None:
    rows = [[Tile(IMAGE, "x", "#ff0000"), None], [Tile(IMAGE)]]
    figure = image_grid(rows, column_titles=["a", "b"], row_titles=["r", "s"], width=3, legend={})
    assert len(figure.axes) == 4
    assert len(contact_sheet([IMAGE] * 5, list("abcde"), 2, width=3).axes) == 6
    with pytest.raises(ValueError, match="at least one tile"):
        image_grid([], column_titles=[], row_titles=[], width=3, legend={})
    with pytest.raises(ValueError, match="5 images have 1 captions"):
        contact_sheet([IMAGE] * 5, ["a"], 2, width=3)


def boxes_of_titles(figure: Figure) -> list[Bbox]:
    figure.set_dpi(DPI)
    with house_style():
        figure.canvas.draw()
    return [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]


@pytest.mark.parametrize("columns", [2, 5, 8, 12])
def test_titles_of_columns_stay_apart(columns: int) -> None:
    names = ["image", "ground truth", "plain,\nAdvCAM", "W-OoD, FickleNet", "EPS, a long label"]
    names = [names[place % len(names)] for place in range(columns)]
    rows = [[Tile(np.full((96, 96, 3), 90, np.uint8)) for _ in names] for _ in range(2)]
    figure = image_grid(rows, column_titles=names, row_titles=["aeroplane"] * 2, width=7.4,
                        legend={})  # fmt: skip
    boxes = boxes_of_titles(figure)
    assert len(boxes) == columns
    for left, right in itertools.pairwise(boxes):
        assert left.x1 < right.x0
    height, width = figure.canvas.get_width_height()[::-1]
    assert min(box.x0 for box in boxes) > 0 and max(box.x1 for box in boxes) < width
    assert max(box.y1 for box in boxes) < height


def test_titles_are_broken_only_where_they_must_be() -> None:
    assert fit_titles(["ground truth", "a,\nb"], width=2.0) == (["ground truth", "a,\nb"], 8.5)
    titles, size = fit_titles(["ground truth", "of it all"], width=0.6)
    assert titles == ["ground\ntruth", "of it all"] and size == 8.5
    titles, size = fit_titles(["FickleNet maps"], width=0.5)
    assert titles == ["FickleNet\nmaps"] and 5 < size < 8.5
    assert fit_titles(["x" * 80], width=0.5) == (["x" * 80], 5.0)
    assert fit_titles([], width=0.5) == ([], 8.5) and fit_titles([""], width=1) == ([""], 8.5)


def test_examples_follow_the_seed_alone_and_no_image_comes_twice() -> None:
    first = choose_examples(index(), split="train", per_class=2, random_seed=1, among=None)
    again = choose_examples(index(), split="train", per_class=2, random_seed=1, among=None)
    assert first == again
    assert [example.class_name for example in first] == ["a", "a", "b", "b"]
    assert len({example.record.image_id for example in first}) == 4
    with pytest.raises(ValueError, match="no labelled image"):
        choose_examples(index(), split="train", per_class=2, random_seed=1, among=["no"])


def test_curves() -> None:
    table = metrics_table()
    with pytest.raises(ValueError, match="no column 'step'"):
        mean_curve(table, position="step", value="value")
    assert list(rolling_mean([1.0, 2.0, 6.0], 3)) == [1.5, 3.0, 4.0]
