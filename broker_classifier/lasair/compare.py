"""What Lasair has of our annotations beside what we think that it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from lasair import LasairError

from broker_classifier.errors import OutputUnavailableError
from broker_classifier.lasair.annotation.write_annotation import Annotation
from broker_classifier.lasair.sending.client import LasairAnnotator

ID_COLUMNS = {"lsst": "diaObjectId", "ztf": "objectId"}
FULL_PAGE = 1000  # fewest rows after which there may be more; the most depend on the token

Seen = tuple[str, str, str]
"""Classification, version and alert id of an annotation."""


@dataclass(frozen=True)
class Comparison:
    """How the two differ, by object id.

    Attributes
    ----------
    n_equal : int
    missing : tuple of str
        Sent, but Lasair has none, or does not have the object in its table `objects`.
    different : dict of str to tuple
        What Lasair has, and what it should.
    unknown : tuple of str
        Lasair has an annotation that was not sent from this outbox.
    """

    n_equal: int
    missing: tuple[str, ...]
    different: Mapping[str, tuple[Seen, Seen]]
    unknown: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether there is no difference."""
        return not (self.missing or self.different or self.unknown)


def compare(sent: Mapping[str, Annotation], at_lasair: Mapping[str, Seen]) -> Comparison:
    """Compare what was sent with what is there."""
    should = {object_id: seen_of(annotation) for object_id, annotation in sent.items()}
    both = [object_id for object_id in should if object_id in at_lasair]
    different = {
        object_id: (at_lasair[object_id], should[object_id])
        for object_id in both
        if at_lasair[object_id] != should[object_id]
    }
    return Comparison(
        len(both) - len(different),
        tuple(object_id for object_id in should if object_id not in at_lasair),
        different,
        tuple(object_id for object_id in at_lasair if object_id not in should),
    )


def seen_of(annotation: Annotation) -> Seen:
    """Reduce an annotation to what is compared."""
    alert_id = str(annotation["classdict"].get("alert_id", ""))
    return annotation["classification"], annotation["version"], alert_id


def annotations_at(
    annotator: LasairAnnotator, survey: str, count_call: Callable[[], None]
) -> dict[str, Seen]:
    """Ask Lasair for every annotation of ours; one call for thousands of them.

    Parameters
    ----------
    annotator : LasairAnnotator
    survey : str
    count_call : callable
        Called before every call.

    Raises
    ------
    OutputUnavailableError
        If it does not answer with rows.
    """
    column, topic = f"objects.{ID_COLUMNS[survey]}", annotator.topic
    selected = (
        f"{column} AS id, {topic}.classification AS classification, {topic}.version AS version, "
        f'JSON_EXTRACT({topic}.classdict, "$.alert_id") AS alert_id'
    )
    seen: dict[str, Seen] = {}
    while True:
        count_call()
        order = f"ORDER BY {column}"
        rows = _rows(annotator, selected, f"objects, annotator:{topic}", order, len(seen))
        seen |= {str(row["id"]): _seen(row) for row in rows}
        if len(rows) < FULL_PAGE:
            return seen


def _seen(row: Mapping[str, Any]) -> Seen:
    return row["classification"], row["version"], str(row["alert_id"] or "").strip('"')


def _rows(annotator: LasairAnnotator, *query: Any) -> list[dict[str, Any]]:
    try:
        rows = annotator.query(*query)
    except (LasairError, requests.exceptions.RequestException) as error:
        words = getattr(error, "message", None) or str(error)
        msg = f"{annotator!r} cannot be compared: {words}"
        raise OutputUnavailableError(msg) from error
    if not isinstance(rows, list):
        msg = f"{annotator!r} cannot be compared: it answers {str(rows)[:200]}"
        raise OutputUnavailableError(msg)
    return rows
