"""A classification as the message that subscribers read: what was seen, what follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broker_classifier.light_curve.photometry import unix_from_mjd
from broker_classifier.light_curve.selection_rules import REASONS
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.prior import equal_prior_probabilities, information_bits
from broker_classifier.service.light_curve_json import light_curves_json
from broker_classifier.service.triage import Answer, Task
from broker_classifier.streams.classification import NOT_CLASSIFIED, SCHEMA_VERSION
from broker_classifier.streams.message import Outgoing

NO_ANSWER: dict[str, Any] = {
    "class": NOT_CLASSIFIED,
    "probability": 1.0,
    "probabilities": {NOT_CLASSIFIED: 1.0},
    "probabilities_equal_prior": {NOT_CLASSIFIED: 1.0},
    "information_bits": 0.0,
    "n_points_used": 0,
    "n_points_rejected": {},
    "light_curve": [],
}


def outgoing(
    answers: Sequence[Answer],
    bundle: Bundle,
    topic: str,
    curve_versions: Sequence[int],
    classified_at: float,
    at_mjd: float | None = None,
) -> list[Outgoing]:
    """Build the Kafka messages: key the object's id, headers for who skips without decoding.

    Parameters
    ----------
    answers : sequence of (Task, Classification or None)
        Of one bundle. None takes back an answer given before, as `NOT_CLASSIFIED`.
    bundle : Bundle
    topic : str
    curve_versions : sequence of int
        Under which the objects were put into the store.
    classified_at : float
        Unix time, s.
    at_mjd : float, optional
        When the answers were asked for, if not at their alerts.
    """
    contents = _answers(answers, bundle)
    times = _times([task for task, _ in answers], classified_at)
    model = {"name": bundle.name, "version": bundle.version, "hash": bundle.hash}
    return [
        _message(
            topic,
            {
                **_about(task, model, version, at_mjd),
                **content,
                "context": task.arrival.alert.context._asdict(),
                "model": model,
                "times": moments,
            },
        )
        for (task, _), version, content, moments in zip(
            answers, curve_versions, contents, times, strict=True
        )
    ]


def _message(topic: str, content: dict[str, Any]) -> Outgoing:
    headers = {
        "id": content["id"],
        "survey": content["survey"],
        "model": content["model"]["name"],
        "class": content["class"],
        "probability": f"{content['probability']:.6f}",
        "bits": f"{content['information_bits']:.4f}",
        "points": str(content["n_points_used"]),
        "revised": "true" if content["revised"] else "false",
        "curve_version": str(content["curve_version"]),
    }
    return Outgoing(topic, content["object_id"].encode(), orjson.dumps(content), headers)


def _about(
    task: Task, model: Mapping[str, str], curve_version: int, at_mjd: float | None
) -> dict[str, Any]:
    """Say what is classified, in the first fields of `ClassificationMessage`."""
    alert = task.arrival.alert
    asked_later = "" if at_mjd is None else f":{at_mjd:.5f}"
    return {
        "schema_version": SCHEMA_VERSION,
        "id": f"{task.alert_id}:{model['name']}:{model['version']}{asked_later}",
        "survey": alert.survey,
        "object_id": alert.object_id,
        "alert_id": task.alert_id,
        "alert_id_str": str(task.alert_id),
        "mjd": task.mjd,
        "at_mjd": at_mjd,
        "ra": alert.ra,
        "dec": alert.dec,
        "revised": task.is_revision,
        "curve_version": curve_version,
    }


def _times(tasks: Sequence[Task], classified_at: float) -> list[dict[str, str | None]]:
    observed = iso([unix_from_mjd(task.mjd) for task in tasks])
    received_ms = [task.arrival.message.timestamp_ms for task in tasks]
    received = iso([(ms or 0) / 1000.0 for ms in received_ms])
    [classified] = iso([classified_at])
    return [
        {"observed": at, "received": None if ms is None else text, "classified": classified}
        for at, ms, text in zip(observed, received_ms, received, strict=True)
    ]


def _answers(answers: Sequence[Answer], bundle: Bundle) -> list[dict[str, Any]]:
    curves = [task.curve for task, answer in answers if answer is not None]
    given = [answer for _, answer in answers if answer is not None]
    prior = bundle.description.calibration.prior
    probabilities = np.array([answer.probabilities for answer in given]).reshape(-1, len(prior))
    contents = iter(
        [
            _answer(*columns)
            for columns in zip(
                by_class(bundle.classes, probabilities),
                by_class(bundle.classes, equal_prior_probabilities(probabilities, prior)),
                np.round(information_bits(probabilities, prior), 4).tolist(),
                light_curves_json(curves, given),
                [len(answer.used) for answer in given],
                n_rejected([answer.reason for answer in given]),
                strict=True,
            )
        ]
    )
    return [NO_ANSWER if answer is None else next(contents) for _, answer in answers]


def _answer(
    probabilities: dict[str, float],
    at_equal_prior: dict[str, float],
    bits: float,
    points: bytes,
    n_used: int,
    rejected: dict[str, int],
) -> dict[str, Any]:
    top = max(probabilities, key=probabilities.__getitem__)
    return {
        "class": top,
        "probability": probabilities[top],
        "probabilities": probabilities,
        "probabilities_equal_prior": at_equal_prior,
        "information_bits": bits,
        "n_points_used": n_used,
        "n_points_rejected": rejected,
        "light_curve": orjson.Fragment(points),
    }


def by_class(
    classes: tuple[str, ...], probabilities: NDArray[np.float64]
) -> list[dict[str, float]]:
    """Name the probabilities of n classifications, rounded to 1e-6.

    >>> by_class(("SNIa", "SNII"), np.array([[0.75, 0.25]]))
    [{'SNIa': 0.75, 'SNII': 0.25}]
    """
    rows = np.round(probabilities, 6).tolist()
    return [dict(zip(classes, row, strict=True)) for row in rows]


def n_rejected(reasons: Sequence[NDArray[np.uint8]]) -> list[dict[str, int]]:
    """Count, for n light curves, the points that each reason rejected.

    >>> n_rejected([np.array([REASONS.index("band"), 0, REASONS.index("band")], np.uint8)])
    [{'band': 2}]
    """
    n, row = len(REASONS), np.repeat(np.arange(len(reasons)), [len(r) for r in reasons])
    codes = np.concatenate([*reasons, np.empty(0, np.uint8)])
    counts = np.bincount(row * n + codes.astype(np.int64), minlength=len(reasons) * n)
    return [
        {reason: count for reason, count in zip(REASONS, of_curve, strict=True) if count and reason}
        for of_curve in counts.reshape(-1, n).tolist()
    ]


def iso(unix_s: Sequence[float]) -> list[str]:
    """Write moments as ISO 8601 in UTC, to the millisecond before.

    >>> iso([1625132565.5, -0.0005])
    ['2021-07-01T09:42:45.500Z', '1969-12-31T23:59:59.999Z']
    """
    microseconds = np.rint(np.asarray(unix_s, dtype=np.float64) * 1e6).astype("datetime64[us]")
    texts: list[str] = np.datetime_as_string(microseconds, unit="ms", casting="unsafe").tolist()
    return [f"{text}Z" for text in texts]
