import numpy as np
import pytest

from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.training.fit.fit_calibration import N_POINTS, fit_calibration


def at_once(logits):
    """Days of light curves with all points in a moment."""
    return [np.zeros(len(rows)) for rows in logits]


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
    calibration = fit_calibration(logits, target, prior, weights, at_once(logits))
    assert calibration.n_points == N_POINTS
    temperature = calibration.temperature[0] * calibration.age_temperature[0]
    assert temperature == pytest.approx(2.0, rel=0.15)


def test_a_class_that_is_favoured_too_much_is_set_right():
    random = np.random.default_rng(0)
    prior = np.array([0.6, 0.4])
    evidence = random.normal(0, 1.0, (3000, 1, 2))
    posterior = prior * np.exp(evidence[:, 0])
    posterior /= posterior.sum(axis=1, keepdims=True)
    target = (random.random(3000) > posterior[:, 0]).astype(int).tolist()
    shifted = list(evidence + np.log(prior) + [0.8, 0.0])
    calibration = fit_calibration(shifted, target, prior, np.ones(2), at_once(shifted))
    first = np.add(calibration.offset[0], calibration.age_offset[0])
    assert first[0] - first[1] == pytest.approx(-0.8, abs=0.15)


def test_the_trained_prior_is_prior_times_weights():
    prior, weights = np.array([0.9, 0.1]), np.array([1.0, 3.0])
    logits = [np.zeros((2, 2))] * 4
    calibration = fit_calibration(logits, [0, 0, 0, 1], prior, weights, at_once(logits))
    difference = calibration.log_trained_prior[0] - calibration.log_trained_prior[1]
    assert difference == pytest.approx(np.log(0.9 / 0.3), abs=1e-5)


def test_what_precedes_the_detection_does_not_count():
    random = np.random.default_rng(0)
    prior, weights = np.array([0.6, 0.4]), np.ones(2)
    logits = [random.normal(0, 1.0, (1, 2)) for _ in range(200)]
    target = random.integers(2, size=200).tolist()
    padded = [np.concatenate([random.normal(0, 9.0, (4, 2)), rows]) for rows in logits]
    calibration = fit_calibration(padded, target, prior, weights, at_once(padded), [4] * 200)
    again = [np.concatenate([np.zeros((4, 2)), rows]) for rows in logits]
    assert calibration == fit_calibration(again, target, prior, weights, at_once(again), [4] * 200)


def test_a_class_that_is_favoured_late_only_is_set_right_late_only():
    random = np.random.default_rng(0)
    prior, days = np.array([0.5, 0.5]), np.array([0.0, 50.0])
    target = random.integers(2, size=3000)
    evidence = random.normal(np.where(target == 0, 0.5, -0.5)[:, None], 1.0, (3000, 2))
    late = np.array([[0.0, 0.0], [1.0, 0.0]])
    logits = [np.stack([row, np.zeros(2)], axis=1) + late for row in evidence]
    ages = [days] * 3000
    calibration = fit_calibration(logits, target.tolist(), prior, np.ones(2), ages)
    given = calibrated_probabilities(np.array(logits), [[1, 2]] * 3000, ages, calibration)
    often = given[:, :, 0].mean(axis=0)
    assert often == pytest.approx(np.mean(target == 0), abs=0.01)
