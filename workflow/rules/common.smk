# What the rules share: the resolved config, the paths of a chain, the options of a variant.
from pathlib import Path

import yaml

from wsss.code_hash import code_hash
from wsss.config import ConfigError, extend_config, resolve_config


def read_yaml(path):
    """A YAML file of the project."""
    return yaml.safe_load(Path(workflow.basedir, path).read_text())


try:
    config = resolve_config(
        extend_config(config, read_yaml), read_yaml("workflow/schemas/config.schema.yaml")
    )
except ConfigError as error:
    raise WorkflowError(str(error)) from None

R = config["results"]
DATA = f"{R}/{{dataset}}"
OOD = f"{DATA}/ood/{{ood_set}}"
CLASSIFIER = f"{DATA}/{{classifier}}/s{{random_seed}}"
LOCALIZER = f"{CLASSIFIER}/{{localizer}}"
REFINER = f"{LOCALIZER}/{{refiner}}"
SEGMENTER = f"{REFINER}/{{segmenter}}"


def one_of(names):
    """A wildcard constraint: one of these names (or nothing, if there is none)."""
    return "|".join(sorted(names)) or "(?!)"


def named(group, key, *values):
    """The variants of a group whose option `key` has one of these values."""
    return [name for name, options in config[group].items() if options[key] in values]


wildcard_constraints:
    dataset=one_of(config["datasets"]),
    ood_set=one_of(config["ood_sets"]),
    classifier=one_of(config["classifiers"]),
    localizer=one_of(config["localizers"]),
    refiner=one_of(config["refiners"]),
    segmenter=one_of(config["segmenters"]),
    random_seed=r"\d+",
    shard=r"\d+",


def options_of(group, name, *leave_out):
    """A copy of a variant's options without the keys that only the workflow reads."""
    return {k: v for k, v in config[group][name].items() if k not in leave_out}


def backbone_of(classifier):
    """The backbone of a classifier's first ancestor."""
    while (start := config["classifiers"][classifier]["start_from"]) is not None:
        classifier = start
    return config["classifiers"][classifier]["backbone"]


def script_code(script, *files):
    """The fingerprint of a script and of the files that it loads by name."""
    return code_hash(f"workflow/scripts/{script}.py", *files)


def backbone_file(name):
    return f"wsss/models/backbones/{name}.py"


def shards_of(split):
    return range(config["shards"][split])


def wanted(group=None):
    """(chain, random seed) of everything that the tables, figures and panels show, in order."""
    pairs = {}
    for one in [group] if group else ("tables", "figures", "panels"):
        for options in config[one].values():
            seeds = options.get("random_seeds") or config["random_seeds"]
            pairs |= {(c, s): None for c in options.get("chains", {}).values() for s in seeds}
    return list(pairs)


def chain_folder(chain, random_seed):
    dataset, classifier, *rest = chain.split("/")
    return "/".join([R, dataset, classifier, f"s{random_seed}", *rest])


def metrics_of(chain, random_seed):
    """The metrics files of a chain's stages, from its seeds to where it ends."""
    links = chain.split("/")
    if len(links) < 3:
        return []
    seeds = chain_folder("/".join(links[:3]), random_seed) + "/seed_metrics.csv"
    later = [
        chain_folder("/".join(links[:n]), random_seed) + "/metrics.csv"
        for n in range(4, len(links) + 1)
    ]
    return [seeds, *later]


def all_metrics():
    return list(dict.fromkeys(f for pair in wanted() for f in metrics_of(*pair)))


def all_curves():
    return list(
        dict.fromkeys(
            chain_folder("/".join(chain.split("/")[:3]), seed) + "/threshold_curve.csv"
            for chain, seed in wanted()
            if chain.count("/") >= 2
        )
    )


def wanted_tables():
    return [f"{R}/tables/{name}.{kind}" for name in config["tables"] for kind in ("csv", "md", "tex")]


def wanted_figures():
    return [f"{R}/figures/{name}.{kind}" for name in config["figures"] for kind in ("pdf", "png")]


def wanted_panels():
    return [f"{R}/figures/{name}.png" for name in config["panels"]]
