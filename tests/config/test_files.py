"""Config files: what YAML takes in silence, and what is no config at all."""

import pytest

from tests.source import ROOT
from wsss.config.files import read_config_file
from wsss.config.resolve import ConfigError, extend_config

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


def written(tmp_path, content):
    path = tmp_path / "my.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sentence(path):
    with pytest.raises(ConfigError) as caught:
        read_config_file(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds nothing, but keys are needed"),
        ("# only a comment\n", "holds nothing, but keys are needed"),
        ("- a\n- b\n", 'holds ["a", "b"], but keys are needed'),
        ("just text", 'holds "just text", but keys are needed'),
        ("[1, 2]", "holds [1, 2], but keys are needed"),
        ("a: 1\nb: 2\na: 3\n", 'the key "a" of line 3 stands in line 1 already; leave one'),
        ("x: {a: 1, b: 2}\ny:\n  c: 1\n  d: 2\n  c: 3\n", '"c" of line 5 stands in line 3'),
        ('x:\n  a: 1\n  "a": 2\n', '"a" of line 3 stands in line 2'),
        ('{"a": 1, "a": 2}', 'the key "a" comes twice in one group'),
        ("a:\n\tb: 1\n", r"line 2 is no YAML: found character '\t' that cannot start any token"),
        ("a: [1, 2\nb: 3\n", "line 2 is no YAML"),
        ("a: *unknown\n", "line 1 is no YAML: found undefined alias"),
        ("a: !!python/object/apply:os.system ['touch stolen']\n",
         "line 1 is no YAML: could not determine a constructor for the tag"),
        ("a: !!python/name:os.system\n", "line 1 is no YAML: could not determine a constructor"),
        ("a: 1\n---\na: 2\n", "is no YAML: but found another document"),
        ("a: " + "1" * 5000, "is no YAML: "),
        ("[" * 5000, "is no YAML: "),
        ("? [a, b]\n: 1\n", "is no YAML: "),
        (b"a: \xff\xfe\n", "is no UTF-8 text (byte 3): save it as UTF-8"),
        (b"a: \x00\n", "is no YAML: "),
    ],
)  # fmt: skip
def test_what_is_no_config_is_refused_in_a_sentence(tmp_path, monkeypatch, content, words):
    monkeypatch.chdir(tmp_path)
    assert words in sentence(written(tmp_path, content))
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a: 1\n", {"a": 1}),
        ("{}", {}),
        (b"\xef\xbb\xbfa: \xc3\xa9\n", {"a": "\u00e9"}),
        ('{\n\t"a": {"b": [1]}\n}', {"a": {"b": [1]}}),
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}),
        ("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\nd: {<<: [*a, *b]}\n",
         {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}, "d": {"x": 1}}),
        ("a: {k: 1}\nb: {k: 1}\n", {"a": {"k": 1}, "b": {"k": 1}}),
    ],
)  # fmt: skip
def test_configs_read_as_they_are_written(tmp_path, content, found):
    assert read_config_file(written(tmp_path, content)) == found


@pytest.mark.parametrize("name", ["config.yaml", "config/scenes.yaml"])
def test_the_projects_own_files_read_as_ever(name):
    import yaml

    assert read_config_file(ROOT / name) == yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LAUGHS, "config holds more than 200000 values"),
        ("a: &a {b: *a}\n", "config holds more than 200000 values, or groups more than 32 deep"),
        ("a: &a [*a, *a]\n", "more than 32 deep"),
        ("a: 2020-01-01\n", 'config.a is "2020-01-01", which YAML reads as a date: write text'),
        ("a: !!set {x, y}\n", "config.a is "),
        ("a: !!binary aGVsbG8=\n", "which YAML reads as a bytes: write text in quotes"),
        ('a: "\\0"\n', "config.a holds a character that cannot be written"),
        ('"\\uD800": 1\n', "config holds a character that cannot be written"),
    ],
)
def test_what_yaml_has_beyond_plain_values_is_refused(tmp_path, content, words):
    with pytest.raises(ConfigError) as caught:
        extend_config(read_config_file(written(tmp_path, content)), {}.__getitem__)
    assert words in str(caught.value) and len(str(caught.value)) < 800


# Bases


def extended(tmp_path, base):
    return extend_config({"base": base}, lambda name: read_config_file(tmp_path / name))


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("gone.yaml", "config.base is 'gone.yaml', which cannot be read (No such file or dir"),
        ("folder", "config.base is 'folder', which cannot be read (Is a directory)"),
        ("", "config.base is '.', which cannot be read (Is a directory)"),
        ("../outside.yaml", 'config.base is "../outside.yaml", but allowed is the path of a'),
        ("folder/../../outside.yaml", "but allowed is the path of a config file within the proj"),
        ("/etc/passwd", 'config.base is "/etc/passwd", but allowed is the path of a config file'),
        ("~/my.yaml", 'config.base is "~/my.yaml", but allowed is the path of a config file'),
        (["my.yaml"], 'config.base is ["my.yaml"], but allowed is the path of a config file'),
        (3, "config.base is 3, but allowed is the path of a config file"),
        (False, "config.base is false, but allowed is the path of a config file"),
        ("self.yaml", "config.base closes a circle: self.yaml -> self.yaml"),
        ("folder/.././self.yaml", "config.base closes a circle: self.yaml -> self.yaml"),
        ("list.yaml", 'list.yaml holds ["a"], but keys are needed'),
        ("empty.yaml", "empty.yaml holds nothing, but keys are needed"),
    ],
)
def test_a_base_that_is_no_config_of_the_project_is_refused(tmp_path, base, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "self.yaml").write_text("base: ./self.yaml\n")
    (tmp_path / "list.yaml").write_text("[a]\n")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ConfigError) as caught:
        extended(tmp_path, base)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_base_of_a_base_is_found_from_the_projects_folder(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/upper.yaml").write_text("base: lower.yaml\na: 1\n")
    (tmp_path / "lower.yaml").write_text("a: 0\nb: 2\nbase:\n")
    assert extended(tmp_path, "config/upper.yaml") == {"a": 1, "b": 2}
