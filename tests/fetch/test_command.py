"""`wsss fetch`."""

import hashlib

import pytest
import yaml

from wsss.cli import main
from wsss.commands import fetch as command
from wsss.fetch import entries
from wsss.fetch.catalogue import read_catalogue


@pytest.fixture
def project(site, tmp_path, monkeypatch):
    """A folder with a catalogue of two files."""
    catalogue = {}
    for name in ("first", "second"):
        site.serve(f"/{name}.pth", name.encode())
        catalogue[name] = {
            "title": f"The {name} of two",
            "licence": "CC0, whoever you are",
            "folder": "data/weights",
            "files": [
                {
                    "name": f"{name}.pth",
                    "addresses": [f"{site.address}/{name}.pth"],
                    "size": len(name),
                    "sha256": hashlib.sha256(name.encode()).hexdigest(),
                }
            ],
        }
    (tmp_path / "catalogue.yaml").write_text(yaml.safe_dump(catalogue))
    for module in (command, entries):
        path = tmp_path / "catalogue.yaml"
        monkeypatch.setattr(module, "read_catalogue", lambda path=path: read_catalogue(path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_lists_what_there_is(capsys):
    assert main(["fetch", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = {}
    for line, licence in zip(lines[::2], lines[1::2], strict=True):
        name, rest = line.split(maxsplit=1)
        assert licence.strip().startswith("licence: ")
        found[name] = rest.split()
    assert found.keys() == read_catalogue().keys()
    assert found["voc2012"][:3] == ["2.0", "GB", "data/VOC2012"]
    assert found["coco2014"][:3] == ["20.4", "GB", "data/coco"]
    assert found["openimages_images"][:5] == ["315", "kB", "an", "image", "data/openimages"]
    assert found["weights_resnet101"][:3] == ["179", "MB", "data/weights"]
    assert found["weights_wide_resnet38"][:4] == ["placed", "by", "hand", "data/weights"]


def test_it_fetches_what_is_named(project, capsys):
    assert main(["fetch", "second", "first"]) == 0
    assert (project / "data/weights/second.pth").read_text() == "second"
    said = capsys.readouterr().err
    assert said.index("The second of two") < said.index("licence: CC0") < said.index("The first")
    assert main(["fetch", "first"]) == 0
    assert capsys.readouterr().err == "first: data/weights has all of it already\n"


@pytest.mark.parametrize(
    ("names", "words"),
    [([], "say what to fetch: first, second; --list tells more of each"),
     (["first", "third"], "third cannot be fetched; known are first, second")],
)  # fmt: skip
def test_a_wrong_use_is_told_before_anything_comes(site, project, capsys, names, words):
    assert main(["fetch", *names]) == 1
    assert capsys.readouterr().err == f"wsss: error: {words}\n"
    assert site.asked == [] and not (project / "data").exists()


def test_a_failure_is_one_sentence(site, project, capsys):
    del site.files["/first.pth"]
    assert main(["fetch", "first"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("wsss: error: first.pth cannot be downloaded (from http://127.0.0.1:")
