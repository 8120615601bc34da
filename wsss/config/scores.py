"""Which scores beside overlap the tables and figures ask for: the others are not paid for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from wsss.config.references import STAGE_LINKS, ConfigError

# The metrics of each group of scores; its options stand in config.evaluation.
METRICS_OF: Mapping[str, tuple[str, ...]] = {
    "contour": ("contour_f", "j_and_f"),
    "boundary": ("boundary_recall", "boundary_precision", "boundary_f1"),
    "object_size": tuple(
        f"{score}_{group}"
        for group in ("foreground", "small", "medium", "large")
        for score in ("precision", "recall", "f1", "num_classes")
    ),
}
# Figures that show a group of scores whatever their options.
FIGURE_OF = {"object_size": "object_size"}
# Measured by the workflow, not scored: only tables have it, of the maps alone.
SECONDS = "seconds_per_image"


def asked_scores(
    config: Mapping[str, Any],
    links: Sequence[str],
    *,
    stages: Collection[str],
    always: Collection[str] = (),
) -> dict[str, Any]:
    """Return the options of each group of scores of an artifact, None where nobody asks for it.

    Args:
        config: A resolved config.
        links: The names of the artifact's chain, as far as it goes.
        stages: What is scored there: seed, pseudo_mask, segmentation, segmentation_crf.
        always: Groups that are scored whoever asks.
    """
    asked = set(always)
    for options in (*config["tables"].values(), *config["figures"].values()):
        if options.get("stage") in stages and list(links) in _parts(options):
            asked |= set(_groups(options))
    return {name: config["evaluation"][name] if name in asked else None for name in METRICS_OF}


def check_scores(config: Mapping[str, Any]) -> None:
    """Check that what is asked for can be measured.

    Raises:
        ConfigError: A table asks for the time of another stage than the maps', or a figure for
            pairs of a data set that has none.
    """
    for name, options in config["tables"].items():
        if SECONDS in options["metrics"] and options["stage"] != "seed":
            raise ConfigError(
                f"config.tables.{name}.metrics has {SECONDS}, which is the time of the maps: write "
                "`stage: seed`, or take it out"
            )
    for name, options in config["figures"].items():
        if options["figure"] == "confusion_pairs":
            for chain in options["chains"].values():
                dataset = chain.split("/")[0]
                own = config["datasets"][dataset]
                if own["kind"] != "scenes" and not own.get("spurious"):
                    raise ConfigError(
                        f"config.figures.{name} shows pairs of a class and its background, but "
                        f"config.datasets.{dataset} names none: set its spurious, or take another "
                        "data set"
                    )


def _parts(options: Mapping[str, Any]) -> list[list[str]]:
    """Return the chains of a table or figure as far as its stage."""
    depth = STAGE_LINKS[options["stage"]]
    return [chain.split("/")[:depth] for chain in options["chains"].values()]


def _groups(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the groups of scores that a table or figure shows."""
    if options.get("figure") in FIGURE_OF:
        yield FIGURE_OF[options["figure"]]
    shown = {*options.get("metrics", ()), options.get("metric")}
    for name, metrics in METRICS_OF.items():
        if shown & set(metrics):
            yield name
