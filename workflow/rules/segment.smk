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
        saw_pixel_labels=lambda w: config["segmenters"][w.segmenter][
            "initial_weights_saw_pixel_labels"
        ],
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
        split="val",
        shards=config["shards"]["val"],
        code=lambda w: script_code("predict", *segmenter_files(w)),
    script:
        "../scripts/predict.py"


# Not one rule for both splits: a val image that moves to test is no reason to predict all again.
use rule predict as predict_test with:
    output:
        predictions=directory(f"{SEGMENTER}/test_predictions/{{shard}}"),
        predictions_crf=directory(f"{SEGMENTER}/test_predictions_crf/{{shard}}"),
    log:
        f"{R}/logs/{SEGMENTER_LOG}/predict_test/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{SEGMENTER_LOG}/predict_test/{{shard}}.tsv"
    resources:
        **limits("predict_test", gpus=1),
    params:
        split="test",
        shards=config["shards"]["test"],


rule submit_voc:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        predictions=[
            f"{SEGMENTER}/test_predictions{{crf}}/{shard}"
            for shard in shards_of("test")
        ],
    output:
        archive=f"{SEGMENTER}/voc_submission{{crf}}.tar.gz",
    log:
        f"{R}/logs/{SEGMENTER_LOG}/submit_voc{{crf}}.log",
    benchmark:
        f"{R}/benchmarks/{SEGMENTER_LOG}/submit_voc/archive{{crf}}.tsv"
    wildcard_constraints:
        crf="|_crf",
    resources:
        **limits("submit_voc"),
    params:
        code=script_code("submit_voc"),
    script:
        "../scripts/submit_voc.py"


rule voc_submission:
    input:
        voc_archives,


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
        scores=lambda w: mask_scores(w, "segmentation", "segmentation_crf"),
        code=script_code("evaluate_masks"),
    script:
        "../scripts/evaluate_masks.py"
