import pytest
import torch

from tests.train.small import write_images


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Six small images on disk."""
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)
