"""Every option of the schema with every kind of wrong value: legal, or refused by its path."""

import copy
import math

import pytest
import yaml

from tests.source import ROOT
from wsss.config.diagnostics import method_of
from wsss.config.resolve import ConfigError, resolve_config

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
CHAIN = "data/f_in/cam/seed/deeplab"
BASE = {
    "datasets": {"data": {"kind": "scenes"}},
    "classifiers": {"f_in": {"method": "plain", "backbone": "compact", "initial_weights": "none"}},
    "localizers": {"cam": {"method": "cam"}},
    "evaluation": {"thresholds": [0.5]},
}
SHOWING = {
    "refiners": {"seed": {"method": "seed"}},
    "segmenters": {"deeplab": {"method": "deeplab_v2", "initial_weights": "none"}},
}
GROUPS = {
    "dataset": ("datasets", "kind"),
    "ood_set": ("ood_sets", "kind"),
    "saliency": ("saliency_maps", "kind"),
    "classifier": ("classifiers", "method"),
    "localize": ("localizers", "method"),
    "refine": ("refiners", "method"),
    "segment": ("segmenters", "method"),
    "table": ("tables", None),
    "figure": ("figures", "figure"),
    "panel": ("panels", "panel"),
    "diagnostic": ("diagnostics", "diagnostic"),
}
SHOWN = ("table", "figure", "panel", "diagnostic")
# What they share stands in the definitions, too.
VARIANTS = sorted(name for name in SCHEMA["$defs"] if name.partition(".")[0] in GROUPS)
REQUIRED = {
    "ranked_by": "f_in",
    "decisions": "decisions.csv",
    "start_from": "f_in",
    "ood_set": "random",
    "saliency": "salient",
    "title": "Title",
    "chains": {"label": CHAIN},
    "option": "localizers.map_stride",
    "row_option": "localizers.map_stride",
    "column_option": "localizers.map_stride",
}
# The largest number that an option takes is a seed.
LARGEST = 2**32 - 1
WRONG = {
    "boolean": True,
    "integer": [-1, 0, 10**30, -(10**30)],
    "number": [-0.5, 1e30, -1e30, math.nan, math.inf, -math.inf, 1e-300],
    "string": ["", "x", "1e-4", "1", "\n", "\0"],
    "array": [[], [[]], [None], ["x"], [1, 1], [-1], [math.nan], [10**30]],
    "object": [{}, {"x": 1}],
    "null": None,
}


def definition(name):
    """(a config with one variant of a definition, the path of the variant)."""
    kind, _, method = name.partition(".")
    group, key = GROUPS[kind]
    config = copy.deepcopy(BASE | (SHOWING if kind in SHOWN else {}))
    needed = SCHEMA["$defs"][name].get("required", ())
    options = {key: method} if key else {}
    options |= {k: copy.deepcopy(v) for k, v in REQUIRED.items() if k in needed}
    if name == "panel.masks":
        options["chains"] = {"label": CHAIN.rsplit("/", maxsplit=1)[0]}
    if name == "panel.clusters":
        config["ood_sets"] = {"random": {"kind": "random"}}
        config["classifiers"]["wood"] = {
            "method": "wood", "start_from": "f_in", "ood_set": "random",
        }  # fmt: skip
        options["chains"] = {"label": "data/wood"}
    if name == "diagnostic.feature_planes":
        config["ood_sets"] = {"random": {"kind": "random"}}
    if kind == "diagnostic" and method_of(method):
        config["localizers"]["cam"] = {"method": method_of(method)}
    if name == "classifier.wood":
        config["ood_sets"] = {"random": {"kind": "random"}}
    if name == "refine.saliency":
        config["refiners"] = {"f_in": {"method": "seed"}}
    if "saliency" in needed:
        config["saliency_maps"] = {"salient": {"kind": "opencv"}}
    if "initial_weights" in SCHEMA["$defs"][name].get("properties", {}):
        options["initial_weights"] = "none"
    config.setdefault(group, {})["one"] = options
    # First, so that a wrong value is met before everything else has been read.
    return {group: config.pop(group)} | config, (group, "one")


def followed(schema):
    """The schema itself, or the definition that it refers to."""
    reference = schema.get("$ref")
    return SCHEMA["$defs"][reference.rsplit("/", 1)[-1]] if reference else schema


def leaves(schema, path):
    """Yield (path, schema) of every option, list item and named value below a schema."""
    for key, sub in schema.get("properties", {}).items():
        others = str(sub.get("additionalProperties"))
        if "x-select" in others or "$ref" in others:
            continue
        sub = followed(sub)
        yield (*path, key), sub
        yield from leaves(sub, (*path, key))
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and path:
        yield (*path, "label"), others
        yield from leaves(others, (*path, "label"))
    if "items" in schema:
        yield (*path, 0), schema["items"]


