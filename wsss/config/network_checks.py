"""What a classifier's network allows: trainings that go on from it, losses, localizers."""

from collections.abc import Mapping
from typing import Any

from wsss.config.lookup import first_of
from wsss.config.references import ConfigError

# Localizers that read what only the networks of their own method have.
OWN_NETWORK = ("seam", "eps", "ficklenet")
# Localizers for heads that look at one position, and methods whose heads look at more.
POINTWISE_HEAD = ("advcam", "advcam_rib")
WITH_WINDOWS = ("ficklenet",)
WITH_BACKGROUND = ("eps",)


def check_classifier_network(config: Mapping[str, Any], name: str) -> None:
    """Check that a classifier goes on from its own method and has what its parts need.

    Raises:
        ConfigError: It does not: its windows have no centre, or its losses miss an output.
    """
    options, first = config["classifiers"][name], first_of(config, name)
    path, start = f"config.classifiers.{name}", options["start_from"]
    if options["method"] not in ("wood", first["method"]):
        raise ConfigError(
            f"{path}.start_from is {start}, a training of method {first['method']}, whose network "
            f"is not that of {options['method']}: start from one of the same method, or name its "
            "file as initial_weights"
        )
    if options.get("saliency") != first.get("saliency") and options["method"] != "wood":
        raise ConfigError(
            f"{path}.saliency is {options['saliency']}, but a training that goes on from {start} "
            f"learns from the same maps, {first['saliency']}: name these"
        )
    side = options.get("network", {}).get("kernel_size", 1)
    if not side % 2:
        raise ConfigError(
            f"{path}.network.kernel_size is {side}, but a window with a centre has an odd side: "
            f"write {side + 1}"
        )
    sampling = options["importance_sampling"]
    multinomial = sampling and sampling["posterior"] == "multinomial"
    if multinomial and first["method"] not in WITH_BACKGROUND:
        raise ConfigError(
            f"{path}.importance_sampling.posterior is multinomial, which needs a classifier with a "
            f"background output (method {' or '.join(WITH_BACKGROUND)}), not one of method "
            f"{first['method']}: take binomial"
        )


def check_chain_network(config: Mapping[str, Any], links: list[str], path: str) -> None:
    """Check a chain's classifier against its data set and its localizer.

    Raises:
        ConfigError: The localizer needs another network, or a class is none of the data set's.
    """
    dataset, classifier = links[:2]
    first = first_of(config, classifier)
    known = config["datasets"][dataset]["classes"]
    for name in first.get("objective", {}).get("background_classes", ()):
        # Without a list, the data tell the classes.
        if known and name not in known:
            raise ConfigError(
                f"{path}: {classifier} has {name!r} among its background_classes, but the classes "
                f"of {dataset} are {', '.join(known)}"
            )
    if len(links) < 3:
        return
    method = config["localizers"][links[2]]["method"]
    if method in OWN_NETWORK and method != first["method"]:
        raise ConfigError(
            f"{path}: config.localizers.{links[2]} of method {method} needs a classifier of that "
            f"method, but {classifier} is of method {first['method']}: name another localizer, "
            "cam for one"
        )
    if method in POINTWISE_HEAD and first["method"] in WITH_WINDOWS:
        raise ConfigError(
            f"{path}: config.localizers.{links[2]} of method {method} needs scores of single "
            f"positions, but {classifier} of method {first['method']} scores windows: name another "
            "localizer, cam for one"
        )
