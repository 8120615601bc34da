"""A segmenter that learns from a seed which grows."""

import os
import signal

import numpy as np
import pytest
import torch

from tests.train.small import (
    CLASSES,
    COMPUTING,
    GROWING,
    equal_tensors,
    growing_stream_of,
    labels_of,
)
from wsss.data.images import read_image, write_jpeg
from wsss.data.index import ImageRecord
from wsss.losses.dsrg import grow_seed
from wsss.losses.segmentation import multi_scale_losses, shrink_labels
from wsss.models.deeplab import build_segmenter
from wsss.refine.crf import dense_crf
from wsss.store.masks import read_mask, write_mask
from wsss.train import growing
from wsss.train.checkpoint import running_checkpoint
from wsss.train.growing import crf_probabilities, grown_losses, grown_seed
from wsss.train.loop import TrainingInterruptedError
from wsss.train.segmenter import train_segmenter
from wsss.train.streams import masked_stream

THRESHOLDS = {"foreground_threshold": 0.6, "background_threshold": 0.8}
OFFICIAL_CRF = {**GROWING["crf"], "iterations": 10}
OFFICIAL_THRESHOLDS = {"foreground_threshold": 0.85, "background_threshold": 0.99}
OPTIONS = {**GROWING, **THRESHOLDS, "loss": "balanced_cross_entropy"}


