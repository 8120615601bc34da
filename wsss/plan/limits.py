"""Memory and run time for the rules: what their `resources` call.

With `LIMITS = Limits(config, Path(R), folder=Path("."))`, a rule of one GPU says
`mem_mb=LIMITS.memory("localize", gpus=1)` and `runtime=LIMITS.runtime("localize", gpus=1)`.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wsss.plan.amounts import Wildcards
from wsss.plan.counts import Split, count_dataset
from wsss.plan.rates import known_rates
from wsss.plan.resources import UPPER, load_of, memory_mb, runtime_minutes
from wsss.plan.work import CRF, work_of

log = logging.getLogger(__name__)

Limit = Callable[[Any, int, int], int]


class Limits:
    """What jobs of one config ask a cluster for.

    Args:
        config: The resolved config.
        results: Its results folder: the indices of prepared data sets stand in it.
        folder: In which a table of one's own rates may stand, see `wsss.plan.rates`.

    Raises:
        ValueError: That table cannot be read.
    """

    def __init__(self, config: Mapping[str, Any], results: Path, *, folder: Path) -> None:
        self.config = config
        self.results = results
        self.rates = known_rates(folder).rates
        self.told: set[str] = set()

    def memory(self, rule: str, *, gpus: int = 0) -> Limit:
        """Return the function (wildcards, threads, attempt) of a rule's memory, MB.

        Args:
            rule: Name of the rule.
            gpus: GPUs that its jobs ask for.

        Raises:
            KeyError: The rule is unknown to `wsss.plan`.
        """
        _check(rule)

        def mem_mb(wildcards: Any, threads: int, attempt: int) -> int:
            load = load_of(rule, wildcards, self.config, self._counts(wildcards))
            return memory_mb(rule, load, threads=threads, gpus=gpus, attempt=attempt)

        return mem_mb

    def runtime(self, rule: str, *, gpus: int = 0) -> Limit:
        """Return the function (wildcards, threads, attempt) of a rule's run time, minutes.

        Args:
            rule: Name of the rule.
            gpus: GPUs that its jobs ask for.

        Raises:
            KeyError: The rule is unknown to `wsss.plan`.
        """
        _check(rule)

        def minutes(wildcards: Any, threads: int, attempt: int) -> int:
            work = work_of(rule, wildcards, self.config, self._counts(wildcards))
            rate, crf = self.rates.get(work.kind), self.rates.get(CRF)
            asked = {"threads": threads, "gpus": gpus, "attempt": attempt}
            return runtime_minutes(rule, work, rate, crf, **asked)

        return minutes

    def _counts(self, wildcards: Wildcards) -> dict[str, dict[str, Split]]:
        """Return the counts of the job's data set, which may have been prepared meanwhile."""
        name = wildcards.get("dataset", None)
        try:
            splits = count_dataset(name, self.config, self.results) if name else None
        except ValueError as error:
            # The stages name a broken index and its remedy; that it runs until then is no harm.
            if name not in self.told:
                log.warning("%s", error)
                self.told.add(name)
            splits = None
        return {} if splits is None else {name: splits}


def _check(rule: str) -> None:
    if rule not in UPPER:
        raise KeyError(
            f"rule {rule!r} is unknown to wsss.plan: give it a line in wsss/plan/work.py and "
            "wsss/plan/resources.py"
        )
