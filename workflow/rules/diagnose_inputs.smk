# What the rules of diagnostics read, and which options are whose: the code of a kind says so.
MEASURED_WITH_MASKS = (
    "Measured on pixel labels, which no stage of the chain sees: GROUND TRUTH."
)
TOLD_BY_BACKGROUND = "Images are told apart by their background, which no stage of the chain knows: GROUND TRUTH."


def kind_of(name):
    return config["diagnostics"][name]["diagnostic"]


def diagnostics_to(depth):
    """The diagnostics whose kind sees so many names of a chain."""
    found = config["diagnostics"]
    return [n for n in found if config_diagnostics.depth_of(kind_of(n)) == depth]


def given_to(name):
    """The names of what the measurement of a diagnostic is given."""
    return config_diagnostics.measure_parameters(kind_of(name)).given


def measuring_options(name):
    wanted = config_diagnostics.measure_parameters(kind_of(name)).options
    return {key: config["diagnostics"][name][key] for key in wanted}


def drawing_options(name):
    wanted = config_diagnostics.draw_options(kind_of(name))
    return {key: config["diagnostics"][name][key] for key in wanted}


def truth_for(w):
    """What is known of the images, for a kind that evaluates."""
    needed = {"masks", "backgrounds"} & set(given_to(w.name))
    return f"{DATA}/ground_truth.csv" if needed else []


def ood_for(w):
    """The OoD images that a kind shows."""
    ood_set = config["diagnostics"][w.name].get("ood_set")
    return f"{DATA}/ood/{ood_set}/selected.csv" if ood_set else []


def measured_links(name):
    """The label of each chain of a diagnostic, as far as its kind sees it."""
    depth = config_diagnostics.depth_of(kind_of(name))
    chains = config["diagnostics"][name].get("chains", {})
    return {links_of(chain)[:depth]: label for label, chain in chains.items()}


def measured_labels(name):
    return {"/".join(links): label for links, label in measured_links(name).items()}


def measured_tables(name):
    """The measurements that the figure of a diagnostic shows."""
    seeds, chains = seeds_of("diagnostics", name), measured_links(name)
    if not chains:
        return [f"{R}/diagnostics/s{seed}/{name}.csv" for seed in seeds]
    return [
        f"{link_folder(links, seed)}/diagnostics/{name}.csv"
        for links in chains
        for seed in seeds
    ]


def measured_notes(name):
    notes = {"masks": MEASURED_WITH_MASKS, "backgrounds": TOLD_BY_BACKGROUND}
    return [note for given, note in notes.items() if given in given_to(name)]
