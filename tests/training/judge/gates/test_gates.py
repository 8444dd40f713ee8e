import re
from dataclasses import replace

import numpy as np
import pytest

from broker_classifier.model.classify import classify
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.homogenisation import (
    HOMOGENISATION_FILE,
    Homogenisation,
    homogenised,
)
from broker_classifier.training.judge.gates.evidence import Evidence
from broker_classifier.training.judge.gates.forced_supernovae import pooled_forced_supernovae
from broker_classifier.training.judge.gates.gates import provenance_gates
from tests.bundles import small_bundle
from tests.training.noises import plain_noise

RULES = Homogenisation(alert_sources=("alerts", "more alerts"), noise=plain_noise())
YEAR = 365.25
CLASSES = ("SNIa", "SNII", "AGN")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("bundle"), seed=11)


@pytest.fixture(scope="module")
def kept_from_forced(bundle):
    """The same, as if trained on no forced photometry of SNIa."""
    record = bundle.description.training.model_copy(update={"alerts_only": ("SNIa",)})
    return replace(bundle, description=bundle.description.model_copy(update={"training": record}))


def event(i, source, label="SNIa", canonical_id="", days_later=0.0, brighter=1.0, err=4000.0):
    random = np.random.default_rng(i)
    mjd = 58300.2 + days_later + np.cumsum(random.choice([2.0, 3.0], 30))
    age = mjd - mjd[0] - 15.0
    flux = brighter * 10 ** random.uniform(4.8, 5.4) * np.exp(-((age / 20.0) ** 2)) + 3 * err
    errors = err * random.uniform(0.8, 1.2, len(mjd))
    band = np.where(np.arange(len(mjd)) % 2, 1, 2)
    name = f"{label}{i}@{source}"
    known_as = canonical_id or name
    return LabelledObject(name, known_as, label, source, True, mjd, flux, errors, band)


def late(labelled):
    """Begin at the brightest point."""
    return labelled.at(np.arange(int(labelled.flux.argmax()), len(labelled.flux)))


def evidence(bundle, objects, judged=(), trained=()):
    return Evidence(
        bundle,
        RULES,
        list(objects),
        is_judged=lambda name: not judged or name in judged,
        has_trained=lambda name: name in trained,
    )


def gate(name, bundle, objects, **which):
    return provenance_gates(evidence(bundle, objects, **which))[name]


def decided(bundle, objects):
    """Decide for a class with equal priors, as a user of `classify` would."""
    answers = classify(homogenised(objects, RULES), bundle)
    prior = np.array(bundle.description.calibration.prior)
    return [CLASSES[int((a.probabilities / prior).argmax())] for a in answers if a is not None]


def test_forced_supernovae_are_judged_by_a_bundle_that_met_none(bundle, kept_from_forced):
    forced = [event(i, "forced") for i in range(30)]
    alerts = [event(i, "alerts") for i in range(100, 140)]
    figures = gate("forced_supernovae", kept_from_forced, [*forced, *alerts])["at"]["full"]
    of_forced, of_alerts = decided(kept_from_forced, forced), decided(kept_from_forced, alerts)
    assert (figures["n_forced"], figures["n_alerts"]) == (30, 40)
    assert figures["called_agn_or_tde"] == pytest.approx(of_forced.count("AGN") / 30, abs=1e-4)
    assert figures["recall_forced"] == pytest.approx(of_forced.count("SNIa") / 30, abs=1e-4)
    assert figures["recall_alerts"] == pytest.approx(of_alerts.count("SNIa") / 40, abs=1e-4)
    assert gate("forced_supernovae", bundle, [*forced, *alerts])["passed"] is None


@pytest.mark.parametrize(("fold", "reason"), [(0, ""), (3, "is of fold 3.*that fold 0 judges")])
def test_a_gate_bundle_of_another_fold_does_not_judge(
    bundle, kept_from_forced, fold, reason, tmp_path
):
    record = kept_from_forced.description.training.model_copy(update={"fold": fold})
    small_bundle(tmp_path, seed=3, training=record.model_dump())
    (tmp_path / HOMOGENISATION_FILE).write_text(RULES.model_dump_json())
    objects = [event(i, "forced" if i < 30 else "alerts") for i in range(60)]
    judged = provenance_gates(evidence(bundle, objects), tmp_path)["forced_supernovae"]
    assert (judged["passed"] is None) == bool(reason)
    assert re.search(reason, judged["reason"])


