import pytest
import torch

from tests.models.official_wide_resnet38 import official_shapes
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
    backbone, tensors, left_out = classifier_from_official(state, num_classes=3)
    assert (backbone, left_out) == ("resnet50", ())
    assert_same(tensors, classifier.state_dict())


def test_counters_may_be_absent(classifier):
    state = official_classifier_state(classifier)
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    classifier.load_state_dict(classifier_from_official(state, num_classes=3).tensors)


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
        ({"classifier.weight": torch.zeros(20, 2048)}, r"but here it is cl\S+ \(20, 2048\)"),
        ({"classifier.weight": torch.zeros(4, 2048, 1, 1)}, "knows 4 foreground .* 3 are named"),
        ({"module.classifier.weight": torch.zeros(3, 2048, 1, 1)}, "one tensor 'classifier"),
        ({"resnet50.conv1.weight": None}, "lacks 1 tensors, the first for our 'backbone.conv1"),
        ({"classifier.weight": None}, "but here it is missing"),
    ],
)
def test_what_does_not_fit_is_refused(classifier, changes, message):
    state = official_classifier_state(classifier) | changes
    with pytest.raises(ValueError, match=message):
        classifier_from_official({k: v for k, v in state.items() if v is not None}, num_classes=3)


def wide_state(outputs, *, seam=False):
    """The official Wide ResNet-38, each row of its head with a number of its own."""
    shapes = official_shapes(outputs, seam=seam)
    state = {name: torch.zeros(1).expand(shape) for name, shape in shapes.items()}
    rows = torch.arange(float(outputs)).view(-1, 1, 1, 1)
    return state | {"fc8.weight": rows.expand(shapes["fc8.weight"])}


@pytest.mark.parametrize(
    ("outputs", "seam", "rows", "left_out"),
    [
        (3, False, [0, 1, 2], ()),
        (4, False, [0, 1, 2], ("the background, the last of the 4 rows of fc8.weight",)),
        (4, True, [1, 2, 3], ("the background, the first of the 4 rows of fc8.weight",
         "SEAM's pixel correlation (f8_3.weight, f8_4.weight, f9.weight)")),
    ],
)  # fmt: skip
def test_wide_resnet38_of_psa_eps_and_seam(outputs, seam, rows, left_out):
    state = {f"module.{name}": tensor for name, tensor in wide_state(outputs, seam=seam).items()}
    found = classifier_from_official(state, num_classes=3)
    assert found.backbone == "wide_resnet38" and found.left_out == left_out
    with torch.device("meta"):
        expected = build_classifier("wide_resnet38", num_classes=3).state_dict()
    assert {n: t.shape for n, t in found.tensors.items()} == {
        n: t.shape for n, t in expected.items()
    }
    assert found.tensors["head.weight"][:, 7, 0, 0].tolist() == rows


@pytest.mark.parametrize(
    ("changes", "seam", "message"),
    [
        ({"fc8.weight": torch.zeros(5, 4096, 1, 1)}, False, "knows 5 or 4 foreground classes, but"),
        ({"fc8.weight": torch.zeros(3, 4096, 1, 1)}, True, "knows 2 foreground classes, but 3 are"),
        ({"fc8.weight": None}, False, "but here it is missing"),
        ({"f9.weight": None}, True, r"'f9\.weight' has shape none, expected \(192, 195, 1, 1\)"),
        ({"f8_3.weight": torch.zeros(64, 512, 3, 3)}, True, r"has shape \(64, 512, 3, 3\)"),
        ({"f9.weight": torch.zeros(1)}, False, r"'f8_3\.weight' has shape none"),
        ({"f8_5.weight": torch.zeros(1)}, True, r"'f8_5\.weight' does not belong to the official"),
        (
            {"b4_3.conv_branch2a.weight": None},
            False,
            "lacks 1 tensors, the first for our 'backbone",
        ),
    ],
)
def test_a_wide_resnet38_that_does_not_fit_is_refused(changes, seam, message):
    state = wide_state(4, seam=seam) | changes
    with pytest.raises(ValueError, match=message) as caught:
        classifier_from_official({k: v for k, v in state.items() if v is not None}, num_classes=3)
    assert "\n" not in str(caught.value)


def test_a_classifier_is_not_a_boundary_network(classifier):
    with pytest.raises(ValueError, match=r"'classifier\.weight' does not belong"):
        irn_from_official(official_classifier_state(classifier))
