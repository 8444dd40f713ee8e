"""A classification as the message that subscribers read: what was seen, what follows from it."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from broker_classifier.bundle import Bundle
from broker_classifier.classify import Classification
from broker_classifier.intake import Task
from broker_classifier.light_curve import BANDS, Kind, LightCurve
from broker_classifier.photometry import unix_from_mjd
from broker_classifier.schemas.classification import SCHEMA_VERSION
from broker_classifier.streams.message import Outgoing

NOT_CLASSIFIED = "NotClassified"  # as ELAsTiCC's brokerClassification names it
NO_ANSWER: dict[str, Any] = {
    "class": NOT_CLASSIFIED,
    "probability": 1.0,
    "probabilities": {NOT_CLASSIFIED: 1.0},
    "n_points_used": 0,
    "n_points_rejected": {},
    "light_curve": [],
}
KIND_NAMES = tuple(kind.name.lower() for kind in Kind)


def outgoing(
    task: Task,
    classification: Classification | None,
    bundle: Bundle,
    topic: str,
    classified_at: datetime,
) -> Outgoing:
    """Build the Kafka message: key the object's id, headers for who skips without decoding.

    None instead of a classification takes back an answer given before, as `NOT_CLASSIFIED`.
    """
    content = content_of(task, classification, bundle, classified_at)
    headers = {
        "id": content["id"],
        "survey": content["survey"],
        "class": content["class"],
        "probability": f"{content['probability']:.6f}",
    }
    return Outgoing(topic, content["object_id"].encode(), orjson.dumps(content), headers)


def content_of(
    task: Task, classification: Classification | None, bundle: Bundle, classified_at: datetime
) -> dict[str, Any]:
    """Lay out a classification as `ClassificationMessage` describes it."""
    alert, received_ms = task.arrival.alert, task.arrival.message.timestamp_ms
    return {
        "schema_version": SCHEMA_VERSION,
        "id": f"{task.alert_id}:{bundle.name}:{bundle.version}",
        "survey": alert.survey,
        "object_id": alert.object_id,
        "alert_id": task.alert_id,
        "mjd": task.mjd,
        "ra": alert.ra,
        "dec": alert.dec,
        "revised": task.is_revision,
        **_answer(task.curve, classification, bundle.classes),
        "model": {"name": bundle.name, "version": bundle.version, "hash": bundle.hash},
        "times": {
            "observed": iso(unix_from_mjd(task.mjd)),
            "received": None if received_ms is None else iso(received_ms / 1000.0),
            "classified": iso(classified_at.timestamp()),
        },
    }


def _answer(
    curve: LightCurve, classification: Classification | None, classes: tuple[str, ...]
) -> dict[str, Any]:
    if classification is None:
        return NO_ANSWER
    probabilities = by_class(classes, classification.probabilities)
    top = max(probabilities, key=probabilities.__getitem__)
    return {
        "class": top,
        "probability": probabilities[top],
        "probabilities": probabilities,
        "n_points_used": len(classification.used),
        "n_points_rejected": dict(Counter(filter(None, classification.rejected))),
        "light_curve": _points(curve, classification),
    }


def by_class(classes: tuple[str, ...], probabilities: np.ndarray[Any, Any]) -> dict[str, float]:
    """Name the probabilities, rounded to 1e-6.

    >>> by_class(("SNIa", "SNII"), np.array([0.75, 0.25]))
    {'SNIa': 0.75, 'SNII': 0.25}
    """
    return dict(zip(classes, np.round(probabilities, 6).tolist(), strict=True))


def _points(curve: LightCurve, classification: Classification) -> list[dict[str, Any]]:
    attention: list[float | None] = [None] * len(curve)
    if classification.attention is not None:
        weights = np.round(classification.attention, 6).tolist()
        for index, weight in zip(classification.used.tolist(), weights, strict=True):
            attention[index] = weight
    upper_limit = int(Kind.UPPER_LIMIT)
    flux = np.round(curve.psf_flux.astype(float), 3).tolist()
    flux_err = np.round(curve.psf_flux_err.astype(float), 3).tolist()
    return [
        {
            "mjd": mjd,
            "band": BANDS[band],
            "kind": KIND_NAMES[kind],
            "psf_flux": None if kind == upper_limit else value,
            "psf_flux_err": err,
            "attention": weight,
            "rejected": reason or None,
        }
        for mjd, band, kind, value, err, weight, reason in zip(
            curve.mjd.tolist(),
            curve.band.tolist(),
            curve.kind.tolist(),
            flux,
            flux_err,
            attention,
            classification.rejected,
            strict=True,
        )
    ]


def iso(unix_s: float) -> str:
    """Write a moment as ISO 8601 in UTC, to the millisecond.

    >>> iso(1625132565.5)
    '2021-07-01T09:42:45.500Z'
    """
    text = datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
