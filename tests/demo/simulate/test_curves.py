"""The simulated objects' shapes: flares rise and fall as their formula says, walks correlate."""

from collections import Counter

import numpy as np
import pytest

from broker_classifier.demo.simulate.curves import Flare, damped_random_walk, load_shapes
from broker_classifier.demo.simulate.night import MIX

FLARE = Flare(amplitude=1e5, sag=0.4, plateau=30.0, start=5.0, rise=0.01, fall=20.0)


def test_a_flare_is_dark_before_its_start() -> None:
    assert FLARE.flux(np.array([-10.0, 4.0])) == pytest.approx([0.0, 0.0], abs=1e-3)


@pytest.mark.parametrize(
    ("days", "fraction"), [(5.0 + 15.0, 0.8), (5.0 + 30.0, 0.6), (5.0 + 50.0, 0.6 / np.e)]
)
def test_a_flare_sags_on_its_plateau_then_decays(days: float, fraction: float) -> None:
    assert FLARE.flux(np.array([days])) == pytest.approx([1e5 * fraction])


def test_a_random_walk_correlates_as_its_timescale_says() -> None:
    timescale = 40.0
    days = np.arange(0.0, 200_000.0, 10.0)
    walk = damped_random_walk(days, timescale, np.random.default_rng(1))
    assert np.var(walk) == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(walk[1:], walk[:-1])[0, 1] == pytest.approx(np.exp(-10 / 40), abs=0.02)


def test_every_class_has_fits_of_several_real_objects() -> None:
    counts = Counter(shape.label for shape in load_shapes())
    assert counts.keys() == MIX.keys()
    assert min(counts.values()) >= 10
