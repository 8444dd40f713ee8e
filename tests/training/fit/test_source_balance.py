"""Weights that take from the source what it says of the class."""

import numpy as np
import pytest

from broker_classifier.training.fit.source_balance import LARGEST_FACTOR, balanced_over_sources
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.homogenise.homogenisation import AGAIN

ALERT_SOURCES = ("first", "second")


def examples(**counts):
    return [
        Example(f"{source}{target}{i}", source, target, 1.0, (), is_alert=source in ALERT_SOURCES)
        for source, by_class in counts.items()
        for target, n in enumerate(by_class)
        for i in range(n)
    ]


def masses(balanced, sources, n_classes):
    mass = np.zeros((len(sources), n_classes))
    for e in balanced:
        mass[sources.index(e.source), e.target] += e.weight
    return mass


def test_sources_with_the_same_classes_get_the_same_mixture():
    before = examples(first=(20, 30), second=(40, 30))
    mass = masses(balanced_over_sources(before, 2), ["first", "second"], 2)
    mixture = mass / mass.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mixture[0], mixture[1], atol=0.02)


def test_the_prior_stays_what_it_was():
    before = examples(first=(200, 3, 0), second=(10, 90, 7))
    mass = masses(balanced_over_sources(before, 3), ["first", "second"], 3)
    np.testing.assert_allclose(mass.sum(axis=0), [210, 93, 7])


def test_no_example_counts_far_more_than_another_of_its_class():
    before = examples(first=(1000, 1), second=(100, 1000))
    balanced = balanced_over_sources(before, 2)
    weights = {(e.source, e.target): e.weight for e in balanced}
    ratio = weights["first", 1] / weights["second", 1]
    assert 5 < ratio <= LARGEST_FACTOR**2  # p(c|s) alone would make it 910


def test_one_source_is_left_as_it_is():
    before = examples(first=(200, 3), again=(0, 0))
    assert balanced_over_sources(before, 2) == before
    assert balanced_over_sources([], 2) == []


def test_a_second_view_and_the_sources_elsewhere_are_joined():
    first = examples(first=(20, 30), x=(40, 10), y=(0, 20))
    views = [Example(e.canonical_id, e.source + AGAIN, e.target, 1.0, ()) for e in first[:50]]
    balanced = balanced_over_sources([*first, *views], 2)
    expected = {e.target: e.weight for e in balanced if e.source == "first"}
    assert {e.target: e.weight for e in balanced if e.source == "first" + AGAIN} == expected
    x, y = ({e.weight for e in balanced if (e.source, e.target) == (s, 1)} for s in "xy")
    assert x == y
    assert sum(e.weight for e in balanced) == pytest.approx(170.0)
