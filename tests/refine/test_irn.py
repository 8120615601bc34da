import subprocess
import sys

import numpy as np
import pytest

from tests import golden
from wsss.refine.irn import refine

WALK = {"radius": 5, "beta": 10, "exp_times": 8, "map_exponent": 1.0, "background_threshold": 0.25}


def test_mask_equals_official():
    case = golden.load("irn_walk_a")
    hyper = case.json["hyper"]
    mask = refine(
        np.zeros((*hyper["image_size"], 3), np.uint8),
        case["in_cam"],
        np.array(hyper["classes_zero_based"]),
        case["in_edge"][0],
        radius=hyper["radius_of_walk"],
        beta=hyper["beta"],
        exp_times=hyper["exp_times"],
        map_exponent=hyper["power_applied_to_cam"],
        background_threshold=hyper["sem_seg_bg_thres"],
    )
    golden.assert_close(case, "out_pred", mask)


def test_object_is_filled_up_to_its_boundary():
    edge = np.zeros((12, 16), np.float32)
    edge[:, 8] = 1
    maps = np.zeros((1, 12, 16), np.float32)
    maps[0, 5, 2] = 1
    mask = refine(np.zeros((46, 62, 3), np.uint8), maps, [2], edge, **WALK)
    assert np.all(mask[:, :30] == 3) and not mask[:, 38:].any()


@pytest.mark.parametrize("size", [(3, 4), (24, 32)])
def test_maps_of_another_resolution(size):
    edge, maps = np.zeros((12, 16), np.float32), np.ones((1, *size), np.float32)
    mask = refine(np.zeros((48, 64, 3), np.uint8), maps, [2], edge, **WALK)
    assert mask.shape == (48, 64) and np.all(mask == 3)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (8, 1), (64, 64)])
def test_tiny_images_and_no_classes(size):
    grid = tuple(-(-side // 4) for side in size)
    image, edge = np.zeros((*size, 3), np.uint8), np.zeros(grid, np.float32)
    assert np.all(refine(image, np.ones((1, *grid)), [0], edge, **WALK) == 1)
    assert not refine(image, np.zeros((0, *grid)), [], edge, **WALK).any()


def test_errors():
    image, edge = np.zeros((48, 64, 3), np.uint8), np.zeros((12, 16))
    with pytest.raises(ValueError, match="not one of an image"):
        refine(image[:40], np.ones((1, 12, 16)), [0], edge, **WALK)
    with pytest.raises(ValueError, match="one per map"):
        refine(image, np.ones((1, 12, 16)), [0, 1], edge, **WALK)


def test_the_room_does_not_import_torch():
    code = (
        "import sys, wsss.refine.irn, wsss.refine.psa, wsss.refine.crf, wsss.refine.irn_labels; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
