rule train_segmenter:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        start=segmenter_start_of,
        pseudo_masks=[f"{REFINER}/pseudo_masks/{shard}" for shard in shards_of("train")],
    output:
        segmenter=f"{SEGMENTER}/segmenter.safetensors",
        train=f"{SEGMENTER}/train.csv",
    log:
        f"{R}/logs/{SEGMENTER_LOG}/train_segmenter.log",
    benchmark:
        f"{R}/benchmarks/{SEGMENTER_LOG}/train_segmenter.tsv"
    priority: LONG_WAY
    threads: config["threads"]["train"]
    resources:
        **limits("train_segmenter", gpus=config["gpus"]["train"]),
    params:
        recipe=lambda w: {
            "network": config["segmenters"][w.segmenter]["method"],
            **{
                k: config["segmenters"][w.segmenter][k]
                for k in ("backbone", "atrous_rates", "scales")
            },
        },
        initial_weights=lambda w: config["segmenters"][w.segmenter]["initial_weights"],
        options=lambda w: config["segmenters"][w.segmenter]["training"],
        code=lambda w: script_code("train_segmenter", *segmenter_files(w)),
    script:
        "../scripts/train_segmenter.py"


rule predict:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        segmenter=f"{SEGMENTER}/segmenter.safetensors",
    output:
        predictions=directory(f"{SEGMENTER}/predictions/{{shard}}"),
        predictions_crf=directory(f"{SEGMENTER}/predictions_crf/{{shard}}"),
    log:
        f"{R}/logs/{SEGMENTER_LOG}/predict/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{SEGMENTER_LOG}/predict/{{shard}}.tsv"
    priority: LONG_WAY
    threads: config["threads"]["infer"]
    resources:
        **limits("predict", gpus=1),
    params:
        options=lambda w: config["segmenters"][w.segmenter]["inference"],
        batch_size=config["inference_batch_size"],
        shards=config["shards"]["val"],
        code=lambda w: script_code("predict", *segmenter_files(w)),
    script:
        "../scripts/predict.py"


rule evaluate_segmentation:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
        predictions=[f"{SEGMENTER}/predictions/{shard}" for shard in shards_of("val")],
        predictions_crf=[
            f"{SEGMENTER}/predictions_crf/{shard}" for shard in shards_of("val")
        ],
    output:
        metrics=f"{SEGMENTER}/metrics.csv",
    log:
        f"{R}/logs/{SEGMENTER_LOG}/evaluate_segmentation.log",
    benchmark:
        f"{R}/benchmarks/{SEGMENTER_LOG}/evaluate_segmentation.tsv"
    resources:
        **limits("evaluate_segmentation"),
    params:
        stages={"predictions": "segmentation", "predictions_crf": "segmentation_crf"},
        split="val",
        contour=config["evaluation"]["contour"],
        code=script_code("evaluate_masks"),
    script:
        "../scripts/evaluate_masks.py"