def batch_of(outputs_size=(6, 7), seed=0):
    """Logits of two scales and their maximum, and a batch of images of 24 x 28 with padding."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = outputs_size
    full = 3 * torch.randn(2, 3, rows, columns, generator=generator)
    half = torch.randn(2, 3, rows // 2, columns // 2, generator=generator)
    outputs = [tensor.requires_grad_() for tensor in (full, half, full.clone() + 0.1)]
    pixels = torch.randint(0, 256, (2, 3, 24, 28), dtype=torch.uint8, generator=generator)
    masks = torch.full((2, 24, 28), 255, dtype=torch.uint8)
    masks[0, :8, :8], masks[1, 8:16, 8:16] = 0, 2
    inside = torch.ones(2, 24, 28, dtype=torch.bool)
    inside[:, :, 20:] = False
    return outputs, [pixels, masks, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), inside]


def test_the_grown_seed_is_that_of_the_shrunk_one():
    outputs, (_, *seeds) = batch_of()
    probs = outputs[-1].detach().softmax(1)
    found, shares = grown_seed(probs, seeds, **THRESHOLDS)
    seed = seeds[0][:, 2::4, 2::4].long()
    inside = seeds[2][:, 2::4, 2::4]
    sure = (probs * inside[:, None]).numpy()
    expected = grow_seed(sure, seed.numpy(), seeds[1].numpy(), **THRESHOLDS)
    assert found.tolist() == expected.tolist() and found.dtype == torch.int64
    assert (found[~inside] == 255).all()
    assert shares["seed_share"].item() == pytest.approx(4 / 30)
    assert shares["grown_share"] > shares["seed_share"]
    assert shares["grown_share"].item() == pytest.approx((found != 255).sum().item() / 60)


def test_a_network_that_is_sure_of_padding_does_not_grow_there():
    _, (_, *seeds) = batch_of()
    sure = torch.zeros(2, 3, 6, 7)
    sure[0, 0], sure[1, 2] = 1, 1
    found, shares = grown_seed(sure, seeds, **THRESHOLDS)
    assert found[0].tolist() == [[0] * 5 + [255] * 2] * 6
    assert found[1].tolist() == [[2] * 5 + [255] * 2] * 6
    assert shares["grown_share"] == 1


def test_losses_are_those_of_the_parts():
    outputs, batch = batch_of()
    total, terms = grown_losses(outputs, batch, **OPTIONS)
    refined = crf_probabilities(outputs[-1].detach().softmax(1), batch[0], **GROWING["crf"])
    grown, shares = grown_seed(refined, batch[1:], **THRESHOLDS)
    seeding = multi_scale_losses(outputs, grown, loss=OPTIONS["loss"], ignore_index=255).sum()
    assert terms["seeding"] == seeding and terms["boundary"] > 0
    assert total.item() == pytest.approx((terms["seeding"] + terms["boundary"]).item())
    assert {name: terms[name] for name in shares} == shares
    double, _ = grown_losses(outputs, batch, **{**OPTIONS, "boundary_weight": 2.0})
    assert double.item() == pytest.approx((seeding + 2 * terms["boundary"]).item())
    total.backward()
    assert all(logits.grad.abs().sum() > 0 for logits in outputs)


def test_without_a_need_no_crf_is_computed(monkeypatch):
    outputs, batch = batch_of()
    options = {**OPTIONS, "grown_by": "network"}
    with_boundary, terms = grown_losses(outputs, batch, **options)
    monkeypatch.setattr(growing, "dense_crf", None)
    total, own = grown_losses(outputs, batch, **{**options, "boundary_weight": 0})
    assert set(own) == {"seeding", "seed_share", "grown_share"} and total == own["seeding"]
    assert own["seeding"] == terms["seeding"] and with_boundary > total
    expected, _ = grown_seed(outputs[-1].detach().softmax(1), batch[1:], **THRESHOLDS)
    assert total == multi_scale_losses(outputs, expected, loss=OPTIONS["loss"],
                                       ignore_index=255).sum()  # fmt: skip


def test_the_crf_is_that_of_the_shrunk_image():
    outputs, (pixels, *_) = batch_of()
    probs = outputs[-1].detach().softmax(1)
    # Seven columns with corners aligned see every fourth and a half of 28.
    pixels = pixels[:, :, :, ::4].repeat_interleave(4, 3)[:, :, ::4].repeat_interleave(4, 2)
    crf = {key: value for key, value in OFFICIAL_CRF.items() if key != "unary"}
    for unary, given in {"logarithm": probs, "probability": probs.softmax(1)}.items():
        found = crf_probabilities(probs, pixels, **OFFICIAL_CRF | {"unary": unary})
        assert found.dtype == torch.float32
        shrunk = torch.nn.functional.interpolate(
            pixels.float(), (6, 7), mode="bilinear", align_corners=True
        )
        for number in range(2):
            image = shrunk[number].permute(1, 2, 0).round().byte().numpy()
            expected = dense_crf(image, given[number].numpy(), **crf)
            np.testing.assert_array_equal(found[number].numpy(), expected)
    assert not torch.equal(found, crf_probabilities(probs, pixels, **OFFICIAL_CRF | {
        "unary": "logarithm"}))  # fmt: skip


def test_logits_that_are_not_finite_are_left_to_the_loop():
    outputs, batch = batch_of()
    with torch.no_grad():
        outputs[-1][0, 0, 0, 0] = float("nan")
    total, _ = grown_losses(outputs, batch, **OPTIONS)
    assert total.isnan()


def test_unknown_words():
    outputs, batch = batch_of()
    with pytest.raises(KeyError, match="known: crf, network"):
        grown_losses(outputs, batch, **{**OPTIONS, "grown_by": "both"})
    with pytest.raises(KeyError, match="known: probability, logarithm"):
        crf_probabilities(outputs[0], batch[0], **{**GROWING["crf"], "unary": "energy"})


# Trainings


def trained(stream, folder, **changes):
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2", "compact", num_classes=len(CLASSES) + 1, atrous_rates=[1], scales=[0.5]
    )
    checkpoint = running_checkpoint(folder / "net.safetensors", options=0, inputs=[])
    options = {
        "iterations": 8, "iter_size": 2, "learning_rate": 0.003, "head_multiplier": 5,
        "momentum": 0.9, "weight_decay": 5e-4, "schedule": "poly",
        "loss": "balanced_cross_entropy", "seed_growing": GROWING, "batch_norm": "train",
        "computing": COMPUTING,
    }  # fmt: skip
    rows = train_segmenter(
        segmenter, stream, **options | changes, checkpoint=checkpoint
    )  # fmt: skip
    return segmenter, rows


def test_the_seed_grows_and_the_log_says_so(records, tmp_path):
    _, rows = trained(growing_stream_of(records, batch_size=6), tmp_path)
    assert {"loss", "seeding", "boundary", "seed_share", "grown_share"} <= set(rows[0])
    assert rows[-1]["seeding"] < rows[0]["seeding"]
    assert all(row["grown_share"] >= row["seed_share"] > 0 for row in rows)
    assert rows[-1]["grown_share"] > 1.5 * rows[-1]["seed_share"]
    for row in rows:
        assert row["loss"] == pytest.approx(row["seeding"] + row["boundary"], rel=1e-5)


def test_a_stopped_training_goes_on_to_the_same_end(records, tmp_path, monkeypatch):
    stream = growing_stream_of(records, batch_size=6)
    whole, rows = trained(stream, tmp_path)
    seen = []
    right = growing.grow_seed

    def stopping(*arguments, **options):
        seen.append(1)
        if len(seen) == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return right(*arguments, **options)

    folder = tmp_path / "stopped"
    folder.mkdir()
    monkeypatch.setattr(growing, "grow_seed", stopping)
    with pytest.raises(TrainingInterruptedError, match="after step 4 of 8"):
        trained(stream, folder)
    found, found_rows = trained(stream, folder)
    assert equal_tensors(whole.state_dict(), found.state_dict()) and rows == found_rows


def squares(folder):
    """Write eight pictures of a coloured square on noise; return records, seed files, truth."""
    rng = np.random.default_rng(0)
    records, seeds, truth = [], {}, []
    for number in range(8):
        label = number % 2 + 1
        row, column = 8 * rng.integers(3, 6, 2)
        image = rng.integers(0, 80, (64, 64, 3), dtype=np.uint8)
        mask = np.zeros((64, 64), np.uint8)
        mask[row - 16 : row + 16, column - 16 : column + 16] = label
        image[..., label - 1][mask > 0] += 150
        seed = np.full((64, 64), 255, np.uint8)
        seed[row - 4 : row + 4, column - 4 : column + 4] = label
        frame = np.ones((64, 64), bool)
        frame[8:-8, 8:-8] = False
        seed[frame & (mask == 0)] = 0
        path = folder / f"square{number}.jpg"
        write_jpeg(path, image, quality=95)
        write_mask(path.with_suffix(".png"), seed)
        records.append(ImageRecord(path.stem, path, "train", 64, 64, (CLASSES[label - 1],)))
        seeds[path.stem] = path.with_suffix(".png")
        truth.append(mask)
    return records, seeds, torch.from_numpy(np.stack(truth))


def test_a_growing_seed_covers_more_as_rightly_and_teaches_more(tmp_path):
    records, seeds, truth = squares(tmp_path)
    stream = masked_stream(
        records, seeds, labels_of(records), batch_size=8, scales=(1.0,), crop_size=64,
        random_seed=0, workers=0,
    )  # fmt: skip
    pixels = torch.from_numpy(np.stack([read_image(r.path) for r in records])).permute(0, 3, 1, 2)
    masks = torch.from_numpy(np.stack([read_mask(path) for path in seeds.values()]))
    batch = [masks, torch.from_numpy(labels_of(records)), torch.ones_like(masks, dtype=torch.bool)]
    right = {}
    for name, options in {
        "stays": None,
        "grows": {**GROWING, **OFFICIAL_THRESHOLDS, "crf": OFFICIAL_CRF},
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        segmenter, _ = trained(stream, folder, iterations=20, seed_growing=options)
        with torch.no_grad():
            probs = segmenter.eval()(segmenter.normalize(pixels)).softmax(1)
        expected = shrink_labels(truth, probs.shape[2:])
        right[name] = (probs.argmax(1) == expected).float().mean()
    assert right["grows"] > right["stays"] + 0.03
    refined = crf_probabilities(probs, pixels, **OFFICIAL_CRF)
    grown, shares = grown_seed(refined, batch, **OFFICIAL_THRESHOLDS)
    # The seed is right everywhere, and covers less than half.
    assert shares["seed_share"] < 0.5 and shares["grown_share"] > 0.95
    assert (grown == expected)[grown != 255].float().mean() > 0.98
