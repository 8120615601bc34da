import numpy as np
import pytest

from tests import golden
from tests.refine.test_crf import HARD
from wsss.refine.irn_labels import confident_labels, labels_from_walk
from wsss.refine.seed import label_indices

THRESHOLDS = {"foreground_threshold": 0.3, "background_threshold": 0.05}
IMAGE = np.zeros((12, 16, 3), np.uint8)


def test_confident_labels_equal_official():
    case = golden.load("irn_label_a")
    hyper, crf = case.json["hyper"], case.json["hyper"]["crf"]
    maps = case["in_high_res"]
    for side in ("fg", "bg"):
        threshold = hyper[f"conf_{side}_thres"]
        labels = label_indices(maps, background_threshold=threshold)
        golden.assert_close(case, f"out_label_{side}", labels)
    options = {name: value for name, value in crf.items() if name != "gt_prob"}
    mask = confident_labels(
        case["in_image"],
        maps,
        np.array(hyper["classes_zero_based"]),
        foreground_threshold=hyper["conf_fg_thres"],
        background_threshold=hyper["conf_bg_thres"],
        certainty=crf["gt_prob"],
        **options,
    )
    golden.assert_close(case, "out_conf", mask)


def test_between_the_thresholds_is_unknown():
    image = (
        np.repeat(np.array([0, 120, 240], np.uint8), 6)[None, :, None].repeat(12, 0).repeat(3, 2)
    )
    maps = np.repeat(np.array([0.0, 0.2, 0.9], np.float32), 6)[None, None].repeat(12, 1)
    mask = confident_labels(image, maps, [4], **THRESHOLDS, **HARD)
    np.testing.assert_array_equal(mask, np.repeat([[0, 255, 5]], 12, axis=0).repeat(6, axis=1))


def test_no_classes_is_background():
    assert not confident_labels(IMAGE, np.zeros((0, 12, 16)), [], **THRESHOLDS, **HARD).any()


def test_thresholds_in_the_wrong_order():
    options = {"foreground_threshold": 0.1, "background_threshold": 0.2}
    with pytest.raises(ValueError, match="exchange"):
        confident_labels(IMAGE, np.zeros((1, 12, 16)), [0], **options, **HARD)


def test_labels_from_walk_by_hand():
    walked = np.zeros((2, 2, 2), np.float32)
    walked[0, 0, 0], walked[1, 1, 1] = 0.5, 0.1
    options = {"stride": 1, "image_size": (2, 1), "background_threshold": 0.25}
    assert labels_from_walk(walked, [3, 8], **options).tolist() == [[4], [0]]
    # 0.1 is a fifth of the maximum over both classes, hence background.
    whole = {**options, "image_size": (2, 2)}
    assert labels_from_walk(walked, [3, 8], **whole).tolist() == [[4, 0], [0, 0]]


def test_labels_from_empty_walks():
    options = {"stride": 4, "image_size": (7, 8), "background_threshold": 0.25}
    assert not labels_from_walk(np.zeros((1, 2, 2)), [3], **options).any()
    assert not labels_from_walk(np.zeros((0, 2, 2)), [], **options).any()


def test_walk_too_small_for_image():
    options = {"stride": 4, "image_size": (9, 8), "background_threshold": 0.25}
    with pytest.raises(ValueError, match="do not cover"):
        labels_from_walk(np.zeros((1, 2, 2)), [3], **options)
