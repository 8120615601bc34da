import pickle
import zipfile

import pytest
import torch

from wsss.store.weights import load_torch_file, load_weights, save_weights

TENSORS = {
    "conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2),
    "bn.num_batches_tracked": torch.tensor(7),
    "half": torch.ones(3, dtype=torch.float16),
    "empty": torch.zeros(0, 4),
}
METADATA = {f"key{i}": str(i) for i in range(9)} | {"backbone": "compact"}


def test_weights_and_metadata_read_back(tmp_path):
    save_weights(tmp_path / "a.safetensors", TENSORS, metadata=METADATA)
    tensors, metadata = load_weights(tmp_path / "a.safetensors")
    assert metadata == METADATA and tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype


def test_views_and_shared_memory_are_stored_by_value(tmp_path):
    base = torch.arange(6.0).reshape(2, 3)
    shared = {"a": base, "b": base, "c": base.t(), "d": torch.nn.Parameter(base)}
    save_weights(tmp_path / "a.safetensors", shared, metadata={})
    tensors, _ = load_weights(tmp_path / "a.safetensors")
    assert torch.equal(tensors["c"], base.t()) and torch.equal(tensors["d"], base)


def test_equal_contents_give_equal_files(tmp_path):
    save_weights(tmp_path / "a.safetensors", TENSORS, metadata=METADATA)
    backwards = dict(reversed(TENSORS.items()))
    save_weights(tmp_path / "b.safetensors", backwards, metadata=dict(reversed(METADATA.items())))
    content = (tmp_path / "a.safetensors").read_bytes()
    assert content == (tmp_path / "b.safetensors").read_bytes()


def test_other_readers_of_safetensors_read_the_file(tmp_path):
    safetensors = pytest.importorskip("safetensors")
    save_weights(tmp_path / "a.safetensors", TENSORS, metadata=METADATA)
    with safetensors.safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert file.metadata().items() >= METADATA.items()
        assert torch.equal(file.get_tensor("half"), TENSORS["half"])


def test_metadata_must_be_strings(tmp_path):
    with pytest.raises(ValueError, match="num_classes must be a string"):
        save_weights(tmp_path / "a", TENSORS, metadata={"num_classes": 3})
    with pytest.raises(ValueError, match="sha256 must be a string of another name"):
        save_weights(tmp_path / "a", TENSORS, metadata={"sha256": ""})


def test_a_failing_write_leaves_the_old_file_only(tmp_path):
    path = tmp_path / "a.safetensors"
    save_weights(path, TENSORS, metadata={})
    old = path.read_bytes()
    with pytest.raises(AttributeError):
        save_weights(path, {"a": None}, metadata={})
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [old]


def test_missing_foreign_and_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(ValueError, match=r"a\.safetensors do not exist; link them there"):
        load_weights(path)
    save_weights(path, TENSORS, metadata={})
    content = path.read_bytes()
    for broken in (b"", b"foreign file", content[:-3], content[:30], b"\xff" * 100):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"a\.safetensors is no safetensors file .*delete it"):
            load_weights(path)
    flipped = bytearray(content)
    flipped[-1] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(ValueError, match=r"a\.safetensors is damaged \(its checksum differs\)"):
        load_weights(path)


def test_a_folder_is_no_file_of_weights(tmp_path):
    with pytest.raises(ValueError, match=r"weights .* cannot be read \(Is a directory\)"):
        load_weights(tmp_path)


def test_tensors_come_by_name(tmp_path):
    tensors = {name: torch.zeros(1) for name in "ncxbaz"}
    save_weights(tmp_path / "a.safetensors", tensors, metadata={})
    assert list(load_weights(tmp_path / "a.safetensors")[0]) == sorted(tensors)


def test_safetensors_of_others_are_refused(tmp_path):
    torch_files = pytest.importorskip("safetensors.torch")
    torch_files.save_file(TENSORS, tmp_path / "a.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="was not written by this workflow"):
        load_weights(tmp_path / "a.safetensors")


class Malicious:
    def __reduce__(self):
        return (open, ("stolen", "w"))


@pytest.mark.parametrize("old_format", [True, False])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, monkeypatch, old_format):
    monkeypatch.chdir(tmp_path)
    if old_format:
        (tmp_path / "a.pth").write_bytes(pickle.dumps({"weight": Malicious()}))
    else:
        torch.save({"weight": Malicious()}, tmp_path / "a.pth")
    with pytest.raises(
        ValueError, match=r"a\.pth are refused: they hold more than tensors"
    ) as raised:
        load_torch_file(tmp_path / "a.pth")
    assert "\n" not in str(raised.value)
    assert [file.name for file in tmp_path.iterdir()] == ["a.pth"]


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_of_others_reads(tmp_path, zipped):
    content = {"state_dict": TENSORS, "iteration": 3}
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    read = load_torch_file(tmp_path / "a.pth")
    assert read["iteration"] == 3
    assert torch.equal(read["state_dict"]["half"], TENSORS["half"])


def test_broken_torch_files_are_refused_in_one_sentence(tmp_path):
    path = tmp_path / "a.pth"
    with pytest.raises(ValueError, match=r"a\.pth do not exist"):
        load_torch_file(path)
    torch.save(TENSORS, path)
    content = path.read_bytes()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", "b")
    for broken in (b"", b"text", content[: len(content) // 2],
                   (tmp_path / "other.zip").read_bytes()):  # fmt: skip
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"a\.pth (are refused|cannot be read)") as raised:
            load_torch_file(path)
        assert "\n" not in str(raised.value)
