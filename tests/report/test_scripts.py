"""The report's scripts, run on a made-up project as Snakemake would run them."""

import runpy
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from tests.figures.synthetic import CHAINS
from tests.report.demo import make_project
from wsss.plan.spent import Costs
from wsss.report.sidecar import read_sidecar

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
CHAIN_OF = {label: "/".join(chain) for label, chain in CHAINS.items()}


class Named(SimpleNamespace):
    """Items by name and, as in Snakemake, by position."""

    def __getitem__(self, key: int) -> Any:
        return list(vars(self).values())[key]


def run(script: str, inputs: dict, outputs: dict, params: dict, tmp_path: Path) -> None:
    fake = SimpleNamespace(
        input=Named(**inputs), output=Named(**outputs), params=Named(**params),
        log=[str(tmp_path / "log")], wildcards=Named(dataset="scenes"), threads=1,
    )  # fmt: skip
    runpy.run_path(str(SCRIPTS / f"{script}.py"), init_globals={"snakemake": fake})


def picture(folder: Path, name: str) -> dict[str, str]:
    return {
        "pdf": str(folder / f"{name}.pdf"), "png": str(folder / f"{name}.png"),
        "sidecar": str(folder / f"{name}.json"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A project with all tables and pictures drawn, and the report written."""
    root = tmp_path_factory.mktemp("project")
    paths, out = make_project(root), root / "out"
    data = {"index": str(paths.index), "classes": str(paths.classes)}
    truth = {"ground_truth": str(paths.truth)}
    table = {
        "title": "Seeds", "caption": "How good the maps are.", "stage": "seed", "split": "train",
        "metrics": ["miou", "precision"], "threshold": "ground_truth", "chains": CHAIN_OF,
        "expected": {}, "notes": ["No CRF."],
    }  # fmt: skip
    files = {"csv": "seed.csv", "markdown": "seed.md", "latex": "seed.tex", "sidecar": "seed.json"}
    run(
        "make_table",
        {"metrics": str(paths.metrics)},
        {k: str(out / v) for k, v in files.items()},
        {
            "table": table,
            "random_seeds": [0, 1, 2],
            "shards": 1,
            "pruning": {"W-OoD": "oracle"},
            "saw_pixel_labels": [],
            "known_saliency": ["W-OoD"],
            "protocols": {label: {"crf": "none"} for label in CHAIN_OF},
        },
        root,
    )
    figure = {
        "figure": "stage_progress", "title": "Stages", "caption": "From seed to mask.",
        "chains": CHAIN_OF, "section": "results",
    }  # fmt: skip
    options = {"stages": {"seed": "train", "segmentation": "val"}, "metric": "miou",
               "threshold_policy": "fixed"}  # fmt: skip
    run(
        "draw_figure",
        {"table": str(paths.metrics)},
        picture(out, "stages"),
        {
            "figure": figure,
            "options": options,
            "random_seeds": [0, 1, 2],
            "all_labels": list(CHAIN_OF),
        },
        root,
    )
    run(
        "draw_data_sheet",
        data | truth,
        picture(out, "data") | {"tile": str(out / "dataset.png")},
        {"split": "train", "per_class": 2, "example_seed": 0, "width": 6.0, "tile_side": 96},
        root,
    )
    rank = {"ranking": str(paths.ranking), "decisions": str(paths.decisions)}
    sheets = ("pool", "hard", "pruned")
    ood = {f"{n}_{k}": v for n in sheets for k, v in picture(out, n).items()}
    run(
        "draw_ood_sheet",
        {"candidates": str(paths.candidates)} | truth | rank,
        ood | {"tile": str(out / "ood.png")},
        {"columns": 3, "width": 6.0, "tile_side": 96},
        root,
    )
    panel = {"title": "Maps", "caption": "Maps.", "split": "train", "per_class": 1,
             "example_seed": 0, "width": 6.0}  # fmt: skip
    run(
        "draw_map_panel",
        data | truth,
        picture(out, "maps") | {"first_tile": str(out / "t0.png"), "tile": str(out / "t1.png")},
        {
            "panel": panel,
            "tile_side": 96,
            "maps": {"CAM": [str(paths.maps)], "W-OoD": [str(paths.maps)]},
        },
        root,
    )
    run(
        "draw_chain_panel",
        data | truth,
        picture(out, "chain") | {"tile": str(out / "t2.png")},
        {"panel": panel, "tile_side": 96, "masks": {"pseudo-mask": [str(paths.masks / "0")]}},
        root,
    )
    pictures = [out / f"{name}.png" for name in ("stages", "data", *sheets, "maps", "chain")]
    run(
        "write_report",
        {
            "tables": [str(out / "seed.csv")], "pictures": list(map(str, pictures)),
            "tiles": [str(out / f"{n}.png") for n in ("dataset", "ood", "t0", "t1", "t2")],
            "index": [str(paths.index)], "classes": [str(paths.classes)],
            "candidates": [str(paths.candidates)],
            "ranking_summary": [str(paths.summary)], "decisions": [str(paths.decisions)],
            "decisions_summary": [str(paths.decisions_summary)],
            "annotators": [str(paths.annotators)], "agreement": [str(paths.agreement)],
            "resolved_config": str(paths.config),
        },
        {"html": str(out / "report.html")},
        {
            "title": "Scenes <1>",
            "about": "Rails & trains.",
            "steps": ["dataset", "ood", "classifier", "maps", "refine"],
            "datasets": ["scenes"],
            "ood_sets": ["hard"],
            "manual_sets": ["hard"],
            "benchmarks": str(paths.benchmarks), "facts": {"data set": "scenes & more"},
        },
        root,
    )  # fmt: skip
    return SimpleNamespace(out=out, html=(out / "report.html").read_text("utf-8"), paths=paths)


def test_all_files_are_written_and_have_a_sidecar(made: SimpleNamespace) -> None:
    for path in [*made.out.glob("*.pdf"), made.out / "seed.csv"]:
        assert path.stat().st_size > 500
        assert read_sidecar(path)["title"]
    assert "GROUND TRUTH" in (made.out / "seed.md").read_text("utf-8")
    assert "GROUND TRUTH" in (made.out / "seed.tex").read_text("utf-8")
    assert pd.read_csv(made.out / "seed.csv")["mean"].max() < 1


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.images_without_alt = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {values["id"] or ""} if "id" in values else set()
        self.addresses += [values[k] or "" for k in ("src", "href") if k in values]
        self.images_without_alt += tag == "img" and not values.get("alt")
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_network(made: SimpleNamespace) -> None:
    reader = _Reader()
    reader.feed(made.html)
    assert reader.images_without_alt == 0
    assert all(
        address.startswith(("#", "data:image/png;", "data:image/webp;"))
        for address in reader.addresses
    )
    assert {a[1:] for a in reader.addresses if a.startswith("#")} <= reader.anchors
    assert "<script" not in made.html and "http://" not in made.html.replace(
        "http://www.w3.org/2000/svg", ""
    )
    assert "https://" not in made.html and str(made.out.parent) not in made.html


def test_the_page_holds_what_the_files_say(made: SimpleNamespace) -> None:
    assert "Scenes &lt;1&gt;" in made.html and "scenes &amp; more" in made.html
    assert "note: &lt;b&gt;&amp;" in made.html
    assert "<strong>This run.</strong> Rails &amp; trains.</p>" in made.html
    assert 'class="warn">THRESHOLD CHOSEN WITH GROUND TRUTH' in made.html
    assert "Best mIoU: W-OoD, AdvCAM" in made.html
    # The last one is drawn of the benchmark files: 2 jobs of 12.5 s are 0.00694 core-hours.
    assert made.html.count("<figure>") == 8
    assert ">localize</td><td>2</td><td>0.00694</td><td>12.5</td><td>310</td>" in made.html
    # Of four decided candidates one was rejected: r = 0.25, 100 / 0.75 = 133.
    assert "<td>0.25 (0.05–0.70)</td><td>133</td>" in made.html


def test_the_page_says_who_pruned_and_how_well_they_agree(made: SimpleNamespace) -> None:
    assert "<h3>Pruning: who decided on hard</h3>" in made.html
    assert "breaks of over a minute are left out of it" in made.html
    assert (
        "Cohen&#39;s kappa of anna and ben is 0.93 on 120 images that both decided; of 3 on which "
        "they differ, a further look settled 2."
    ) in made.html
    # 3729.6 s for 1200 decisions.
    assert "<td>1,200</td><td>400</td><td>0.333</td><td>0</td><td>3.11</td><td>1:02:10</td>" in (
        made.html
    )
    assert "<td>0.25</td><td>0</td><td>–</td><td>–</td>" in made.html
    assert "&lt;carol&gt;" in made.html
    assert "<strong>Kept and rejected.</strong>" in made.html


def test_the_page_is_the_same_every_time(made: SimpleNamespace, tmp_path: Path) -> None:
    from wsss.report.build import build_report

    options: dict[str, Any] = {
        "title": "t", "about": "", "tables": [made.out / "seed.csv"],
        "pictures": [made.out / "maps.png"],
        "steps": {}, "datasets": {}, "ood_sets": {}, "pruned_by": {},
        "resolved_config": made.paths.config,
        "costs": Costs([], []), "facts": {},
    }  # fmt: skip
    assert build_report(**options) == build_report(**options)
    with pytest.raises(ValueError, match=r"has no gone\.json beside it"):
        build_report(**(options | {"tables": [tmp_path / "gone.csv"]}))
