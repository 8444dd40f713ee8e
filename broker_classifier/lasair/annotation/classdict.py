"""The classdict: numbers and words that Lasair's filters can use, under keys that do not change.

Filters are written against these keys, so a key is never renamed and never changes its meaning;
`KEYS_VERSION` says when one is added. A value that is not known has no key, which a filter sees as
NULL. Words are lower-case, as Lasair lower-cases the filters that an annotation triggers.
"""

import json
from collections.abc import Mapping

from broker_classifier.lasair.annotation.answer import bits_of
from broker_classifier.lasair.annotation.history import History, Verdict
from broker_classifier.lasair.annotation.limits import (
    LIMITS,
    MAX_CLASSDICT_TEXT,
    is_key,
    key,
    number,
    plain,
)
from broker_classifier.lasair.annotation.points import Points
from broker_classifier.streams.classification import ClassificationMessage

KEYS_VERSION = 1
EQUAL_PRIOR = "ep_"

Value = str | int | float

KEYS: Mapping[str, str] = {
    "keys_version": "Version of this table.",
    "top_class": "The most probable class, as its key below; notclassified takes an answer back.",
    "top_p": "Its probability.",
    "bits": "Information that the light curve gave, bits; 0 at first, whatever the probability.",
    "n_points": "Points that the answer rests on.",
    "days": "From the first detection to this alert, days.",
    "fade": "Decline since the brightest point in the band that fades fastest, magnitudes a day.",
    "mjd": "Time of the alert that is answered, MJD in UTC.",
    "alert_id": "Its id, in digits: ZTF candid, LSST diaSourceId.",
    "first_class": "The first class that was ever said of the object.",
    "first_p": "Its probability then.",
    "first_mjd": "The alert at which it was said, MJD in UTC.",
    "previous_class": "The class before the present one.",
    "previous_p": "Its probability when it was last said.",
    "changed_mjd": "The alert that brought the present class, MJD in UTC.",
    "n_changes": "How often the class has changed.",
}
"""What stands beside the classes. A class stands under its own name, `SNIa-91bg` as `snia_91bg`,
with its probability, and once more with `EQUAL_PRIOR` before it: as if all classes were equally
frequent."""


def classdict(
    answer: ClassificationMessage, history: History, points: Points, survey: str
) -> dict[str, Value]:
    """Put together what filters can ask for.

    Classes beyond what Lasair takes are left out, the least probable first.
    """
    values = {
        "keys_version": KEYS_VERSION,
        "top_class": class_word(answer.top_class),
        "top_p": answer.probability,
        "bits": bits_of(answer),
        "n_points": points.n,
        "days": points.days,
        "fade": points.fade,
        "mjd": answer.mjd,
        "alert_id": plain(str(answer.alert_id), MAX_CLASSDICT_TEXT),
        **_verdict("first", history.first),
        "first_mjd": history.first.mjd,
        "n_changes": history.n_changes,
    }
    if history.previous:
        values |= _verdict("previous", history.previous) | {"changed_mjd": history.since_mjd}
    fitting = {
        name: fitted for name, value in values.items() if (fitted := _fitted(value)) is not None
    }
    return _with_classes(fitting, answer, LIMITS[survey].lengths["classdict"])


def class_word(name: str) -> str:
    """Name a class as its key does; `unnamed` where nothing of its name can be used."""
    return key(name) or "unnamed"


def class_keys(answer: ClassificationMessage) -> dict[str, float]:
    """Name every class's probability by its key, the most probable first."""
    named: dict[str, float] = {}
    for prefix, given in (
        ("", answer.probabilities),
        (EQUAL_PRIOR, answer.probabilities_equal_prior),
    ):
        for name, probability in (given or {}).items():
            word = prefix + class_word(name)
            word = f"class_{word}" if word in KEYS else word
            named[word] = max(probability, named.get(word, 0.0))
    return dict(sorted(named.items(), key=lambda item: -item[1]))


def _with_classes(
    values: dict[str, Value], answer: ClassificationMessage, max_length: int
) -> dict[str, Value]:
    length = len(json.dumps(values))
    for name, probability in class_keys(answer).items():
        rounded = number(probability)
        length += len(json.dumps({name: rounded}))  # its braces stand for comma and space
        if rounded is None or not is_key(name) or length > max_length:
            continue
        values[name] = rounded
    return values


def _verdict(word: str, verdict: Verdict) -> dict[str, Value]:
    return {f"{word}_class": class_word(verdict.top_class), f"{word}_p": verdict.probability}


def _fitted(value: Value | None) -> Value | None:
    return value if isinstance(value, str) else number(value)