def options():
    for path, schema in leaves({"properties": SCHEMA["properties"]}, ()):
        yield pytest.param(None, path, schema, id=".".join(map(str, path)))
    for name in VARIANTS:
        for path, schema in leaves(SCHEMA["$defs"][name], ()):
            yield pytest.param(name, path, schema, id=f"{name}.{'.'.join(map(str, path))}")


def with_value(name, path, value):
    """(a config with this value at an option's path, the path as sentences write it)."""
    config, place = definition(name) if name else (copy.deepcopy(BASE), ())
    place = (*place, *path)
    if isinstance(place[-1], int):
        # The other items, where a list has a certain number of them.
        value, place = [value, *default_of(name, path[:-1])[1:]], place[:-1]
    here = config
    for key in place[:-1]:
        here = here.setdefault(key, {})
    here[place[-1]] = value
    return config, f"config.{'.'.join(place)}"


def default_of(name, path):
    schema = SCHEMA["$defs"][name] if name else SCHEMA
    for key in path:
        schema = followed(schema.get("properties", {}).get(key) or schema["additionalProperties"])
    return schema.get("default", [])


def types_of(schema):
    """The JSON types that an option takes."""
    if "anyOf" in schema:
        return set().union(*map(types_of, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return {"string"}
    found = schema.get("type", "object")
    found = {found} if isinstance(found, str) else set(found)
    return found | ({"integer"} if "number" in found else set())


def is_legal(value, schema):
    """Whether a value may pass, by what the schema's types and descriptions say."""
    types, described = types_of(schema), schema.get("description", "")
    if value is None:
        return "null" in types
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int | float):
        kind = "integer" if isinstance(value, int) or value.is_integer() else "number"
        return kind in types and 0 <= value <= LARGEST
    if isinstance(value, str):
        return "string" in types and (value != "" or not {"minLength", "enum"} & set(schema))
    if isinstance(value, list):
        if not value:
            return "array" in types and (schema.get("default") == [] or "empty" in described)
        return "array" in types and all(is_legal(item, schema["items"]) for item in value)
    return "object" in types


@pytest.mark.parametrize(("name", "path", "schema"), options())
def test_a_wrong_value_is_refused_by_its_path(name, path, schema):
    values = [
        item for kind in WRONG.values() for item in (kind if isinstance(kind, list) else [kind])
    ]
    refused = 0
    for value in values:
        config, place = with_value(name, path, value)
        try:
            resolve_config(config, SCHEMA)
        except ConfigError as error:
            refused += 1
            group, _, key = place.rpartition(".")
            assert group in str(error) and key in str(error), (value, str(error))
            assert "\n" not in str(error) and len(str(error)) < 1500
        else:
            assert is_legal(value, schema), f"{place}: {value!r} passes"
    assert refused >= len(values) / 2


def test_the_walk_finds_every_option():
    names = [parameter.id for parameter in options()]
    assert len(names) > 300 and len(set(names)) == len(names)
    for known in ("evaluation.contour.tolerance", "classifier.wood.clusters.iterations",
                  "refine.irn.training.images.scales.0", "figure.stage_progress.stages.seed",
                  "table.expected.label.label", "random_seeds.0"):  # fmt: skip
        assert known in names


@pytest.mark.parametrize("name", VARIANTS)
def test_the_configs_of_the_walk_are_right_themselves(name):
    config, (group, variant) = definition(name)
    resolved = resolve_config(config, SCHEMA)
    assert set(SCHEMA["$defs"][name]["properties"]) - {"expected"} <= set(resolved[group][variant])


@pytest.mark.parametrize(
    ("path", "written", "read"),
    [
        (("shards", "train"), 2.0, 2),
        (("random_seeds",), [0.0, 3], [0, 3]),
        (("threads", "crf"), 1e2, 100),
    ],
)
def test_a_whole_number_with_a_point_is_a_whole_number(path, written, read):
    config, _ = with_value(None, path, written)
    found = resolve_config(config, SCHEMA)
    for key in path:
        found = found[key]
    assert found == read and str(found) == str(read)


@pytest.mark.parametrize(
    ("path", "value", "hint"),
    [
        (("shards", "train"), "4", "write it without quotes, 4"),
        (("shards", "train"), "1e3", "write it without quotes, 1000"),
        (("shards", "train"), "1.5", "(Shards of the training images (maps, pseudo-masks))"),
        (("sheets", "width"), "nan", "(Width of the picture, inches.)"),
    ],
)
def test_a_number_in_quotes_has_a_hint(path, value, hint):
    config, _ = with_value(None, path, value)
    with pytest.raises(ConfigError) as caught:
        resolve_config(config, SCHEMA)
    assert str(caught.value).endswith(hint)
