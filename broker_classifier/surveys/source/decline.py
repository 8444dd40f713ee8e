"""Rules put to an alert: what they exclude is declined with the rule's name."""

import numpy as np

from broker_classifier.config.rules import Rules
from broker_classifier.light_curve import EMPTY, LightCurve
from broker_classifier.surveys.alert import SOLAR_SYSTEM, Alert
from broker_classifier.surveys.source.context import Context, contexts, of_histories
from broker_classifier.surveys.source.history import history
from broker_classifier.surveys.source.rules import excluded_by


def declined(alert: Alert, rules: Rules, stored: LightCurve | None = None) -> Alert:
    """Decline an alert if a rule excludes it; one that its survey declined already stays as it is.

    The alert keeps its light curve, so that a later one that no rule excludes is answered with it.
    But a detection of a solar-system object is none of the object that it passed.

    Parameters
    ----------
    alert : Alert
    rules : Rules
    stored : LightCurve, optional
        Of an alert whose history was not read, what is known of the object's.
    """
    if stored is not None:
        alert = alert._replace(context=with_history(alert, stored))
    if alert.decline is not None:
        return alert
    reason = excluded_by(alert.context, alert.mjd, rules)
    if reason is None:
        return alert
    curve = EMPTY if reason == SOLAR_SYSTEM else alert.curve
    return alert._replace(decline=reason, curve=curve)


def with_history(alert: Alert, stored: LightCurve) -> Context:
    """Complete what an alert without history says by the stored light curve of its object."""
    context = alert.context
    past = history(stored.merge(alert.curve), alert.mjd)
    template = np.array([np.nan if context.template_flux is None else context.template_flux])
    numbers, counts = of_histories(past, template)
    numbers["first_detection_mjd"] = np.fmin(past.first_mjd, context.first_detection_mjd or np.nan)
    counts["n_detections"] = np.fmax(past.n_detections, context.n_detections or np.nan)
    [completed] = contexts(1, numbers, counts, {})
    names = (*numbers, *counts)
    return context._replace(**{name: getattr(completed, name) for name in names})
