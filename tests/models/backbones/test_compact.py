import pytest
import torch

from wsss.models.backbones.compact import build_backbone

torch.set_num_threads(1)


def test_is_small():
    assert 0.25e6 < sum(p.numel() for p in build_backbone().parameters()) < 0.35e6


def test_has_no_weights_of_its_own():
    with pytest.raises(ValueError, match="no installed package carries weights for Compact"):
        build_backbone().load_pretrained()
