"""The tables of a blend beside its members, against figures worked out by hand."""

import re

import numpy as np
import pytest

from broker_classifier.light_curve import EMPTY
from broker_classifier.training.baselines import tables
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.paired import TEN_CUTS
from broker_classifier.training.judge.predictions import Predictions

CLASSES = ("SNII", "AGN")


def predictions(random, kinds):
    """What a model says of 60 objects, the same at each cut."""
    examples = tuple(
        Example(f"o{i}", "s", i % 2, 1.0, (EMPTY,), is_alert=kinds[i % len(kinds)])
        for i in range(60)
    )
    target = np.array([e.target for e in examples])
    first = random.uniform(0.1, 0.9, len(examples))
    probabilities = np.stack([first, 1 - first], axis=1)
    prior = np.full((len(examples), 2), 0.5)
    return dict.fromkeys(TEN_CUTS, Predictions(examples, target, probabilities, prior))


def pooled(kinds):
    random = np.random.default_rng(1)
    return {name: predictions(random, kinds) for name in ("network", "trees", "blend")}


def value(text, table, row):
    """The mean over the cuts in a row of the table of that heading."""
    part = text.split(f"| {table} |")[1].split("\n\n")[0]
    cells = re.search(rf"^\| {row} \|(.*)\|$", part, re.MULTILINE)[1].split("|")
    return float(cells[-1].split("(")[0])


@pytest.mark.parametrize(
    ("second", "first"), [("trees", "network"), ("blend", "network"), ("blend", "trees")]
)
@pytest.mark.parametrize(
    ("row", "is_counted"),
    [
        ("log loss", lambda example: True),
        ("log loss, alerts", lambda example: example.is_alert),
        ("log loss, forced photometry", lambda example: not example.is_alert),
    ],
)
def test_log_loss_is_told_of_all_objects_and_of_each_kind_of_data(first, second, row, is_counted):
    of_models = pooled((True, True, False))
    text = tables(of_models, CLASSES, "test")

    def loss(name):
        at_cut = of_models[name][TEN_CUTS[0]]
        return np.mean(
            [
                -np.log(p[e.target])
                for e, p in zip(at_cut.examples, at_cut.probabilities, strict=True)
                if is_counted(e)
            ]
        )

    expected = loss(second) - loss(first)
    assert value(text, f"{second} minus {first}", row) == pytest.approx(expected, abs=6e-4)


def test_data_of_a_single_kind_are_told_once():
    assert "alerts" not in tables(pooled((True,)), CLASSES, "test")
