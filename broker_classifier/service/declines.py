"""Alerts that are declined: why, in words for people, and as messages."""

from collections.abc import Iterable, Sequence

import orjson

from broker_classifier.light_curve.rejections import why_unusable
from broker_classifier.service.triage import NO_BUNDLE, Arrival, Task
from broker_classifier.streams.message import Outgoing
from broker_classifier.surveys.alert import SOLAR_SYSTEM
from broker_classifier.surveys.source.rules import ARTEFACT, STAR, VARIABLE

UNUSABLE = "no_usable_points"
REASONS = {
    SOLAR_SYSTEM: "The detection is of a known asteroid or comet.",
    ARTEFACT: "The detection is more likely an artefact of the images than real.",
    STAR: "The detection lies on a star.",
    VARIABLE: "The source has a history that no transient has: it has varied again and again.",
    NO_BUNDLE: "No bundle is set for alerts of its survey; once there is one, a replay answers it.",
    "no_light_curve": "The row of Lasair has no light curve, and its API was not to be asked.",
    UNUSABLE: "The light curve has no point that a bundle of its survey uses.",
}
"""Every reason why an alert is declined, with a sentence."""

Decline = tuple[Arrival, str, str]
"""A declined alert, its reason, and a sentence about this very alert."""


def declines(excluded: Iterable[tuple[Arrival, str]], unanswered: Iterable[Task]) -> list[Decline]:
    """Collect the declined alerts of a batch: excluded, or without a usable point.

    Parameters
    ----------
    excluded : iterable of (Arrival, str)
        Alerts that are declined before they are classified, with the reason.
    unanswered : iterable of Task
        New alerts that no bundle could answer.
    """
    unusable = [(task.arrival, UNUSABLE, _why_unanswered(task)) for task in unanswered]
    return [(arrival, reason, REASONS[reason]) for arrival, reason in excluded] + unusable


def _why_unanswered(task: Task) -> str:
    bundles = [served.bundle for served in task.bundles]
    reasons = [
        f"{b.name} can use no point: {why_unusable(task.curve, b.selection)}" for b in bundles
    ]
    return f"{'; '.join(reasons)}."


def decline_messages(declined: Sequence[Decline], topic: str) -> list[Outgoing]:
    """Write the messages of declined alerts: which alert, the reason, the sentence."""
    return [
        Outgoing(
            topic,
            arrival.alert.object_id.encode(),
            orjson.dumps(
                {
                    "survey": arrival.alert.survey,
                    "object_id": arrival.alert.object_id,
                    "alert_id": arrival.alert.alert_id,
                    "alert_id_str": str(arrival.alert.alert_id),
                    "mjd": arrival.alert.mjd,
                    "reason": reason,
                    "sentence": sentence,
                }
            ),
            {"survey": arrival.alert.survey, "reason": reason},
        )
        for arrival, reason, sentence in declined
    ]
