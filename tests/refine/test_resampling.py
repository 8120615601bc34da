import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss.refine.resampling import resize_bilinear


@pytest.mark.parametrize("size", [(24, 40), (13, 7), (6, 10), (1, 1)])
def test_equals_torch(size):
    maps = np.random.default_rng(0).random((3, 6, 10)).astype(np.float32)
    expected = F.interpolate(torch.from_numpy(maps)[None], size=size, mode="bilinear")[0].numpy()
    np.testing.assert_allclose(resize_bilinear(maps, *size), expected, atol=1e-6)


def test_no_maps():
    assert resize_bilinear(np.zeros((0, 3, 4)), 6, 8).shape == (0, 6, 8)
