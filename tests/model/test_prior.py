"""Information and equal priors, against scipy and Bayes' rule by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from broker_classifier.model.prior import equal_prior_probabilities, information_bits

SHARES = st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4).map(lambda x: np.array(x) / sum(x))


@given(SHARES, SHARES)
def test_the_information_is_scipys_relative_entropy(probabilities, prior):
    expected = entropy(probabilities, prior, base=2)
    assert information_bits(probabilities, prior) == pytest.approx(expected, abs=1e-9)


def test_the_prior_itself_says_nothing_and_certainty_all_there_is_to_say():
    prior = [0.75, 0.2, 0.05]
    assert information_bits(prior, prior) == 0.0
    assert information_bits([0.0, 0.0, 1.0], prior) == pytest.approx(np.log2(20.0))


@given(SHARES, SHARES)
def test_under_equal_priors_only_the_likelihoods_count(likelihoods, prior):
    posterior = likelihoods * prior / np.sum(likelihoods * prior)
    equal = equal_prior_probabilities(posterior, prior)
    np.testing.assert_allclose(equal, likelihoods / likelihoods.sum(), rtol=1e-9)
