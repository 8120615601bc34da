# What the entries of tables, figures and panels hold beside the options of what draws them.
FIGURE_KEYS = ("figure", "title", "caption", "section", "chains", "random_seeds")
SHEET = config["sheets"]
# Kinds of OoD sets whose candidates somebody, or something, looked at one by one.
LOOKED_AT = ("oracle", "manual")
FIGURE_TABLE = {
    "threshold_curve": "curves",
    "precision_recall": "curves",
    "training_curve": "training",
}


def all_labels():
    """Every label of the config, in its order, so that an arm looks the same in each figure."""
    groups = ("tables", "figures", "diagnostics")
    shown = [options for group in groups for options in config[group].values()]
    return list(
        dict.fromkeys(label for options in shown for label in options.get("chains", {}))
    )


def figure_options(name):
    """The options of a figure, with the values of the options that it is drawn over, if it is."""
    options, path = config["figures"][name], f"config.figures.{name}"
    values = config_option_values.option_values(config, options, path)
    own = options_of("figures", name, *FIGURE_KEYS)
    return own | ({"values": values} if values else {})


def all_trainings():
    """The training logs of the chains' classifiers and segmenters."""
    found = {}
    for chain, seed in wanted():
        links = links_of(chain)
        for depth in [2] + [5] * (len(links) == 5):
            found[f"{link_folder(links[:depth], seed)}/train.csv"] = None
    return list(found)


def pruning_of(chains):
    """How the OoD images of each label were pruned, for those trained with some."""
    found = {}
    for label, chain in chains.items():
        ood_set = config["classifiers"][links_of(chain)[1]].get("ood_set")
        if ood_set:
            found[label] = config["ood_sets"][ood_set]["kind"]
    return found


def saw_pixel_labels_of(chains):
    """The labels whose chain ends in a segmenter that starts from a training on masks."""
    return [
        label
        for label, chain in chains.items()
        if len(links_of(chain)) == 5
        and config["segmenters"][links_of(chain)[4]]["initial_weights_saw_pixel_labels"]
    ]


def known_saliency_of(table):
    """The labels whose row depends on saliency maps that were made of pixel labels."""
    return [
        label
        for label, chain in table["chains"].items()
        if config_saliency.uses_known_saliency(config, chain, table["stage"])
    ]


def protocols_of(table):
    """How each row of a table came about, in words."""
    return {
        label: config_protocol.row_protocol(config, chain, table["stage"])
        for label, chain in table["chains"].items()
    }


def panel_links(name):
    """The names of a panel's first chain."""
    return links_of(next(iter(config["panels"][name]["chains"].values())))


def panel_dataset(name):
    return panel_links(name)[0]


def panel_classifier(name):
    """The folder of a panel's classifier."""
    return link_folder(panel_links(name)[:2], seeds_of("panels", name)[0])


def panel_ood_set(name):
    """The OoD set that a panel's classifier is trained with."""
    return config["classifiers"][panel_links(name)[1]]["ood_set"]


def panel_maps(name):
    """The map files of each label of a panel."""
    seed = seeds_of("panels", name)[0]
    return {
        label: [
            f"{link_folder(links_of(chain)[:3], seed)}/maps/{shard}.h5"
            for shard in shards_of("train")
        ]
        for label, chain in config["panels"][name]["chains"].items()
    }


def panel_masks(name):
    """The folders of the masks in which each label's chain ends."""
    seed, panel = seeds_of("panels", name)[0], config["panels"][name]
    found = {}
    for label, chain in panel["chains"].items():
        ends = {4: ("pseudo_masks", "train"), 5: ("predictions", "val")}
        kind, split = ends[len(links_of(chain))]
        kind += "_crf" if panel["crf"] and split == "val" else ""
        found[label] = [
            f"{link_folder(links_of(chain), seed)}/{kind}/{n}" for n in shards_of(split)
        ]
    return found


def flat(files):
    return [path for paths in files.values() for path in paths]


def chain_datasets():
    return list(dict.fromkeys(links_of(chain)[0] for chain, _ in wanted()))


def shown_ood_sets(*kinds):
    """(data set, OoD set) of the chains' classifiers whose candidates were looked at one by one.

    Without any such set, those that were taken over as ranked: their sheets show the same images.
    Of some kinds only, if any are named.
    """
    found = {}
    for chain, _ in wanted():
        dataset, classifier = links_of(chain)[:2]
        ood_set = config["classifiers"][classifier].get("ood_set")
        if ood_set:
            found[dataset, ood_set] = config["ood_sets"][ood_set]["kind"]
    shown = LOOKED_AT if set(found.values()) & set(LOOKED_AT) else ("none", "erase")
    return [
        place
        for place, kind in found.items()
        if kind in shown and (not kinds or kind in kinds)
    ]


def ood_files(file, *kinds):
    return [
        f"{R}/{dataset}/ood/{ood_set}/{file}"
        for dataset, ood_set in shown_ood_sets(*kinds)
    ]


def report_pictures():
    names = [*config["figures"], *config["panels"], *config["diagnostics"]]
    names += [f"data_{dataset}" for dataset in chain_datasets()]
    for d, o in shown_ood_sets():
        looked_at = config["ood_sets"][o]["kind"] in LOOKED_AT
        sheets = ["pool", "hard", "pruned"] if looked_at else ["pool", "hard"]
        names += [f"ood_{sheet}_{d}_{o}" for sheet in sheets]
    return [f"{R}/figures/{name}.png" for name in names]


def report_tiles():
    """The picture of each of the sketch's steps that has one."""
    tiles = {
        "dataset": f"{R}/figures/tiles/{d}/dataset.png" for d in chain_datasets()[:1]
    }
    tiles |= {
        "ood": f"{R}/figures/tiles/{d}/{o}/ood.png" for d, o in shown_ood_sets()[:1]
    }
    for name in named("panels", "panel", "maps")[:1]:
        tiles["classifier"] = f"{R}/figures/tiles/{name}/first.png"
        tiles["maps"] = f"{R}/figures/tiles/{name}/last.png"
    for name in reversed(named("panels", "panel", "masks")):
        step = {"train": "refine", "val": "segmenter"}[config["panels"][name]["split"]]
        tiles[step] = f"{R}/figures/tiles/{name}/last.png"
    return tiles
