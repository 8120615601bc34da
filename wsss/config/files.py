"""Config files, read strictly: a key that comes twice is refused, not overwritten in silence."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from wsss.config.references import ConfigError
from wsss.config.values import shown

MERGE = "tag:yaml.org,2002:merge"


class _RepeatedKeyError(ValueError):
    """A key comes twice in one group."""


class _StrictLoader(yaml.SafeLoader):
    """YAML of plain values, without keys that come twice."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        # Here and not where values are made of nodes: `<<` has brought in others' keys by then.
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            line = key.start_mark.line + 1
            first = lines.setdefault((key.tag, key.value), line)
            if first != line:
                raise _RepeatedKeyError(
                    f"the key {shown(key.value)} of line {line} stands in line {first} already"
                )
        return node


def config_text(config: Mapping[str, Any]) -> str:
    """Return a config as YAML, its keys sorted."""
    return yaml.safe_dump(config, sort_keys=True, allow_unicode=True)


def read_config_file(path: Path) -> dict[str, Any]:
    """Return what a config file in YAML or JSON holds.

    Args:
        path: The file.

    Raises:
        ConfigError: It is no UTF-8, no YAML, holds something else than keys at the top, or a key
            twice; tags that would make objects of Python are not known here.
        OSError: It cannot be opened.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"config file {path} is no UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from None
    try:
        found = _parsed(text)
    except _RepeatedKeyError as error:
        raise ConfigError(f"config file {path}: {error}; leave one of them") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"config file {path}{line} is no YAML: {_one_line(error)}") from None
    # Characters that YAML does not have, numbers of thousands of digits, endless brackets.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"config file {path} is no YAML: {_one_line(error)}") from None
    if not isinstance(found, dict):
        what = "nothing" if found is None else shown(found)
        raise ConfigError(
            f"config file {path} holds {what}, but keys are needed, as in `random_seeds: [0]`"
        )
    return found


def _parsed(text: str) -> Any:
    # As the engine does: JSON may be indented by tabs, YAML may not.
    try:
        return json.loads(text, object_pairs_hook=_group)
    except json.JSONDecodeError:
        loader = _StrictLoader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()


def _group(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(f"the key {shown(key)} comes twice in one group")
        found[key] = value
    return found


def _one_line(error: BaseException) -> str:
    problem = getattr(error, "problem", None) or str(error)
    return " ".join(problem.split()) or type(error).__name__
