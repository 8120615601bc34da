import numpy as np
import torch

from tests import golden
from wsss.losses.pairs import pair_labels, shrink_labels, source_cells
from wsss.refine.affinity import end_points, path_groups


def test_pairs_and_sources_by_hand():
    groups = path_groups(2)
    sources = source_cells(end_points(groups), 2, 3)
    assert sources.tolist() == [1]
    labels = torch.tensor([[[9, 0, 0], [0, 255, 4]]])
    background, foreground, different = pair_labels(
        labels, groups[0][:, 0], sources, ignore_index=255
    )
    assert background.tolist() == [[[True], [False]]]  # (0, 1) to the right; below is unknown
    assert not foreground.any() and not different.any()
    background, foreground, different = pair_labels(
        labels, groups[1][:, 0], sources, ignore_index=255
    )
    assert background.tolist() == [[[True], [False]]] and not foreground.any()
    assert different.tolist() == [[[False], [True]]]


def test_labels_shrink_to_the_pixel_at_the_centre():
    labels = torch.arange(64, dtype=torch.uint8).view(1, 8, 8)
    assert shrink_labels(labels, (2, 2)).tolist() == [[[18, 22], [50, 54]]]


def test_pair_labels_equal_official():
    case = golden.load("irn_train_a")
    labels = shrink_labels(torch.from_numpy(case["in_labels"]), (32, 32))
    offsets = end_points(path_groups(case.json["hyper"]["path_radius"]))
    sources = source_cells(offsets, 32, 32)
    kinds = pair_labels(labels, offsets, sources, ignore_index=255)
    for name, kind in zip(("bg_pos", "fg_pos", "neg"), kinds, strict=True):
        golden.assert_close(case, f"out_{name}", kind.numpy().astype(np.uint8))
