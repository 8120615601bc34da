rule score_ood:
    input:
        candidates=f"{DATA}/candidates.csv",
        classifier=f"{CLASSIFIER}/classifier.safetensors",
    output:
        scores=f"{CLASSIFIER}/ood_scores/{{shard}}.h5",
    log:
        f"{R}/logs/{{dataset}}/{{classifier}}/s{{random_seed}}/score_ood/{{shard}}.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/{{classifier}}/s{{random_seed}}/score_ood/{{shard}}.tsv"
    threads: config["threads"]["infer"]
    resources:
        **limits("score_ood", gpus=1),
    params:
        shards=config["shards"]["ood"],
        batch_size=config["inference_batch_size"],
        code=lambda w: script_code("score_ood", *network_files(w.classifier)),
    script:
        "../scripts/score_ood.py"


rule rank_ood:
    input:
        classes=f"{DATA}/classes.csv",
        scores=lambda w: [
            f"{ranker_of(w)}/ood_scores/{shard}.h5" for shard in shards_of("ood")
        ],
    output:
        ranking=f"{OOD}/ranking.csv",
        summary=f"{OOD}/ranking_summary.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/rank_ood.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/rank_ood.tsv"
    resources:
        **limits("rank_ood"),
    params:
        options=lambda w: config["ood_sets"][w.ood_set]["ranking"],
        code=script_code("rank_ood"),
    script:
        "../scripts/rank_ood.py"


rule decide_oracle:
    input:
        ranking=f"{OOD}/ranking.csv",
        ground_truth=f"{DATA}/ground_truth.csv",
    output:
        decisions=f"{OOD}/decisions.csv",
        summary=f"{OOD}/decisions_summary.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/decide_oracle.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/decide_oracle.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "oracle")),
    resources:
        **limits("decide_oracle"),
    params:
        code=script_code("decide_oracle"),
    script:
        "../scripts/decide_oracle.py"


rule decide_none:
    input:
        ranking=f"{OOD}/ranking.csv",
    output:
        decisions=f"{OOD}/decisions.csv",
        summary=f"{OOD}/decisions_summary.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/decide_none.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/decide_none.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "none", "erase")),
    resources:
        **limits("decide_none"),
    params:
        code=script_code("decide_none"),
    script:
        "../scripts/decide_none.py"


rule prepare_review:
    input:
        ranking=f"{OOD}/ranking.csv",
        candidates=f"{DATA}/candidates.csv",
        classes=f"{DATA}/classes.csv",
        classifier=lambda w: f"{ranker_of(w)}/classifier.safetensors",
    output:
        card=f"{OOD}/review.json",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/prepare_review.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/prepare_review.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "manual")),
    resources:
        **limits("prepare_review"),
    params:
        options=lambda w: review_options_of(w, "decisions"),
        code=script_code("prepare_review"),
    script:
        "../scripts/prepare_review.py"


rule decide_manual:
    input:
        ranking=f"{OOD}/ranking.csv",
        # Where this stops for want of decisions, all is there that the page needs.
        review=f"{OOD}/review.json",
        decisions=decisions_of,
    output:
        decisions=f"{OOD}/decisions.csv",
        summary=f"{OOD}/decisions_summary.csv",
        annotators=f"{OOD}/annotators.csv",
        agreement=f"{OOD}/agreement.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/decide_manual.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/decide_manual.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "manual")),
    # Another attempt finds no more decisions.
    retries: 0
    params:
        options=review_options_of,
        code=script_code("decide_manual"),
    script:
        "../scripts/decide_manual.py"


rule select_hard:
    input:
        candidates=f"{DATA}/candidates.csv",
        ranking=f"{OOD}/ranking.csv",
        decisions=f"{OOD}/decisions.csv",
        equal_set=equal_set_of,
    output:
        selected=f"{OOD}/selected.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/select_hard.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/select_hard.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "oracle", "none", "manual")),
    resources:
        **limits("select_hard"),
    params:
        options=set_options,
        code=script_code("select_hard"),
    script:
        "../scripts/select_hard.py"


rule erase_ood:
    input:
        candidates=f"{DATA}/candidates.csv",
        ranking=f"{OOD}/ranking.csv",
        decisions=f"{OOD}/decisions.csv",
        equal_set=equal_set_of,
        classifier=lambda w: f"{ranker_of(w)}/classifier.safetensors",
    output:
        selected=f"{OOD}/selected.csv",
        images=directory(f"{OOD}/images"),
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/erase_ood.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/erase_ood.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "erase")),
    threads: config["threads"]["infer"]
    resources:
        **limits("erase_ood", gpus=1),
    params:
        options=set_options,
        code=lambda w: script_code(
            "erase_ood",
            "wsss/localize/cam.py",
            *network_files(config["ood_sets"][w.ood_set]["ranked_by"]),
        ),
    script:
        "../scripts/erase_ood.py"


rule select_random:
    input:
        candidates=f"{DATA}/candidates.csv",
        equal_set=equal_set_of,
    output:
        selected=f"{OOD}/selected.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/select_random.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/select_random.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "random")),
    resources:
        **limits("select_random"),
    params:
        options=set_options,
        code=script_code("select_random"),
    script:
        "../scripts/select_random.py"


rule select_random_hard:
    input:
        candidates=f"{DATA}/candidates.csv",
        ranking=f"{OOD}/ranking.csv",
        equal_set=equal_set_of,
    output:
        selected=f"{OOD}/selected.csv",
    log:
        f"{R}/logs/{{dataset}}/ood/{{ood_set}}/select_random_hard.log",
    benchmark:
        f"{R}/benchmarks/{{dataset}}/ood/{{ood_set}}/select_random_hard.tsv"
    wildcard_constraints:
        ood_set=one_of(named("ood_sets", "kind", "random_hard")),
    resources:
        **limits("select_random_hard"),
    params:
        options=set_options,
        code=script_code("select_random_hard"),
    script:
        "../scripts/select_random_hard.py"
