from dataclasses import replace

import numpy as np
import pytest

from broker_classifier.training.data.labelled_objects import NO_LIMITS, LabelledObject, Limits
from broker_classifier.training.homogenise.alert_noise import FINE_RANKS, RANKS, flux_in_alert
from broker_classifier.training.homogenise.fit_depth import (
    USUAL_STEP,
    SameVisits,
    fit_depth,
    same_visits,
)

LOG_FLUX = (3.0, 4.0, 5.0, 6.0)
FLAT = (((3.0,) * len(FINE_RANKS),) * 4,) * 2
NO_VISITS = same_visits([], ["alerts"])


def view(source, mjd, flux, err=1000.0, limits=NO_LIMITS, name="a", band=2):
    n = len(mjd)
    columns = np.asarray(mjd, float), np.asarray(flux, float), np.broadcast_to(err, n)
    return LabelledObject(
        source + name, name, "SNIa", source, True, *columns, np.full(n, band), limits=limits
    )


def limits(mjd, depth, band=2):
    n = len(mjd)
    return Limits(np.asarray(mjd, float), np.broadcast_to(depth, n).astype(float), np.full(n, band))


def same_source(snr, is_alert, ratio, excess):
    n = len(snr)
    return SameVisits(snr, is_alert, ratio, excess, np.full(n, 2), np.full(n, "forced"))


def test_shared_visits_are_those_with_an_alert_or_a_limit():
    alerts = view("alerts", [10.0, 13.0, 20.0], [9e3] * 3, limits=limits([7.0, 16.0], 1100.0))
    forced = view("forced", [7.0, 8.0, 10.001, 13.0, 16.0, 25.0], [1e3, 2e3, 8e3, 9e3, 4e3, 3e3])
    shared = same_visits([alerts, forced], ["alerts"])
    assert shared.snr.tolist() == [1.0, 8.0, 9.0, 4.0]
    assert shared.is_alert.tolist() == [False, True, True, False]
    assert shared.source.tolist() == ["forced"] * 4
    assert shared.depth_ratio[[0, 3]] == pytest.approx([1.1, 1.1])
    assert np.isnan(shared.depth_ratio[[1, 2]]).all()
    assert shared.excess[[1, 2]].tolist() == [1.0, 0.0]
    assert np.isnan(shared.excess[[0, 3]]).all()


def test_a_source_of_both_kinds_shares_visits_with_itself():
    alerts = view("alerts", [10.0, 13.0], [9e3] * 2)
    forced = replace(view("alerts", [10.0], [8e3]), is_forced=True)
    assert same_visits([alerts, forced], ["alerts"]).snr.tolist() == [8.0]


def test_visits_of_other_bands_objects_and_times_are_not_shared():
    alerts = view("alerts", [10.0, 13.0], [9e3] * 2)
    others = (
        view("forced", [10.0], [9e3], band=1),
        view("forced", [13.0], [9e3], name="b"),
        view("forced", [10.1, 14.0], [9e3, 9e3]),
        view("alerts too", [13.0], [9e3], name="c"),
    )
    assert len(same_visits([alerts, *others], ["alerts", "alerts too"]).snr) == 0


def test_a_known_step_is_recovered():
    random = np.random.default_rng(0)
    snr = np.exp(random.uniform(np.log(1), np.log(60), 30000))
    p = 0.94 / (1 + np.exp(-np.log(snr / 5.5) / 0.3))
    is_alert = random.random(30000) < p
    ratio = np.where(is_alert, np.nan, 1.1)
    visits = same_source(snr, is_alert, ratio, np.zeros(30000))
    deep = fit_depth([], [], visits, "gr", LOG_FLUX, FLAT)
    assert deep.threshold_snr[1] == pytest.approx(5.5 / 1.1, abs=0.15)
    assert deep.threshold_width[1] == pytest.approx(0.3, abs=0.03)
    assert deep.completeness[1] == pytest.approx(0.94)
    steps = (deep.threshold_snr, deep.threshold_width, deep.completeness)
    assert tuple(values[0] for values in steps) == USUAL_STEP  # no visit in g


def test_the_depth_is_that_of_the_limits_before_the_first_detection():
    depth = np.geomspace(1e3, 1e4, 201)
    mjd = 80.0 + np.linspace(0, 19, 201)
    early, late = limits(mjd - 60, 1.0), limits(mjd + 40, 1e6)
    upper_limits = Limits(
        *(np.concatenate(parts) for parts in zip(early, limits(mjd, depth), late, strict=True))
    )
    deep = fit_depth(
        [view("alerts", [100.0], [1e5], limits=upper_limits)], [], NO_VISITS, "gr", LOG_FLUX, FLAT
    )
    expected = 3 + np.clip(RANKS, 0.02, 0.98)
    assert deep.log_depth[1] == pytest.approx(expected, abs=1e-3)
    assert deep.log_depth[0] == (3.0,) * 11  # no limit in g: the errors of the faintest alerts


def test_without_limits_the_depth_is_the_errors_of_the_faintest_alerts_at_its_own_ranks():
    ladder = tuple(3.0 + rank for rank in FINE_RANKS)
    deep = fit_depth([], [], NO_VISITS, "gr", LOG_FLUX, ((ladder,) * 4,) * 2)
    assert deep.log_depth[0] == pytest.approx([3.0 + rank for rank in RANKS])