def test_without_any_forced_photometry_of_supernovae_the_gate_is_not_tried(kept_from_forced):
    objects = [event(i, "alerts") for i in range(30)]
    judged = gate("forced_supernovae", kept_from_forced, objects)
    assert (judged["passed"], judged["reason"]) == (None, "0 forced and 30 alert SNIa are too few")
    pooled = pooled_forced_supernovae([evidence(kept_from_forced, objects)])
    assert pooled["reason"] == judged["reason"]


def test_beside_them_stand_the_alerts_of_the_same_year(kept_from_forced):
    forced = [event(i, "forced") for i in range(20)]
    same_year = [event(i, "alerts") for i in range(100, 125)]
    later = [event(i, "alerts", days_later=2 * YEAR) for i in range(200, 230)]
    judged = gate("forced_supernovae", kept_from_forced, [*forced, *later, *same_year])
    at_end = judged["at"]["full"]
    share = decided(kept_from_forced, same_year).count("SNIa") / 25
    assert (judged["year"], at_end["n_alerts"], at_end["n_alerts_of_that_year"]) == (2018, 55, 25)
    assert at_end["recall_alerts_of_that_year"] == pytest.approx(share, abs=1e-4)


def test_beside_them_stand_those_that_are_first_seen_on_the_rise(kept_from_forced):
    whole = [event(i, "forced") for i in range(20)]
    alerts = [event(i, "alerts") for i in range(100, 120)]
    mixed = [*map(late, whole[:8]), *whole[8:], *alerts]
    figures = gate("forced_supernovae", kept_from_forced, mixed)["at"]["full"]
    share = decided(kept_from_forced, whole[8:]).count("SNIa") / 12
    assert (figures["n_forced"], figures["n_forced_on_the_rise"]) == (20, 12)
    assert figures["recall_forced_on_the_rise"] == pytest.approx(share, abs=1e-4)
    assert figures["recall_alerts_on_the_rise"] == figures["recall_alerts"]
    assert figures["difference_at_same_phase"] is None  # no alerts are first seen late


def test_beside_them_stands_the_difference_at_the_same_phase(kept_from_forced):
    """Of the forced 5 in 20 are first seen late, of the alerts 20 in 40."""
    forced = [event(i, "forced") for i in range(20)]
    alerts = [event(i, "alerts") for i in range(100, 140)]
    forced[:5], alerts[:20] = map(late, forced[:5]), map(late, alerts[:20])
    figures = gate("forced_supernovae", kept_from_forced, [*forced, *alerts])["at"]["full"]
    of_forced, on_rise, seen_late = (
        np.mean([name == "SNIa" for name in decided(kept_from_forced, part)])
        for part in (forced, alerts[20:], alerts[:20])
    )
    difference = of_forced - (0.75 * on_rise + 0.25 * seen_late)
    assert 0.1 < abs(difference) != pytest.approx(abs(figures["recall_difference"]), abs=0.01)
    assert figures["difference_at_same_phase"] == pytest.approx(difference, abs=1e-4)
    low, high = figures["difference_at_same_phase_95"]
    assert low <= figures["difference_at_same_phase"] <= high


def test_forced_views_of_objects_whose_alerts_trained_are_not_judged(kept_from_forced):
    forced = [event(i, "forced", canonical_id=f"object {i}") for i in range(20)]
    alerts = [event(i, "alerts", canonical_id=f"object {i}") for i in range(10)]
    others = [event(i, "alerts", canonical_id=f"other {i}") for i in range(100, 120)]
    trained = {f"object {i}" for i in range(7)} | {f"other {i}" for i in range(100, 110)}
    judged = {f"other {i}" for i in range(110, 120)} | {"object 8"}
    which = {"judged": judged, "trained": trained}
    result = gate("forced_supernovae", kept_from_forced, [*forced, *alerts, *others], **which)
    assert result["at"]["full"]["n_forced"] == 13
    assert result["at"]["full"]["n_alerts"] == 11


