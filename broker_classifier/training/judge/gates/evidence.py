"""What the provenance gates look at, and how a gate is summed up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from broker_classifier.model.bundle import Bundle
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.examples import Example, make_examples
from broker_classifier.training.homogenise.homogenisation import Homogenisation, is_from_alerts

SUPERNOVA = "SNIa"  # only this class has enough objects from alerts and from forced photometry
MJD_OF_YEAR_0 = -678941.0  # 0000-01-01, proleptic Gregorian
DAYS_PER_YEAR = 365.2425
MIN_OBJECTS = 5
Gate = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What the gates look at.

    Attributes
    ----------
    objects : list of LabelledObject
        Every view of every object of the bundle's classes, whatever its split.
    is_judged : callable
        Whether an object of this canonical id belongs to the split that is judged.
    has_trained : callable
        Whether the weights were fitted to an object of this canonical id.
    """

    bundle: Bundle
    rules: Homogenisation
    objects: list[LabelledObject]
    is_judged: Callable[[str], bool]
    has_trained: Callable[[str], bool]

    def is_alert(self, labelled: LabelledObject) -> bool:
        """Whether a view comes from alerts."""
        return is_from_alerts(labelled, self.rules.alert_sources)

    def examples(self, objects: Sequence[LabelledObject]) -> list[Example]:
        """Prepare views for the bundle."""
        return make_examples(objects, self.rules, self.bundle.selection, self.bundle.classes)


def pairs_of_views(evidence: Evidence) -> list[tuple[Example, Example]]:
    """Pair two views of an object from different pipelines: alerts first where one is."""
    by_object: dict[str, list[LabelledObject]] = {}
    for labelled in sorted(evidence.objects, key=lambda o: (not evidence.is_alert(o), o.source)):
        by_object.setdefault(labelled.canonical_id, []).append(labelled)
    several = [view for views in by_object.values() if len(views) > 1 for view in views]
    examples: dict[str, list[Example]] = {}
    for example in evidence.examples(several):
        examples.setdefault(example.canonical_id, []).append(example)
    pairs = []
    for first, *others in examples.values():
        elsewhere = [example for example in others if example.pipeline != first.pipeline]
        pairs += [(first, elsewhere[0])] if elsewhere else []
    return pairs


def usual_year(examples: Sequence[Example]) -> int:
    """Tell in which year most light curves begin."""
    years = [year_of(e) for e in examples]
    return max(sorted(set(years)), key=years.count)


def year_of(example: Example) -> int:
    """Tell in which year a light curve begins."""
    return int((float(example.curves[0].mjd[0]) - MJD_OF_YEAR_0) // DAYS_PER_YEAR)


def gate(at: dict[str, Any]) -> Gate:
    """Sum up a gate by its figures at each cut: all that could be compared must have passed."""
    if not at:
        return untried("too few of its objects reach a cut")
    verdicts = [figures["passed"] for figures in at.values() if figures["passed"] is not None]
    reason = "" if verdicts else "nothing to compare its figures with"
    return {"passed": all(verdicts) if verdicts else None, "reason": reason, "at": at}


def untried(reason: str) -> Gate:
    """Say why a gate could not be tried."""
    return {"passed": None, "reason": reason, "at": {}}
