"""SIGKILL at random moments: no annotation is lost, and Lasair has the latest of every object."""

import random
import threading
import time

import pytest

from tests.kafka_streets import wait_until
from tests.lasair.annotate_process import Annotating
from tests.lasair.fake_lasair import FakeLasair, served
from tests.lasair.messages import value

N_OBJECTS, N_MESSAGES, N_KILLS = 40, 1200, 6
PAUSE_S = 0.005
CLASSES = ("SNIa", "SNII", "TDE", "AGN")


@pytest.fixture
def lasair(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with served(FakeLasair("ztf", calls_per_hour=100_000, slow_s=0.05)) as server:
        yield server


def publish(process, latest):
    """Publish answers of any object and class, a few hundred a second; note the latest."""
    rng = random.Random(7)
    for number in range(N_MESSAGES):
        name, top_class = f"ZTF26{rng.randrange(N_OBJECTS):07d}", rng.choice(CLASSES)
        latest[name] = top_class
        message = value(top_class, object_id=name, days=number / 100, bits=rng.random())
        process.publish([message], key=name)
        time.sleep(PAUSE_S)


def test_kills_lose_nothing_and_leave_the_latest(session_embedded_kafka, unique, tmp_path, lasair):
    topic, servers = f"classifications-{unique}", session_embedded_kafka.bootstrap_servers
    session_embedded_kafka.create_topic(topic, 4)
    small = {"BROKER_ANNOTATE__BATCH_SIZE": "7"}
    process = Annotating(servers, topic, tmp_path, [lasair], **small)
    latest, moments = {}, random.Random(3)
    publisher = threading.Thread(target=publish, args=(process, latest))
    publisher.start()
    for _ in range(N_KILLS):
        process.start()
        time.sleep(moments.uniform(0.1, 1.2))
        process.kill()
    publisher.join()
    process.start()

    def has_the_latest():
        rows = lasair.annotations().items()
        return {name: row["classification"] for name, row in rows} == latest

    wait_until(has_the_latest, "the latest of every object")
    compared = process.run("annotations", "compare", "--survey", "ztf")
    process.kill()
    assert compared.returncode == 0
    assert len(lasair.calls) > N_KILLS
