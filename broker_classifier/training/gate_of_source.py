"""The gate that asks whether the source of a supernova can be told from the model's input."""

from dataclasses import replace
from typing import Any

from broker_classifier.training.bootstrap import difference_interval
from broker_classifier.training.evidence import (
    SUPERNOVA,
    Evidence,
    Gate,
    gate,
    pairs_of_views,
    untried,
    usual_year,
    year_of,
)
from broker_classifier.training.examples import Example
from broker_classifier.training.metrics import rounded
from broker_classifier.training.objects import preferred_objects
from broker_classifier.training.provenance import Probe, probe

DETECTIONS = (1, 3, 10)


def source_probe(evidence: Evidence) -> Gate:
    """Try to tell the source of supernovae, and their year within one source.

    Without enough objects for the control there is no verdict, but the figures stand.
    """
    known = preferred_objects([o for o in evidence.objects if o.label == SUPERNOVA])
    forced = evidence.examples([o for o in known if not evidence.is_alert(o)])
    alerts = evidence.examples([o for o in known if evidence.is_alert(o)])
    if not forced or not alerts:
        return untried(f"there are no {SUPERNOVA} from alerts and from forced photometry")
    year = usual_year(forced)
    same_year = [e for e in alerts if year_of(e) == year]
    later = [e for e in alerts if year_of(e) != year]
    alert_views, forced_views = _views_of_both_kinds(evidence)
    at = {}
    for n in DETECTIONS:
        settings = n, evidence.bundle.selection, evidence.bundle.description.normalisation
        source, control = probe(alerts, forced, *settings), probe(later, same_year, *settings)
        if source is not None:
            figures = _probe_figures(source, control)
            beside = {
                "alerts_or_forced_of_that_year": probe(same_year, forced, *settings),
                "alerts_or_forced_of_the_same_objects": probe(
                    alert_views, forced_views, *settings, paired=True
                ),
            }
            figures |= {name: one.figures() if one else None for name, one in beside.items()}
            at[f"by_detections_{n}"] = figures
    return gate(at) | {"year": year}


def _views_of_both_kinds(evidence: Evidence) -> tuple[list[Example], list[Example]]:
    """Give the alerts, and in the same order the forced photometry, of supernovae with both."""
    known = replace(evidence, objects=[o for o in evidence.objects if o.label == SUPERNOVA])
    pairs = [p for p in pairs_of_views(known) if p[0].is_alert and not p[1].is_alert]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _probe_figures(source: Probe, control: Probe | None) -> dict[str, Any]:
    if control is None:
        nothing = {"year_control": None, "difference": None, "difference_95": [None, None]}
        return {"alerts_or_forced": source.figures(), **nothing, "passed": None}
    difference = difference_interval(source.resampled, control.resampled)
    return {
        "alerts_or_forced": source.figures(),
        "year_control": control.figures(),
        "difference": rounded(source.auc - control.auc),
        "difference_95": difference,
        "passed": difference[0] is not None and difference[0] <= 0.0,
    }
