import pytest
import torch

from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.irn import IRNet
from wsss.models.official_weights import classifier_from_official, irn_from_official

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return build_classifier("resnet50", num_classes=3)


@pytest.fixture(scope="module")
def irnet():
    torch.manual_seed(0)
    return IRNet(build_backbone("resnet50"))


def official_classifier_state(classifier):
    """Return the state dict as the official class registers it: every layer two or three times."""
    state = {}
    for name, tensor in classifier.state_dict().items():
        first = name.replace("backbone.", "resnet50.").replace("head.", "classifier.")
        state[first] = tensor
    for name, tensor in list(state.items()):
        for layer, stage in {
            "conv1": "1.0",
            "bn1": "1.1",
            "layer1": "1.4",
            "layer3": "3.0",
        }.items():
            prefix = f"resnet50.{layer}."
            if name.startswith(prefix):
                state[f"stage{stage}." + name.removeprefix(prefix)] = tensor
                state[f"backbone.{stage}." + name.removeprefix(prefix)] = tensor
    return state | {"newly_added.0.weight": state["classifier.weight"]}


def official_irn_state(irnet):
    state = {k.replace("backbone.", "resnet50."): v for k, v in irnet.state_dict().items()}
    shift = {"running_mean": state.pop("mean_shift.running_mean"), "running_var": torch.ones(2)}
    for prefix in ("fc_dp7.4.", "dp_layers.6.4."):
        state |= {prefix + name: tensor for name, tensor in shift.items()}
    state["edge_layers.5.weight"] = state["fc_edge6.weight"]
    return state | {"path_indices0": torch.zeros(2), "ind_from": torch.zeros(1)}


def assert_same(renamed, expected):
    assert renamed.keys() == expected.keys()
    assert all(torch.equal(renamed[name], expected[name]) for name in expected)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_classifier_checkpoint(classifier, prefix):
    state = {prefix + k: v for k, v in official_classifier_state(classifier).items()}
    assert_same(classifier_from_official(state), classifier.state_dict())


def test_counters_may_be_absent(classifier):
    state = official_classifier_state(classifier)
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    classifier.load_state_dict(classifier_from_official(state))


def test_irn_checkpoint(irnet):
    assert_same(irn_from_official(official_irn_state(irnet)), irnet.state_dict())


def test_irn_checkpoint_with_its_own_mean_shift(irnet):
    state = {k.replace("backbone.", "resnet50."): v for k, v in irnet.state_dict().items()}
    state["mean_shift.num_batches_tracked"] = torch.tensor(7)
    assert_same(irn_from_official(state), irnet.state_dict())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resnet50.fc.weight": torch.zeros(2)}, "tensor 'resnet50.fc.weight' does not belong"),
        ({"resnet50.bn1.weight": torch.zeros(3)}, r"has shape \(3,\), expected \(64,\)"),
        ({"classifier.weight": torch.zeros(20, 2048)}, r"but here it is \(20, 2048\)"),
        ({"resnet50.conv1.weight": None}, "lacks 1 tensors, the first for our 'backbone.conv1"),
        ({"classifier.weight": None}, "but here it is missing"),
    ],
)
def test_what_does_not_fit_is_refused(classifier, changes, message):
    state = official_classifier_state(classifier) | changes
    with pytest.raises(ValueError, match=message):
        classifier_from_official({k: v for k, v in state.items() if v is not None})


def test_a_classifier_is_not_a_boundary_network(classifier):
    with pytest.raises(ValueError, match=r"'classifier\.weight' does not belong"):
        irn_from_official(official_classifier_state(classifier))
