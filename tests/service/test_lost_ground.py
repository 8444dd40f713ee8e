"""A disk that is full and a topic that is made anew: nothing is lost of what comes after."""

import os
import subprocess
from contextlib import contextmanager, suppress

import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka_streets import send, service, wait_until
from tests.service.test_workers_on_kafka import assert_right, read_all
from tests.ztf_packets import flare

NIGHT = [packet for n in range(40) for packet in flare(f"ZTF{n}", n=14)]


@contextmanager
def small_disk(folder, n_bytes):
    """Mount a disk of so many bytes; skip where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def test_a_full_disk_is_waited_for_and_nothing_is_lost(real_kafka, unique, tmp_path):
    with small_disk(tmp_path / "disk", 4_000_000) as disk:
        variables = {"BROKER_STORE__PATH": str(disk / "store")}
        with service(real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
            filler = fill(disk)
            send(worker.bootstrap_servers, worker.input, NIGHT)
            wait_until(lambda: "No space left" in worker.log(), "word of it")
            filler.unlink()
            assert_right(read_all(worker, len(NIGHT)), NIGHT, exactly_once=True)


def test_a_topic_that_is_made_anew_is_read_from_its_beginning(real_kafka, unique, tmp_path):
    real_kafka.create_topic(f"ztf_{unique}")
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    with service(real_kafka.bootstrap_servers, unique, tmp_path) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT[:100])
        worker.wait_for(received=100)
        [deleted] = admin.delete_topics([worker.input]).values()
        deleted.result(timeout=10)
        wait_until(lambda: worker.input not in admin.list_topics(timeout=5).topics, "its end")
        real_kafka.create_topic(worker.input)
        send(worker.bootstrap_servers, worker.input, NIGHT[100:])
        assert_right(read_all(worker, len(NIGHT)), NIGHT, exactly_once=False)
