"""How a training computes: results stay those of the plain way, within the digits that are kept."""

import pytest
import torch

from tests.train.small import CLASSES, COMPUTING, small_classifier, stream_of
from tests.train.test_trainings import RECIPE
from wsss.models.deeplab import build_segmenter
from wsss.models.irn import IRNet
from wsss.models.psa import AffinityNet
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.computing import set_computing

LAST = torch.channels_last


def networks():
    torch.manual_seed(0)
    yield small_classifier()
    yield IRNet(small_classifier().backbone)
    yield AffinityNet(small_classifier().backbone, distance="mean", group_norm=False)
    yield build_segmenter(
        "deeplab_v2", "compact", num_classes=len(CLASSES) + 1, atrous_rates=[1], scales=[0.5]
    )


def backbone_of(network):
    return network.base.backbone if hasattr(network, "base") else network.backbone


def outputs(network, pixels):
    found = network.eval()(network.normalize(pixels))
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_bfloat16_is_of_the_backbone_alone(kind):
    network = list(networks())[kind]
    pixels = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    seen = {}
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    set_computing(network, **COMPUTING)
    full = outputs(network, pixels)
    set_computing(network, **{**COMPUTING, "precision": "bfloat16"})
    lower = outputs(network, pixels)
    inside = {name for name, out in seen.items() if out.dtype == torch.bfloat16}
    assert inside == {name for name in seen if "backbone." in name} and inside != set(seen)
    assert all(p.dtype == torch.float32 for p in network.parameters())
    for one, other in zip(full, lower, strict=True):
        assert other.dtype == torch.float32
        assert 0 < (one - other).abs().max() < 0.05 * one.abs().max()
    set_computing(network, **COMPUTING)
    assert all(map(torch.equal, outputs(network, pixels), full))


def trained(records, tmp_path, name, **computing):
    """Return the log and the weights of a short training."""
    classifier = small_classifier()
    rows = train_classifier(
        classifier,
        stream_of(records),
        **{**RECIPE, "epochs": 1, "batch_norm": "frozen", "computing": COMPUTING | computing},
        checkpoint=running_checkpoint(tmp_path / name, options=name, inputs=[]),
    )
    return rows, classifier


def test_the_layout_changes_nothing_but_rounding(records, tmp_path):
    rows, classifier = trained(records, tmp_path, "last")
    plain_rows, plain = trained(records, tmp_path, "first", channels_last=False)
    convolution = classifier.backbone.stage_modules()[1][0]
    assert any(p.is_contiguous(memory_format=LAST) and p.ndim == 4 and p.shape[-1] > 1
               for p in convolution.parameters())  # fmt: skip
    assert rows[-1]["loss"] == pytest.approx(plain_rows[-1]["loss"], rel=1e-3)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(classifier.state_dict()[name], value, rtol=1e-2, atol=1e-4)


def test_a_training_in_bfloat16_is_near_the_full_one(records, tmp_path):
    rows, classifier = trained(records, tmp_path, "bfloat16", precision="bfloat16")
    plain_rows, _ = trained(records, tmp_path, "full")
    assert rows != plain_rows
    assert rows[-1]["loss"] == pytest.approx(plain_rows[-1]["loss"], rel=0.1)
    assert all(p.dtype == torch.float32 for p in classifier.parameters())


@pytest.mark.slow
def test_a_compiled_training_is_the_plain_one_but_for_rounding(records, tmp_path):
    rows, classifier = trained(records, tmp_path, "compiled", compiled=True)
    plain_rows, plain = trained(records, tmp_path, "plain")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert rows[-1]["loss"] == pytest.approx(plain_rows[-1]["loss"], rel=1e-3)
    assert classifier.state_dict().keys() == plain.state_dict().keys()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(classifier.state_dict()[name], value, rtol=1e-2, atol=1e-4)


def test_says_what_is_missing(monkeypatch):
    network = small_classifier()
    with pytest.raises(ValueError, match="unknown precision 'half': choose one of full, bfloat16"):
        set_computing(network, **{**COMPUTING, "precision": "half"})
    monkeypatch.setenv("CXX", "/no/such/compiler")
    with pytest.raises(ValueError, match=r"needs a C\+\+ compiler .* no /no/such/compiler: inst"):
        set_computing(network, **{**COMPUTING, "compiled": True})
