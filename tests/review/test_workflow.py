"""From a run that waits for a person, over the page, to a run that uses what the person decided."""

import pandas as pd
import pytest
import yaml

from tests.review.site import Server, decided, own_port
from tests.workflow.conftest import copy_project

CONFIG, DECISIONS = "config/waiting.yaml", "data/decisions.csv"
FOLDER = "results-tiny/tiny/ood/manual"
SELECTED = f"{FOLDER}/selected.csv"


@pytest.mark.slow
def test_a_set_is_pruned_by_keyboard_alone_and_the_workflow_goes_on_with_it(tmp_path, desks):
    project = copy_project(tmp_path)
    options = {"decisions": DECISIONS, "undecided": "stop", "wanted_per_class": 2}
    config = {"base": "config/tiny.yaml", "ood_sets": {"manual": options}}
    (tmp_path / CONFIG).write_text(yaml.safe_dump(config))

    def run():
        return project.snakemake(SELECTED, "--cores", "2", "--configfile", CONFIG)

    stopped = run()
    assert stopped.returncode != 0 and f"`wsss review {FOLDER}`" in stopped.stderr

    port = own_port()
    with Server(tmp_path, "--port", port, ood_set=FOLDER) as server:
        desk = desks(server)
        classes = desk.page.locator("[data-class]").count()
        assert classes == 3
        desk.press("x", "p", "p")
        desk.wait("document.body.innerText.includes('has its 2')")
        desk.press("c")  # Why did it fire?
        desk.page.wait_for_selector("img[src^='blob:']")
        server.kill()
    with Server(tmp_path, "--port", port, ood_set=FOLDER):
        # One more is kept, and taken back after a restart of the server.
        desk.press("p", "Control+z")
        desk.saved()
        assert sorted(decided(tmp_path, DECISIONS).values()) == ["keep", "keep", "reject"]
        # Candidates of one class are those of the others here: some are decided already.
        for _ in range(classes - 1):
            desk.press("n")
            desk.wait("document.querySelectorAll('[data-image]').length === 16")
            while int(desk.account("kept")) < 2:
                kept = int(desk.account("kept"))
                desk.press("p")
                desk.saved()
                assert int(desk.account("kept")) == kept + 1
    words = decided(tmp_path, DECISIONS)

    done = run()
    assert done.returncode == 0, done.stderr[-4000:]
    selected = pd.read_csv(tmp_path / SELECTED)
    assert set(selected["image_id"]) == {name for name, word in words.items() if word == "keep"}
    people = pd.read_csv(tmp_path / FOLDER / "annotators.csv")
    assert people["annotator"].tolist() == ["anna"] and people["seconds"].iloc[0] > 0

    # To look alone asks nothing of the workflow.
    with Server(tmp_path, ood_set=FOLDER) as server:
        desks(server, "ben").saved()
    assert "Nothing to be done" in run().stderr
