"""The proof holds when every alert is accounted for, and fails when any one is not."""

import pytest

from broker_classifier.demo.ledger import Ledger, proof
from tests.demo.answers import RECEIVED, answer, sent


def books(n_sent: int, n_answered: int, **totals: int) -> Ledger:
    ledger = Ledger(sent=[sent(i) for i in range(n_sent)], totals=totals)
    for i in range(n_answered):
        ledger.receive(answer(i), RECEIVED.timestamp() + 0.1 * (i + 1))
    return ledger


def holds(ledger: Ledger) -> list[bool]:
    return [check.holds for check in proof(ledger, len(ledger.sent))]


def test_all_answered_is_proven():
    assert holds(books(4, 4, received=4, classified=4)) == [True] * 4


def test_each_other_outcome_accounts_for_an_alert():
    totals = {"declined": 1, "duplicate": 1, "withdrawn": 1, "dead_lettered": 1}
    ledger = books(4, 2, received=6, classified=2, **totals)
    ledger.sent += [sent(0), sent(None)]
    assert holds(ledger) == [True] * 4


def test_an_alert_that_the_service_never_saw_fails_the_proof():
    checks = proof(books(4, 3, received=3, classified=3), 4)
    assert [check.holds for check in checks] == [False, True, True, False]
    assert "ZTF1 3" in checks[-1].numbers


def test_an_alert_that_was_never_sent_fails_the_proof():
    checks = proof(books(4, 4, received=4, classified=4), 5)
    assert [check.holds for check in checks] == [False, True, True, True]


def test_an_answer_that_never_arrived_fails_the_proof():
    assert holds(books(4, 3, received=4, classified=4)) == [True, True, False, False]


def test_an_alert_that_was_counted_without_outcome_fails_the_proof():
    assert holds(books(4, 3, received=4, classified=3)) == [True, False, True, False]


def test_an_answer_to_an_alert_that_was_never_sent_fails_the_proof():
    ledger = books(3, 3, received=3, classified=3)
    ledger.sent[2] = sent(99)
    assert not all(holds(ledger))


def test_what_kafka_delivered_twice_hides_no_missing_alert():
    again = {"received": 5, "classified": 4, "duplicate": 1}
    assert holds(books(4, 4, **again)) == [True] * 4
    again |= {"classified": 3, "duplicate": 2}
    assert holds(books(4, 3, **again)) == [True, True, True, False]


def test_a_revision_replaces_the_answer_and_counts_once():
    ledger = books(2, 2, received=2, classified=2)
    ledger.receive(answer(1, probabilities={"SNIa": 0.1, "SNII": 0.9}), RECEIVED.timestamp() + 9)
    assert holds(ledger) == [True] * 4
    assert ledger.answers[1].top_class == "SNII"
    assert len(ledger.latencies_s) == 2


def test_latency_is_from_the_alerts_kafka_time_to_the_answers():
    ledger = books(5, 5)
    assert ledger.latency_s(50) == pytest.approx(0.3, abs=1e-6)
    assert ledger.latency_s(100) == pytest.approx(0.5, abs=1e-6)


def test_answers_are_told_apart_by_object_and_ordered_in_time():
    ledger = Ledger()
    for alert_id, name in [(3, "A"), (1, "A"), (2, "B")]:
        ledger.receive(answer(alert_id, name), RECEIVED.timestamp())
    evolution = ledger.evolution()
    assert {n: [a.alert_id for a in e] for n, e in evolution.items()} == {"A": [1, 3], "B": [2]}
