# What the rules of diagnostics read, and which options are whose: the code of a kind says so.
MEASURED_WITH_MASKS = (
    "Measured on pixel labels, which no stage of the chain sees: GROUND TRUTH."
)


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


def masks_for(w):
    """The table of pixel labels, for a kind that evaluates."""
    return f"{DATA}/ground_truth.csv" if "masks" in given_to(w.name) else []


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
    return [MEASURED_WITH_MASKS] if "masks" in given_to(name) else []
