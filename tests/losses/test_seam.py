"""SEAM's losses: by hand, by their properties, and against the plain version."""

import numpy as np
import pytest
import torch

from tests.references.seam_plain import seam_terms_plain
from wsss.losses.seam import (
    View,
    cross_refinement,
    largest_only,
    minimum_pooling,
    normalized_maps,
    seam_terms,
    seam_total,
    second_view,
    with_background,
)

torch.set_num_threads(1)
OFFICIAL = {"hardest_fraction": 0.2, "pooling": "official"}
NAMES = [
    *("classification_1", "classification_2", "minimum_1", "minimum_2", "equivariance"),
    *("refinement_1", "refinement_2"),
]


def views(*, seed=0, batch=2, classes=3):
    """Two views of images with random maps, in float64."""
    generator = torch.Generator().manual_seed(seed)

    def view(height, width, size):
        scores = torch.randn(batch, classes, height, width, generator=generator).double()
        refined = torch.rand(batch, classes + 1, height, width, generator=generator).double()
        return View(scores.requires_grad_(), refined.requires_grad_(), size)

    labels = torch.tensor([[1.0, 0, 1], [0, 1, 0]]).double()
    return view(4, 6, (29, 43)), view(2, 3, (8, 12)), labels


def test_equals_the_plain_version():
    first, second, labels = views()
    found = seam_terms(first, second, labels, **OFFICIAL)
    plain = [(v.scores.detach().numpy(), v.refined.detach().numpy(), v.size)
             for v in (first, second)]  # fmt: skip
    expected = seam_terms_plain(*plain, labels.numpy())
    assert sorted(found) == sorted(NAMES)
    for name in NAMES:
        assert found[name].item() == pytest.approx(expected[name], rel=1e-10), name


def test_only_the_raw_maps_learn_from_er_and_only_the_refined_from_the_others():
    first, second, labels = views()
    for name in NAMES:
        terms = seam_terms(first, second, labels, **OFFICIAL)
        learned = [first.scores, second.scores, first.refined, second.refined]
        gradients = torch.autograd.grad(terms[name], learned, allow_unused=True)
        moved = [g is not None and bool(g.any()) for g in gradients]
        expected = {
            "equivariance": [True, True, False, False],
            "classification_1": [True, False, False, False],
            "classification_2": [False, True, False, False],
        }.get(name, [False, False, name.endswith("1"), name.endswith("2")])
        assert moved == expected, name


def test_mirrored_views_have_the_same_terms():
    first, second, labels = views()
    mirrored = [View(v.scores.flip(-1), v.refined.flip(-1), v.size) for v in (first, second)]
    expected = seam_terms(first, second, labels, **OFFICIAL)
    found = seam_terms(*mirrored, labels, **OFFICIAL)
    for name in NAMES:
        torch.testing.assert_close(found[name], expected[name])


def test_other_order_of_classes_and_images_changes_nothing():
    first, second, labels = views()
    classes, images = [2, 0, 1], [1, 0]
    with_first = [0, *(c + 1 for c in classes)]
    moved = [
        View(v.scores[images][:, classes], v.refined[images][:, with_first], v.size)
        for v in (first, second)
    ]
    expected = seam_terms(first, second, labels, **OFFICIAL)
    found = seam_terms(*moved, labels[images][:, classes], **OFFICIAL)
    for name in NAMES:
        torch.testing.assert_close(found[name], expected[name])


def test_equal_views_differ_in_nothing():
    first, _, labels = views()
    terms = seam_terms(first, first, labels, **OFFICIAL)
    assert terms["equivariance"] == 0
    for name in ("classification", "minimum", "refinement"):
        assert terms[f"{name}_1"] == terms[f"{name}_2"]


def test_pooling_of_the_paper_is_the_mean_of_the_score_map():
    first, second, labels = views()
    found = seam_terms(first, second, labels, hardest_fraction=0.2, pooling="paper")
    logits = first.scores.mean((2, 3))
    expected = torch.nn.functional.multilabel_soft_margin_loss(logits, labels)
    torch.testing.assert_close(found["classification_1"], expected)
    other = seam_terms(first, second, labels, **OFFICIAL)
    assert other["classification_1"] != found["classification_1"]
    assert other["equivariance"] == found["equivariance"]


