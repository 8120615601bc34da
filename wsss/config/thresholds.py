"""Background thresholds as a config gives them: numbers, or ways of choosing one from the maps."""

import re
from collections.abc import Mapping
from typing import Any

# The files of wsss/thresholds with a criterion.
WAYS = ("expected_iou", "otsu")
# Options that are thresholds of maps.
KEYS = ("background_threshold", "foreground_threshold")
FORM = re.compile(r"(?P<way>[a-z_]+)(?: ?(?P<sign>[+-]) ?(?P<number>[0-9]*\.[0-9]+))?")


def way_of(setting: float | str) -> str | None:
    """Return the way that a setting names, None for a number."""
    return _parts(setting)[0] if isinstance(setting, str) else None


def offset_of(setting: float | str) -> float:
    """Return what a setting adds to the threshold of its way; of a number, itself."""
    return _parts(setting)[1] if isinstance(setting, str) else setting


def threshold_of(setting: float | str, chosen: Mapping[str, float]) -> float:
    """Return the threshold that a setting stands for, in 0..1.

    Args:
        setting: A number, a way ("otsu"), or a way and an offset ("otsu + 0.15").
        chosen: Threshold by way, as far as the maps told one.

    Raises:
        ValueError: The maps tell no threshold by that way.
    """
    way = way_of(setting)
    if way is None:
        return float(setting)
    if way not in chosen:
        raise ValueError(
            f"no background threshold follows from these localization maps by {way}, for none of "
            "them has any contrast: look at the training of their classifier, or write a number "
            "for background_threshold"
        )
    return round(min(max(chosen[way] + offset_of(setting), 0.0), 1.0), 6)


def with_thresholds(options: Mapping[str, Any], chosen: Mapping[str, float]) -> dict[str, Any]:
    """Return a variant's options with the numbers that its thresholds stand for.

    Args:
        options: With `background_threshold`, `foreground_threshold`, or both.
        chosen: As in `threshold_of`.

    Raises:
        ValueError: As in `threshold_of`.
    """
    known = [key for key in KEYS if key in options]
    return {**options, **{key: threshold_of(options[key], chosen) for key in known}}


def policy_of(setting: float | str) -> str:
    """Return the policy of a localizer's setting, by which its results are found."""
    return way_of(setting) or "fixed"


def _parts(setting: str) -> tuple[str, float]:
    """Return (way, offset)."""
    found = FORM.fullmatch(setting)
    if found is None or found["way"] not in WAYS:
        raise ValueError(
            f"{setting!r} is no background threshold: write a number, or one of {', '.join(WAYS)}, "
            "alone or with a number added or subtracted"
        )
    return found["way"], float(f"{found['sign'] or '+'}{found['number'] or 0}")
