"""An annotation: what Lasair shall say of one object, as a pure function of what we said of it."""

from typing import Any

from broker_classifier.lasair.annotation.classdict import classdict
from broker_classifier.lasair.annotation.explanation import explanation
from broker_classifier.lasair.annotation.history import History
from broker_classifier.lasair.annotation.limits import LIMITS, is_url, object_id_at, plain
from broker_classifier.lasair.annotation.points import points_of
from broker_classifier.streams.classification import ClassificationMessage, ModelMessage

Annotation = dict[str, Any]
"""As the `lasair` client takes it: objectId, topic, classification, version, explanation, classdict
(a dict), url."""


def annotation(
    answer: ClassificationMessage, history: History, survey: str, topic: str, page_url: str = ""
) -> Annotation | None:
    """Write the annotation of an object.

    Parameters
    ----------
    answer : ClassificationMessage
        Its newest.
    history : History
        With that answer entered.
    survey : str
        Whose Lasair it is for.
    topic : str
        Name of the annotator there.
    page_url : str
        Address of an object's page, with {object_id} in it; empty for none.

    Returns
    -------
    dict or None
        None if the object's id is none of this Lasair.
    """
    object_id = object_id_at(survey, answer.object_id)
    if object_id is None:
        return None
    lengths, points = LIMITS[survey].lengths, points_of(answer)
    return {
        "objectId": object_id,
        "topic": topic,
        "classification": plain(answer.top_class, lengths["classification"]) or "unnamed",
        "version": version(answer.model, lengths["version"]),
        "explanation": plain(explanation(answer, history, points), lengths["explanation"]),
        "classdict": classdict(answer, history, points, survey),
        "url": _url(page_url, answer.object_id, lengths["url"]),
    }


def version(model: ModelMessage, max_length: int) -> str:
    """Name bundle and version; where both do not fit, the bundle's name is cut, not the version.

    >>> version(ModelMessage(name="ztf-transients", version="0.5.0", hash=""), 16)
    'ztf-transi 0.5.0'
    """
    number = plain(model.version, max_length)
    name = plain(model.name, max_length)[: max(0, max_length - len(number) - 1)].strip()
    return f"{name} {number}".strip() or "unnamed"


def _url(page_url: str, object_id: str, max_length: int) -> str:
    url = page_url.replace("{object_id}", object_id)
    return url if is_url(url) and len(url) <= max_length else ""