def test_faint_sources_are_as_bright_in_alerts_as_the_upward_scatter_made_them():
    """Alerts' fluxes scatter by 0.9 of the depth, and are lost around 4.5 of it."""
    random, n = np.random.default_rng(1), 100000
    x = np.exp(random.uniform(np.log(1), np.log(60), n))
    y = x + 0.9 * random.normal(size=n)
    is_alert = random.random(n) < 1 / (1 + (4.5 / np.maximum(y, 0.1)) ** 4)
    ratio, excess = np.where(is_alert, np.nan, 1.25), np.where(is_alert, 1.25 * (y - x), np.nan)
    few = slice(0, 20000)
    visits = same_source(1.25 * x[few], is_alert[few], ratio[few], excess[few])
    deep = fit_depth([], [], visits, "gr", LOG_FLUX, FLAT)
    assert deep.flux_scatter == (0.0, pytest.approx(0.9, abs=0.04))
    for faint, bright in ((2.5, 3.0), (3.5, 4.0), (4.5, 5.0), (7.0, 8.0), (30.0, 40.0)):
        in_range = (x > faint) & (x < bright) & is_alert
        flux, depth = 1e3 * x[in_range], np.full(in_range.sum(), 1e3)
        in_alerts = flux_in_alert(flux, depth, np.ones(in_range.sum(), np.int64), deep)
        assert in_alerts.mean() == pytest.approx(1e3 * y[in_range].mean(), abs=150)


@pytest.mark.parametrize(("n", "is_known"), [(99, False), (100, True)])
def test_with_too_few_shared_alerts_their_scatter_is_not_known(n, is_known):
    none, is_alert = np.full(50, np.nan), np.arange(n + 50) < n
    ratio = np.concatenate([np.full(n, np.nan), np.full(50, 1.25)])
    excess = np.concatenate([np.linspace(-1, 1, n), none])
    visits = same_source(np.where(is_alert, 10.0, 1.0), is_alert, ratio, excess)
    assert bool(fit_depth([], [], visits, "gr", LOG_FLUX, FLAT).flux_scatter) is is_known


def test_the_excess_is_what_the_error_has_beyond_the_depth():
    """Far above the threshold every visit counts, and its usual depth is the median, 1000 nJy."""
    log_err = ((tuple(np.log10([2e3] * len(FINE_RANKS))),) * 4,) * 2
    upper_limits = limits(np.linspace(80, 99, 200), 1000.0)
    deep = fit_depth(
        [view("alerts", [100.0], [1e5], limits=upper_limits)],
        [],
        NO_VISITS,
        "gr",
        LOG_FLUX,
        log_err,
    )
    assert 10 ** deep.log_excess[1][1] == pytest.approx(np.sqrt(3) * 1000, rel=1e-3)
    assert 10 ** deep.log_excess[1][3] == pytest.approx(1e4)  # never below a hundredth of 1e6


def test_near_the_threshold_only_deep_visits_have_alerts():
    """Half of the visits are 1000 nJy deep, half 10000: at 2e4 nJy the alerts are of the former."""
    upper_limits = limits(np.linspace(80, 99, 400), np.tile([1e3, 1e4], 200))
    alerts = [view("alerts", [100.0], [1e5], limits=upper_limits)]
    deep = fit_depth(alerts, [], NO_VISITS, "gr", (np.log10(2e4), 7.0), ((FLAT[0][:2]),) * 2)
    at_2e4 = 10 ** deep.log_excess[1][0]
    assert at_2e4 == pytest.approx(
        200.0, rel=1e-3
    )  # an error of 1000 at a depth of 1000: only the least


def test_the_deepest_tenth_of_every_source_is_as_deep_as_that_of_the_stream():
    """Half as large errors are doubled; that faint points were dropped changes nothing."""
    upper_limits = limits(np.linspace(80, 99, 500), np.geomspace(1e3, 1e4, 500))
    alerts = [view("alerts", [100.0], [1e5], limits=upper_limits)]
    err = np.geomspace(500, 5000, 500)
    whole = view("whole", np.arange(500.0), [1e6] * 500, err)
    cut = view("cut", np.arange(470.0), [1e6] * 470, err[:470], name="b")
    few = view("few", [1.0], [1e6], name="c")
    deep = fit_depth(alerts, [whole, cut, few], NO_VISITS, "gr", LOG_FLUX, FLAT)
    assert deep.scales["whole"][1] == pytest.approx(2.0, rel=0.01)
    assert deep.scales["cut"][1] == pytest.approx(2.0, rel=0.03)
    assert deep.scales["few"] == (1.0, 1.0)
    assert deep.scales["whole"][0] == 1.0  # nothing in g


def test_limits_of_the_same_visits_tell_how_deep_a_source_is():
    upper_limits = limits(np.linspace(80, 99, 500), np.geomspace(1e3, 1e4, 500))
    alerts = [view("alerts", [100.0], [1e5], limits=upper_limits)]
    forced = view("forced", np.arange(500.0), [1e6] * 500, np.geomspace(500, 5000, 500))
    n = 150
    seen = same_source(np.ones(n), np.zeros(n, bool), np.full(n, 1.7), np.full(n, np.nan))
    deep = fit_depth(alerts, [forced], seen, "gr", LOG_FLUX, FLAT)
    assert deep.scales == {"forced": (1.0, 1.7)}
    few = SameVisits(*(column[:99] for column in seen))
    deep = fit_depth(alerts, [forced], few, "gr", LOG_FLUX, FLAT)
    assert deep.scales["forced"][1] == pytest.approx(2.0, rel=0.01)
