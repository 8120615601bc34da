"""SEAM's localizer: its normalisation by hand, and the official maps."""

import numpy as np
import pytest
import torch

from tests import golden
from tests.localize.test_cam import small_batch
from tests.localize.test_stretched import build
from tests.models.official_wide_resnet38 import official_tensors
from wsss.localize import seam
from wsss.localize.seam import official_maps
from wsss.models.seam import build_classifier as build_seam_classifier
from wsss.models.seam import resized, seam_from_official
from wsss.refine.crf import dense_crf

torch.set_num_threads(1)


def test_official_normalisation_by_hand():
    sums = torch.tensor([[[0.0, 1, 2]], [[5.0, 6, 9]]]).double()
    found = official_maps(sums)
    first = [-1e-5 / (2 + 1e-5), (1 - 1e-5) / (2 + 1e-5), (2 - 1e-5) / (2 + 1e-5)]
    # The minimum, 5, becomes zero and then loses five once more.
    second = [(0 - 5 - 1e-5) / (4 + 1e-5), (1 - 1e-5) / (4 + 1e-5), (4 - 1e-5) / (4 + 1e-5)]
    np.testing.assert_allclose(found[:, 0], [first, second], rtol=1e-12)


def test_normalisations_differ_by_the_minimum_alone():
    localize, model, options = build("seam")
    official, plain = (
        localize(model, small_batch(1), [np.array([1])], **(options | {"normalization": name}))[0]
        for name in ("official", "maximum")
    )
    assert official.min() == 0 and plain.min() > 0
    expected = (plain - plain.min()) / (plain.max() - plain.min())
    np.testing.assert_allclose(official, expected, atol=1e-3)
    with pytest.raises(ValueError, match="unknown normalization 'minimum': choose one of offi"):
        localize(model, small_batch(1), [[1]], **(options | {"normalization": "minimum"}))


@pytest.mark.slow
def test_official_maps_of_hfpl(monkeypatch):
    case = golden.load("hfpl_infer_a")
    with torch.device("meta"):
        model = build_seam_classifier("wide_resnet38", num_classes=20, head_dropout=0.5)
    tensors = seam_from_official(official_tensors(case), num_classes=20)
    model.load_state_dict(tensors, assign=True)
    model.eval()
    image = case["in_image"]
    with torch.no_grad():
        found = model.seam_maps(model.normalize(torch.from_numpy(image).permute(2, 0, 1)[None]))
    rules = case.json["outputs"]["out_scores"]
    np.testing.assert_allclose(
        found.scores, case["out_scores"][:, 1:], atol=rules["atol"], rtol=rules["rtol"]
    )
    refined = resized(found.refined, image.shape[:2])[:, :, 2::4, 2::4]
    golden.assert_close(case, "out_refined", refined.numpy())
    signed = []

    def recorded(sums):
        signed.append(official_maps(sums))
        return signed[-1]

    monkeypatch.setattr(seam, "official_maps", recorded)
    (maps,) = seam.localize(
        model,
        image[None],
        [np.flatnonzero(case["in_label"])],
        scales=case.json["hyper"]["scales"],
        map_stride=1,
        alignment="official",
        batch_size=4,
        precision="full",
        normalization="official",
    )
    golden.assert_close(case, "out_cam", signed[0].numpy())
    np.testing.assert_array_equal(maps, signed[0].clamp(min=0).numpy())
    # The official CRF cuts probabilities at 1e-5 and 1: it sees no difference to the signed maps.
    for alpha in case.json["hyper"]["crf_alpha"]:
        background = (1 - maps.max(0, keepdims=True)) ** alpha
        refined = dense_crf(image, np.concatenate([background, maps]), **case.json["hyper"]["crf"])
        golden.assert_close(case, f"out_crf_alpha{alpha}", refined)
