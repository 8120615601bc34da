"""A run whose OoD images wait for a person: it stops with a sentence, and goes on from there."""

import re

import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import copy_project

pytestmark = pytest.mark.slow

CONFIG, DECISIONS = "config/waiting.yaml", "decided.csv"
FOLDER = "results-tiny/tiny/ood/manual"
# The two kinds of work that wait for nobody, and one that does.
TARGETS = [
    f"{FOLDER}/selected.csv",
    "results-tiny/tiny/ood/oracle/selected.csv",
    "results-tiny/tiny/plain/s0/classifier.safetensors",
]
VOTES = "anna: {} (1.5 s); ben: {} (2.0 s)"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = copy_project(tmp_path_factory.mktemp("manual"))
    options = {"decisions": DECISIONS, "undecided": "stop", "wanted_per_class": 3}
    config = {"base": "config/tiny.yaml", "ood_sets": {"manual": options}}
    (project.folder / CONFIG).write_text(yaml.safe_dump(config))
    return project


def run(project, *flags):
    """Make the targets; return the exit status, what was said, and the rules that began."""
    done = project.snakemake(*TARGETS, "--cores", "2", "--configfile", CONFIG, *flags)
    text = done.stdout + done.stderr
    return done.returncode, text, re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE)


def decide(project, count):
    """Write decisions on the best candidates of each class, every second one kept."""
    ranking = pd.read_csv(project.folder / FOLDER / "ranking.csv").sort_values("rank")
    image_ids = list(dict.fromkeys(ranking["image_id"]))[:count]
    words = [("keep", "reject")[number % 2] for number in range(count)]
    table = pd.DataFrame({"image_id": image_ids, "decision": words, "decided_by": "anna, ben"})
    table["votes"] = [VOTES.format(word, word) for word in words]
    table.to_csv(project.folder / DECISIONS, index=False)


def test_it_waits_for_a_person_and_goes_on(project):
    # Retries, as on a cluster: another attempt would find no more decisions.
    status, said, rules = run(project, "--keep-going", "--retries", "2")
    assert status != 0 and rules.count("decide_manual") == 1
    sentence = (
        "ValueError: ood_sets.manual: 16 of 16 ranked candidates are undecided, and 3 of 3 classes "
        f"(boat, bottle, train) lack their 3: decide them with `wsss review {FOLDER}` (details: "
        "results-tiny/logs/tiny/ood/manual/decide_manual.log)"
    )
    assert said.splitlines().count(sentence) == 1
    # Other work is done, and what the page needs is there.
    made = [(project.folder / path).is_file() for path in TARGETS]
    assert made == [False, True, True]
    assert (project.folder / FOLDER / "review.json").is_file()

    decide(project, 2)
    status, said, rules = run(project)
    assert status != 0 and set(rules) == {"decide_manual"}
    assert re.search(r"14 of 16 ranked candidates are undecided, .* or set ood_sets.manual.undecid",
                     said)  # fmt: skip
    assert (project.folder / FOLDER / "ranking.csv").is_file()

    decide(project, 6)
    status, said, rules = run(project)
    assert status == 0, said[-4000:]
    assert rules == ["decide_manual", "select_hard"]
    selected = pd.read_csv(project.folder / FOLDER / "selected.csv")
    assert len(selected) == 3
    people = pd.read_csv(project.folder / FOLDER / "annotators.csv").set_index("annotator")
    assert people["seconds"].to_dict() == {"anna": 9, "ben": 12}
    agreement = pd.read_csv(project.folder / FOLDER / "agreement.csv")
    assert agreement[["num_both", "num_differ", "kappa"]].values.tolist() == [[6, 0, 1]]

    # A further decision is taken over.
    decide(project, 8)
    status, _, rules = run(project)
    assert status == 0 and rules == ["decide_manual", "select_hard"]
    assert len(pd.read_csv(project.folder / FOLDER / "selected.csv")) == 4
    assert "Nothing to be done" in run(project)[1]
