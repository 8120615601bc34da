"""FickleNet's classifier: choices against windows one by one, and what they are on average."""

import pytest
import torch

from tests.references.ficklenet_plain import (
    gradient_map,
    kept_in_windows,
    scores_by_expansion,
    scores_by_window,
)
from wsss.models.classifier import build_classifier as build_plain_classifier
from wsss.models.ficklenet import (
    FickleNetClassifier,
    build_classifier,
    contributions,
    draw_choice,
    windows_inside,
)

torch.set_num_threads(1)
CLASSES = 3


def small(side=3, rate=0.5, num_classes=CLASSES):
    torch.manual_seed(0)
    return build_classifier(
        "compact", num_classes=num_classes, kernel_size=side, dropout_rate=rate
    ).double()


def features_of(count, size):
    return torch.randn(count, 128, *size, generator=torch.Generator().manual_seed(1)).double()


def choices(count, size, *, side, rate=0.5, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return draw_choice(
        count, size, kernel_size=side, dropout_rate=rate, generator=generator
    ).double()


# A map smaller than a window, higher than wide, wider than high.
PLACES = [((5, 4), 3), ((4, 6), 5), ((2, 3), 5), ((1, 1), 3), ((3, 3), 1)]


@pytest.mark.parametrize(("size", "side"), PLACES)
def test_chosen_scores_are_those_of_windows_one_by_one(size, side):
    model, features = small(side), features_of(2, size)
    choice = choices(2, size, side=side)
    maps = model.chosen_score_maps(features, choice)
    for image in range(2):
        kept = kept_in_windows(choice[image], size, side)
        for scores in (scores_by_window, scores_by_expansion):
            expected = scores(features[image], model.head.weight, kept)
            torch.testing.assert_close(maps[image], expected)
    torch.testing.assert_close(model.chosen_logits(features, choice), maps.mean((2, 3)))


@pytest.mark.parametrize(("size", "side"), PLACES)
def test_contributions_are_features_times_gradients(size, side):
    model, features = small(side), features_of(1, size)
    choice = choices(1, size, side=side)
    kept = kept_in_windows(choice[0], size, side)
    found = (contributions(model.head.weight, features.flatten(2)) * choice[:, None]).sum(3)
    for class_id in range(CLASSES):
        weight = model.head.weight[class_id : class_id + 1].detach()
        expected = gradient_map(scores_by_expansion, features[0], weight, kept)
        mean = found[0, class_id].relu().view(size) / (size[0] * size[1])
        torch.testing.assert_close(mean, expected)


def test_training_has_the_gradients_of_windows_one_by_one():
    size, side = (5, 4), 3
    model, choice = small(side), choices(1, size, side=side)
    ours, plain = (features_of(1, size).requires_grad_(True) for _ in range(2))
    weights = torch.tensor([1.0, -2.0, 0.5]).double()
    found = (model.chosen_logits(ours, choice) * weights).sum()
    found = torch.autograd.grad(found, [ours, model.head.weight])
    kept = kept_in_windows(choice[0], size, side)
    scores = scores_by_window(plain[0], model.head.weight, kept)
    expected = torch.autograd.grad(
        (scores.mean((1, 2)) * weights).sum(), [plain, model.head.weight]
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_windows_inside_by_hand():
    # Of the left of two positions: the window to its right is there, in which it is the left entry.
    inside = windows_inside((1, 2), 3).view(2, 3, 3)
    assert inside[0].tolist() == [[False] * 3, [True, True, False], [False] * 3]
    assert inside[1].tolist() == [[False] * 3, [False, True, True], [False] * 3]
    assert windows_inside((7, 7), 3).sum() == 19 * 19


def test_choices_keep_centres_and_their_share_of_the_others():
    size, side, rate = (20, 20), 3, 0.9
    choice = choices(40, size, side=side, rate=rate)
    assert choice.unique().tolist() == pytest.approx([0, 1, 10])
    assert (choice[:, :, 4] == 1).all()
    inside = windows_inside(size, side)
    assert (choice[:, ~inside] == 0).all()
    inside[:, 4] = False
    share = (choice[:, inside] > 0).double().mean()
    # 40 x 3000 draws: five standard deviations are 0.0044.
    assert share == pytest.approx(0.1, abs=0.0044)
    assert torch.equal(choice, choices(40, size, side=side, rate=rate))
    assert not torch.equal(choice, choices(40, size, side=side, rate=rate, seed=3))


def test_windows_draw_apart_and_channels_together():
    """A unit that one window drops, another keeps; a window keeps all channels of a unit."""
    choice = choices(1, (6, 6), side=3)[0]
    inner = choice.view(6, 6, 9)[2:4, 2:4].flatten(0, 1)
    assert all(0 < (unit > 0).sum() < 9 for unit in inner)


def test_without_dropout_choices_are_the_plain_convolution():
    model, features = small(5, rate=0.0), features_of(2, (4, 6))
    choice = choices(2, (4, 6), side=5, rate=0.0)
    torch.testing.assert_close(model.chosen_score_maps(features, choice), model.head(features))
    torch.testing.assert_close(model.chosen_logits(features, choice), model.logits_of(features))


def test_choices_are_on_average_the_plain_convolution():
    model, features = small(3, rate=0.5), features_of(1, (4, 4))
    drawn = choices(4000, (4, 4), side=3)
    found = model.chosen_score_maps(features, drawn.mean(0, keepdim=True))
    expected = model.head(features).detach()
    torch.testing.assert_close(found, expected, rtol=0, atol=0.1 * float(expected.abs().max()))


def test_the_deterministic_classifier_agrees_with_its_score_maps():
    model = small().eval()
    x = torch.randn(2, 3, 40, 48, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        torch.testing.assert_close(model(x), model.score_maps(x).mean((2, 3)))
        assert model.score_maps(x).shape[2:] == model.features(x).shape[2:]
    assert model.pooled_features(x).shape == (2, 128)


def test_a_window_of_one_position_is_a_plain_classifier():
    model, plain = small(1), build_plain_classifier("compact", num_classes=CLASSES).double()
    plain.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 40, 48, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(model.eval()(x), plain.eval()(x))


def test_it_says_how_to_build_it_again():
    model = small(5, rate=0.25)
    assert isinstance(model, FickleNetClassifier)
    assert model.network_options() == {"kernel_size": 5, "dropout_rate": 0.25}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 4}, "a window with a centre has an odd side, got kernel_size=4"),
        ({"kernel_size": -1}, "has an odd side, got kernel_size=-1"),
        ({"dropout_rate": 1.0}, r"at least 0 and below 1, got 1\.0"),
        ({"num_classes": 0}, "at least one class"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    given = {"num_classes": 2, "kernel_size": 3, "dropout_rate": 0.9, **options}
    with pytest.raises(ValueError, match=message):
        build_classifier("compact", **given)
