rule train_classifier:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        start=start_of,
        initial_weights=initial_weights_of,
        saliency=saliency_of,
    output:
        classifier=f"{CLASSIFIER}/classifier.safetensors",
        train=f"{CLASSIFIER}/train.csv",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/train_classifier.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/train_classifier.tsv"
    wildcard_constraints:
        classifier=one_of(WITHOUT_OOD),
    threads: lambda w: config_lookup.training_threads(config, w.classifier)
    resources:
        **limits("train_classifier", gpus=config["gpus"]["train"]),
    params:
        options=lambda w: options_of("classifiers", w.classifier, *NOT_OF_TRAININGS),
        network=lambda w: config_lookup.network_of(config, w.classifier),
        network_options=lambda w: config["classifiers"][w.classifier].get("network", {}),
        objective=lambda w: config_lookup.objective_of(config, w.classifier),
        code=lambda w: script_code("train_classifier", *training_files(w.classifier)),
    script:
        "../scripts/train_classifier.py"


rule extract_features:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        classifier=f"{CLASSIFIER}/classifier.safetensors",
    output:
        features=f"{CLASSIFIER}/features/{{shard}}.h5",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/extract_features/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/extract_features/{{shard}}.tsv"
    threads: config["threads"]["infer"]
    resources:
        **limits("extract_features", gpus=1),
    params:
        shards=config["shards"]["train"],
        batch_size=config["inference_batch_size"],
        code=lambda w: script_code("extract_features", *network_files(w.classifier)),
    script:
        "../scripts/extract_features.py"


rule cluster_ood:
    input:
        classifier=start_of,
        features=start_features_of,
        selected=selected_of,
    output:
        clusters=f"{CLASSIFIER}/clusters.h5",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/cluster_ood.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/cluster_ood.tsv"
    wildcard_constraints:
        classifier=one_of(WITH_OOD),
    threads: config["threads"]["infer"]
    resources:
        **limits("cluster_ood", gpus=1),
    params:
        options=lambda w: config["classifiers"][w.classifier]["clusters"],
        training_images=lambda w: config["classifiers"][w.classifier]["training_images"],
        ood_images=lambda w: config["classifiers"][w.classifier]["ood_images"],
        batch_size=config["inference_batch_size"],
        code=lambda w: script_code("cluster_ood", *network_files(w.classifier)),
    script:
        "../scripts/cluster_ood.py"


rule train_wood:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        start=start_of,
        selected=selected_of,
        clusters=f"{CLASSIFIER}/clusters.h5",
        saliency=saliency_of,
    output:
        classifier=f"{CLASSIFIER}/classifier.safetensors",
        train=f"{CLASSIFIER}/train.csv",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/train_wood.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/train_wood.tsv"
    wildcard_constraints:
        classifier=one_of(WITH_OOD),
    threads: lambda w: config_lookup.training_threads(config, w.classifier)
    resources:
        **limits("train_wood", gpus=config["gpus"]["train"]),
    params:
        options=lambda w: options_of(
            "classifiers", w.classifier, "ood_set", "clusters", *NOT_OF_TRAININGS
        ),
        objective=lambda w: config_lookup.objective_of(config, w.classifier),
        code=lambda w: script_code("train_wood", *training_files(w.classifier)),
    script:
        "../scripts/train_wood.py"
