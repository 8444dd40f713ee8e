"""What is remembered of an object, in whatever order and however often its answers come."""

from broker_classifier.lasair.annotation.history import Verdict, advanced
from tests.lasair.messages import MJD, answer, history_of


def test_the_first_answer_is_the_first_and_the_present_one():
    history = history_of(answer("SNII", 0.6))
    assert history.first == history.now == Verdict("SNII", 0.6, MJD)
    assert (history.previous, history.since_mjd, history.n_changes) == (None, MJD, 0)


def test_a_change_of_class_keeps_the_last_word_of_the_class_before():
    history = history_of(answer("SNII", 0.6), answer("SNII", 0.7, 1.0), answer("SNIa", 0.9, 2.0))
    assert history.first == Verdict("SNII", 0.6, MJD)
    assert history.previous == Verdict("SNII", 0.7, MJD + 1)
    assert (history.since_mjd, history.n_changes) == (MJD + 2, 1)


def test_a_repeat_and_an_older_answer_change_nothing():
    history = history_of(answer("SNII", 0.6), answer("SNIa", 0.9, 2.0))
    assert advanced(history, answer("SNIa", 0.9, 2.0)) is None
    assert advanced(history, answer("SNII", 0.6, 1.0)) is None


def test_a_revision_of_the_newest_answer_is_newer():
    history = history_of(answer("SNII", 0.6))
    later = answer(
        "SNIa", 0.7, times=answer().times.model_dump() | {"classified": "2026-12-01T00:00:00Z"}
    )
    assert advanced(history, later).now == Verdict("SNIa", 0.7, MJD)


def test_an_answer_that_is_taken_back_is_no_change_of_class():
    taken_back = answer("NotClassified", 1.0, 1.0)
    history = history_of(answer("SNII", 0.6), taken_back, answer("SNII", 0.6, 2.0))
    assert (history.now.top_class, history.n_changes) == ("SNII", 0)
    assert advanced(None, taken_back) is None
