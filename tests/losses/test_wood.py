"""W-OoD losses against the official code, a slow version from the equations, and by hand."""

import math

import numpy as np
import pytest
import torch

from tests import golden
from wsss.losses import wood, wood_distance
from wsss.losses.classification import classification_loss
from wsss.models.classifier import build_classifier
from wsss.ood.cluster import class_means, kmeans

OFFICIAL = {"form": "official", "closest_fraction": 0.2, "metric": "euclidean"}


def distance_loss(*arguments, **options):
    """L_d of w-ood eq. 2."""
    own, near = wood_distance.distance_terms(*arguments, **options)
    return own - near


def slow_distance(z, y, p_in, p_ood, *, tau, form):
    """Eq. 1 and 2 of w-ood with loops; the official variant from golden/README."""

    def d(a, b):
        return math.sqrt(sum((s - t) ** 2 for s, t in zip(a, b, strict=True))) if any(b) else 0.0

    own = sum(d(z[i], p_in[c]) for i in range(len(z)) for c in range(len(p_in)) if y[i][c])
    table = [[d(row, p) for p in p_ood] for row in z]
    if form == "paper":
        present = [k for k, p in enumerate(p_ood) if any(p)]
        count = max(1, round(tau * len(present)))
        near = sum(sum(sorted(row[k] for k in present)[:count]) for row in table)
        return own / len(z) - near / len(z)
    entries = [value for row in table for value in row]
    nonzero = sorted((value for value in entries if value), reverse=True)
    kept = int(len(nonzero) * (1 - tau))
    threshold = nonzero[kept - 1] if kept else math.inf
    near = sum(value for value in entries if value < threshold)
    return own / len(entries) - near / len(entries)


def example(seed=0, images=5, classes=3, clusters=6, channels=4):
    rng = np.random.default_rng(seed)
    features = torch.tensor(rng.normal(size=(images, channels)), dtype=torch.float64)
    labels = torch.tensor(rng.integers(0, 2, (images, classes)), dtype=torch.float64)
    p_in = torch.tensor(rng.normal(size=(classes, channels)))
    p_ood = torch.tensor(rng.normal(size=(clusters, channels)))
    p_in[1] = 0
    p_ood[2] = 0
    return features, labels, p_in, p_ood


def official_step(case, logits, features, logits_fn, ood_images, means, centres):
    """Check everything after the centres against a golden case; return the total."""
    hyper = case.json["hyper"]
    label = torch.from_numpy(case["in_label"])
    measured = wood_distance.distances(features, means, centres, metric="euclidean")
    golden.assert_close(case, "out_distances", measured.detach().numpy())
    threshold = wood_distance.distance_threshold(measured[:, len(means) :], closest_fraction=0.2)
    golden.assert_close(case, "out_threshold", threshold.numpy())
    loss = distance_loss(features, label, class_means=means, cluster_means=centres, **OFFICIAL)
    golden.assert_close(case, "out_loss_distance", loss.detach().numpy())
    (gradient,) = torch.autograd.grad(loss, features, retain_graph=True)
    check_gradient(case, gradient[:, :512].numpy(), measured[:, : len(means)].detach(), label)

    golden.assert_close(case, "out_ood_logits", logits_fn(ood_images).detach().numpy())
    moved = wood.perturb_ood(logits_fn, ood_images, step=hyper["adv_step"])
    if "out_ood_perturbed" in case.arrays:
        golden.assert_close(case, "out_ood_perturbed", moved.numpy())
    ood_logits = logits_fn(moved)
    golden.assert_close(case, "out_ood_logits_perturbed", ood_logits.detach().numpy())
    excluded = hyper["class_left_out_of_ood_loss_zero_based"]
    counts = wood.counted_items(ood_logits, excluded_class=excluded)
    golden.assert_close(case, "out_ood_mask", counts.numpy().astype(np.uint8))
    classification = classification_loss(logits, label)
    total, terms = wood.wood_loss(
        classification,
        label,
        features,
        ood_logits=ood_logits,
        class_means=means,
        cluster_means=centres,
        lambda_=hyper["distance_lambda"],
        ood_coefficient=hyper["ood_coeff"],
        closest_fraction=hyper["ood_dist_topk"],
        metric="euclidean",
        distance_form="official",
        distance_parts="both",
        ood_form="official",
        excluded_class=excluded,
    )
    return total, {"classification": classification.detach(), **terms}


