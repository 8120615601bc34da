"""What holds for configs of any content."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.test_resolve import SCHEMA, SMALL
from wsss.config.resolve import ConfigError, extend_config, resolve_config

settings.register_profile("same", deadline=None, derandomize=True, max_examples=100)
ANY = settings.get_profile("same")

KEYS = sorted(
    {*SCHEMA["properties"], "base", "kind", "method", "chains", "scenes", "f_in", "title"}
)
texts = st.one_of(st.sampled_from(KEYS), st.text(max_size=5))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.dates(), st.binary(max_size=3)
)
names = st.one_of(texts, st.integers(), st.none(), st.booleans(), st.tuples(st.integers()))
data = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
)
groups = st.dictionaries(texts, data, max_size=5)


def places(value, path=()):
    """The path of every group, list and value within a config."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    for key, item in items:
        yield from places(item, (*path, key))


PLACES = sorted({path for path in places(resolve_config(SMALL, SCHEMA)) if path})


def shuffled(value, random):
    if not isinstance(value, dict):
        return value
    keys = list(value)
    random.shuffle(keys)
    return {key: shuffled(value[key], random) for key in keys}


@given(data)
@ANY
def test_any_data_is_refused_in_a_sentence_or_is_a_config(config):
    try:
        assert isinstance(resolve_config(config, SCHEMA), dict)
    except ConfigError as error:
        assert "\n" not in str(error)
        assert str(error).encode("utf-8")


@given(st.sampled_from(PLACES), data)
@settings(ANY, max_examples=200)
def test_any_data_within_a_config_is_refused_in_a_sentence_or_fits(path, value):
    config = copy.deepcopy(SMALL)
    place = config
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    try:
        resolved = resolve_config(config, SCHEMA)
    except ConfigError as error:
        assert "\n" not in str(error)
    else:
        assert resolve_config(resolved, SCHEMA) == resolved


@given(st.randoms(use_true_random=False))
@settings(ANY, max_examples=25)
def test_the_order_of_keys_does_not_matter(random):
    assert resolve_config(shuffled(SMALL, random), SCHEMA) == resolve_config(SMALL, SCHEMA)


plain = st.recursive(
    st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
)
layers = st.dictionaries(st.sampled_from("abcd"), plain, max_size=4)


def extended(*configs):
    """The first config on top of the second on top of the third ..."""
    files = {f"{number}.yaml": config for number, config in enumerate(configs)}
    chain = {
        name: {**config, "base": f"{number + 1}.yaml"} if number + 1 < len(configs) else config
        for number, (name, config) in enumerate(files.items())
    }
    return extend_config(chain["0.yaml"], chain.__getitem__)


@given(layers)
@ANY
def test_a_config_over_nothing_over_itself_or_alone_is_itself(config):
    before = copy.deepcopy(config)
    assert extended(config) == extended(config, {}) == extended({}, config) == config
    assert extended(config, config) == config
    assert config == before


@given(layers, layers)
@ANY
def test_the_upper_config_wins_and_the_lower_one_fills_in(upper, lower):
    def check(merged, above, below):
        assert set(merged) == set(above) | set(below)
        for key, value in merged.items():
            if key not in above:
                assert value == below[key]
            elif isinstance(above[key], dict) and isinstance(below.get(key), dict):
                check(value, above[key], below[key])
            else:
                assert value == above[key]

    check(extended(upper, lower), upper, lower)


@given(layers, layers, layers)
@ANY
def test_a_base_stands_on_its_own_base_first(upper, middle, lower):
    assert extended(upper, middle, lower) == extended(upper, extended(middle, lower))
