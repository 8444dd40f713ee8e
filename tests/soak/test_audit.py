from typing import NamedTuple

import orjson

from tests.soak.audit import Audit
from tests.soak.feed import FIRST_ALERT_ID, object_name, place_of

CAPACITY = 100
RIGHT = [{"SNIa": 0.75, "TDE": 0.25}] * 14
WRONG = {"SNIa": 0.7501, "TDE": 0.2499}
LETTERS = "letters"


class Record(NamedTuple):
    """As aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def answer(number, offset, version=1, revised=b"false", probabilities=RIGHT[0]):
    headers = {
        "id": b"%d:bundle:1" % (FIRST_ALERT_ID + number),
        "curve_version": b"%d" % version,
        "revised": revised,
    }
    value = orjson.dumps({"probabilities": probabilities})
    key = object_name(place_of(number)[0])
    return Record("answers", 0, offset, key, list(headers.items()), value)


def report_of(records, n_sent):
    audited = Audit(CAPACITY, RIGHT)
    for record in records:
        audited.take(record, LETTERS)
    return audited.report(n_sent)


def test_what_is_all_right_is_reported_so():
    report = report_of([answer(n, n) for n in range(5)], 5)
    assert report[:5] == (5, 0, 0, 0, 0)
    assert report.read_to == {("answers", 0): 5}


def test_an_alert_without_an_answer_is_lost():
    assert report_of([answer(0, 0), answer(2, 1)], 4).n_lost == 2


def test_two_first_answers_are_counted_and_a_revision_is_none():
    records = [answer(0, 0), answer(0, 1, 2, b"true"), answer(1, 2), answer(1, 3, 2)]
    report = report_of(records, 2)
    assert (report.n_twice, report.n_revisions) == (1, 1)


def test_only_the_answer_that_stands_has_to_be_right():
    mended = [answer(0, 0, 1, probabilities=WRONG), answer(0, 1, 2, b"true")]
    overtaken = [answer(1, 2, 2), answer(1, 3, 1, b"true", WRONG)]
    worsened = [answer(2, 4, 1), answer(2, 5, 2, b"true", WRONG)]
    assert report_of([*mended, *overtaken, *worsened], 3).n_wrong == 1


def test_answers_to_what_nobody_sent_are_extra():
    other_object = answer(0, 0)._replace(key=object_name(7))
    never = [answer(-1, 1), answer(CAPACITY, 2), answer(CAPACITY - 1, 3)]
    assert report_of([other_object, *never], 1).n_extra == 4


def test_what_is_read_again_after_a_lost_connection_counts_once():
    letter = Record(LETTERS, 0, 0, b"", [], b"")
    report = report_of([answer(0, 0), letter, answer(0, 0), letter], 1)
    assert (report.n_twice, report.n_letters) == (0, 1)
