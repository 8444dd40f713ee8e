"""The simulated survey: cadence, depth and noise are those of public ZTF."""

import numpy as np
import pytest

from broker_classifier.demo.simulate.survey import (
    REAL_SCATTER,
    Exposures,
    clear_nights,
    measure,
    observe_field,
    quoted_err,
)
from broker_classifier.light_curve.photometry import flux_from_magnitude


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def exposures(n: int, limit_mag: float = 20.5) -> Exposures:
    return Exposures(np.arange(float(n)), np.full(n, "r"), np.full(n, limit_mag))


# Medians over the real alerts of ZTF's public survey, read off `ztf-labelled` by hand.
@pytest.mark.parametrize(
    ("flux", "err"), [(2.5e4, 5.3e3), (1e5, 9.5e3), (4e5, 17.9e3), (1.6e6, 46e3)]
)
def test_quoted_errors_are_those_of_real_alerts(flux: float, err: float) -> None:
    limit = np.array([flux_from_magnitude(20.5)])
    assert quoted_err(np.array([flux]), limit) == pytest.approx([err], rel=0.12)


def test_measurements_scatter_by_the_real_part_of_their_quoted_error() -> None:
    photometry = measure(np.full(20_000, 2e5), exposures(20_000), rng())
    pulls = (photometry.flux - 2e5) / photometry.flux_err
    assert np.std(pulls) == pytest.approx(REAL_SCATTER, rel=0.02)


def test_a_source_below_the_limit_raises_no_alert_and_a_bright_one_always_does() -> None:
    assert not measure(np.full(100, 3e3), exposures(100), rng()).is_detected.any()
    assert measure(np.full(100, 3e5), exposures(100), rng()).is_detected.all()


def test_a_fading_below_the_reference_raises_negative_alerts() -> None:
    photometry = measure(np.full(50, -3e5), exposures(50), rng())
    assert photometry.is_detected.all()
    assert (photometry.flux < 0).all()


def test_a_field_is_visited_every_two_or_three_nights_in_both_bands() -> None:
    visits = observe_field(61000.0, np.ones(1000, dtype=bool), rng())
    nights = np.unique(np.floor(visits.mjd))
    assert set(np.diff(nights)) <= {2, 3, 4, 5, 6}  # longer where both exposures failed
    assert 2.3 < np.mean(np.diff(nights)) < 2.7
    assert np.mean(visits.band == "g") == pytest.approx(0.5, abs=0.05)
    assert (np.diff(visits.mjd) > 0).all()


def test_clouds_take_a_fifth_of_the_nights_in_runs() -> None:
    is_clear = clear_nights(50_000, rng())
    assert np.mean(is_clear) == pytest.approx(0.4 / (0.1 + 0.4), abs=0.02)
    after_clouds = is_clear[1:][~is_clear[:-1]]
    assert np.mean(after_clouds) == pytest.approx(0.4, abs=0.02)


def test_nothing_is_observed_through_clouds() -> None:
    assert len(observe_field(61000.0, np.zeros(100, dtype=bool), rng()).mjd) == 0
