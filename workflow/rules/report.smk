rule collect_metrics:
    input:
        metrics=all_metrics(),
        curves=all_curves(),
        training=all_trainings(),
    output:
        metrics=f"{R}/tables/metrics.csv",
        curves=f"{R}/tables/curves.csv",
        training=f"{R}/tables/training.csv",
    log:
        f"{R}/logs/collect_metrics.log",
    benchmark:
        f"{R}/benchmarks/collect_metrics.tsv"
    resources:
        **limits("collect_metrics"),
    params:
        code=script_code("collect_metrics"),
    script:
        "../scripts/collect_metrics.py"


rule make_table:
    input:
        metrics=f"{R}/tables/metrics.csv",
    output:
        csv=f"{R}/tables/{{table}}.csv",
        markdown=f"{R}/tables/{{table}}.md",
        latex=f"{R}/tables/{{table}}.tex",
        sidecar=f"{R}/tables/{{table}}.json",
    log:
        f"{R}/logs/make_table/{{table}}.log",
    benchmark:
        f"{R}/benchmarks/make_table/{{table}}.tsv"
    wildcard_constraints:
        table=one_of(config["tables"]),
    resources:
        **limits("make_table"),
    params:
        table=lambda w: config["tables"][w.table],
        pruning=lambda w: pruning_of(config["tables"][w.table]["chains"]),
        saw_pixel_labels=lambda w: saw_pixel_labels_of(
            config["tables"][w.table]["chains"]
        ),
        known_saliency=lambda w: known_saliency_of(config["tables"][w.table]),
        protocols=lambda w: protocols_of(config["tables"][w.table]),
        random_seeds=lambda w: seeds_of("tables", w.table),
        shards=config["shards"]["train"],
        code=script_code("make_table"),
    script:
        "../scripts/make_table.py"


rule draw_figure:
    input:
        table=lambda w: f"{R}/tables/{FIGURE_TABLE.get(config['figures'][w.name]['figure'], 'metrics')}.csv",
    output:
        pdf=f"{R}/figures/{{name}}.pdf",
        png=f"{R}/figures/{{name}}.png",
        sidecar=f"{R}/figures/{{name}}.json",
    log:
        f"{R}/logs/draw_figure/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/draw_figure/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(config["figures"]),
    resources:
        **limits("draw_figure"),
    params:
        figure=lambda w: {
            key: config["figures"][w.name][key] for key in FIGURE_KEYS[:5]
        },
        options=lambda w: figure_options(w.name),
        random_seeds=lambda w: seeds_of("figures", w.name),
        all_labels=all_labels(),
        code=lambda w: script_code(
            "draw_figure", f"wsss/figures/{config['figures'][w.name]['figure']}.py"
        ),
    script:
        "../scripts/draw_figure.py"


rule draw_diagnostic:
    input:
        tables=lambda w: measured_tables(w.name),
    output:
        pdf=f"{R}/figures/{{name}}.pdf",
        png=f"{R}/figures/{{name}}.png",
        sidecar=f"{R}/figures/{{name}}.json",
    log:
        f"{R}/logs/draw_diagnostic/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/draw_diagnostic/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(config["diagnostics"]),
    resources:
        **limits("draw_diagnostic"),
    params:
        diagnostic=lambda w: {
            key: config["diagnostics"][w.name][key]
            for key in ("diagnostic", "title", "caption", "section")
        },
        labels=lambda w: measured_labels(w.name),
        options=lambda w: drawing_options(w.name),
        notes=lambda w: measured_notes(w.name),
        all_labels=all_labels(),
        code=lambda w: script_code(
            "draw_diagnostic", f"wsss/figures/{kind_of(w.name)}.py"
        ),
    script:
        "../scripts/draw_diagnostic.py"


rule draw_data_sheet:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
    output:
        pdf=f"{R}/figures/data_{{dataset}}.pdf",
        png=f"{R}/figures/data_{{dataset}}.png",
        sidecar=f"{R}/figures/data_{{dataset}}.json",
        tile=f"{R}/figures/tiles/{{dataset}}/dataset.png",
    log:
        f"{R}/logs/{{dataset}}/draw_data_sheet.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/draw_data_sheet.tsv"
    resources:
        **limits("draw_data_sheet"),
    params:
        **{
            key: SHEET[key]
            for key in ("split", "per_class", "example_seed", "width", "tile_side")
        },
        code=script_code("draw_data_sheet"),
    script:
        "../scripts/draw_data_sheet.py"


rule draw_ood_sheet:
    input:
        candidates=f"{DATA}/candidates.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
        ranking=f"{OOD}/ranking.csv",
        decisions=f"{OOD}/decisions.csv",
    output:
        pool_pdf=f"{R}/figures/ood_pool_{{dataset}}_{{ood_set}}.pdf",
        pool_png=f"{R}/figures/ood_pool_{{dataset}}_{{ood_set}}.png",
        pool_sidecar=f"{R}/figures/ood_pool_{{dataset}}_{{ood_set}}.json",
        hard_pdf=f"{R}/figures/ood_hard_{{dataset}}_{{ood_set}}.pdf",
        hard_png=f"{R}/figures/ood_hard_{{dataset}}_{{ood_set}}.png",
        hard_sidecar=f"{R}/figures/ood_hard_{{dataset}}_{{ood_set}}.json",
        pruned_pdf=f"{R}/figures/ood_pruned_{{dataset}}_{{ood_set}}.pdf",
        pruned_png=f"{R}/figures/ood_pruned_{{dataset}}_{{ood_set}}.png",
        pruned_sidecar=f"{R}/figures/ood_pruned_{{dataset}}_{{ood_set}}.json",
        tile=f"{R}/figures/tiles/{{dataset}}/{{ood_set}}/ood.png",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/draw_ood_sheet.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/draw_ood_sheet.tsv"
    resources:
        **limits("draw_ood_sheet"),
    params:
        columns=SHEET["columns"],
        width=SHEET["width"],
        tile_side=SHEET["tile_side"],
        code=script_code("draw_ood_sheet"),
    script:
        "../scripts/draw_ood_sheet.py"


