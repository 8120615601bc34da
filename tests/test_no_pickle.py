"""No file that a user hands over runs code: malicious ones are refused in a sentence."""

import ast
import io
import pickle
import random
import re

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from tests.source import ROOT, tree_of
from wsss.cli import main
from wsss.config.files import read_config_file
from wsss.ood.decisions import check_manual
from wsss.store.arrays import read_arrays
from wsss.store.tables import read_table
from wsss.store.weights import load_torch_file, load_weights
from wsss.train.networks import load_classifier, start_classifier, start_segmenter

MARKER = "stolen"
RECIPE = {"network": "deeplab_v2", "backbone": "compact", "atrous_rates": [1], "scales": []}


class Malicious:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return (open, (MARKER, "w"))


def saved(writer, content=None):
    buffer = io.BytesIO()
    writer(buffer, content if content is not None else {"weight": Malicious()})
    return buffer.getvalue()


FILES = {
    "pickle": pickle.dumps({"weight": Malicious()}),
    "old_pickle": pickle.dumps({"weight": Malicious()}, protocol=0),
    "torch_zip": saved(lambda file, content: torch.save(content, file)),
    "torch_legacy": saved(
        lambda file, content: torch.save(content, file, _use_new_zipfile_serialization=False)
    ),
    "npy": saved(
        lambda file, content: np.save(file, np.array([content], dtype=object), allow_pickle=True)
    ),
    "npz": saved(
        lambda file, content: np.savez(
            file, weight=np.array([content], dtype=object), allow_pickle=True
        )
    ),
    "yaml": f"a: !!python/object/apply:builtins.open [{MARKER}, w]\n".encode(),
    "python": f"open('{MARKER}', 'w')\n".encode(),
}
READERS = {
    "load_torch_file": load_torch_file,
    "load_weights": load_weights,
    "load_classifier": load_classifier,
    "classifier's initial_weights": lambda path: start_classifier(
        None,
        classes=["a"],
        network="classifier",
        network_options={},
        backbone="compact",
        initial_weights=str(path),
        random_seed=0,
    ),
    "segmenter's initial_weights": lambda path: start_segmenter(
        RECIPE,
        classes=["a"],
        initial_weights=str(path),
        saw_pixel_labels=False,
        start=path,
        random_seed=0,
    ),
    "read_arrays": lambda path: read_arrays(path, ["weight"]),
    "config": read_config_file,
    "decisions": lambda path: check_manual(
        read_table(path, ("image_id", "decision")), pd.DataFrame(), where=str(path)
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder; nothing but what a test wrote may stand in it afterwards."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not (tmp_path / MARKER).exists()


@pytest.mark.parametrize("content", ["pickle", "torch_zip", "torch_legacy"])
def test_the_files_are_malicious_indeed(folder, content):
    if content == "pickle":
        pickle.loads(FILES[content])
    else:
        torch.load(io.BytesIO(FILES[content]), weights_only=False)
    assert (folder / MARKER).exists()
    (folder / MARKER).unlink()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_malicious_file_is_refused_and_never_run(folder, reader, content, suffix):
    path = folder / f"given.{suffix}"
    path.write_bytes(FILES[content])
    with pytest.raises(ValueError, match=rf"given\.{suffix}") as caught:
        READERS[reader](path)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("network", ["classifier", "irn", "segmenter"])
@pytest.mark.parametrize("content", ["pickle", "torch_zip", "torch_legacy", "npy"])
def test_import_weights_refuses_malicious_files(folder, network, content, capsys):
    (folder / "given.pth").write_bytes(FILES[content])
    status = main(["import-weights", network, "given.pth", "--output", "o.safetensors", "--voc"])
    assert status == 1 and not (folder / "o.safetensors").exists()
    assert re.fullmatch(r"wsss: error: .*given\.pth.*\n", capsys.readouterr().err)


def object_dataset(file):
    strings = h5py.string_dtype()
    file.create_dataset("weight", data=[pickle.dumps(Malicious(), 0).decode()], dtype=strings)


def opaque_dataset(file):
    file.create_dataset("weight", data=np.void(pickle.dumps(Malicious())))


def reference_dataset(file):
    file.create_dataset("weight", data=[file.ref], dtype=h5py.ref_dtype)


@pytest.mark.parametrize("write", [object_dataset, opaque_dataset, reference_dataset])
def test_hdf5_of_objects_is_refused(folder, write):
    with h5py.File(folder / "a.h5", "w") as file:
        write(file)
        file.attrs["kind"] = np.bytes_(b"arrays")
        file.attrs["attributes"] = np.bytes_(b"{}")
        file.attrs["complete"] = True
    with pytest.raises(ValueError, match=r"a\.h5 ") as caught:
        read_arrays(folder / "a.h5", ["weight"])
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("content", ["torch_zip", "torch_legacy"])
def test_damaged_torch_files_are_read_or_refused_in_a_sentence(folder, content):
    legacy = content == "torch_legacy"
    tensors = {"state_dict": {"w": torch.arange(6.0).reshape(2, 3)}, "epoch": 3}
    whole = saved(
        lambda file, found: torch.save(found, file, _use_new_zipfile_serialization=not legacy),
        tensors,
    )
    choice = random.Random(0)
    refused = 0
    for _ in range(600):
        damaged = bytearray(whole)
        for _ in range(choice.choice((1, 2, 5))):
            damaged[choice.randrange(len(damaged))] = choice.randrange(256)
        (folder / "a.pth").write_bytes(damaged[: choice.randrange(1, len(damaged) * 3)])
        try:
            load_torch_file(folder / "a.pth")
        except ValueError as error:
            refused += 1
            assert "a.pth" in str(error) and "\n" not in str(error)
    assert refused > 100


# The source

FORBIDDEN = {
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "dill.load", "dill.loads"),
    *("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load"),
    *("yaml.full_load_all", "pd.read_pickle", "pandas.read_pickle", "marshal.load", "shelve.open"),
    *("marshal.loads", "eval", "exec", "compile", "builtins.eval", "builtins.exec", "os.system"),
    *("torch.jit.load", "torch.hub.load", "pd.read_hdf", "pandas.read_hdf", "__import__"),
}
UNSAFE_LOADERS = {f"yaml.{c}{kind}Loader" for c in ("", "C") for kind in ("", "Full", "Unsafe")}
FILES_OF_OURS = sorted(
    str(path.relative_to(ROOT))
    for folder in ("wsss", "workflow", "bench")
    for path in (ROOT / folder).rglob("*.py")
)


def unsafe(tree):
    """(line, call) of everything in a syntax tree that could run what a file holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("pickle", "dill", "marshal"):
            yield node.lineno, f"from {node.module} import"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in UNSAFE_LOADERS:
            yield node.lineno, ast.unparse(node)
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        words = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in FORBIDDEN or words.get("allow_pickle", "False") != "False":
            yield node.lineno, ast.unparse(node)
        if called == "torch.load" and words.get("weights_only") != "True":
            yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("name", FILES_OF_OURS)
def test_no_code_of_ours_runs_what_a_file_holds(name):
    assert list(unsafe(tree_of(name))) == []


RULES = sorted(str(p.relative_to(ROOT)) for p in [ROOT / "Snakefile", *ROOT.rglob("*.smk")]
               if ".venv" not in p.parts)  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_no_rule_of_ours_does(name):
    text = (ROOT / name).read_text("utf-8")
    words = "|".join(map(re.escape, sorted(FORBIDDEN - {"compile"})))
    assert not re.search(rf"(?<![\w.])(?:{words})\s*\(|\bpickle\b|\btorch\.load\b", text)


@pytest.mark.parametrize(
    "code",
    ["pickle.loads(x)", "torch.load(x)", "torch.load(x, weights_only=False)", "eval(x)",
     "np.load(x, allow_pickle=True)", "yaml.load(x, yaml.FullLoader)", "from pickle import loads",
     "class L(yaml.UnsafeLoader): pass", "pd.read_pickle(x)", "joblib.load(x)"],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(code):
    assert list(unsafe(ast.parse(code)))
