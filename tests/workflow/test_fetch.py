"""`snakemake fetch_<name>`, really run, on a server of this machine; others know nothing of it."""

import hashlib
import shutil
from collections import deque

import pytest

from tests.fetch.archives import FILES, LIMIT, write_archive
from tests.fetch.site import Site
from tests.source import ROOT
from tests.workflow.conftest import copy_project
from wsss.fetch.catalogue import names_in_catalogue
from wsss.fetch.mirrors import MIRRORS

pytestmark = pytest.mark.slow

ENTRY = """
drawings:
  title: Drawings of the tests
  licence: CC0, whoever you are
  folder: data/drawings
  files:
    - name: drawings.tgz
      addresses: [https://data.invalid/sets/drawings.tgz]
      size: {size}
      sha256: {sha256}
      unpacked: {limit}
      unpack: {{top/images: JPEGImages, top/list.txt: ImageSets/train.txt}}
"""
UNPACKED = {"JPEGImages/a.jpg", "JPEGImages/deep/b.jpg", "ImageSets/train.txt"}


@pytest.fixture
def site(monkeypatch):
    site = Site()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    # Every source of the catalogue, so that no test can leave this machine.
    sources = ("https://data.invalid", "https://thor.robots.ox.ac.uk", "http://host.robots.ox.ac.uk",
               "http://pjreddie.com")  # fmt: skip
    monkeypatch.setenv(MIRRORS, " ".join(f"{source}={site.address}" for source in sources))
    yield site
    site.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("made") / "drawings.tgz", FILES).read_bytes()


@pytest.fixture(scope="module")
def project(tmp_path_factory, archive):
    """A copy of the project with one more entry in the catalogue: that is all it takes."""
    project = copy_project(tmp_path_factory.mktemp("fetching"))
    catalogue = project.folder / "wsss/fetch/catalogue.yaml"
    sha256 = hashlib.sha256(archive).hexdigest()
    entry = ENTRY.format(size=len(archive), sha256=sha256, limit=LIMIT)
    catalogue.write_text(catalogue.read_text() + entry)
    return project


def fetch(project, name):
    return project.snakemake("--cores", "1", f"fetch_{name}")


def found(project, folder):
    folder = project.folder / "data" / folder
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith(".")}


def test_a_new_entry_is_a_new_target(site, project, archive):
    site.serve("/sets/drawings.tgz", archive, cuts=deque([200]))
    done = fetch(project, "drawings")
    assert done.returncode == 0, done.stderr[-4000:]
    assert found(project, "drawings") == UNPACKED
    assert site.asked == [("/sets/drawings.tgz", None), ("/sets/drawings.tgz", "bytes=200-")]
    # A person at the terminal sees the licence before anything comes, and what comes.
    said = done.stderr
    assert (
        said.index("licence: CC0") < said.index("drawings.tgz: from http") < said.index("complete")
    )
    assert "licence: CC0" in (project.folder / "logs/fetch_drawings.log").read_text()
    # Nothing else was made: no results, no index.
    assert not (project.folder / "results").exists()
    site.asked.clear()
    again = fetch(project, "drawings")
    assert again.returncode == 0 and "data/drawings has all of it already" in again.stderr
    assert site.asked == []


def test_what_is_not_the_published_file_stops_with_a_sentence(site, project):
    site.serve("/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar", b"<html>moved</html>")
    done = fetch(project, "voc2012")
    assert done.returncode != 0
    sentence = next(line for line in done.stderr.splitlines() if line.startswith("ValueError: "))
    assert "VOCtrainval_11-May-2012.tar cannot be downloaded" in sentence
    assert "its file has 18 bytes, not 1999639040" in sentence
    assert "details: logs/fetch_voc2012.log" in sentence
    assert "Traceback" not in done.stderr
    assert found(project, "VOC2012") == set()


def test_what_a_person_must_place_stops_with_a_sentence(site, project):
    done = fetch(project, "weights_wide_resnet38")
    assert done.returncode != 0 and site.asked == []
    assert "put it at data/weights/ilsvrc-cls_rna-a1_cls1000_ep-0001.params and" in done.stderr
    place = project.folder / "data/weights/ilsvrc-cls_rna-a1_cls1000_ep-0001.params"
    place.write_bytes(b"weights")
    assert fetch(project, "weights_wide_resnet38").returncode == 0


def test_an_ordinary_run_asks_nothing_of_the_network(site, project):
    jobs = {rule for rule, _ in project.plan()}
    assert jobs and not {rule for rule in jobs if rule.startswith("fetch")}
    assert site.asked == []


def test_every_entry_is_a_target(site, project):
    listed = project.snakemake("--list-rules")
    names = {f"fetch_{name}" for name in names_in_catalogue()}
    assert names <= set(listed.stdout.split()) and site.asked == []


def test_on_a_cluster_it_runs_on_the_login_node(site, project, archive, fake_slurm):
    """No job is submitted: there is no sbatch that would take one."""
    fake_slurm.answer("sbatch", error="no")
    shutil.copytree(ROOT / "slurm", project.folder / "slurm")
    shutil.rmtree(project.folder / "data/drawings", ignore_errors=True)
    site.serve("/sets/drawings.tgz", archive)
    done = project.snakemake("--profile", "slurm", "fetch_drawings")
    assert done.returncode == 0, done.stderr[-4000:]
    assert found(project, "drawings") == UNPACKED
    assert not any(line.startswith("sbatch") for line in fake_slurm.asked)
