rule write_config:
    output:
        config=f"{R}/config.yaml",
    log:
        f"{R}/logs/write_config.log",
    benchmark:
        f"{R}/benchmarks/write_config.tsv"
    params:
        config=config,
        code=script_code("write_config"),
    script:
        "../scripts/write_config.py"


rule prepare_data:
    input:
        pool=lambda w: pool_files(w, "candidates.csv"),
        pool_classes=lambda w: pool_files(w, "classes.csv"),
    output:
        index=f"{DATA}/index.csv",
        candidates=f"{DATA}/candidates.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
        folder=directory(f"{DATA}/images"),
    log:
        f"{R}/logs/{{dataset}}/prepare_data.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/prepare_data.tsv"
    threads: 4
    resources:
        **limits("prepare_data"),
    params:
        kind=lambda w: config["datasets"][w.dataset]["kind"],
        options=lambda w: options_of("datasets", w.dataset, "kind", "pool"),
        code=lambda w: script_code(
            "prepare_data",
            f"wsss/data/sets/{config['datasets'][w.dataset]['kind']}.py",
        ),
    script:
        "../scripts/prepare_data.py"
