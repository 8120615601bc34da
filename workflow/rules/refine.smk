rule refine_maps:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        maps=f"{LOCALIZER}/maps/{{shard}}.h5",
        thresholds=thresholds_of,
    output:
        masks=directory(f"{REFINER}/pseudo_masks/{{shard}}"),
    log:
        f"{R}/logs/{REFINER_LOG}/refine_maps/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/refine_maps/{{shard}}.tsv"
    wildcard_constraints:
        refiner=one_of(named("refiners", "method", "seed", "cues", "crf")),
    priority: LONG_WAY
    threads: config["threads"]["crf"]
    resources:
        **limits("refine_maps"),
    params:
        module=lambda w: config["refiners"][w.refiner]["method"],
        function="refine",
        options=lambda w: options_of("refiners", w.refiner, "method"),
        shards=config["shards"]["train"],
        code=lambda w: script_code("refine_maps", refiner_file(w)),
    script:
        "../scripts/refine_maps.py"


use rule refine_maps as label_confident with:
    output:
        masks=directory(f"{REFINER}/confident_labels/{{shard}}"),
    log:
        f"{R}/logs/{REFINER_LOG}/label_confident/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/label_confident/{{shard}}.tsv"
    wildcard_constraints:
        refiner=LEARNING,
    resources:
        **limits("label_confident"),
    params:
        module=lambda w: f"{config['refiners'][w.refiner]['method']}_labels",
        function="confident_labels",
        options=lambda w: config["refiners"][w.refiner]["labels"],
        code=lambda w: script_code("refine_maps", label_file(w)),


rule train_irn:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        classifier=f"{CLASSIFIER}/classifier.safetensors",
        labels=[f"{REFINER}/confident_labels/{shard}" for shard in shards_of("train")],
    output:
        network=f"{REFINER}/irn.safetensors",
        train=f"{REFINER}/train.csv",
    log:
        f"{R}/logs/{REFINER_LOG}/train_irn.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/train_irn.tsv"
    wildcard_constraints:
        refiner=IRN,
    priority: LONG_WAY
    threads: config["threads"]["train"]
    resources:
        **limits("train_irn", gpus=config["gpus"]["train"]),
    params:
        method="irn",
        network={},
        options=lambda w: config["refiners"][w.refiner]["training"],
        code=lambda w: script_code(
            "train_refiner", "wsss/train/irn.py", *network_files(w.classifier)
        ),
    script:
        "../scripts/train_refiner.py"


use rule train_irn as train_psa with:
    output:
        network=f"{REFINER}/psa.safetensors",
        train=f"{REFINER}/train.csv",
    log:
        f"{R}/logs/{REFINER_LOG}/train_psa.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/train_psa.tsv"
    wildcard_constraints:
        refiner=PSA,
    resources:
        **limits("train_psa", gpus=config["gpus"]["train"]),
    params:
        method="psa",
        network=lambda w: config["refiners"][w.refiner]["network"],
        code=lambda w: script_code(
            "train_refiner", "wsss/train/psa.py", *network_files(w.classifier)
        ),


rule walk_irn:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        irnet=f"{REFINER}/irn.safetensors",
        maps=f"{LOCALIZER}/maps/{{shard}}.h5",
    output:
        pseudo_masks=directory(f"{REFINER}/pseudo_masks/{{shard}}"),
    log:
        f"{R}/logs/{REFINER_LOG}/walk_irn/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/walk_irn/{{shard}}.tsv"
    wildcard_constraints:
        refiner=IRN,
    priority: LONG_WAY
    threads: config["threads"]["infer"]
    resources:
        **limits("walk_irn", gpus=1),
    params:
        options=lambda w: config["refiners"][w.refiner]["walk"],
        crop_size=lambda w: config["refiners"][w.refiner]["crop_size"],
        batch_size=config["inference_batch_size"],
        shards=config["shards"]["train"],
        code=lambda w: script_code("walk_irn", backbone_file(backbone_of(w.classifier))),
    script:
        "../scripts/walk_irn.py"


rule refine_by_saliency:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        pseudo_masks=other_masks_of,
        saliency=refiner_saliency_of,
    output:
        pseudo_masks=directory(f"{REFINER}/pseudo_masks/{{shard}}"),
    log:
        f"{R}/logs/{REFINER_LOG}/refine_by_saliency/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/refine_by_saliency/{{shard}}.tsv"
    wildcard_constraints:
        refiner=one_of(named("refiners", "method", "saliency")),
    priority: LONG_WAY
    resources:
        **limits("refine_by_saliency"),
    params:
        options=lambda w: options_of(
            "refiners", w.refiner, "method", "start_from", "saliency"
        ),
        shards=config["shards"]["train"],
        code=script_code("refine_by_saliency"),
    script:
        "../scripts/refine_by_saliency.py"


rule walk_psa:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        psa=f"{REFINER}/psa.safetensors",
        maps=f"{LOCALIZER}/maps/{{shard}}.h5",
    output:
        pseudo_masks=directory(f"{REFINER}/pseudo_masks/{{shard}}"),
    log:
        f"{R}/logs/{REFINER_LOG}/walk_psa/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/walk_psa/{{shard}}.tsv"
    wildcard_constraints:
        refiner=PSA,
    priority: LONG_WAY
    threads: config["threads"]["infer"]
    resources:
        **limits("walk_psa", gpus=1),
    params:
        options=lambda w: config["refiners"][w.refiner]["walk"],
        batch_size=config["inference_batch_size"],
        shards=config["shards"]["train"],
        code=lambda w: script_code("walk_psa", backbone_file(backbone_of(w.classifier))),
    script:
        "../scripts/walk_psa.py"


rule evaluate_pseudo_masks:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
        predictions=[f"{REFINER}/pseudo_masks/{shard}" for shard in shards_of("train")],
    output:
        metrics=f"{REFINER}/metrics.csv",
    log:
        f"{R}/logs/{REFINER_LOG}/evaluate_pseudo_masks.log",
    benchmark:
        f"{R}/benchmarks/{REFINER_LOG}/evaluate_pseudo_masks.tsv"
    resources:
        **limits("evaluate_pseudo_masks"),
    params:
        stages={"predictions": "pseudo_mask"},
        split="train",
        scores=lambda w: mask_scores(w, "pseudo_mask"),
        code=script_code("evaluate_masks"),
    script:
        "../scripts/evaluate_masks.py"
