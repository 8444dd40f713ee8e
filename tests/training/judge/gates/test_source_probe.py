from dataclasses import replace

import numpy as np
import pytest

from broker_classifier.light_curve import LightCurve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.point_input import Normalisation
from broker_classifier.model.trees.prefix_features import Features
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.gates.source_probe import probe
from tests.curves import detections

POINTS = (Normalisation(),)


def curves_of(source, error_factor, n=80):
    random = np.random.default_rng(sum(source.encode()))
    for i in range(n):
        flux = 10 ** random.uniform(4, 5, 4)
        err = error_factor * flux * random.uniform(0.08, 0.12, 4)
        curve = detections(np.cumsum(random.uniform(1, 3, 4)), flux, err)
        yield Example(f"{source}{i}", source, 0, 1.0, (curve,))


def probed(first, second, n_detections=3, inputs=POINTS, **options):
    kinds = list(first), list(second)
    return probe(*kinds, n_detections, Selection(), inputs, **options)


def test_sources_that_look_alike_cannot_be_told_apart():
    result = probed(curves_of("alerts", 1.0), curves_of("forced", 1.0))
    assert result is not None
    assert abs(result.auc - 0.5) < 0.15
    low, high = result.auc_95
    assert low < result.auc < high


def test_smaller_errors_give_a_source_away():
    result = probed(curves_of("alerts", 1.0), curves_of("forced", 0.5))
    assert result is not None
    assert result.auc > 0.95
    assert result.auc_95[0] > 0.9
    assert result.n == (80, 80)


@pytest.mark.parametrize("inputs", [[Features()], [Normalisation(), Features()]])
def test_the_features_of_trees_may_give_a_source_away_too(inputs):
    result = probed(curves_of("alerts", 1.0), curves_of("forced", 0.5), inputs=inputs)
    assert result is not None
    assert result.auc > 0.95


def test_a_few_light_curves_prove_nothing():
    assert probed(curves_of("alerts", 1.0), curves_of("forced", 1.0, n=19)) is None


def test_light_curves_that_are_too_short_do_not_count():
    assert probed(curves_of("alerts", 1.0), curves_of("forced", 1.0), n_detections=5) is None


def test_views_of_the_same_objects_are_told_apart_by_the_views_alone():
    views = list(curves_of("alerts", 1.0))
    alike = probed(views, views, paired=True)
    assert alike is not None
    assert alike.auc <= 0.5  # no object helps to guess about itself
    other = probed(views, curves_of("forced", 0.5), paired=True)
    assert other is not None
    assert other.auc > 0.95


def test_of_a_pair_both_views_must_be_long_enough():
    longer = list(curves_of("alerts", 1.0))
    short = [replace(e, curves=(LightCurve(e.curves[0].points[:2]),)) for e in longer[:65]]
    assert probed(longer, [*short, *longer[65:]], paired=True) is None
    assert probed(longer, [*short[:40], *longer[40:]], paired=True).n == (40, 40)
