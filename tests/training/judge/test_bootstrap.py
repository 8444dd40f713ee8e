import numpy as np
import pytest

from broker_classifier.training.judge.bootstrap import (
    interval,
    mean_interval,
    median_interval,
    resamples,
)


def test_every_class_keeps_its_number_in_every_resample():
    stratum = np.array([0, 1, 1, 2, 2, 2, 0])
    counts = resamples(stratum)
    assert counts.shape == (1000, 7)
    for value, n in ((0, 2), (1, 2), (2, 3)):
        assert (counts[:, stratum == value].sum(axis=1) == n).all()


def test_an_object_occurs_once_on_average_and_as_often_as_chance_says():
    counts = resamples(np.zeros(50))
    assert counts.mean() == 1.0
    assert counts.var() == pytest.approx(1 - 1 / 50, rel=0.05)  # binomial(50, 1/50)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(5).normal(3.0, 2.0, 400)
    expected = values.mean() + np.array([-1.96, 1.96]) * values.std() / np.sqrt(400)
    assert mean_interval(values) == pytest.approx(expected, abs=0.03)


def test_the_interval_of_a_median_covers_it_as_often_as_it_says():
    random = np.random.default_rng(1)
    intervals = [median_interval(random.normal(0, 1, 80)) for _ in range(200)]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    assert 0.9 <= covered <= 0.99


def test_an_interval_is_moved_back_by_the_shift_of_resampling():
    drawn = np.linspace(0.10, 0.20, 1001)
    assert interval(drawn, 0.12) == pytest.approx([0.0725, 0.1675], abs=1e-3)
    assert interval(drawn, 0.01)[0] == 0.0


def test_a_figure_that_is_never_a_number_has_no_interval():
    assert interval(np.array([np.nan, np.nan])) == [None, None]
    assert mean_interval(np.empty(0)) == [None, None]


def test_large_sets_are_drawn_less_often():
    assert len(resamples(np.zeros(20_000))) == 200
