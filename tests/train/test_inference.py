import numpy as np
import pytest
import torch

from tests.train.small import small_classifier
from wsss.data.images import read_image
from wsss.train.inference import classify, features_of


@pytest.fixture(scope="module")
def classifier():
    return small_classifier().double().train()


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_the_order_is_that_of_the_records_whatever_their_sizes(records, classifier, batch_size):
    features, probs = features_of(classifier, records, batch_size=batch_size)
    assert features.dtype == probs.dtype == np.float32
    for record, own, own_probs in zip(records, features, probs, strict=True):
        pixels = torch.from_numpy(read_image(record.path)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            x = classifier.eval().normalize(pixels)
            np.testing.assert_allclose(own, classifier.pooled_features(x)[0], rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(own_probs, classifier(x).sigmoid()[0], rtol=1e-5)


def test_every_image_comes_once_and_leaves_the_generator_alone(records, classifier):
    before = torch.get_rng_state()
    found = [name for names, _, _ in classify(classifier, records, batch_size=2) for name in names]
    assert sorted(found) == [record.image_id for record in records]
    assert torch.equal(torch.get_rng_state(), before)
