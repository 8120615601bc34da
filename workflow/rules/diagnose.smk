# Measurements of what happens inside, by a kind that sees a chain to its localizer, to its
# classifier, or makes its own data and networks.
rule diagnose:
    input:
        index=f"{DATA}/index.csv",
        classes=f"{DATA}/classes.csv",
        ground_truth=truth_for,
        ood=ood_for,
        classifier=f"{CLASSIFIER}/classifier.safetensors",
    output:
        table=f"{LOCALIZER}/diagnostics/{{name}}.csv",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/diagnose/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/{{localizer}}/diagnose/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(diagnostics_to(3)),
    threads: config["threads"]["infer"]
    resources:
        **limits("diagnose", gpus=1),
    params:
        kind=lambda w: kind_of(w.name),
        given=lambda w: given_to(w.name),
        localizer=lambda w: options_of(
            "localizers", w.localizer, "background_threshold"
        ),
        options=lambda w: measuring_options(w.name),
        code=lambda w: script_code(
            "diagnose",
            f"wsss/diagnose/{kind_of(w.name)}.py",
            *network_files(w.classifier),
        ),
    script:
        "../scripts/diagnose.py"


use rule diagnose as diagnose_classifier with:
    output:
        table=f"{CLASSIFIER}/diagnostics/{{name}}.csv",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/diagnose_classifier/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/diagnose_classifier/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(diagnostics_to(2)),
    resources:
        **limits("diagnose_classifier", gpus=1),
    params:
        localizer={},


rule diagnose_toy:
    output:
        table=f"{R}/diagnostics/s{{random_seed}}/{{name}}.csv",
    log:
        f"{R}/logs/diagnostics/s{{random_seed}}/diagnose_toy/{{name}}.log",
    benchmark:
        f"{R}/benchmarks/diagnostics/s{{random_seed}}/diagnose_toy/{{name}}.tsv"
    wildcard_constraints:
        name=one_of(diagnostics_to(0)),
    threads: config["threads"]["infer"]
    resources:
        **limits("diagnose_toy"),
    params:
        kind=lambda w: kind_of(w.name),
        options=lambda w: measuring_options(w.name),
        code=lambda w: script_code(
            "diagnose_toy", f"wsss/diagnose/{kind_of(w.name)}.py"
        ),
    script:
        "../scripts/diagnose_toy.py"
