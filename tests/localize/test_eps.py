"""EPS's localizer: its maps from the classifier's outputs, and the official maps and labels."""

import numpy as np
import pytest
import torch

from tests import golden
from tests.localize.test_cam import small_batch
from tests.localize.test_stretched import build
from tests.models.official_wide_resnet38 import official_tensors
from wsss.localize import eps
from wsss.localize._views import view_pairs
from wsss.models.eps import build_classifier as build_eps_classifier
from wsss.models.eps import eps_from_official

torch.set_num_threads(1)


def test_maps_are_the_softmax_over_classes_and_background():
    localize, model, options = build("eps")
    image = small_batch(1)
    # At the stride and the size of the features nothing is stretched.
    options = options | {"scales": (1.0,), "map_stride": 8}
    (maps,) = localize(model, image, [np.array([2, 0])], **options)
    with torch.no_grad():
        scores = model.all_score_maps(view_pairs(model, image, 1.0)[0]).double()
    shares = scores.exp() / scores.exp().sum(1, keepdim=True)
    sums = (shares[0] + shares[1].flip(-1))[[2, 0]]
    expected = sums / (sums.amax((1, 2), keepdim=True) + 1e-5)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


@pytest.mark.slow
def test_official_maps_and_labels():
    case = golden.load("eps_infer_a")
    with torch.device("meta"):
        model = build_eps_classifier("wide_resnet38", num_classes=20)
    tensors = eps_from_official(official_tensors(case), num_classes=20)
    model.load_state_dict(tensors, assign=True)
    model.eval()
    image, hyper = case["in_image"], case.json["hyper"]
    for number, scale in enumerate(hyper["scales"]):
        with torch.no_grad():
            scores = model.all_score_maps(view_pairs(model, image[None], scale)[0])
        for mirrored in (0, 1):
            name = f"out_scores_{2 * number + mirrored}"
            golden.assert_close(case, name, scores[mirrored : mirrored + 1].numpy())
    classes = np.flatnonzero(case["in_label"])
    (maps,) = eps.localize(
        model,
        image[None],
        [classes],
        scales=hyper["scales"],
        map_stride=1,
        alignment="official",
        batch_size=4,
        precision="full",
    )
    golden.assert_close(case, "out_cam", maps)
    background = np.full((1, *image.shape[:2]), hyper["thr"], np.float32)
    labels = np.append(0, classes + 1)[np.concatenate([background, maps]).argmax(0)]
    golden.assert_close(case, "out_pred", labels)
