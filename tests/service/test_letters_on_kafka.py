"""Dead letters on the embedded Kafka and a real one: listed, sent back once, exported, purged."""

import json
from datetime import UTC, datetime

import pytest

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.streams.dead_letters import read_dead_letters
from broker_classifier.streams.replay_letters import (
    export_dead_letters,
    purge_dead_letters,
    replay_dead_letters,
)
from tests.kafka_streets import send, service, wait_until
from tests.service.test_street_on_kafka import BAD, NIGHT, accounting


@pytest.fixture
def served(kafka, unique, tmp_path):
    with service(kafka.bootstrap_servers, unique, tmp_path) as running:
        yield running


def test_bad_messages_become_dead_letters_that_can_be_listed_and_replayed(served):
    send(served.bootstrap_servers, served.input, [NIGHT[0], *BAD, NIGHT[1]])
    assert served.wait_for(received=6) == accounting(received=6, classified=2, dead_lettered=4)
    settings = KafkaSettings(
        bootstrap_servers=served.bootstrap_servers,
        group_id=f"letters-{served.input}",
        dead_letter_topic=served.dead_letters,
    )
    letters = list(read_dead_letters(settings))
    assert sorted(letter.value for letter in letters) == sorted(BAD)
    assert {letter.topic for letter in letters} == {served.input}
    assert {letter.is_replayed for letter in letters} == {False}
    assert replay_dead_letters(settings) == 4
    assert served.wait_for(received=10)["dead_lettered"] == 8
    again = list(read_dead_letters(settings))
    assert sorted(letter.value for letter in again) == sorted(BAD)  # each stands there once
    assert {letter.came_back_from for letter in again} == {letter.place for letter in letters}
    assert replay_dead_letters(settings) == 0  # those that came back are not sent a second time
    assert replay_dead_letters(settings, again=True) == 0  # nothing is new since


def test_letters_are_exported_with_their_bytes_and_a_list(served, tmp_path):
    send(served.bootstrap_servers, served.input, BAD)
    served.wait_for(received=len(BAD))
    settings = KafkaSettings(
        bootstrap_servers=served.bootstrap_servers, dead_letter_topic=served.dead_letters
    )
    assert export_dead_letters(settings, tmp_path / "letters") == len(BAD)
    listed = [
        json.loads(line)
        for line in (tmp_path / "letters" / "letters.jsonl").read_text().splitlines()
    ]
    kept = [(tmp_path / "letters" / entry["file"]).read_bytes() for entry in listed]
    assert sorted(kept) == sorted(BAD)
    assert {entry["reason"] for entry in listed} == {"DecodeError"}


def test_letters_before_a_moment_are_deleted_and_no_others(real_kafka, unique):
    topic = f"letters-{unique}"
    settings = KafkaSettings(
        bootstrap_servers=real_kafka.bootstrap_servers, dead_letter_topic=topic
    )
    send(real_kafka.bootstrap_servers, topic, [b"old 1", b"old 2"])
    wait_until(lambda: len(list(read_dead_letters(settings))) == 2, "two letters")
    between = datetime.now(UTC)
    send(real_kafka.bootstrap_servers, topic, [b"new"])
    assert purge_dead_letters(settings, between) == 2
    assert [letter.value for letter in read_dead_letters(settings)] == [b"new"]
    assert purge_dead_letters(settings, between) == 0


def test_replayed_letters_are_classified_once_they_can_be(served):
    """A letter sent to another topic's service: here, what was bad is only in the wrong place."""
    settings = KafkaSettings(
        bootstrap_servers=served.bootstrap_servers,
        group_id=f"letters-{served.input}",
        dead_letter_topic=f"old-{served.dead_letters}",
    )
    send(served.bootstrap_servers, settings.dead_letter_topic, NIGHT[:3])
    assert replay_dead_letters(settings, topic=served.input) == 3
    assert served.wait_for(received=3) == accounting(received=3, classified=3)
    assert replay_dead_letters(settings, topic=served.input) == 0
