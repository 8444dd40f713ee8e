"""Rules put to alerts: what they keep, and what a head lacks that the stored light curve has."""

import pytest

from broker_classifier.config.rules import Rules
from broker_classifier.light_curve import EMPTY, light_curve
from broker_classifier.surveys.alert import Alert
from broker_classifier.surveys.source.context import Context
from broker_classifier.surveys.source.decline import declined

CURVE = light_curve([60000.0], 100.0, 5.0, "r")
STEADY = light_curve([59990.0, 59995.0], 100.0, 5.0, "rr")
UNSTEADY = light_curve([59998.0, 59998.5, 59999.0], [9.0, -9.0, 9.0], 1.0, "rrr")


def alert(curve=CURVE, decline=None, **said):
    return Alert("lsst", "7", 1, 60000.0, curve, decline=decline, context=Context(**said))


def test_an_excluded_alert_keeps_its_light_curve():
    judged = declined(alert(reliability=0.1, reliability_score="drb"), Rules())
    assert (judged.decline, judged.curve) == ("artefact", CURVE)


def test_a_passing_solar_system_object_brings_no_point():
    judged = declined(alert(solar_system_arcsec=1.0), Rules())
    assert (judged.decline, judged.curve) == ("solar_system", EMPTY)


def test_an_alert_that_its_survey_declined_keeps_that_reason():
    assert declined(alert(decline="no_photometry", n_sign_changes=9), Rules()).decline == (
        "no_photometry"
    )


def test_an_alert_that_no_rule_excludes_stays_as_it_is():
    assert declined(alert(n_sign_changes=0), Rules()) == alert(n_sign_changes=0)


@pytest.mark.parametrize(("stored", "reason"), [(STEADY, None), (UNSTEADY, "variable")])
def test_a_heads_history_is_the_stored_light_curves(stored, reason):
    head = light_curve([60000.0], -9.0, 1.0, "r") if reason else CURVE
    assert declined(alert(head), Rules(), stored).decline == reason


def test_a_head_says_what_the_stored_light_curve_and_it_have_together():
    head = alert(light_curve([60000.0], -50.0, 5.0, "r"), template_flux=200.0, n_detections=1)
    context = declined(head, Rules(), STEADY).context
    assert (context.n_detections, context.first_detection_mjd) == (3, 59990.0)
    assert (context.n_negative, context.negative_share) == (1, 0.25)
    assert context.template_flux == 200.0
