rule localize:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        classifier=f"{CLASSIFIER}/classifier.safetensors",
    output:
        maps=f"{LOCALIZER}/maps/{{shard}}.h5",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/localize/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/localize/{{shard}}.tsv"
    threads: config["threads"]["infer"]
    resources:
        **limits("localize", gpus=1),
    params:
        method=lambda w: config["localizers"][w.localizer]["method"],
        options=lambda w: options_of(
            "localizers", w.localizer, "method", "background_threshold"
        ),
        shards=config["shards"]["train"],
        code=lambda w: script_code(
            "localize",
            f"wsss/localize/{config['localizers'][w.localizer]['method']}.py",
            *network_files(w.classifier),
        ),
    script:
        "../scripts/localize.py"


rule choose_threshold:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        maps=[f"{LOCALIZER}/maps/{shard}.h5" for shard in shards_of("train")],
    output:
        thresholds=f"{LOCALIZER}/background_threshold.csv",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/choose_threshold.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/choose_threshold.tsv"
    priority: LONG_WAY
    resources:
        **limits("choose_threshold"),
    params:
        ways=config_thresholds.WAYS,
        code=script_code(
            "choose_threshold",
            *(f"wsss/thresholds/{way}.py" for way in config_thresholds.WAYS),
        ),
    script:
        "../scripts/choose_threshold.py"


rule evaluate_seeds:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
        thresholds=f"{LOCALIZER}/background_threshold.csv",
        maps=[f"{LOCALIZER}/maps/{shard}.h5" for shard in shards_of("train")],
    output:
        metrics=f"{LOCALIZER}/seed_metrics.csv",
        curve=f"{LOCALIZER}/threshold_curve.csv",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/evaluate_seeds.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/evaluate_seeds.tsv"
    resources:
        **limits("evaluate_seeds"),
    params:
        background_threshold=lambda w: config["localizers"][w.localizer][
            "background_threshold"
        ],
        thresholds=config["evaluation"]["thresholds"],
        scores=lambda w: config_scores.asked_scores(
            config, (w.dataset, w.classifier, w.localizer), stages=["seed"]
        ),
        code=script_code("evaluate_seeds"),
    script:
        "../scripts/evaluate_seeds.py"