def test_total_by_hand():
    terms = {name: torch.tensor(float(2**number)) for number, name in enumerate(NAMES)}
    found = seam_total(terms, minimum_weight=10, equivariance_weight=100, refinement_weight=0.5)
    assert found.item() == (1 + 2) / 2 + 10 * (4 + 8) / 2 + 100 * 16 + 0.5 * (32 + 64)


def test_normalized_maps_by_hand():
    maps = torch.tensor([[-3.0, 0, 1, 4]]).view(1, 1, 1, 4)
    expected = [0, 0, (1 - 1e-5) / (4 + 1e-5), (4 - 1e-5) / (4 + 1e-5)]
    assert normalized_maps(maps).flatten().tolist() == pytest.approx(expected)
    raised = torch.tensor([[2.0, 3, 4]]).view(1, 1, 1, 3)
    assert normalized_maps(raised).flatten().tolist() == pytest.approx([0, 0.5, 1], abs=1e-4)
    assert normalized_maps(torch.full((1, 1, 2, 2), 7.0)).eq(0).all()


def test_background_and_largest_by_hand():
    maps = torch.tensor([[0.2, 0.7, 0.0], [0.5, 0.7, 0.0]]).view(1, 2, 1, 3)
    found = with_background(maps)
    assert found[0, 0, 0].tolist() == pytest.approx([0.5, 0.3, 1])
    kept = largest_only(found)
    assert torch.equal(kept[:, 0], found[:, 0])
    # Equals of the largest stay.
    np.testing.assert_allclose(kept[0, 1:, 0], [[0, 0.7, 0], [0.5, 0.7, 0]])


def test_minimum_pooling_by_hand():
    classes = torch.tensor([[5.0, 1, 2, 3, 6, 7, 8, 9], [9, 9, 9, 9, 9, 9, 9, 9]])
    refined = torch.cat([torch.full((1, 8), 100.0), classes]).view(1, 3, 2, 4)
    # The lowest quarter of eight positions of the present class is 1 and 2.
    assert minimum_pooling(refined, torch.tensor([[1.0, 0]])).item() == 1.5
    assert minimum_pooling(refined, torch.tensor([[1.0, 1]])).item() == 9
    # Even of three positions there is one.
    assert minimum_pooling(refined[:, :, :1, :3], torch.tensor([[1.0, 0]])).item() == 1


def test_cross_refinement_by_hand():
    target = torch.tensor([[0.5, 0.0], [0.5, 1.0], [0.4, 0.2]]).view(1, 3, 1, 2)
    refined = torch.tensor([[0.5, 0.1], [0.0, 1.0], [0.3, 0.4]]).view(1, 3, 1, 2)
    # Largest of a position: 0.5 and 1.0; the third row is taken for zero: 0, 0.1, 0.5, 0, 0.3, 0.4.
    for fraction, expected in ((1.0, 1.3 / 6), (0.5, 0.4), (0.2, 0.5), (0.01, 0.5)):
        found = cross_refinement(refined, target, hardest_fraction=fraction)
        assert found.item() == pytest.approx(expected)


def test_second_view_keeps_the_corners():
    pixels = torch.rand(2, 3, 21, 30)
    small = second_view(pixels, scale=0.3)
    assert small.shape == (2, 3, 6, 9)
    for y in (0, -1):
        for x in (0, -1):
            torch.testing.assert_close(small[..., y, x], pixels[..., y, x])
    assert second_view(pixels, scale=1.0) is pixels
    with pytest.raises(ValueError, match=r"scale 0\.04 has no pixel where the first has 21 x 30"):
        second_view(pixels, scale=0.04)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pooling": "max"}, "unknown pooling 'max': choose one of official, paper"),
        ({"refined": torch.zeros(2, 3, 4, 6)}, r"refined maps \(2, 3, 4, 6\) and image labels"),
        ({"scores": torch.zeros(2, 4, 4, 6)}, r"scores \(2, 4, 4, 6\), refined maps .* do not fit"),
        ({"scores": torch.zeros(2, 3)}, r"scores \(2, 3\), refined maps"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    first, second, labels = views()
    options = OFFICIAL | {k: v for k, v in change.items() if k in OFFICIAL}
    first = first._replace(**{k: v for k, v in change.items() if k not in OFFICIAL})
    with pytest.raises(ValueError, match=message):
        seam_terms(first, second, labels, **options)
