"""What a config may be made of, and how its values are shown in a sentence."""

import json
import re
from collections.abc import Mapping
from typing import Any

from wsss.config.references import ConfigError

DEEPEST = 32
MOST_VALUES = 200_000
LONGEST = 200
# No file name, table or page can hold them.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def check_plain(config: Any) -> None:
    """Check that a config holds groups, lists, text, numbers, booleans and null, and not too many.

    YAML knows more: dates, sets, a group that holds itself, a few lines of aliases that stand for
    billions of values.

    Raises:
        ConfigError: It does not.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"config is {shown(config)}, but a group of keys is needed here")
    waiting: list[tuple[Any, str, int]] = [(config, "config", 0)]
    seen = 0
    while waiting:
        value, path, depth = waiting.pop()
        seen += 1
        if seen > MOST_VALUES or depth > DEEPEST:
            raise ConfigError(
                f"config holds more than {MOST_VALUES} values, or groups more than {DEEPEST} deep "
                f"({path[:LONGEST]}): take out aliases (*name) that repeat or contain themselves"
            )
        texts = [value, *value] if isinstance(value, Mapping) else [value]
        if any(isinstance(text, str) and CONTROL.search(text) for text in texts):
            raise ConfigError(f"{path} holds a character that cannot be written: take it out")
        if isinstance(value, Mapping):
            waiting += [(item, place(path, key), depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
        elif value is not None and not isinstance(value, str | int | float):
            raise ConfigError(
                f"{path} is {shown(value)}, which YAML reads as a {type(value).__name__}: write "
                "text in quotes"
            )


def place(path: str, key: Any) -> str:
    """Return the path of a key within a group, in one line whatever the key is."""
    name = str(key)
    return f"{path}.{name if name.isprintable() else json.dumps(name)}"


def shown(value: Any) -> str:
    """Return a value as a sentence shows it: JSON, not too long."""
    try:
        text = json.dumps(value, default=str)
    # Numbers of thousands of digits, keys that JSON does not have, groups that hold themselves.
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
