"""EPS's classifier: its outputs, official files, and one official step."""

import numpy as np
import pytest
import torch

from tests import golden
from tests.models.official_wide_resnet38 import official_shapes, official_tensors
from wsss.localize import cam
from wsss.losses.eps import eps_terms
from wsss.models.classifier import build_classifier
from wsss.models.eps import EpsClassifier, eps_from_official
from wsss.models.eps import build_classifier as build_eps_classifier

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def compact() -> EpsClassifier:
    torch.manual_seed(0)
    return build_eps_classifier("compact", num_classes=3).eval()


def pictures(count=2, height=40, width=56):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def normalized(model, images):
    return model.normalize(torch.from_numpy(images).permute(0, 3, 1, 2))


def test_the_background_is_one_more_output_and_the_last(compact):
    x = normalized(compact, pictures())
    with torch.no_grad():
        scores, maps = compact.all_score_maps(x), compact.probability_maps(x)
        assert scores.shape == maps.shape == (2, 4, 5, 7)
        torch.testing.assert_close(scores[:, :3], compact.score_maps(x))
        torch.testing.assert_close(scores[:, 3:], compact.background(compact.features(x)))
        torch.testing.assert_close(compact(x), scores[:, :3].mean((2, 3)))
    torch.testing.assert_close(maps, scores.exp() / scores.exp().sum(1, keepdim=True))


def test_localizers_of_a_plain_classifier_take_it_for_one(compact):
    plain = build_classifier("compact", num_classes=3)
    state = compact.state_dict()
    plain.load_state_dict({k: v for k, v in state.items() if not k.startswith("background.")})
    options = {
        "scales": (1.0,), "map_stride": 4, "alignment": "official", "batch_size": 4,
        "precision": "full",
    }  # fmt: skip
    found, expected = (
        cam.localize(model, pictures(1), [np.array([0, 2])], **options)
        for model in (compact, plain)
    )
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize(
    ("backbone", "num_classes", "message"),
    [
        ("compact", 0, "at least one class, got num_classes=0"),
        ("alexnet", 2, "unknown backbone 'alexnet'"),
    ],
)
def test_what_cannot_be_built_is_refused(backbone, num_classes, message):
    with pytest.raises(ValueError, match=message):
        build_eps_classifier(backbone, num_classes=num_classes)


def official_state(outputs=4, *, seam=False):
    shapes = official_shapes(outputs, seam=seam)
    state = {name: torch.zeros(1).expand(shape) for name, shape in shapes.items()}
    rows = torch.arange(float(outputs)).view(-1, 1, 1, 1)
    return state | {"fc8.weight": rows.expand(shapes["fc8.weight"])}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_official_file(prefix):
    state = {prefix + name: tensor for name, tensor in official_state().items()}
    found = eps_from_official(state, num_classes=3)
    with torch.device("meta"):
        expected = build_eps_classifier("wide_resnet38", num_classes=3)
    assert {n: t.shape for n, t in found.items()} == {
        n: t.shape for n, t in expected.state_dict().items()
    }
    assert found["head.weight"][:, 7, 0, 0].tolist() == [0, 1, 2]
    assert found["background.weight"][:, 7, 0, 0].tolist() == [3]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (official_state(3), "without EPS's background output, the last of 4 rows of 'fc8"),
        (official_state(4, seam=True), "without EPS's background output"),
        (official_state(6), "knows 6 or 5 foreground classes, but 3 are named"),
        ({"classifier.weight": torch.zeros(3, 2048)}, r"but here it is classifier\.weight"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(state, message):
    with pytest.raises(ValueError, match=message):
        eps_from_official(state, num_classes=3)


@pytest.mark.slow
def test_official_training_step():
    case = golden.load("eps_train_a")
    with torch.device("meta"):
        model = build_eps_classifier("wide_resnet38", num_classes=20)
    tensors = eps_from_official(official_tensors(case), num_classes=20)
    # In evaluation mode: dropout is off in the case, and normalisation always on its statistics.
    model.load_state_dict(tensors, assign=True)
    model.eval()
    for module in model.backbone.stage_modules()[0]:
        module.requires_grad_(False)
    scores = model.all_score_maps(normalized(model, case["in_images"]))
    golden.assert_close(case, "out_scores", scores.detach().numpy())
    hyper = case.json["hyper"]
    terms = eps_terms(
        scores,
        torch.from_numpy(case["in_saliency"])[:, 0],
        torch.from_numpy(case["in_label"]),
        lambda_=hyper["lam"],
        selection="adaptive",
        overlap="official",
        overlap_threshold=hyper["tau"],
        background_classes=(),
    )
    total = terms["classification"] + terms["saliency"]
    losses = torch.stack([terms["classification"], terms["saliency"], total])
    golden.assert_close(case, "out_losses", losses.detach().numpy())
    total.backward()
    heads = [model.head.weight, model.background.weight]
    gradient = torch.cat([head.grad for head in heads])[:, :256, 0, 0]
    golden.assert_close(case, "out_grad_fc8", gradient.numpy())
    layers = (model.backbone.get_submodule(f"{name}.conv_branch2a") for name in ("b5", "b4_2"))
    norms = [float(layer.weight.grad.norm()) for layer in layers]
    golden.assert_close(case, "out_grad_b5_norm", np.array(norms, np.float32))
    before = torch.cat(heads).detach()
    group = hyper["param_groups"][2]
    options = {name: group[name] for name in ("lr", "momentum", "weight_decay")}
    torch.optim.SGD(heads, **options).step()
    change = (torch.cat(heads).detach() - before)[:, :256, 0, 0]
    golden.assert_close(case, "out_fc8_change", change.numpy())
