# What the rules share: the resolved config, the paths of a chain, the options of a variant.
import hashlib
from pathlib import Path, PurePosixPath

from wsss.code_hash import code_hash
from wsss.config import diagnostics as config_diagnostics
from wsss.config import lookup as config_lookup
from wsss.config import option_values as config_option_values
from wsss.config import protocol as config_protocol
from wsss.config import saliency as config_saliency
from wsss.config import scores as config_scores
from wsss.config import thresholds as config_thresholds
from wsss.config.files import config_text, read_config_file
from wsss.config.resolve import ConfigError, extend_config, resolve_config
from wsss.plan.limits import Limits


def read_yaml(path):
    """A YAML file of the project."""
    return read_config_file(Path(workflow.basedir, path))


try:
    for path in workflow.configfiles:
        # Read by the engine already, which takes the last of two equal keys in silence.
        read_config_file(Path(path))
    config = resolve_config(
        extend_config(config, read_yaml),
        read_yaml("workflow/schemas/config.schema.yaml"),
    )
except ConfigError as error:
    raise WorkflowError(str(error)) from None

R = config["results"]
LIMITS = Limits(config, Path(R), folder=Path())
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
    saliency=one_of(config["saliency_maps"]),
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
    return config_lookup.backbone_of(config, classifier)


def network_files(classifier):
    """The files of a classifier's network that are loaded by name."""
    network = config_lookup.network_of(config, classifier)
    return backbone_file(backbone_of(classifier)), f"wsss/models/{network}.py"


def training_files(classifier):
    """What a classifier's training loads by name."""
    objective = config_lookup.objective_of(config, classifier)["name"]
    return *network_files(classifier), f"wsss/train/objectives/{objective}.py"


def limits(rule, gpus=0):
    """What the jobs of a rule ask a cluster for, by their size and attempt."""
    asked = {"gpu": gpus} if gpus else {}
    asked["mem_mb"] = LIMITS.memory(rule, gpus=gpus)
    asked["runtime"] = LIMITS.runtime(rule, gpus=gpus)
    return asked


def script_code(script, *files):
    """The fingerprint of a script and of the files that it loads by name."""
    return code_hash(f"workflow/scripts/{script}.py", *files)


def backbone_file(name):
    return f"wsss/models/backbones/{name}.py"


def shards_of(split):
    return range(config["shards"][split])


def seeds_of(group, name):
    """The random seeds of a table, figure or diagnostic, the one of a panel."""
    seeds = config[group][name]["random_seeds"] or config["random_seeds"]
    return seeds[:1] if group == "panels" else seeds


def all_random_seeds():
    """Those of everything that the report shows, in order."""
    groups = ("tables", "figures", "panels", "diagnostics")
    return sorted(
        {seed for one in groups for name in config[one] for seed in seeds_of(one, name)}
    )


def wanted(group=None):
    """(chain, random seed) of everything that the tables, figures and panels show, in order."""
    pairs = {}
    for one in [group] if group else ("tables", "figures", "panels"):
        for name, options in config[one].items():
            pairs |= {
                (chain, seed): None
                for chain in options["chains"].values()
                for seed in seeds_of(one, name)
            }
    return list(pairs)


def links_of(chain):
    """The names of a chain: dataset, classifier, localizer, refiner, segmenter, as far as it goes."""
    return PurePosixPath(chain).parts


def link_folder(links, random_seed):
    """The folder of a chain's first links."""
    dataset, classifier, *rest = links
    return str(PurePosixPath(R, dataset, classifier, f"s{random_seed}", *rest))


def metrics_of(chain, random_seed):
    """The metrics files of a chain's stages, from its seeds to where it ends."""
    links = links_of(chain)
    names = {3: "seed_metrics", 4: "metrics", 5: "metrics"}
    return [
        f"{link_folder(links[:depth], random_seed)}/{names[depth]}.csv"
        for depth in range(3, len(links) + 1)
    ]


def all_metrics():
    return list(dict.fromkeys(f for pair in wanted() for f in metrics_of(*pair)))


def all_curves():
    return list(
        dict.fromkeys(
            f"{link_folder(links_of(chain)[:3], seed)}/threshold_curve.csv"
            for chain, seed in wanted()
            if len(links_of(chain)) >= 3
        )
    )


def wanted_tables():
    return [
        f"{R}/tables/{name}.{kind}"
        for name in config["tables"]
        for kind in ("csv", "md", "tex")
    ]


def wanted_figures():
    return [
        f"{R}/figures/{name}.{kind}"
        for name in config["figures"]
        for kind in ("pdf", "png")
    ]


def wanted_panels():
    return [f"{R}/figures/{name}.png" for name in config["panels"]]


def wanted_diagnostics():
    return [f"{R}/figures/{name}.png" for name in config["diagnostics"]]