rule draw_map_panel:
    input:
        index=lambda w: f"{R}/{panel_dataset(w.name)}/index.csv",
        classes=lambda w: f"{R}/{panel_dataset(w.name)}/classes.csv",
        ground_truth=lambda w: f"{R}/{panel_dataset(w.name)}/ground_truth.csv",
        maps=lambda w: flat(panel_maps(w.name)),
    output:
        pdf=f"{R}/figures/{{name}}.pdf",
        png=f"{R}/figures/{{name}}.png",
        sidecar=f"{R}/figures/{{name}}.json",
        first_tile=f"{R}/figures/tiles/{{name}}/first.png",
        tile=f"{R}/figures/tiles/{{name}}/last.png",
    log:
        f"{R}/logs/draw_map_panel/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/draw_map_panel/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(named("panels", "panel", "maps")),
    resources:
        **limits("draw_map_panel"),
    params:
        panel=lambda w: config["panels"][w.name],
        maps=lambda w: panel_maps(w.name),
        tile_side=SHEET["tile_side"],
        code=script_code("draw_map_panel"),
    script:
        "../scripts/draw_map_panel.py"


rule draw_chain_panel:
    input:
        index=lambda w: f"{R}/{panel_dataset(w.name)}/index.csv",
        classes=lambda w: f"{R}/{panel_dataset(w.name)}/classes.csv",
        ground_truth=lambda w: f"{R}/{panel_dataset(w.name)}/ground_truth.csv",
        masks=lambda w: flat(panel_masks(w.name)),
    output:
        pdf=f"{R}/figures/{{name}}.pdf",
        png=f"{R}/figures/{{name}}.png",
        sidecar=f"{R}/figures/{{name}}.json",
        tile=f"{R}/figures/tiles/{{name}}/last.png",
    log:
        f"{R}/logs/draw_chain_panel/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/draw_chain_panel/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(named("panels", "panel", "masks")),
    resources:
        **limits("draw_chain_panel"),
    params:
        panel=lambda w: config["panels"][w.name],
        masks=lambda w: panel_masks(w.name),
        tile_side=SHEET["tile_side"],
        code=script_code("draw_chain_panel"),
    script:
        "../scripts/draw_chain_panel.py"


rule draw_cluster_panel:
    input:
        clusters=lambda w: f"{panel_classifier(w.name)}/clusters.h5",
        selected=lambda w: f"{R}/{panel_dataset(w.name)}/ood/{panel_ood_set(w.name)}/selected.csv",
    output:
        pdf=f"{R}/figures/{{name}}.pdf",
        png=f"{R}/figures/{{name}}.png",
        sidecar=f"{R}/figures/{{name}}.json",
    log:
        f"{R}/logs/draw_cluster_panel/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/draw_cluster_panel/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(named("panels", "panel", "clusters")),
    resources:
        **limits("draw_cluster_panel"),
    params:
        panel=lambda w: config["panels"][w.name],
        code=script_code("draw_cluster_panel"),
    script:
        "../scripts/draw_cluster_panel.py"


rule write_report:
    input:
        tables=[f"{R}/tables/{name}.csv" for name in config["tables"]],
        pictures=report_pictures(),
        tiles=list(report_tiles().values()),
        index=[f"{R}/{dataset}/index.csv" for dataset in chain_datasets()],
        candidates=[f"{R}/{dataset}/candidates.csv" for dataset in chain_datasets()],
        classes=[f"{R}/{dataset}/classes.csv" for dataset in chain_datasets()],
        ranking_summary=ood_files("ranking_summary.csv"),
        decisions_summary=ood_files("decisions_summary.csv"),
        decisions=ood_files("decisions.csv"),
        annotators=ood_files("annotators.csv", "manual"),
        agreement=ood_files("agreement.csv", "manual"),
        resolved_config=f"{R}/config.yaml",
    output:
        html=f"{R}/report.html",
    log:
        f"{R}/logs/write_report.log",
    benchmark:
        f"{R}/benchmarks/write_report.tsv"
    resources:
        **limits("write_report"),
    params:
        title=config["title"],
        about=config["introduction"],
        steps=list(report_tiles()),
        datasets=chain_datasets(),
        ood_sets=[f"{ood_set} ({dataset})" for dataset, ood_set in shown_ood_sets()],
        manual_sets=[
            f"{ood_set} ({dataset})" for dataset, ood_set in shown_ood_sets("manual")
        ],
        benchmarks=f"{R}/benchmarks",
        facts={
            "data sets": ", ".join(chain_datasets()),
            "random seeds": ", ".join(map(str, all_random_seeds())),
        },
        code=script_code(
            "write_report",
            "wsss/report/page.html.jinja",
            *sorted(
                str(path.relative_to(workflow.basedir))
                for path in Path(workflow.basedir, "wsss/report/text").glob("*.html")
            ),
        ),
    script:
        "../scripts/write_report.py"
