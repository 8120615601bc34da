"""Checkpoints of RIB, EPS and HFPL through `wsss import-weights`, and what comes out of them."""

import shutil

import numpy as np
import pytest
import torch

from tests import golden
from tests.models.official_wide_resnet38 import ademxapp_name, official_tensors
from tests.store.mxnet_writer import params_bytes
from wsss.commands.import_weights import VOC_CLASSES, import_weights
from wsss.models.classifier import build_classifier
from wsss.models.seam import resized
from wsss.train.networks import load_classifier, start_classifier


def normalized(network, image):
    return network.normalize(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None])


@pytest.fixture
def folder(tmp_path):
    """A folder that goes away at once: the files are of 420 MB each."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def imported(folder, tensors, network="classifier"):
    torch.save(tensors, folder / "official.pth")
    out = folder / f"{network}.safetensors"
    text = import_weights(
        network, folder / "official.pth", out, classes=VOC_CLASSES, overwrite=False
    )
    classifier, backbone, classes = load_classifier(out)
    assert classes == VOC_CLASSES
    return classifier, backbone, text


@pytest.mark.slow
def test_rib(folder):
    case = golden.load("rib_gap_a")
    with torch.device("meta"):
        ours = build_classifier("resnet50", num_classes=20).state_dict()
    names = {n: n.replace("backbone.", "resnet50.").replace("head.", "classifier.") for n in ours}
    shapes = {names[name]: tuple(tensor.shape) for name, tensor in ours.items() if tensor.ndim}
    filled = golden.fill_weights(shapes, case.json["weights"])
    assert len(filled) == case.json["weights"]["tensors_filled"]
    classifier, backbone, text = imported(
        folder, {name: torch.from_numpy(values) for name, values in filled.items()}
    )
    assert backbone == "resnet50" and "place" not in text
    image = torch.from_numpy(case["in_image"]).permute(2, 0, 1)
    with torch.inference_mode():
        logits = classifier(classifier.normalize(torch.stack([image, image.flip(2)])))
    # The first step, before any update; its first rows are the image and its mirror image.
    rules = case.json["outputs"]["out_pooled"]
    np.testing.assert_allclose(
        logits.numpy(), case["out_pooled"][0, :2], atol=rules["atol"], rtol=rules["rtol"]
    )


@pytest.mark.slow
def test_eps(folder):
    case = golden.load("eps_infer_a")
    classifier, backbone, text = imported(folder, official_tensors(case))
    assert backbone == "wide_resnet38"
    assert text.endswith(
        "; our classifier has no place for the background, the last of the 21 rows of fc8.weight: "
        "not in the file"
    )
    with torch.inference_mode():
        scores = classifier.score_maps(normalized(classifier, case["in_image"]))
    rules = case.json["outputs"]["out_scores_2"]
    np.testing.assert_allclose(
        scores.numpy(), case["out_scores_2"][:, :20], atol=rules["atol"], rtol=rules["rtol"]
    )

    eps, _, text = imported(folder, official_tensors(case), "eps")
    assert eps.network == "eps" and "no place" not in text
    with torch.inference_mode():
        everything = eps.all_score_maps(normalized(eps, case["in_image"]))
    golden.assert_close(case, "out_scores_2", everything.numpy())


@pytest.mark.slow
def test_hfpl_and_ademxapp_s_file_of_its_backbone(folder):
    case = golden.load("hfpl_infer_a")
    tensors = official_tensors(case)
    classifier, backbone, text = imported(folder, tensors)
    assert backbone == "wide_resnet38"
    assert "no place for the background, the first of the 21 rows of fc8.weight and SEAM's" in text
    x = normalized(classifier, case["in_image"])
    with torch.inference_mode():
        scores = classifier.score_maps(x)
    rules = case.json["outputs"]["out_scores"]
    np.testing.assert_allclose(
        scores.numpy(), case["out_scores"][:, 1:], atol=rules["atol"], rtol=rules["rtol"]
    )
    # With its correlation, the refined maps are the official ones.
    seam, backbone, text = imported(folder, tensors, "seam")
    assert backbone == "wide_resnet38" and "our SEAM classifier has no place for the back" in text
    assert seam.network == "seam"
    with torch.inference_mode():
        raw, refined = seam.seam_maps(normalized(seam, case["in_image"]))
    assert torch.equal(raw, scores)
    full = resized(refined, case["in_image"].shape[:2])[:, :, 2::4, 2::4]
    golden.assert_close(case, "out_refined", full.numpy())
    # The same backbone through MXNet's file starts a new classifier.
    path = folder / "a1.params"
    beside = {"fc8.weight", "f8_3.weight", "f8_4.weight", "f9.weight"}
    arrays = {ademxapp_name(n): t.numpy() for n, t in tensors.items() if n not in beside}
    path.write_bytes(params_bytes(arrays))
    started, _ = start_classifier(
        None, classes=("a",), network="classifier", network_options={}, backbone="wide_resnet38",
        initial_weights=str(path), random_seed=0,
    )  # fmt: skip
    for one, other in zip(
        started.backbone.state_dict().values(), classifier.backbone.state_dict().values(),
        strict=True,
    ):  # fmt: skip
        assert torch.equal(one, other)
