"""Workers on a real Kafka and a real store, through one fault after another.

Whatever happened, the answers that stand are those of one pass over all alerts.
"""

import logging
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from tests.kafka_brokers import RealKafka
from tests.kafka_streets import Service, read_topic, send, services
from tests.service.test_workers_on_kafka import LONG, assert_right, read_all
from tests.valkey_servers import Server, server
from tests.ztf_packets import flare

log = logging.getLogger(__name__)

SESSION_S = 6.0  # of the services of the tests
N_POISON = 50
N_OBJECTS = int(os.environ.get("FAULT_OBJECTS", "30"))
NIGHT = [packet for n in range(N_OBJECTS) for packet in flare(f"ZTF{n}", n=14)]
POISON = [b"", b"no avro", NIGHT[0][:-40], b"Obj\x01" + bytes(50)]


@dataclass
class Street:
    """What a fault may strike."""

    kafka: RealKafka
    workers: list[Service]
    store: Server
    topic: str
    rng: random.Random

    @property
    def victim(self) -> Service:
        return self.rng.choice(self.workers)


def worker_is_killed(street: Street) -> None:
    victim = street.victim
    victim.kill()
    victim.start()


def worker_is_stopped_and_started(street: Street) -> None:
    victim = street.victim
    assert victim.stop() == 0, victim.log()
    victim.start()


def worker_sleeps_past_its_session(street: Street) -> None:
    victim = street.victim
    victim.send_signal(signal.SIGSTOP)
    time.sleep(SESSION_S + 2.0)
    victim.send_signal(signal.SIGCONT)


def kafka_is_killed(street: Street) -> None:
    street.kafka.crash()
    street.kafka.restart_broker()


def kafka_sleeps(street: Street) -> None:
    street.kafka.pause()
    time.sleep(3.0)
    street.kafka.resume()


def partitions_are_added(street: Street) -> None:
    admin = AdminClient({"bootstrap.servers": street.kafka.bootstrap_servers})
    n_partitions = len(admin.list_topics(street.topic, timeout=10).topics[street.topic].partitions)
    [done] = admin.create_partitions([NewPartitions(street.topic, n_partitions + 2)]).values()
    done.result(timeout=10)


def poison_comes_in_a_burst(street: Street) -> None:
    send(street.kafka.bootstrap_servers, street.topic, POISON * N_POISON)


def store_is_killed(street: Street) -> None:
    street.store.kill()
    time.sleep(1.0)
    street.store.start()


def store_sleeps(street: Street) -> None:
    street.store.send(signal.SIGSTOP)
    time.sleep(3.0)
    street.store.send(signal.SIGCONT)


def store_cuts_its_connections(street: Street) -> None:
    with street.store.client() as client:
        for _ in range(20):
            client.client_kill_filter(_type="normal", skipme=True)
            time.sleep(street.rng.random() / 20)


FAULTS: list[Callable[[Street], None]] = [
    worker_is_killed,
    worker_is_stopped_and_started,
    worker_sleeps_past_its_session,
    kafka_is_killed,
    kafka_sleeps,
    partitions_are_added,
    poison_comes_in_a_burst,
]
STORE_FAULTS = [store_is_killed, store_sleeps, store_cuts_its_connections]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("store", "n_workers"),
    [
        ("server", 2),
        pytest.param("server", 3, marks=LONG),
        pytest.param("server", 1, marks=LONG),
        pytest.param("folder", 1, marks=LONG),
    ],
)
def test_after_every_fault_all_alerts_have_the_answers_of_one_pass(
    own_real_kafka, unique, tmp_path, store, n_workers
):
    own_real_kafka.create_topic(f"ztf_{unique}", partitions=4)
    seed = os.environ.get("FAULT_SEED", unique)
    rng = random.Random(seed)
    faults = FAULTS + (STORE_FAULTS if store == "server" else [])
    rng.shuffle(faults)
    names = ", ".join(fault.__name__ for fault in faults)
    log.warning("FAULT_SEED=%s has these faults, in this order: %s", seed, names)
    shuffled = random.Random(1).sample(NIGHT, len(NIGHT))
    with ExitStack() as stack:
        kept = stack.enter_context(server(tmp_path / "valkey"))
        variables = {
            "BROKER_STORE__PATH": kept.url if store == "server" else str(tmp_path / "store"),
            "BROKER_KAFKA__BATCH_SIZE": "7",
        }
        bootstrap_servers = own_real_kafka.bootstrap_servers
        started = services(n_workers, bootstrap_servers, unique, tmp_path, **variables)
        workers = stack.enter_context(started)
        street = Street(own_real_kafka, workers, kept, f"ztf_{unique}", rng)
        size = -(-len(shuffled) // len(faults))
        for first, fault in zip(range(0, len(shuffled), size), faults, strict=True):
            send(own_real_kafka.bootstrap_servers, street.topic, shuffled[first : first + size])
            time.sleep(rng.random())
            fault(street)
        messages = read_all(workers[0], len(NIGHT))
        assert_right(messages, NIGHT, exactly_once=True)
        letters = read_topic(street.kafka.bootstrap_servers, workers[0].dead_letters, 10**6, 2.0)
        assert len(letters) == N_POISON * len(POISON)
