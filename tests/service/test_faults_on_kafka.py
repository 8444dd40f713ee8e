"""Workers on a real Kafka and a real store, through one fault after another.

Whatever happened, the answers that stand are those of one pass over all alerts.
"""

import logging
import os
import random
import time

import pytest

from tests.kafka_streets import read_topic, send
from tests.service.faults import FAULTS, N_LETTERS, STORE_FAULTS, open_street
from tests.service.test_workers_on_kafka import LONG, assert_right, read_all
from tests.ztf_packets import flare

log = logging.getLogger(__name__)

N_OBJECTS = int(os.environ.get("FAULT_OBJECTS", "30"))
NIGHT = [packet for n in range(N_OBJECTS) for packet in flare(f"ZTF{n}", n=14)]


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
    seed = os.environ.get("FAULT_SEED", unique)
    rng = random.Random(seed)
    faults = FAULTS + (STORE_FAULTS if store == "server" else [])
    rng.shuffle(faults)
    names = ", ".join(fault.__name__ for fault in faults)
    log.warning("FAULT_SEED=%s has these faults, in this order: %s", seed, names)
    shuffled = random.Random(1).sample(NIGHT, len(NIGHT))
    variables = {"BROKER_KAFKA__BATCH_SIZE": "7"}
    if store == "folder":
        variables["BROKER_STORE__PATH"] = str(tmp_path / "store")
    with open_street(own_real_kafka, unique, tmp_path, n_workers, rng, **variables) as street:
        size = -(-len(shuffled) // len(faults))
        for first, fault in zip(range(0, len(shuffled), size), faults, strict=True):
            send(own_real_kafka.bootstrap_servers, street.topic, shuffled[first : first + size])
            time.sleep(rng.random())
            fault(street)
        messages = read_all(street.workers[0], len(NIGHT))
        assert_right(messages, NIGHT, exactly_once=True)
        letters = street.workers[0].dead_letters
        assert len(read_topic(own_real_kafka.bootstrap_servers, letters, 10**6, 2.0)) == N_LETTERS
