"""Messages that mean harm: every field replaced by what a stream should never hold."""

import json
import random
from collections.abc import Iterator
from typing import Any

from broker_classifier.errors import DecodeError
from broker_classifier.lasair.annotation.answer import read_answer
from broker_classifier.lasair.annotation.history import advanced
from broker_classifier.lasair.annotation.limits import violations
from broker_classifier.lasair.annotation.write_annotation import Annotation, annotation
from tests.lasair.messages import content, point
from tests.lasair.poison import poison_in

TEXTS = (
    *("", " ", "SNIa", "SN Ia's", '"', "'; DROP TABLE annotations; --", "\\", "a\nb", "\0"),
    *("\u2028", "é", "超新星", "💥" * 30, "limit", "offset", "LIMIT offset", "lilimitmit", "91T"),
    *("_", "-" * 99, "x" * 5000, "NaN", "null", "{}", "top_class", "bits", "%s%d", "<script>"),
    "a" * 79 + "'",
)
NUMBERS = (
    *(0, 1, -1, 0.5, 1e-7, 1e-320, 1e308, -1e308, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 10**400),
    *(float("nan"), float("inf"), float("-inf"), 0.123456789, 61000.123456789, -0.0, True, None),
)
IDS = ("ZTF26aaaaaaa", "313637921267122191", "1", "0", "-1", str(2**63), "ZTF", "ZTF" + "a" * 20)
PAGES = (
    "",
    "https://broker.example.org/{object_id}",
    "https://x/'{object_id}",
    "ftp://x",
    "x" * 2000,
)


def hostile_value(rng: random.Random) -> Any:
    """Draw one thing that a field should not hold."""
    kind = rng.randrange(5)
    if kind == 0:
        return rng.choice(TEXTS)
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind == 2:
        return "".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randrange(40)))
    if kind == 3:
        return rng.uniform(-1, 1) * 10 ** rng.randrange(-9, 12)
    return [] if rng.random() < 0.5 else {rng.choice(TEXTS): rng.choice(NUMBERS)}


def hostile_probabilities(rng: random.Random) -> dict[str, Any]:
    """Draw classes of any name and number."""
    n = rng.choice((0, 1, 2, 9, 9, 9, 9, 9, 9, 200))
    names = [rng.choice(TEXTS) + rng.choice(("", str(rng.randrange(n + 1)))) for _ in range(n)]
    return {name: rng.random() if rng.random() < 0.98 else rng.choice(NUMBERS) for name in names}


def hostile_content(rng: random.Random) -> dict[str, Any]:
    """Draw a message; most can be read, so that they get as far as an annotation."""
    survey = rng.choice(("ztf", "lsst"))
    message = content(
        object_id=rng.choice(IDS) if rng.random() < 0.5 else ("7" if survey == "lsst" else IDS[0]),
        survey=survey,
        days=rng.uniform(0, 300),
        bits=rng.choice((None, rng.uniform(0, 3), rng.choice(NUMBERS))),
    )
    message["class"] = rng.choice((*TEXTS, "NotClassified"))
    message["probability"] = rng.random()
    for name in ("probabilities", "probabilities_equal_prior"):
        if rng.random() < 0.6:
            message[name] = hostile_probabilities(rng)
    message["model"] = {"name": rng.choice(TEXTS), "version": rng.choice(TEXTS), "hash": ""}
    message["alert_id"] = rng.choice((1, -5, 2**63 - 1, rng.getrandbits(63), rng.getrandbits(900)))
    message["n_points_used"] = rng.choice((0, 3, 10**9, 10**400))
    numbers: list[Any] = [rng.choice(NUMBERS) for _ in range(3)]
    message["light_curve"] = [
        point(rng.uniform(-1, 300), flux=rng.choice((100.0, 2000.0, numbers[0]))),
        point(rng.uniform(-1, 300), flux=rng.choice((100.0, 2000.0, numbers[1]))),
        point(0.0, band=rng.choice("ugrizy"), mjd=rng.choice((61000.0, numbers[2]))),
    ][: rng.randrange(4)]
    for _ in range(rng.choice((0, 0, 0, 1))):
        message[rng.choice(list(message))] = hostile_value(rng)
    return message


def hostile_answers(n_messages: int, seed: int) -> Iterator[tuple[str, Annotation | None, str]]:
    """Read so many hostile messages; yield what became of each, its annotation, its survey."""
    rng, history = random.Random(seed), None
    for _ in range(n_messages):
        if rng.random() < 0.6:
            history = None  # another object
        message = hostile_content(rng)
        try:
            answer = read_answer(json.dumps(message).encode("utf-8", "surrogatepass"))
        except DecodeError:
            yield "unreadable", None, ""
            continue
        newer = advanced(history, answer)
        if newer is None or answer.survey not in ("ztf", "lsst"):
            yield "not_newer", None, ""
            continue
        history = newer
        made = annotation(answer, history, answer.survey, "mytopic", rng.choice(PAGES))
        yield "annotated" if made else "no_object", made, answer.survey


def hostile_annotations(n_messages: int, seed: int) -> Iterator[tuple[Annotation, str]]:
    """Yield the annotations that hostile messages give, each with its survey."""
    for _, made, survey in hostile_answers(n_messages, seed):
        if made:
            yield made, survey


def run(n_messages: int, seed: int) -> dict[str, int]:
    """Read so many hostile messages and check every annotation that comes of them.

    Returns
    -------
    dict of str to int
        How many messages met which end; "annotated" were checked to be without poison.
    """
    ends = dict.fromkeys(("unreadable", "not_newer", "no_object", "annotated"), 0)
    for end, made, survey in hostile_answers(n_messages, seed):
        ends[end] += 1
        if made:
            wrong = [*poison_in(made, survey), *violations(made, survey)]
            assert wrong == [], (wrong, made)
    return ends