def test_the_probe_stands_beside_the_control_within_the_alerts(bundle):
    forced = [event(i, "forced") for i in range(60)]
    same_year = [event(i, "alerts") for i in range(100, 160)]
    later = [event(i, "alerts", days_later=2 * YEAR) for i in range(200, 300)]
    probed = gate("source_probe", bundle, [*forced, *same_year, *later])
    at_three = probed["at"]["by_detections_3"]
    assert probed["year"] == 2018
    assert at_three["alerts_or_forced"]["n"] == [160, 60]
    assert at_three["year_control"]["n"] == [100, 60]
    assert at_three["alerts_or_forced_of_that_year"]["n"] == [60, 60]
    assert abs(at_three["year_control"]["auc"] - 0.5) < 0.15  # the years were made alike


def test_objects_seen_both_ways_are_probed_by_themselves(bundle):
    both = [
        event(i, source, canonical_id=f"object {i}", brighter=brighter)
        for i in range(40)
        for source, brighter in (("alerts", 1.0), ("forced", 30.0))
    ]
    alone = [event(i, "forced") for i in range(100, 140)]
    later = [event(i, "alerts", days_later=2 * YEAR) for i in range(200, 240)]
    figures = gate("source_probe", bundle, [*both, *alone, *later])["at"]["by_detections_3"]
    same = figures["alerts_or_forced_of_the_same_objects"]
    assert same["n"] == [40, 40]
    assert same["auc"] > 0.9  # thirty times as bright
    assert figures["alerts_or_forced"]["n"] == [80, 40]  # one view each, the first that there is


def test_a_source_with_smaller_errors_fails_the_probe(bundle):
    forced = [event(i, "forced", err=4000.0) for i in range(60)]
    same_year = [event(i, "alerts", err=400.0) for i in range(100, 160)]
    later = [event(i, "alerts", err=400.0, days_later=2 * YEAR) for i in range(200, 300)]
    assert gate("source_probe", bundle, [*forced, *same_year, *later])["passed"] is False


def test_pipelines_that_agree_shift_nothing(bundle):
    objects = [
        event(i, source, label=CLASSES[i % 3], canonical_id=f"object {i}")
        for i in range(24)
        for source in ("alerts", "more alerts")
    ]
    shifts = gate("two_pipelines", bundle, objects, trained={f"object {i}" for i in range(8)})
    assert shifts["passed"] is True
    assert shifts["at"]["full"]["n"] == 16
    assert shifts["at"]["full"]["largest_mean_shift"] == pytest.approx(0.0, abs=1e-6)
    assert shifts["at"]["full"]["same_decision"] == 1.0
    assert shifts["with_objects_that_trained"]["full"]["n"] == 24


def test_the_shift_of_a_pipeline_is_the_mean_difference_of_probabilities(bundle):
    first = [event(i, "alerts", canonical_id=f"object {i}") for i in range(12)]
    second = [
        event(i, "more alerts", canonical_id=o.canonical_id, brighter=20.0)
        for i, o in enumerate(first)
    ]
    shifts = gate("two_pipelines", bundle, [*second, *first])["at"]["full"]
    before, after = (
        np.array([a.probabilities for a in classify(homogenised(part, RULES), bundle)])
        for part in (first, second)
    )
    expected = (after - before).mean(axis=0)
    assert shifts["mean_shift"]["SNIa+91bg+Iax"] == pytest.approx(expected[0], abs=1e-3)
    assert shifts["mean_shift"]["AGN"] == pytest.approx(expected[2], abs=1e-3)
    assert shifts["passed"] is bool(np.abs(expected).max() <= 0.05)


def test_data_without_sources_say_why_no_gate_was_tried(bundle):
    objects = [replace(event(i, "folder"), names_source=False) for i in range(10)]
    for untried in provenance_gates(evidence(bundle, objects)).values():
        assert untried["passed"] is None
        assert "do not say" in untried["reason"]


def test_without_a_control_the_probe_gives_its_figures_and_no_verdict(bundle):
    objects = [event(i, source) for i in range(30) for source in ("alerts", "forced")]
    probed = gate("source_probe", bundle, objects)
    assert probed["passed"] is None
    assert "nothing to compare" in probed["reason"]
    assert probed["at"]["by_detections_3"]["alerts_or_forced"]["n"] == [30, 30]
    assert probed["at"]["by_detections_3"]["year_control"] is None
