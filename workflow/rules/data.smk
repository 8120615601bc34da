rule write_config:
    output:
        config=f"{R}/config.yaml",
    log:
        f"{R}/logs/write_config.log",
    benchmark:
        f"{R}/benchmarks/write_config.tsv"
    params:
        # An engine that tells what changed would print two whole configs.
        config_hash=hashlib.sha256(config_text(config).encode()).hexdigest()[:16],
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


# Early: what nobody placed is missed before the long stages, not after them.
rule make_saliency:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=pixel_labels_of,
    output:
        saliency=directory(f"{DATA}/saliency/{{saliency}}/{{shard}}"),
    log:
        f"{R}/logs/{{dataset}}/saliency/{{saliency}}/make_saliency/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/saliency/{{saliency}}/make_saliency/{{shard}}.tsv"
    priority: LONG_WAY
    resources:
        **limits("make_saliency"),
    params:
        kind=lambda w: config["saliency_maps"][w.saliency]["kind"],
        options=lambda w: options_of("saliency_maps", w.saliency, "kind"),
        shards=config["shards"]["train"],
        code=lambda w: script_code(
            "make_saliency",
            f"wsss/data/saliency/{config['saliency_maps'][w.saliency]['kind']}.py",
        ),
    script:
        "../scripts/make_saliency.py"
