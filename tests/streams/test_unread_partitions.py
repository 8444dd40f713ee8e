"""Which partitions of a group nobody reads, as a group without a Kafka says."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.streams import group_readers
from broker_classifier.streams import unread_partitions as module
from broker_classifier.streams.group_readers import GroupReaders, ask_group
from broker_classifier.streams.unread_partitions import N_ASKED, UnreadPartitions


class Group:
    """What it answers, and its consumer; remembers how often it was asked for."""

    def __init__(self, partitions, read):
        self.partitions, self.n_asked = partitions, 0
        self.answer = GroupReaders(True, {("ztf", number) for number in read})

    def ask(self):
        self.n_asked += 1
        asked = Future()
        asked.set_result(self.answer)
        return asked

    def list_topics(self, timeout):
        topic = SimpleNamespace(partitions=dict.fromkeys(self.partitions))
        return SimpleNamespace(topics={"ztf": topic})


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(module, "ASKED_EVERY_S", 0.0)


def reports(unread, group, n_polls=30):
    return sum(unread.are_there(group) for _ in range(n_polls))


def test_a_group_is_asked_for_after_each_joining_and_not_without_end(at_once):
    group = Group([0, 1], read=[0, 1])
    unread = UnreadPartitions(group.ask, ["ztf"])
    assert (reports(unread, group), group.n_asked) == (0, N_ASKED)
    group.partitions = [0, 1, 2]
    unread.look_again()
    assert (reports(unread, group), group.n_asked) == (1, 2 * N_ASKED + 2)


@pytest.mark.parametrize("unclear", [None, GroupReaders(False, set())])
def test_a_group_that_says_nothing_clear_is_asked_for_until_it_does(at_once, unclear):
    group = Group([0, 1], read=[0])
    group.answer, clear = unclear, group.answer
    unread = UnreadPartitions(group.ask, ["ztf"])
    assert (reports(unread, group), group.n_asked) == (0, 15)
    group.answer = clear
    assert reports(unread, group) == 1


def test_a_kafka_that_does_not_answer_says_nothing_of_the_group(monkeypatch):
    monkeypatch.setattr(group_readers, "TIMEOUT_S", 0.5)
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    assert ask_group(settings).result(30.0) is None
