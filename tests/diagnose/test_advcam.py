"""The diagnostics of AdvCAM: against its localizer, cases by hand, and what must hold."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from tests.diagnose import small
from wsss.diagnose import (
    climbing_quality,
    climbing_trajectory,
    loss_landscape,
    pixel_amplification,
)
from wsss.diagnose._climbs import climb_image, maps_by_step
from wsss.localize import advcam
from wsss.localize._views import inference
from wsss.losses.classification import soft_margin
from wsss.metrics.confusion import summarise
from wsss.metrics.threshold import ThresholdSweep

IMAGES, LABELS, MASKS = small.images(), small.labels(), small.masks()


@pytest.fixture(scope="module")
def model():
    return small.model()


def localizer_options(**changes):
    options = small.ADVCAM | changes
    del options["method"]
    return options


# Maps by step


@pytest.mark.parametrize("accumulation", ["official", "plain"])
@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_the_maps_after_n_steps_are_those_of_a_localizer_with_n_steps(
    model, accumulation, alignment
):
    # Above 10 steps, half of them at scale 0.5, and the sum is doubled.
    changes = {"steps": 12, "scales": [0.5, 1.0], "accumulation": accumulation}
    options = localizer_options(alignment=alignment, **changes)
    found = list(maps_by_step(model, IMAGES["image6"], LABELS["image6"], options))
    assert len(found) == 12
    for steps in (1, 2, 6, 10, 11, 12):
        (wanted,) = advcam.localize(
            model, IMAGES["image6"][None], [LABELS["image6"]], **options | {"steps": steps}
        )
        np.testing.assert_allclose(found[steps - 1], wanted, atol=1e-6)


def test_the_batch_has_no_say_in_the_maps(model):
    options = localizer_options()
    one, other = (
        list(maps_by_step(model, IMAGES["image6"], LABELS["image6"], options | {"batch_size": n}))
        for n in (1, 16)
    )
    np.testing.assert_allclose(one, other, atol=1e-5)


# Pixel amplification


def amplification(model, **changes):
    rows = pixel_amplification.measure(
        model, IMAGES, LABELS, small.ADVCAM | changes,
        num_images=7, example_seed=0, discriminative=0.5, least=0.1,
    )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_ratios_of_images_that_did_not_move_are_1(model):
    found = amplification(model, step_size=0.0)
    assert len(found) == 2 * small.ADVCAM["steps"] and (found["cells"] > 20).all()
    assert (found[["mean", "q05", "q25", "q50", "q75", "q95"]] == 1).all(axis=None)


def test_ratios_start_at_1_and_a_climb_amplifies(model):
    found = amplification(model, regularization_weight=0.0).set_index(["step", "region"])
    start, end = found.xs(0), found.xs(3)
    assert (start["q05"] == 1).all() and (start["q95"] == 1).all()
    assert (end["q50"] > 1).all()
    quantiles = found[["q05", "q25", "q50", "q75", "q95"]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_regularization_holds_the_discriminative_region(model):
    held, free = (
        amplification(model, regularization_weight=weight)
        .set_index(["region", "step"])["q50"]
        .loc["discriminative", 3]
        for weight in (7.0, 0.0)
    )
    assert abs(held - 1) < abs(free - 1)


def test_the_ratios_are_those_of_the_maps(model):
    """Every image and class by itself, cell by cell."""
    ratios = []
    with inference(model):
        for image_id, class_ids in LABELS.items():
            for class_id in class_ids:
                (steps,) = climb_image(
                    model, IMAGES[image_id], np.array([class_id]), small.ADVCAM, scale=1
                )
                maps = [m[0, 0] + m[0, 1].flip(-1) for m in (step.maps for step in steps)]
                for start, last in zip(maps[0].ravel(), maps[-1].ravel(), strict=True):
                    if 0.1 < start / maps[0].max() < 0.5:
                        ratios.append(float(last / start))
    row = amplification(model).set_index(["region", "step"]).loc["non-discriminative", 3]
    assert row["cells"] == len(ratios)
    assert row["mean"] == pytest.approx(np.mean(ratios), rel=1e-4)
    assert row["q75"] == pytest.approx(np.quantile(ratios, 0.75), rel=1e-4)


def test_regions_by_hand():
    maps = np.array([[[0.0, 1.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]], np.float32)
    found = pixel_amplification._regions(maps, 0.5, 0.1)
    assert found["discriminative"][0].tolist() == [[False, False], [True, True]]
    assert found["non-discriminative"][0].tolist() == [[False, True], [False, False]]
    # Nothing to be told of a map of zeros.
    assert not found["discriminative"][1].any() and not found["non-discriminative"][1].any()


# Quality by step


def test_noise_by_hand():
    # 10 pixels of background, 3 of them taken for foreground, and 7 of the foreground's.
    matrix = np.array([[7, 1, 2], [1, 4, 0], [2, 1, 2]])
    found = climbing_quality.noise(matrix)
    assert found == {"noise": 0.3, "noise_of_all": 0.15}
    nothing = climbing_quality.noise(np.array([[5, 0], [5, 0]]))
    assert np.isnan(nothing["noise"]) and nothing["noise_of_all"] == 0


def test_quality_after_a_step_is_that_of_its_localizer(model):
    rows = list(
        climbing_quality.measure(
            model, IMAGES, LABELS, MASKS, small.ADVCAM, num_images=100, example_seed=0
        )
    )
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    # One has no mask.
    assert {row["num_images"] for row in rows} == {6}
    sweep = ThresholdSweep(4, climbing_quality.THRESHOLDS, ignore_index=255)
    for image_id, mask in MASKS.items():
        (maps,) = advcam.localize(
            model, IMAGES[image_id][None], [LABELS[image_id]], **localizer_options(steps=3)
        )
        full = F.interpolate(torch.from_numpy(maps)[None], mask.shape, mode="bilinear")[0]
        sweep.update(mask, LABELS[image_id], full.numpy())
    best = sweep.best_by_ground_truth()
    assert rows[2]["threshold"] == best
    assert rows[2]["miou"] == pytest.approx(summarise(sweep.matrix(best))["miou"])


# Landscape


def landscape(model, **changes):
    options = {"num_images": 1, "example_seed": 0, "extent": 0.01, "points": 2, "batch_size": 3}
    rows = loss_landscape.measure(model, IMAGES, LABELS, **options | changes)
    return pd.DataFrame(rows).set_index(["climb", "random"])["loss"].unstack()


def test_the_loss_in_the_middle_is_that_of_the_image(model):
    chosen = loss_landscape.choose_images(LABELS, count=1, random_seed=0, among=None)[0]
    image_labels = torch.zeros(1, 3)
    image_labels[0, LABELS[chosen]] = 1
    with torch.no_grad():
        wanted = soft_margin(model(small.pixels(model, IMAGES[chosen])), image_labels)
    assert landscape(model).loc[0.0, 0.0] == pytest.approx(float(wanted), rel=1e-5)


def test_the_loss_falls_where_images_climb_and_rises_under_attack(model):
    found = landscape(model, num_images=7)
    assert found.index.tolist() == pytest.approx([-0.01, -0.005, 0, 0.005, 0.01])
    along = found[0.0].to_numpy()
    assert (np.diff(along) < 0).all()
    # No direction changes it as much as its gradient.
    assert np.ptp(found.loc[0.0]) < 0.5 * np.ptp(along)


def test_the_slope_of_the_loss_is_its_gradient(model):
    chosen = loss_landscape.choose_images(LABELS, count=1, random_seed=0, among=None)[0]
    image = small.pixels(model, IMAGES[chosen]).requires_grad_()
    image_labels = torch.zeros(1, 3)
    image_labels[0, LABELS[chosen]] = 1
    (gradient,) = torch.autograd.grad(soft_margin(model(image), image_labels).sum(), image)
    # A move of root mean square e along the gradient g changes the loss by e |g| sqrt(values).
    slope = float(gradient.norm()) * image.numel() ** 0.5
    found = landscape(model, extent=1e-3, points=1)[0.0]
    assert (found[-1e-3] - found[1e-3]) / 2e-3 == pytest.approx(slope, rel=0.02)


def test_passes_do_not_change_the_landscape(model):
    np.testing.assert_allclose(landscape(model), landscape(model, batch_size=100), rtol=1e-4)


# Trajectory


def trajectory(model, **changes):
    options = {"class_names": [], "per_class": 2, "trajectories": 1, "example_seed": 0,
               "perplexity": 3}  # fmt: skip
    rows = climbing_trajectory.measure(
        model, IMAGES, LABELS, small.CLASSES, small.ADVCAM, **options | changes
    )
    return pd.DataFrame(rows)


def test_classes_and_climbs_of_a_trajectory(model):
    found = trajectory(model)
    still, climbs = found[found["climbs"] == 0], found[found["climbs"] == 1]
    assert still.groupby("class_name").size().to_dict() == {"red": 2, "green": 2}
    # The image of two colours shows neither alone.
    assert "image6" not in set(found["image_id"])
    assert climbs.groupby("class_name")["step"].apply(list).to_dict() == {
        "red": [0, 1, 2, 3], "green": [0, 1, 2, 3]
    }  # fmt: skip
    assert set(climbs["image_id"]) <= set(still["image_id"])
    assert np.isfinite(found[["x", "y"]]).all(axis=None)


def test_another_seed_is_another_choice(model):
    found = [set(trajectory(model, per_class=1, example_seed=n)["image_id"]) for n in range(6)]
    assert set().union(*found) == {"image0", "image1", "image3", "image4"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"class_names": ["mauve"]}, "'mauve' is not a class of the data set: red, green, blue"),
        ({"perplexity": 30.0}, "perplexity is 30, but t-SNE has only 12 points: show more images"),
    ],
)
def test_what_cannot_be_embedded_is_told(model, changes, words):
    with pytest.raises(ValueError, match=words):
        trajectory(model, **changes)


def test_a_class_that_is_not_recognised_is_told(model):
    turned = {i: np.array([(ids[0] + 1) % 3]) for i, ids in LABELS.items()}
    with pytest.raises(ValueError, match="puts no image of red alone before all other classes"):
        list(
            climbing_trajectory.measure(
                model, IMAGES, turned, small.CLASSES, small.ADVCAM, class_names=["red"],
                per_class=2, trajectories=1, example_seed=0, perplexity=1,
            )
        )  # fmt: skip