def check_gradient(case, gradient, to_classes, label):
    """Compare where the official gradient exists; ours must be finite where it is NaN.

    The official gradient is NaN for an image that lies on its own class mean (the only image of its
    class, row 2 of wood_loss_a): one such image would end a training run. This is the one value in
    which we differ on purpose, and the first lines check that it is nothing but such images.
    """
    on_mean = ((to_classes == 0) & (label > 0)).any(dim=1).numpy()
    undefined = np.isnan(case["out_loss_distance_grad"])
    np.testing.assert_array_equal(undefined, np.repeat(on_mean[:, None], 512, axis=1))
    assert np.isfinite(gradient).all()
    compared = np.where(undefined, np.nan, gradient)
    golden.assert_close(case, "out_loss_distance_grad", compared)


def check_terms(case, total, terms):
    golden.assert_close(case, "out_loss_bce", terms["classification"].numpy())
    golden.assert_close(case, "out_loss_ood", terms["ood"].numpy())
    golden.assert_close(case, "out_loss_distance", terms["distance"].numpy())
    golden.assert_close(case, "out_loss_total", total.detach().numpy())


def check_centres(case, features, ood_features):
    """Check class means and clusters; return both sets of centres as tensors."""
    hyper = case.json["hyper"]
    means = class_means(features, case["in_label"])
    golden.assert_close(case, "out_class_means", means)
    labels, centres = kmeans(
        ood_features,
        clusters=hyper["cluster_K"],
        iterations=hyper["kmeans_iterations"],
        initialization="first",
        random_seed=0,
    )
    golden.assert_close(case, "out_kmeans_label", labels)
    golden.assert_close(case, "out_cluster_means", centres[:16])
    golden.assert_close(case, "out_cluster_mean_norms", np.linalg.norm(centres, axis=1))
    return torch.from_numpy(means), torch.from_numpy(centres)


def test_official_step_on_features():
    case = golden.load("wood_loss_a")
    names = {"classifier.weight": (20, 2048, 1, 1)}
    filled = golden.fill_weights(names, case.json["weights"])["classifier.weight"]
    weight = torch.from_numpy(filled)[:, :, 0, 0].requires_grad_()
    means, centres = check_centres(case, case["in_features"], case["in_ood_features"])
    features = torch.from_numpy(case["in_features"]).requires_grad_()
    ood = torch.from_numpy(case["in_ood_features"][: case.json["hyper"]["ood_batch"]]).float()

    def logits_fn(z):
        return z @ weight.T

    logits = logits_fn(features)
    total, terms = official_step(case, logits, features, logits_fn, ood, means, centres)
    check_terms(case, total, terms)
    total.backward()
    golden.assert_close(case, "out_grad_classifier", weight.grad[:, :512].numpy())


def golden_classifier(case):
    """ResNet-50 with the case's weights under their official names."""
    classifier = build_classifier("resnet50", num_classes=20).eval()
    ours = classifier.state_dict()
    official = {
        name.replace("backbone.", "resnet50.").replace("head.", "classifier."): name
        for name in ours
    }
    shapes = {theirs: ours[name].shape for theirs, name in official.items()}
    filled = golden.fill_weights(shapes, case.json["weights"])
    assert len(filled) == case.json["weights"]["tensors_filled"]
    for theirs, values in filled.items():
        ours[official[theirs]].copy_(torch.from_numpy(values))
    return classifier


@pytest.mark.slow
def test_official_step_on_images():
    case = golden.load("wood_net_a")
    classifier = golden_classifier(case)

    def normalized(name):
        return classifier.normalize(torch.from_numpy(case[name]).permute(0, 3, 1, 2))

    features = classifier.pooled_features(normalized("in_images"))
    golden.assert_close(case, "out_features", features.detach().numpy())
    ood_images = normalized("in_ood_images")
    with torch.no_grad():
        ood_features = classifier.pooled_features(ood_images).numpy()
    means, centres = check_centres(case, features.detach().numpy(), ood_features)
    ood_images = ood_images[: case.json["hyper"]["ood_batch"]]
    logits = classifier.head(features[:, :, None, None])[:, :, 0, 0]
    total, terms = official_step(case, logits, features, classifier, ood_images, means, centres)
    check_terms(case, total, terms)
    (gradient,) = torch.autograd.grad(total, classifier.head.weight)
    golden.assert_close(case, "out_grad_classifier", gradient[:, :512, 0, 0].numpy())


