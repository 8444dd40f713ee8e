"""SIGKILL at random moments: no annotation is lost, and Lasair has the latest of every object."""

import random
import threading
import time

from tests.kafka_streets import wait_until
from tests.lasair.annotate_process import Annotating
from tests.lasair.fake_lasair import FakeLasair, served
from tests.lasair.messages import value

N_OBJECTS, N_MESSAGES, N_KILLS = 40, 1200, 6
CLASSES = ("SNIa", "SNII", "TDE", "AGN")


def test_kills_lose_nothing_and_leave_the_latest(
    session_embedded_kafka, unique, tmp_path, monkeypatch
):
    monkeypatch.setenv("no_proxy", "*")
    rng, topic = random.Random(7), f"classifications-{unique}"
    session_embedded_kafka.create_topic(topic, 4)
    lasair = FakeLasair("ztf", calls_per_hour=100_000, slow_s=0.05)
    with served(lasair):
        process = Annotating(
            session_embedded_kafka.bootstrap_servers,
            topic,
            tmp_path,
            [lasair],
            BROKER_ANNOTATE__BATCH_SIZE="7",
        )
        latest = {}

        def publish():
            for number in range(N_MESSAGES):
                name = f"ZTF26{rng.randrange(N_OBJECTS):07d}"
                top_class = rng.choice(CLASSES)
                latest[name] = top_class
                message = value(top_class, object_id=name, days=number / 100, bits=rng.random())
                process.publish([message], key=name)
                time.sleep(0.005)

        publisher = threading.Thread(target=publish)
        publisher.start()
        moments = random.Random(3)
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
