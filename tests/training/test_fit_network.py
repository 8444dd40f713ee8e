import numpy as np
import pytest
import torch

from broker_classifier.training.fit_network import UNDETECTED_SHARE, prefix_shares
from broker_classifier.training.recipe import read_recipe
from tests.training.test_recipe import SMALL


def test_prefixes_count_from_the_first_detection():
    recipe = read_recipe(SMALL)
    assert recipe.optimisation.prefix_decay == 0.5
    shares = prefix_shares(torch.tensor([[-2, -1, 0, 3]]), recipe)[0].numpy()
    whole = sum((n + 1) ** -0.5 for n in range(20))
    expected = np.array([UNDETECTED_SHARE, UNDETECTED_SHARE, 1.0, 0.5]) / whole
    assert shares == pytest.approx(expected, rel=1e-6)
