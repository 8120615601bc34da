"""Put tables, pictures and provenance together as one HTML page."""

from pathlib import Path

from wsss.logs import log_to
from wsss.plan.spent import costs_of
from wsss.report.build import build_report
from wsss.store.atomic import atomic_path

log_to(snakemake.log[0])
inputs, params = snakemake.input, snakemake.params
pruning = map(Path, inputs.annotators), map(Path, inputs.agreement)
page = build_report(
    title=params.title,
    about=params.about,
    tables=[Path(path) for path in inputs.tables],
    pictures=[Path(path) for path in inputs.pictures],
    steps=dict(zip(params.steps, map(Path, inputs.tiles), strict=True)),
    datasets={
        name: (Path(index), Path(candidates), Path(classes))
        for name, index, candidates, classes in zip(
            params.datasets, inputs.index, inputs.candidates, inputs.classes, strict=True
        )
    },
    ood_sets={
        name: (Path(ranking), Path(summary), Path(decisions))
        for name, ranking, summary, decisions in zip(
            params.ood_sets,
            inputs.ranking_summary,
            inputs.decisions_summary,
            inputs.decisions,
            strict=True,
        )
    },
    pruned_by=dict(zip(params.manual_sets, zip(*pruning, strict=True), strict=True)),
    resolved_config=Path(inputs.resolved_config),
    costs=costs_of(Path(params.benchmarks).parent),
    facts=params.facts,
)
with atomic_path(snakemake.output.html) as temporary:
    temporary.write_text(page, "utf-8")
