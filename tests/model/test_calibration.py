import numpy as np
import pytest
from pydantic import ValidationError

from broker_classifier.model.calibration import (
    Calibration,
    age_shares,
    calibrated_probabilities,
    node_shares,
)

PRIOR = (0.7, 0.2, 0.1)


def test_a_network_without_evidence_gives_the_natural_prior():
    calibration = Calibration(prior=PRIOR, log_trained_prior=tuple(0.5 * np.log(PRIOR)))
    probabilities = calibrated_probabilities(0.5 * np.log(PRIOR), 4, 0.0, calibration)
    np.testing.assert_allclose(probabilities, PRIOR)


def test_the_prior_correction_is_exact_for_a_weighted_posterior():
    # Bayes by hand: likelihoods l, trained under prior q, wanted under prior p.
    likelihood, q = np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.3, 0.3])
    logits = np.log(likelihood * q)
    probabilities = calibrated_probabilities(
        logits, 1, 0.0, Calibration(prior=PRIOR, log_trained_prior=tuple(np.log(q)))
    )
    np.testing.assert_allclose(probabilities, likelihood * PRIOR / (likelihood * PRIOR).sum())


def test_the_equal_prior_decision_does_not_depend_on_the_temperature():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    trained = tuple(0.5 * np.log(PRIOR))
    decisions = []
    for temperature in (0.5, 1.0, 3.0):
        calibration = Calibration(
            prior=PRIOR, log_trained_prior=trained, temperature=(temperature,)
        )
        probabilities = calibrated_probabilities(logits, np.full(50, 2), np.zeros(50), calibration)
        decisions.append((probabilities / PRIOR).argmax(axis=1).tolist())
    assert decisions[0] == decisions[1] == decisions[2]


def test_the_temperature_is_linear_in_the_logarithm_and_constant_outside():
    calibration = Calibration(
        prior=(0.5, 0.5), log_trained_prior=(0, 0), n_points=(2, 8), temperature=(1.0, 3.0)
    )
    logits, n_points = np.array([[6.0, 0.0]] * 5), [1, 2, 4, 8, 50]
    probabilities = calibrated_probabilities(logits, n_points, np.zeros(5), calibration)
    log_odds = np.log(probabilities[:, 0] / probabilities[:, 1])
    np.testing.assert_allclose(6.0 / log_odds, [1.0, 1.0, 2.0, 3.0, 3.0])


def test_the_probabilities_are_those_that_the_fit_of_the_calibration_reckons_with():
    rng, n = np.random.default_rng(0), 200
    calibration = Calibration(
        prior=PRIOR,
        log_trained_prior=tuple(rng.normal(size=3)),
        n_points=(1, 3, 10),
        temperature=(0.5, 2.0, 1.0),
        offset=tuple(map(tuple, rng.normal(size=(3, 3)))),
        age_days=(0.0, 5.0, 50.0),
        age_temperature=(1.0, 0.7, 1.5),
        age_offset=tuple(map(tuple, rng.normal(size=(3, 3)))),
    )
    logits, n_points, age = rng.normal(size=(n, 3)), rng.integers(1, 20, n), rng.uniform(0, 90, n)
    by_n, by_age = node_shares(n_points, (1, 3, 10)), age_shares(age, (0.0, 5.0, 50.0))
    temperature = by_n @ calibration.temperature * (by_age @ calibration.age_temperature)
    joint = (logits - calibration.log_trained_prior) / temperature[:, None] + np.log(PRIOR)
    joint = np.exp(joint + by_n @ calibration.offset + by_age @ calibration.age_offset)
    probabilities = calibrated_probabilities(logits, n_points, age, calibration)
    np.testing.assert_allclose(probabilities, joint / joint.sum(axis=1, keepdims=True))


def test_an_offset_multiplies_the_odds_of_its_class():
    calibration = Calibration(
        prior=(0.5, 0.5),
        log_trained_prior=(0, 0),
        n_points=(1, 4),
        temperature=(1.0, 1.0),
        offset=((0.0, 0.0), (np.log(9), 0.0)),
    )
    probabilities = calibrated_probabilities(np.zeros((3, 2)), [1, 2, 4], [0.0] * 3, calibration)
    np.testing.assert_allclose(probabilities[:, 0], [1 / 2, 3 / 4, 9 / 10])


def test_factor_and_offset_of_the_age_are_linear_in_its_logarithm():
    calibration = Calibration(
        prior=(0.5, 0.5),
        log_trained_prior=(0, 0),
        age_days=(0.0, 15.0),
        age_temperature=(1.0, 3.0),
        age_offset=((0.0, 0.0), (np.log(9), 0.0)),
    )
    logits, age = np.array([[1.0, 0.0]] * 4), [0.0, 3.0, 15.0, 90.0]
    probabilities = calibrated_probabilities(logits, [2] * 4, age, calibration)
    log_odds = [1.0, 1 / 2 + np.log(9) / 2, 1 / 3 + np.log(9), 1 / 3 + np.log(9)]
    np.testing.assert_allclose(np.log(probabilities[:, 0] / probabilities[:, 1]), log_odds)


@pytest.mark.parametrize(
    "changed",
    [
        {"prior": (0.5, 0.4)},
        {"prior": (1.0, 0.0)},
        {"log_trained_prior": (0.0,)},
        {"temperature": (0.0,)},
        {"n_points": (1, 2)},
        {"n_points": (3, 2), "temperature": (1.0, 1.0)},
        {"prior": ()},
        {"offset": ((0.0,),)},
        {"offset": ((0.0, 0.0), (0.0, 0.0))},
        {"age_days": (0.0,)},
        {"age_days": (0.0,), "age_temperature": (1.0,)},
        {"age_days": (0.0,), "age_temperature": (1.0,), "age_offset": ((0.0,),)},
        {"age_days": (0.0,), "age_temperature": (0.0,), "age_offset": ((0.0, 0.0),)},
        {"age_days": (-1.0,), "age_temperature": (1.0,), "age_offset": ((0.0, 0.0),)},
    ],
)
def test_impossible_constants_are_refused(changed):
    good = {"prior": (0.5, 0.5), "log_trained_prior": (0.0, 0.0)}
    with pytest.raises(ValidationError):
        Calibration(**(good | changed))
