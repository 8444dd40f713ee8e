"""What may strike workers on a real Kafka and a real store, while alerts come."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from broker_classifier.streams.kafka_clients import MAX_MESSAGE_BYTES
from tests.kafka_brokers import RealKafka
from tests.kafka_streets import WAIT_S, Service, send, service, wait_until
from tests.slow_proxy import SlowProxy, slow_proxy
from tests.valkey_servers import Server, server
from tests.wall_clock import COMPILER, WallClock
from tests.ztf_packets import flare

SESSION_S = 6.0  # of the services of the tests
HOUR_S = 3600
N_POISON = 50
POISON = [b"", b"no avro", flare("ZTF0", n=1)[0][:-40], b"Obj\x01" + bytes(50)]
OVER_A_LIMIT = [bytes(2_000_000), bytes(MAX_MESSAGE_BYTES + 1)]  # the letters' topic's, and ours
MOST_BYTES = 2 * MAX_MESSAGE_BYTES  # that the alerts' topic takes
N_LETTERS = N_POISON * len(POISON) + len(OVER_A_LIMIT)  # of a burst


@dataclass
class Street:
    """What a fault may strike; `mortal` are the workers that it may end."""

    kafka: RealKafka
    workers: list[Service]
    mortal: list[Service]
    store: Server
    proxy: SlowProxy
    clocks: list[WallClock]
    topic: str
    rng: random.Random

    @property
    def victim(self) -> Service:
        return self.rng.choice(self.mortal)


@contextmanager
def open_street(
    kafka: RealKafka,
    word: str,
    folder: Path,
    n_workers: int,
    rng: random.Random,
    **variables: str,
) -> Iterator[Street]:
    """Start a store, and workers that share it; each has a clock of its own."""
    kafka.create_topic(f"ztf_{word}", partitions=4, **{"max.message.bytes": str(MOST_BYTES)})
    with ExitStack() as stack:
        store = stack.enter_context(server(folder / "valkey"))
        proxy = stack.enter_context(slow_proxy(store.port))
        workers, clocks = [], []
        for number in range(n_workers):
            own = folder / str(number)
            own.mkdir()
            clock = WallClock(own) if COMPILER else None
            clocks += [clock] if clock else []
            named = {
                "BROKER_KAFKA__WORKER": f"{word}-{number}",
                "BROKER_STORE__PATH": f"valkey://127.0.0.1:{proxy.port}/0",
            }
            settings = named | (clock.variables if clock else {}) | variables
            started = service(kafka.bootstrap_servers, word, own, **settings)
            workers.append(stack.enter_context(started))
        yield Street(kafka, workers, workers, store, proxy, clocks, f"ztf_{word}", rng)


def worker_is_killed(street: Street) -> None:
    victim = street.victim
    victim.kill()
    victim.start()


def worker_is_stopped_and_started(street: Street) -> None:
    victim = street.victim
    assert victim.stop() == 0, victim.log()
    victim.start()


def worker_sleeps_past_its_session(street: Street) -> None:
    victim = street.rng.choice(street.workers)
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
    limits = {"message.max.bytes": MOST_BYTES}
    producer = Producer({"bootstrap.servers": street.kafka.bootstrap_servers} | limits)
    for message in OVER_A_LIMIT:
        producer.produce(street.topic, message)
    assert producer.flush(WAIT_S) == 0


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


def store_answers_late(street: Street) -> None:
    street.proxy.delay_s = 0.3
    time.sleep(3.0)
    street.proxy.delay_s = 0.0


def store_is_cut_off_in_the_middle_of_an_answer(street: Street) -> None:
    for _ in range(10):
        street.proxy.n_cuts = 1
        wait_until(lambda: street.proxy.n_cuts == 0, "an answer to cut off")
        time.sleep(street.rng.random() / 10)


def clock_is_set_back_an_hour_and_forward(street: Street) -> None:
    clock = street.rng.choice(street.clocks)
    for seconds in (-HOUR_S, 0):
        clock.set(seconds)
        time.sleep(3.0)


FAULTS: list[Callable[[Street], None]] = [
    worker_is_killed,
    worker_is_stopped_and_started,
    worker_sleeps_past_its_session,
    kafka_is_killed,
    kafka_sleeps,
    partitions_are_added,
    poison_comes_in_a_burst,
    *([clock_is_set_back_an_hour_and_forward] if COMPILER else []),
]
STORE_FAULTS: list[Callable[[Street], None]] = [
    store_is_killed,
    store_sleeps,
    store_cuts_its_connections,
    store_answers_late,
    store_is_cut_off_in_the_middle_of_an_answer,
]
