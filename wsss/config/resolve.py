"""The experiment's config: defaults filled in, every mistake named by its place.

The schema (workflow/schemas/config.schema.yaml) is JSON Schema with one word of our own: an object
schema with `x-select: {key: method, from: localize}` is the definition `localize.<value of method>`
of the schema's `$defs`, so that the options of a method stand beside its name and nowhere else.
"""

import copy
import difflib
import json
import math
import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from wsss.config.combinations import check_combinations
from wsss.config.cut import cut_config
from wsss.config.references import ConfigError, check_references
from wsss.config.values import check_plain, place, shown


def resolve_config(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new config with every default filled in, and cut short if it says so.

    Args:
        config: What the user wrote; it is not changed.
        schema: The JSON Schema with `$defs`.

    Raises:
        ConfigError: An unknown key, a missing key, an impossible value, a name that nothing
            defines, or options that do not go together; the sentence gives the key's path and
            what is allowed.
    """
    check_plain(config)
    resolved = cut_config(_resolve(copy.deepcopy(dict(config)), schema, schema, "config"))
    check_references(resolved)
    check_combinations(resolved)
    return resolved


def extend_config(
    config: Mapping[str, Any], load: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a config with what it leaves out taken from the one that its key `base` names.

    Groups of keys are merged, everything else is replaced.

    Args:
        config: What the user wrote; it is not changed.
        load: Reads the config of a path relative to the project.

    Raises:
        ConfigError: The bases form a circle, or one cannot be read, is no config, or stands
            outside of the project.
    """
    check_plain(config)
    layers = [dict(config)]
    visited: list[str] = []
    while (named := layers[-1].pop("base", None)) is not None:
        base = _inside(named)
        if base in visited:
            raise ConfigError(f"config.base closes a circle: {' -> '.join([*visited, base])}")
        visited.append(base)
        try:
            layers.append(dict(load(base)))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(
                f"config.base is {base!r}, which cannot be read ({reason}): name a config "
                "file by its path from the project's folder"
            ) from None
        check_plain(layers[-1])
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged = _merged(merged, layer)
    return merged


def _inside(base: Any) -> str:
    """Return the path of a base in its shortest form."""
    path = posixpath.normpath(base) if isinstance(base, str) and base.isprintable() else ""
    if not path or path.startswith(("/", "~", "..")):
        raise ConfigError(
            f"config.base is {shown(base)}, but allowed is the path of a config file within the "
            "project, as config.yaml"
        )
    return path


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(below))
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _resolve(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Any:
    schema = _select(value, schema, root, path)
    if "properties" in schema or "additionalProperties" in schema:
        if value is None and "null" in _types(schema):
            return None
        return _resolve_object(value, schema, root, path)
    if "items" in schema and isinstance(value, list):
        _check_value(value, {k: v for k, v in schema.items() if k != "items"}, path)
        return [_resolve(v, schema["items"], root, f"{path}[{i}]") for i, v in enumerate(value)]
    _check_value(value, schema, path)
    if isinstance(value, float) and "integer" in _types(schema):
        # 1.0 is a whole number to JSON Schema, but not to what counts with it.
        return int(value)
    return value


def _select(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Mapping[str, Any]:
    if "$ref" in schema:
        return root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if "x-select" not in schema:
        return schema
    key, prefix = schema["x-select"]["key"], schema["x-select"]["from"]
    known = sorted(
        n.removeprefix(f"{prefix}.") for n in root["$defs"] if n.startswith(f"{prefix}.")
    )
    if not isinstance(value, dict) or key not in value:
        raise ConfigError(f"{path} needs the key `{key}`: one of {', '.join(known)}")
    if value[key] not in known:
        raise ConfigError(
            f"{path}.{key} is {shown(value[key])}, but allowed is one of {', '.join(known)}"
        )
    chosen = root["$defs"][f"{prefix}.{value[key]}"]
    return {**chosen, "properties": {**chosen["properties"], key: {"const": value[key]}}}


def _resolve_object(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{path} is {shown(value)}, but a group of keys is needed here")
    known: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties", False)
    resolved = {}
    for key, item in value.items():
        if key in known:
            resolved[key] = _resolve(item, known[key], root, place(path, key))
        elif isinstance(others, Mapping):
            _check_name(key, schema, path)
            resolved[key] = _resolve(item, others, root, place(path, key))
        else:
            raise ConfigError(_unknown(key, known, path))
    for key, sub in known.items():
        if key not in resolved:
            if "default" in sub:
                default = copy.deepcopy(sub["default"])
                resolved[key] = _resolve(default, sub, root, f"{path}.{key}")
            elif key in schema.get("required", ()):
                raise ConfigError(f"{path}.{key} is missing: {_allowed(sub)}")
    if len(resolved) < schema.get("minProperties", 0):
        raise ConfigError(f"{path} is empty, but at least one entry is needed")
    # Options stand in the schema's order: the engine compares them as text, and the order in which
    # a user wrote them, or left them out, must not make a stage run again.
    return {key: resolved[key] for key in known if key in resolved} | resolved


def _check_name(key: Any, schema: Mapping[str, Any], path: str) -> None:
    pattern = schema.get("propertyNames", {})
    if not isinstance(key, str) or not Draft202012Validator(pattern).is_valid(key):
        allowed = _allowed({"type": "string", **pattern})
        raise ConfigError(f"{path}: the name {key!r} is not allowed, but {allowed}")


def _check_value(value: Any, schema: Mapping[str, Any], path: str) -> None:
    endless = isinstance(value, float) and not math.isfinite(value)
    if endless or not Draft202012Validator(schema).is_valid(value):
        raise ConfigError(
            f"{path} is {shown(value)}, but allowed is {_allowed(schema)}"
            f"{_number_hint(value, schema)}"
        )


def _number_hint(value: Any, schema: Mapping[str, Any]) -> str:
    types = _types(schema)
    if not isinstance(value, str) or not {"number", "integer"} & set(types):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    if "number" not in types:
        return f"; write it without quotes, {number:.0f}" if number.is_integer() else ""
    return f"; write it without quotes and with a point, {number:#}: YAML takes 1e-4 for text"


def _unknown(key: str, known: Mapping[str, Any], path: str) -> str:
    close = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean `{close[0]}`? " if close else ""
    return f"{place(path, key)} is not a known key; {hint}Known here: {', '.join(sorted(known))}"


def _types(schema: Mapping[str, Any]) -> list[str]:
    if "anyOf" in schema:
        return [name for choice in schema["anyOf"] for name in _types(choice)]
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


_WORDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "pattern": "text that fits {}",
    "const": "{}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "uniqueItems": "each entry once",
}


def _allowed(schema: Mapping[str, Any]) -> str:
    parts = []
    if "enum" in schema:
        parts.append("one of " + ", ".join(json.dumps(v) for v in schema["enum"]))
    elif "type" in schema:
        parts.append(" or ".join(_types(schema)))
    parts += [text.format(schema[word]) for word, text in _WORDS.items() if word in schema]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            parts.append(" or ".join(_allowed(s) for s in schema[choice]))
    if "items" in schema and "enum" not in schema:
        parts.append(f"each {_allowed(schema['items'])}")
    text = ", ".join(parts) or "something else"
    return f"{text} ({schema['description']})" if "description" in schema else text