@pytest.mark.parametrize("tau", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("form", ["official", "paper"])
def test_distance_loss_agrees_with_slow_version(form, tau):
    z, y, p_in, p_ood = example()
    loss = distance_loss(
        z,
        y,
        class_means=p_in,
        cluster_means=p_ood,
        form=form,
        closest_fraction=tau,
        metric="euclidean",
    )
    expected = slow_distance(
        z.tolist(), y.tolist(), p_in.tolist(), p_ood.tolist(), tau=tau, form=form
    )
    assert float(loss) == pytest.approx(expected, abs=1e-12)


def test_distance_loss_by_hand():
    """One image of class 0 at the origin: its class is 5 away, the nearer cluster 1 away."""
    options = {
        "class_means": torch.tensor([[3.0, 4.0]]),
        "cluster_means": torch.tensor([[1.0, 0.0], [0.0, 2.0]]),
        "closest_fraction": 0.5,
        "metric": "euclidean",
    }
    z, y = torch.zeros(1, 2), torch.ones(1, 1)
    assert distance_loss(z, y, form="paper", **options) == pytest.approx(5 - 1)
    # Threshold: smallest of the floor(2 * 0.5) = 1 largest, so 2; strictly below it is 1.
    assert distance_loss(z, y, form="official", **options) == pytest.approx((5 - 1) / 2)


@pytest.mark.parametrize("form", ["official", "paper"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_gradient_is_right_and_finite(form, metric):
    z, y, p_in, p_ood = example(3)
    z.requires_grad_()

    def loss(features):
        return distance_loss(
            features,
            y,
            class_means=p_in,
            cluster_means=p_ood,
            form=form,
            closest_fraction=0.4,
            metric=metric,
        )

    assert torch.autograd.gradcheck(loss, z)
    on_centre = torch.cat([p_in[:1], p_ood[:1], torch.zeros(3, 4)]).double().requires_grad_()
    loss(on_centre).backward()
    assert torch.isfinite(on_centre.grad).all()


@pytest.mark.parametrize("form", ["official", "paper"])
def test_an_image_on_its_class_mean_feels_only_the_clusters(form):
    """Where the official gradient is NaN, the class term adds nothing and the rest stays."""
    _, _, p_in, p_ood = example(9)
    features = p_in[:1].clone().requires_grad_()
    own, near = wood_distance.distance_terms(
        features,
        torch.tensor([[1.0, 0.0, 0.0]]),
        class_means=p_in,
        cluster_means=p_ood,
        form=form,
        closest_fraction=0.4,
        metric="euclidean",
    )
    (from_class,) = torch.autograd.grad(own, features, retain_graph=True)
    (from_clusters,) = torch.autograd.grad(near, features)
    assert (from_class == 0).all()
    assert (from_clusters != 0).any()


@pytest.mark.parametrize("form", ["official", "paper"])
def test_distance_loss_ignores_order_of_classes_clusters_and_images(form):
    z, y, p_in, p_ood = example(4)
    options = {"form": form, "closest_fraction": 0.4, "metric": "euclidean"}
    loss = distance_loss(z, y, class_means=p_in, cluster_means=p_ood, **options)
    classes, clusters, images = [2, 0, 1], [5, 4, 3, 2, 1, 0], [4, 2, 0, 1, 3]
    shuffled = distance_loss(
        z[images],
        y[images][:, classes],
        class_means=p_in[classes],
        cluster_means=p_ood[clusters],
        **options,
    )
    torch.testing.assert_close(loss, shuffled)


@pytest.mark.parametrize("form", ["official", "paper"])
def test_no_cluster_leaves_the_class_term(form):
    z, y, p_in, _ = example(5)
    own, near = wood_distance.distance_terms(
        z,
        y,
        class_means=p_in,
        cluster_means=torch.zeros(6, 4),
        form=form,
        closest_fraction=0.2,
        metric="euclidean",
    )
    assert own > 0
    assert near == 0


def test_cosine_distance_ignores_lengths_and_half_precision_is_cast_up():
    z, _, p_in, p_ood = example(6)
    near = wood_distance.distances(z, p_in, p_ood, metric="cosine")
    torch.testing.assert_close(
        near, wood_distance.distances(3 * z, p_in, 7 * p_ood, metric="cosine")
    )
    assert near.max() <= 2
    assert (
        wood_distance.distances(z.bfloat16(), p_in, p_ood, metric="euclidean").dtype
        == torch.float32
    )


def test_perturbation_climbs_the_highest_score_within_the_batch_range():
    rng = np.random.default_rng(1)
    weight = torch.tensor(rng.normal(size=(3, 6)), requires_grad=True)
    images = torch.tensor(rng.normal(size=(4, 6)))

    def model_fn(x):
        return x @ weight.T

    moved = wood.perturb_ood(model_fn, images, step=0.07)
    highest = model_fn(images).argmax(dim=1)
    gradient = weight.detach()[highest]
    expected = (images + 0.07 * gradient / gradient.abs().max()).clamp(images.min(), images.max())
    torch.testing.assert_close(moved, expected)
    assert not moved.requires_grad
    assert weight.grad is None
    assert wood.perturb_ood(model_fn, images, step=0) is images
    with torch.no_grad():
        torch.testing.assert_close(wood.perturb_ood(model_fn, images, step=0.07), moved)


def test_perturbation_of_a_flat_score_leaves_the_images():
    images = torch.ones(2, 3)
    moved = wood.perturb_ood(lambda x: (x * 0).sum(1, keepdim=True), images, step=0.07)
    torch.testing.assert_close(moved, images)


def test_ood_loss_by_hand():
    """Zero logits cost log 2 each; the second image is led by the excluded class."""
    logits = torch.tensor([[0.0, 0.0], [-1.0, 0.5], [0.0, 0.0]])
    official = wood.ood_loss(logits, excluded_class=1, in_distribution_batch=16, form="official")
    assert float(official) == pytest.approx(2 * math.log(2) / 16)
    paper = wood.ood_loss(logits, excluded_class=1, in_distribution_batch=16, form="paper")
    assert float(paper) == pytest.approx(math.log(2))
    every = wood.ood_loss(logits, excluded_class=None, in_distribution_batch=16, form="paper")
    extra = (math.log1p(math.exp(-1)) + math.log1p(math.exp(0.5))) / 2
    assert float(every) == pytest.approx((2 * math.log(2) + extra) / 3)
    nobody = wood.ood_loss(logits[1:2], excluded_class=1, in_distribution_batch=2, form="paper")
    assert float(nobody) == 0


@pytest.mark.parametrize("parts", ["both", "in", "ood"])
def test_total_is_the_weighted_sum_of_the_chosen_terms(parts):
    z, y, p_in, p_ood = example(7)
    ood_logits = torch.tensor(np.random.default_rng(2).normal(size=(3, 3)))
    classification = torch.tensor(0.7, dtype=torch.float64)
    total, terms = wood.wood_loss(
        classification,
        y,
        z,
        ood_logits=ood_logits,
        class_means=p_in,
        cluster_means=p_ood,
        lambda_=0.1,
        ood_coefficient=0.5,
        closest_fraction=0.4,
        metric="euclidean",
        distance_form="paper",
        distance_parts=parts,
        ood_form="paper",
        excluded_class=None,
    )
    signs = {"both": (1, -1), "in": (1, 0), "ood": (0, -1)}[parts]
    distance = signs[0] * terms["distance_in"] + signs[1] * terms["distance_ood"]
    torch.testing.assert_close(terms["distance"], distance)
    expected = classification + 0.1 * distance + 0.5 * terms["ood"]
    torch.testing.assert_close(total, expected)


def test_errors_name_what_is_wrong():
    z, y, p_in, p_ood = example()
    options = {"class_means": p_in, "cluster_means": p_ood, "closest_fraction": 0.2}
    with pytest.raises(ValueError, match="make the centres anew"):
        wood_distance.distances(z, p_in[:, :3], p_ood, metric="euclidean")
    with pytest.raises(ValueError, match="unknown metric 'l1'"):
        wood_distance.distances(z, p_in, p_ood, metric="l1")
    with pytest.raises(ValueError, match="unknown form 'mine'"):
        distance_loss(z, y, form="mine", metric="euclidean", **options)
    with pytest.raises(ValueError, match="for the same classes"):
        distance_loss(z, y[:, :2], form="paper", metric="euclidean", **options)
    options["closest_fraction"] = 20
    with pytest.raises(ValueError, match=r"20 is not in 0\.\.1"):
        distance_loss(z, y, form="paper", metric="euclidean", **options)
    with pytest.raises(ValueError, match="not one of the 3 classes"):
        wood.counted_items(y, excluded_class=4)
    with pytest.raises(ValueError, match="give at least 1"):
        wood.ood_loss(y, excluded_class=None, in_distribution_batch=0, form="paper")
