from dataclasses import replace

import numpy as np
import pytest

from broker_classifier.light_curve.selection import Selection
from broker_classifier.training.data.labelled_objects import LabelledObject, Limits
from broker_classifier.training.homogenise.cadence import (
    MIN_GAPS,
    PERIOD_NIGHTS,
    USUAL_SHARES,
    Cadence,
    fit_cadence,
)
from broker_classifier.training.homogenise.fit_homogenisation import fit_homogenisation
from broker_classifier.training.recipe_tables import HomogenisationRecipe

OFFSET = 0.3
START = 58300
EVERY_OTHER, EVERY_THIRD = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def seen(nights, name="a", has_alert=None, band=2):
    """An object visited in these nights; where `found` is false there is an upper limit."""
    mjd = np.asarray(nights) + 0.1
    is_found = np.ones(len(mjd), dtype=bool) if has_alert is None else np.asarray(has_alert)
    flux, missed = np.ones(is_found.sum()), mjd[~is_found]
    limits = Limits(missed, np.ones(len(missed)), np.full(len(missed), band))
    band = np.full(len(flux), band)
    return LabelledObject(
        name, name, "SNIa", "alerts", True, mjd[is_found], flux, flux, band, limits=limits
    )


def many(gap, start, n=10):
    return [seen(start + gap * np.arange(21), f"{start} {i}") for i in range(n)]


def gaps_of(cadence, start, n=1500):
    every_night = np.arange(start, start + n)
    return np.diff(cadence.visited(every_night, np.random.default_rng(0))[:-1])


def test_each_half_year_has_the_gaps_of_its_alerts():
    cadence = fit_cadence(many(3, START) + many(2, START + PERIOD_NIGHTS), "gr", OFFSET)
    assert cadence.first_night == START
    assert cadence.shares == (EVERY_THIRD, EVERY_OTHER)
    assert set(gaps_of(cadence, START - 100, 200).tolist()) == {3}  # before the first, too
    assert set(gaps_of(cadence, START + PERIOD_NIGHTS).tolist()) == {2}  # and after the last


def test_gaps_are_drawn_as_often_as_they_occur():
    nights = START + np.cumsum(np.tile([1, 3, 3, 3], 15))
    cadence = fit_cadence([seen(nights, str(i)) for i in range(10)], "gr", OFFSET)
    assert (gaps_of(cadence, START, 6000) == 3).mean() == pytest.approx(0.75, abs=0.03)


def test_upper_limits_are_visits():
    nights = START + 2 * np.arange(25)
    every_third = np.arange(25) % 3 == 0
    cadence = fit_cadence([seen(nights, str(i), every_third) for i in range(10)], "gr", OFFSET)
    assert cadence.shares == (EVERY_OTHER,)


def test_both_bands_of_a_night_are_one_visit():
    in_one_band = seen(START + 3 * np.arange(25))
    twice = np.repeat(np.arange(25), 2)
    both = replace(in_one_band.at(twice), band=np.tile([1, 2], 25))
    cadence = fit_cadence([replace(both, object_id=str(i)) for i in range(10)], "gr", OFFSET)
    assert cadence.shares == (EVERY_THIRD,)


def test_long_gaps_are_weather():
    nights = START + np.cumsum(np.tile([2, 2, 2, 9], 6))
    cadence = fit_cadence([seen(nights, str(i)) for i in range(20)], "gr", OFFSET)
    assert cadence.shares == (EVERY_OTHER,)


def test_a_half_year_of_few_alerts_is_as_the_one_before():
    objects = many(3, START, 10) + many(2, START + PERIOD_NIGHTS, 9)
    assert fit_cadence(objects, "gr", OFFSET).shares == (EVERY_THIRD, EVERY_THIRD)


def test_a_first_half_year_of_few_alerts_is_as_the_next():
    objects = many(3, START, 2) + many(2, START + PERIOD_NIGHTS, 10)
    assert fit_cadence(objects, "gr", OFFSET).shares == (EVERY_OTHER, EVERY_OTHER)


@pytest.mark.parametrize(
    "objects",
    [[], [seen([])], many(2, START, MIN_GAPS // 20 - 1), [seen([START] * 3)]],
    ids=["none", "without points", "few", "one night"],
)
def test_too_few_gaps_give_the_usual_cadence(objects):
    assert set(fit_cadence(objects, "gr", OFFSET).shares) == {USUAL_SHARES}


def test_other_bands_are_no_visits():
    assert (
        fit_cadence([seen(START + np.arange(60), str(i), band=3) for i in range(9)], "gr", OFFSET)
        == Cadence()
    )


def test_where_no_night_is_near_the_next_one_is_visited():
    nights = np.array([0, 10, 11, 30])
    visited = Cadence(shares=((0.0, 0.5, 0.5),)).visited(nights, np.random.default_rng(0))
    assert visited == nights.tolist()


def test_the_next_visit_is_drawn_among_the_nights_that_there_are():
    """With every third night lost, one or three nights follow a night of the first kind."""
    nights = np.flatnonzero(np.arange(30000) % 3 != 2)
    cadence = Cadence(shares=((0.1, 0.7, 0.2),))
    visited = np.array(cadence.visited(nights, np.random.default_rng(1)))
    gaps = np.diff(visited)
    of_first, of_second = (gaps[visited[:-1] % 3 == kind] for kind in (0, 1))
    assert (of_first == 1).mean() == pytest.approx(0.1 / 0.3, abs=0.03)
    assert (of_first == 3).mean() == pytest.approx(0.2 / 0.3, abs=0.03)
    assert (of_second == 2).mean() == pytest.approx(0.7 / 0.9, abs=0.03)


def test_only_visits_around_the_first_alert_count():
    nights = np.concatenate([START - 40 + np.arange(9), START + 2 * np.arange(30), [START + 61]])
    is_found = (nights >= START) | (nights < START - 40)
    objects = [seen(nights, str(i), is_found) for i in range(20)]
    assert fit_cadence(objects, "gr", OFFSET).shares == (EVERY_OTHER,)


@pytest.mark.parametrize(
    ("visits_of", "expected"), [((), EVERY_OTHER), (("alerts",), USUAL_SHARES)]
)
def test_a_recipe_takes_the_cadence_from_alerts_alone(visits_of, expected):
    """Others of the same source are forced photometry; observed again, they have no cadence."""
    every_night = [seen(START + np.arange(60), f"forced {i}") for i in range(20)]
    in_g = seen([START], "g", band=1)
    objects = [in_g, *many(2, START), *(replace(o, is_forced=True) for o in every_night)]
    how = HomogenisationRecipe(alert_sources=("alerts",), detection_snr=5.0, visits_of=visits_of)
    rules = fit_homogenisation(objects, how, Selection(bands=("g", "r")))
    assert set(rules.cadence.shares) == {expected}
