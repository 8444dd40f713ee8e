import numpy as np
import pytest

from broker_classifier.training.fit_calibration import N_POINTS, fit_calibration


def test_the_temperature_of_overconfident_logits_is_recovered():
    random = np.random.default_rng(0)
    prior, weights = np.array([0.5, 0.3, 0.2]), np.array([0.8, 1.0, 1.5])
    logits, target = [], []
    for _ in range(600):
        right = random.normal(0, 1.5, (25, 3))  # log likelihoods that tell the truth
        posterior = prior * np.exp(right)
        posterior /= posterior.sum(axis=1, keepdims=True)
        label = random.choice(3, p=posterior[-1])
        logits.append(2.0 * right[-1:] + np.log(prior * weights))
        target.append(label)
    found = fit_calibration(logits, target, prior, weights)
    assert found.n_points == N_POINTS
    assert found.temperature[0] == pytest.approx(2.0, rel=0.15)


def test_a_class_that_is_favoured_too_much_is_set_right():
    random = np.random.default_rng(0)
    prior = np.array([0.6, 0.4])
    evidence = random.normal(0, 1.0, (3000, 1, 2))
    posterior = prior * np.exp(evidence[:, 0])
    posterior /= posterior.sum(axis=1, keepdims=True)
    target = (random.random(3000) > posterior[:, 0]).astype(int).tolist()
    shifted = list(evidence + np.log(prior) + [0.8, 0.0])
    found = fit_calibration(shifted, target, prior, np.ones(2))
    first = found.offset[0]
    assert first[0] - first[1] == pytest.approx(-0.8, abs=0.15)


def test_the_trained_prior_is_prior_times_weights():
    prior, weights = np.array([0.9, 0.1]), np.array([1.0, 3.0])
    found = fit_calibration([np.zeros((2, 2))] * 4, [0, 0, 0, 1], prior, weights)
    difference = found.log_trained_prior[0] - found.log_trained_prior[1]
    assert difference == pytest.approx(np.log(0.9 / 0.3), abs=1e-5)


def test_what_precedes_the_detection_does_not_count():
    random = np.random.default_rng(0)
    prior, weights = np.array([0.6, 0.4]), np.ones(2)
    logits = [random.normal(0, 1.0, (1, 2)) for _ in range(200)]
    target = random.integers(2, size=200).tolist()
    padded = [np.concatenate([random.normal(0, 9.0, (4, 2)), rows]) for rows in logits]
    found = fit_calibration(padded, target, prior, weights, [4] * 200)
    again = [np.concatenate([np.zeros((4, 2)), rows]) for rows in logits]
    assert found == fit_calibration(again, target, prior, weights, [4] * 200)
