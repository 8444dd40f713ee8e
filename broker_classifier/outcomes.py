"""What came of a batch, and what the store must know of it."""

import math
from collections.abc import Iterable, Sequence

from broker_classifier.classify import Classification
from broker_classifier.intake import Arrival, Intake, Task
from broker_classifier.reception import NO_BUNDLE
from broker_classifier.store import ObjectRecord, answered

Answer = tuple[Task, Classification | None]


def remembered(
    intake: Intake, arrivals: Sequence[Arrival], answers: Iterable[Answer]
) -> dict[str, ObjectRecord]:
    """Return what the store must know of a batch: merged curves, and whose alerts are answered.

    Those declined for want of a bundle are not: once there is one, a replay answers them.
    """
    excluded = {id(arrival) for arrival, _ in intake.declined} | set(map(id, intake.withdrawn))
    alerts: dict[str, list[tuple[int, float, bool]]] = {name: [] for name in intake.merged}
    for arrival in arrivals:
        alert = arrival.alert
        if alert.decline != NO_BUNDLE:
            alerts[alert.key].append((alert.alert_id, alert.mjd, id(arrival) in excluded))
    memories = newest_memories(answers)
    histories = {name: -math.inf for name in intake.merged}
    for alert in [arrival.alert for arrival in arrivals if arrival.has_history]:
        histories[alert.key] = max(alert.mjd, histories[alert.key])
    return {
        name: ObjectRecord(curve, answered(alerts[name]), memories.get(name, b""), histories[name])
        for name, curve in intake.merged.items()
    }


def newest_memories(answers: Iterable[Answer]) -> dict[str, bytes]:
    """Return what the classifier wants to keep of each object: after its newest detection."""
    found: dict[str, tuple[float, bytes]] = {}
    for task, classification in answers:
        if classification is not None:
            name, newest = task.arrival.alert.key, (task.mjd, classification.memory)
            found[name] = max(found.get(name, newest), newest)
    return {name: memory for name, (_, memory) in found.items()}
