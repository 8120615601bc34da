"""Config files that cannot be run, through the engine: a sentence each, and no traceback."""

import pytest

from tests.config.test_files import LAUGHS

pytestmark = pytest.mark.slow

BASE = "base: config/tiny.yaml\n"


def planned(fresh, content):
    """What the engine says to a dry run of a config file."""
    (fresh.folder / "bad.yaml").write_text(content)
    done = fresh.snakemake("--dry-run", "--configfile", "bad.yaml")
    assert done.returncode != 0
    assert not (fresh.folder / "stolen").exists()
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{BASE}random_seeds: [0]\nrandom_seeds: [1]\n", '"random_seeds" of line 3 stands in'),
        (f"{BASE}datasets: {{tiny: {{hard_fraction: 0.9, mislabelled_fraction: 0.9}}}}\n",
         "config.datasets.tiny.hard_fraction is 0.9 and mislabelled_fraction 0.9, but together"),
        ("base: ../elsewhere.yaml\n", 'config.base is "../elsewhere.yaml", but allowed is the pa'),
        (LAUGHS, "config holds more than 200000 values"),
    ],
    ids=["repeated", "shares", "outside", "aliases"],
)  # fmt: skip
def test_our_own_sentence_is_shown(fresh, content, words):
    text = planned(fresh, content)
    assert words in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "Config file must be given as JSON or YAML with keys at top level"),
        ("a: !!python/object/apply:os.system ['touch stolen']\n", "is not valid JSON or YAML"),
    ],
    ids=["empty", "object"],
)
def test_the_engines_own_sentence_is_shown(fresh, content, words):
    text = planned(fresh, content)
    assert words in text
    assert "Traceback" not in text
